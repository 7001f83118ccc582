"""Read the text catalogues and fill in their placeholders.

A catalogue is a YAML file of one theme. Each entry holds the same text in both languages, next to each other, so that a
translator sees both and a missing one is visible:

    take_up_shares:
      nb: "Deltakelse: {treated} % i {arm}."
      en: "Take-up: {treated}% in {arm}."

A text that depends on a number has the two plural forms that Norwegian and English share, chosen by the value `n`:

    people_lost:
      nb: {one: "{n} person mangler.", other: "{n} personer mangler."}
      en: {one: "{n} person is missing.", other: "{n} people are missing."}

The texts of an exhibit kind are in that kind's folder (`exhibits/kinds/<kind>/text.yaml`); shared ones are here.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from refino_eval.text.design_wording import read_texts, text_of_design

HERE = Path(__file__).parent
KINDS = HERE.parent / "exhibits" / "kinds"

Entry = Mapping[str, str | Mapping[str, str]]


@dataclass(frozen=True)
class Catalogue:
    """The texts of one theme.

    Attributes
    ----------
    theme
        The first part of its keys.
    entries
        Key within the theme -> language -> text, or plural form -> text.
    """

    theme: str
    entries: Mapping[str, Entry]

    def say(self, name: str, language: str, values: Mapping[str, object]) -> str:
        """Return a text with its placeholders filled in.

        Raises
        ------
        KeyError
            When there is no such text, or a placeholder is without a value.
        """
        try:
            text = self.entries[name][language]
        except KeyError:
            raise KeyError(f"no text '{self.theme}.{name}' in language '{language}'") from None
        text = text_of_design(f"{self.theme}.{name}", text, language)
        if not isinstance(text, str):
            text = text["one" if values["n"] in (1, "1") else "other"]
        # Most texts have no placeholder, and one without must be allowed to hold braces as they are.
        return text.format_map(values) if values else text


def say(key: str, language: str, /, **values: object) -> str:
    """Return the text of a key in a language.

    Parameters
    ----------
    key
        Theme and name, for instance ``"late.take_up_shares"``.
    language
        ``"nb"`` or ``"en"``.
    **values
        The placeholders, already formatted where decimals matter; `n` also chooses the plural form.

    Raises
    ------
    KeyError
        When the key is unknown or a placeholder has no value: a fault of the program, found by tests.
    """
    theme, _, name = key.partition(".")
    return catalogue(theme).say(name, language, values)


def say_if_any(key: str, language: str) -> str:
    """Return the text of a key that may be absent, such as that of a rule which a register added; else nothing."""
    theme, _, name = key.partition(".")
    return say(key, language) if name in catalogue(theme).entries else ""


def texts_of(theme: str, language: str) -> dict[str, str]:
    """Return all texts of a theme in one language, for pages that show them all; plural forms are left out."""
    return {
        name: text
        for name, entry in catalogue(theme).entries.items()
        if isinstance(text := text_of_design(f"{theme}.{name}", entry[language], language), str)
    }


def catalogue_files() -> Iterator[tuple[str, Path]]:
    """Return every catalogue as theme and file, in the order of their themes."""
    paths = {path.stem: path for path in HERE.glob("*.yaml")}
    paths |= {path.parent.name: path for path in KINDS.glob("*/text.yaml")}
    yield from sorted(paths.items())


@cache
def catalogue(theme: str) -> Catalogue:
    """Read one theme: `text/<theme>.yaml`, or `text.yaml` in the folder of the exhibit kind of that name."""
    path = HERE / f"{theme}.yaml"
    if not path.is_file():
        path = KINDS / theme / "text.yaml"
    return Catalogue(theme, read_texts(path))


def read_all() -> None:
    """Read every theme."""
    for theme, _ in catalogue_files():
        catalogue(theme)


def placeholders(text: str) -> set[str]:
    """Return the names of a text's placeholders."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
