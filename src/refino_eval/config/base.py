"""What all configuration models share: strictness, labels, names, and which fields are text for readers."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    ValidationInfo,
    model_validator,
)

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
"""A name inside the program: lower case ASCII, digits and underscores, at most 40 characters."""

CalendarMonth = Annotated[str, StringConstraints(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
"""A calendar month, as 2018-05."""

Language = Literal["nb", "en"]
Unit = Literal["month", "week"]
Design = Literal["randomised", "observational"]
"""Whether people were assigned at random, or entered by themselves or by somebody's choice."""

VCOV = (
    "Covariance. Default: CR2 where the evaluation names clusters, otherwise HC1. CRV1 is Stata's clustered covariance, for "
    "replication; CRV1_nested is the same without the fixed effects that are nested in clusters among the parameters, as in reghdfe "
    "and fixest; HC2_BM is HC2 with Bell and McCaffrey's degrees of freedom."
)
"""Description of the covariance of a regression."""

DESCRIPTIVE = "descriptive"
"""Metadata of a field that no computed number depends on, for fields whose type does not say so (`Label`, `Text`)."""

WITHOUT_TEXT = {"text": "absent"}
"""Validation context of jobs that compute numbers: descriptive fields may be absent, and are then empty."""


class Strict(BaseModel):
    """Base of every configuration model: immutable, and no key that it does not know."""

    # A number that is not finite is a mistake in every setting, and compares with nothing.
    model_config = ConfigDict(
        frozen=True, extra="forbid", protected_namespaces=(), allow_inf_nan=False, defer_build=True
    )

    @model_validator(mode="before")
    @classmethod
    def _text_may_be_absent(cls, given: Any, info: ValidationInfo) -> Any:
        if info.context != WITHOUT_TEXT or not isinstance(given, dict):
            return given
        return {**_empty_texts(cls), **given}

    @classmethod
    def from_params(cls, data: Any) -> Self:
        """Validate what `without_text` returned: a rule's params, from which descriptive fields were left out."""
        return cls.model_validate(data, context=WITHOUT_TEXT)


def complete_models() -> None:
    """Build the validators of all models that are imported; each is built when it is first used otherwise (`defer_build`)."""
    waiting: list[type[BaseModel]] = [Strict]
    while waiting:
        model = waiting.pop()
        waiting += model.__subclasses__()
        if not model.__pydantic_complete__:
            model.model_rebuild(raise_errors=False)


def _shown(text: str) -> str:
    """Refuse characters that no document can hold: control characters, such as Word's line break inside a paragraph."""
    for character in text:
        if character not in "\n\t" and unicodedata.category(character) in ("Cc", "Cs", "Cn"):
            raise ValueError(
                f"the text has the character U+{ord(character):04X}, which documents cannot show. Remove it, or put a space in "
                "its place"
            )
    return text


Shown = Annotated[str, AfterValidator(_shown)]
"""A text that tables, pages and documents can show."""

LONGEST_TITLE = 255
"""Characters that the title of a Word or Excel document can have."""


class Label(Strict):
    """A text in the report's two languages."""

    # A label that is a number (a year, a code) need not be put in quotes.
    model_config = ConfigDict(coerce_numbers_to_str=True)

    nb: Shown = Field(description="Norwegian (bokmål).")
    en: Shown = Field(description="English.")

    def __getitem__(self, language: str) -> str:
        return self.nb if language == "nb" else self.en


def _text_form(given: Any) -> str:
    """Return which of a text's two forms was written, so that an error is reported for that form alone."""
    return "both_languages" if isinstance(given, dict | Label) else "one_language"


Text = Annotated[
    Annotated[Shown, Tag("one_language")] | Annotated[Label, Tag("both_languages")], Discriminator(_text_form)
]
"""A longer text: in one language (English) for readers of the configuration alone, or in both languages of the report."""


def _stated(source: str | Label, info: ValidationInfo) -> str | Label:
    texts = (source,) if isinstance(source, str) else (source.nb, source.en)
    if info.context != WITHOUT_TEXT and not all(text.strip() for text in texts):
        raise ValueError("the source is empty. State where the value comes from")
    return source


SourceText = Annotated[Text, AfterValidator(_stated)]
"""Where a value that is written in the configuration comes from; tables show it."""


def _short(title: Label) -> Label:
    longest = max(len(title.nb), len(title.en))
    if longest > LONGEST_TITLE:
        raise ValueError(
            f"a title has at most {LONGEST_TITLE} characters, and this one has {longest}. Put the rest in a note"
        )
    return title


Title = Annotated[Label, AfterValidator(_short)]
"""The title of a table, a figure or a report."""


def text_in(text: str | Label, language: str) -> str:
    """Return a text in a language; one that was written in one language only is returned as it is."""
    return text if isinstance(text, str) else text[language]


def spoken(text: str | Label, language: str) -> str:
    """Return the language that `text_in` returns a text in, for a page's `lang`."""
    return "en" if isinstance(text, str) else language


@lru_cache(maxsize=256)
def descriptive_fields(model: type[BaseModel]) -> frozenset[str]:
    """Return the fields of a model that no computed number depends on: labels, texts, examples, versions."""
    return frozenset(
        name
        for name, field in model.model_fields.items()
        if DESCRIPTIVE in field.metadata or _holds_labels(field.annotation)
    )


def _holds_labels(annotation: Any) -> bool:
    return annotation is Label or any(_holds_labels(part) for part in get_args(annotation))


@lru_cache(maxsize=256)
def _empty_texts(model: type[BaseModel]) -> dict[str, Any]:
    """Return an empty text for each descriptive field that a model requires."""
    fields = ((name, model.model_fields[name]) for name in descriptive_fields(model))
    return {
        name: Label(nb="", en="") if field.annotation is Label else "" for name, field in fields if field.is_required()
    }
