"""Which document a file of published values comes from, and what the document calls its exhibits.

`data/published/<document>.source.yaml` tells title, publisher and how many numbers each exhibit holds. The keys of the values
name an exhibit by its kind and number (`table_4_4`); a reader knows it by its printed name (`Table 4.4`), which follows from
the key. A document that writes `4-4` says so by `numbered_by`, and an exhibit without a number has a name of its own in
`names`. What the file says of numbers that have no key of ours is told in `links`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import yaml
from pydantic import Field, ValidationError

from refino_eval.config.base import Label, Language
from refino_eval.errors import UserError
from refino_eval.published.links import Links

KINDS: Mapping[str, Label] = {
    "table": Label(nb="Tabell", en="Table"),
    "figure": Label(nb="Figur", en="Figure"),
    "text": Label(nb="Kapittel", en="Chapter"),
}
"""What an exhibit's key begins with, as its name does; the numbers of a text belong to its chapter."""

_NUMBERED = re.compile(r"(table|figure|text)_([ivx]+|[a-z]?\d+[a-z]?(?:_\d+[a-z]?)*)")
_ROMAN = re.compile(r"[ivx]+")


class PublishedSource(Links):
    """One document: what it is, what of it was transcribed, and which of our numbers the printed ones are held to."""

    title: str = Field(default="", description="Title of the document.")
    authors: str = Field(default="", description="Its authors, where they are named.")
    publisher: str = Field(default="", description="Who published it, and in which series.")
    year: int | None = Field(default=None, description="Year of publication.")
    text: str = Field(default="", description="File with the document's plain text, whose lines the values name.")
    holds: str = Field(default="", description="Which of its exhibits were transcribed, in words.")
    numbers: int = Field(default=0, ge=0, description="How many numbers the file holds.")
    exhibits: dict[str, int] = Field(default={}, description="How many numbers each exhibit holds.")
    numbered_by: str = Field(default=".", description="What stands between chapter and number in its tables' names.")
    names: dict[str, Label] = Field(default={}, description="Names of exhibits whose key does not tell them.")

    def exhibit_name(self, exhibit: str, language: Language) -> str | None:
        """Return what the document calls an exhibit, in a language, or None when its key does not tell.

        Examples
        --------
        >>> PublishedSource().exhibit_name("table_4_4", "en")
        'Table 4.4'
        """
        if exhibit in self.names:
            return self.names[exhibit][language]
        found = _NUMBERED.fullmatch(exhibit)
        if found is None:
            return None
        kind, number = found.groups()
        # Chapters are numbered by points whatever the tables have.
        between = "." if kind == "text" else self.numbered_by
        number = number.upper() if _ROMAN.fullmatch(number) or number[0].isalpha() else number
        return f"{KINDS[kind][language]} {number.replace('_', between)}"


def load_source(path: Path | str) -> PublishedSource:
    """Read what is known of a document; one without such a file is a document of which nothing is known.

    Parameters
    ----------
    path
        `<document>.source.yaml`.

    Raises
    ------
    UserError
        When the file is there and does not describe a document.
    """
    path = Path(path)
    if not path.is_file():
        return PublishedSource()
    try:
        return PublishedSource.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except yaml.YAMLError as error:
        raise UserError(f"{path.name} is no YAML: {error}") from None
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, e['loc']))} {e['msg']}".strip() for e in error.errors())
        raise UserError(f"{path.name} does not describe a document: {told}.") from None


def source_beside(path: Path) -> Path:
    """Return where the source of a file of published values stands."""
    return path.with_name(f"{path.stem}.source.yaml")
