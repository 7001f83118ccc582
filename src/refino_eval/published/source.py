"""The document that a file of published values comes from, and the names it gives its exhibits.

`data/published/<document>.source.yaml` states title, publisher and how many numbers each exhibit has. The keys of the values
name an exhibit by its kind and number (`table_4_4`); readers know it by its published name (`Table 4.4`), which follows from
the key. A document that writes `4-4` states so in `numbered_by`, and an exhibit without a number has a name in `names`. Numbers
without a key of ours are described in `links`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import Field

from refino_eval.config.base import Label, Language
from refino_eval.config.model_errors import validate
from refino_eval.config.yaml_files import read_yaml
from refino_eval.published.links import Links
from refino_eval.text import say

_NUMBERED = re.compile(r"(table|figure|text)_([ivx]+|[a-z]?\d+[a-z]?(?:_\d+[a-z]?)*)")
_ROMAN = re.compile(r"[ivx]+")


Pages = Annotated[str, Field(pattern=r"^\d+(-\d*)?$")]


class PublishedSource(Links):
    """One document: its bibliographic data, what was transcribed, and the links of its numbers to ours."""

    title: str = Field(default="", description="Title of the document.")
    authors: str = Field(default="", description="Authors, where they are named.")
    publisher: str = Field(default="", description="Publisher and series.")
    year: int | None = Field(default=None, description="Year of publication.")
    text: str = Field(default="", description="File with the document's plain text, to whose lines the values refer.")
    holds: str = Field(default="", description="Which exhibits were transcribed.")
    numbers: int = Field(default=0, ge=0, description="Number of values in the file.")
    exhibits: dict[str, int] = Field(default={}, description="Number of values of each exhibit.")
    numbered_by: str = Field(default=".", description="Separator between chapter and number in the names of tables.")
    pages: dict[str, Pages] = Field(
        default={}, description="Pages of the document where an exhibit is: 76, 76-78, or 93- for page 93 and later."
    )
    names: dict[str, Label] = Field(default={}, description="Names of exhibits that do not follow from the key.")

    def exhibit_name(self, exhibit: str, language: Language) -> str | None:
        """Return the name that the document gives an exhibit, or None if its key does not show it.

        Examples
        --------
        >>> PublishedSource().exhibit_name("table_4_4", "en")
        'Table 4.4'
        """
        if exhibit in self.names:
            return self.names[exhibit][language]
        parts = _NUMBERED.fullmatch(exhibit)
        if parts is None:
            return None
        kind, number = parts.groups()
        # Chapters are numbered by points whatever the tables have.
        separator = "." if kind == "text" else self.numbered_by
        number = number.upper() if _ROMAN.fullmatch(number) or number[0].isalpha() else number
        return say(f"audit.exhibit_{kind}", language, number=number.replace("_", separator))

    def exhibit_names(self, exhibits: Iterable[str]) -> dict[str, Label]:
        """Return the names that the document gives its exhibits, in both languages; those that their keys do not show are left out."""
        pairs = ((key, self.exhibit_name(key, "nb"), self.exhibit_name(key, "en")) for key in exhibits)
        return {key: Label(nb=nb, en=en) for key, nb, en in pairs if nb and en}


def pages_text(pages: str, language: Language) -> str:
    """Return in words the pages where a document has an exhibit; nothing where they are not stated.

    Examples
    --------
    >>> pages_text("76-78", "en"), pages_text("93-", "nb"), pages_text("40", "en")
    ('pages 76–78', 'side 93 og senere', 'page 40')
    """
    first, dash, last = pages.partition("-")
    if not first:
        return ""
    form = "pages" if last else "pages_from" if dash else "page"
    return say(f"comparison.{form}", language, first=first, last=last)


def load_source(path: Path | str) -> PublishedSource:
    """Read the description of a document; without the file, return an empty one.

    Parameters
    ----------
    path
        `<document>.source.yaml`.

    Raises
    ------
    UserError
        When the file exists and is invalid.
    """
    path = Path(path)
    if not path.is_file():
        return PublishedSource()
    return validate(read_yaml(path, path.name), PublishedSource, path.name)


def source_file(path: Path) -> Path:
    """Return the file that describes the document of a file of published values."""
    return path.with_name(f"{path.stem}.source.yaml")
