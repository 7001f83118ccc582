"""What all configuration models share: strictness, labels and names."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StringConstraints, Tag

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
"""A name inside the program: lower case ASCII, digits and underscores, at most 40 characters."""

Language = Literal["nb", "en"]
Unit = Literal["month", "week"]


class Strict(BaseModel):
    """Base of every configuration model: immutable, and no key that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class Label(Strict):
    """A text in the report's two languages."""

    nb: str = Field(description="Norwegian (bokmål).")
    en: str = Field(description="English.")

    def __getitem__(self, language: str) -> str:
        return self.nb if language == "nb" else self.en


def _text_form(given: Any) -> str:
    """Tell the two forms of a text apart by what is written, so that a fault is told for that form alone."""
    return "both_languages" if isinstance(given, dict | Label) else "one_language"


Text = Annotated[
    Annotated[str, Tag("one_language")] | Annotated[Label, Tag("both_languages")], Discriminator(_text_form)
]
"""A longer text: in one language (English) for readers of the configuration alone, or in both languages of the report."""


def text_in(text: str | Label, language: str) -> str:
    """Return a text in a language; one that was written in one language only is returned as it is."""
    return text if isinstance(text, str) else text[language]


def spoken(text: str | Label, language: str) -> str:
    """Return the language that `text_in` returns a text in, for a page's `lang`."""
    return "en" if isinstance(text, str) else language
