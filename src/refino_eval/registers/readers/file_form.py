"""What is stated about how a delivered file is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class FileForm:
    """How a delivered file is written.

    Attributes
    ----------
    delimiter
        Of a text file: one character, or `whitespace`.
    columns
        The names of the columns of a text file whose first line is data; otherwise the first line has them.
    skip_blank
        Whether lines of nothing but blanks are skipped.
    """

    format: Literal["text", "parquet", "sas7bdat", "dta", "sav"]
    encoding: str = "utf-8"
    delimiter: str = ";"
    columns: tuple[str, ...] = ()
    skip_blank: bool = False
