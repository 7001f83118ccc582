"""CSV that a spreadsheet shows and does not calculate.

A spreadsheet calculates a cell that begins like a formula. A label, a code from a register or a published string can, so every
CSV file of a run, a receipt or a release is written here.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_FORMULA = re.compile(r"[=+\-@\t\r].", re.DOTALL)
_NUMBER = re.compile(r"[-+]?[\d\s.,;()*%]+(?:e[-+]?\d+)?", re.IGNORECASE)


@lru_cache(maxsize=1 << 14)  # a column repeats its texts
def csv_cell(text: str) -> str:
    """Return a text with an apostrophe in front if a spreadsheet would calculate it; numbers are left alone.

    Examples
    --------
    >>> csv_cell("=1+1"), csv_cell("-0,74**")
    ("'=1+1", '-0,74**')
    """
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def csv_text(rows: Iterable[Iterable[object]], *, delimiter: str = ",") -> str:
    """Return rows as CSV that no spreadsheet calculates."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\n")
    writer.writerows([csv_cell(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return buffer.getvalue()


def frame_csv(frame: pd.DataFrame) -> str:
    """Return a data frame as CSV, without its index, that no spreadsheet calculates."""
    return _changed(frame, csv_cell).to_csv(index=False, lineterminator="\n")


def frame_as_written(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a data frame that was read from such CSV, with its texts as they were before."""
    return _changed(frame, _plain)


def _changed(frame: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    """Return a data frame with a change of every text; columns in which it changes nothing stay as they are."""
    changed: dict[str, Any] = {}
    for name in frame:
        values = frame[name].tolist()
        # A column repeats its texts: each different one is looked at once.
        texts = {text: change(text) for text in {value for value in values if isinstance(value, str)}}
        if any(text != new for text, new in texts.items()):
            changed[str(name)] = [texts[value] if isinstance(value, str) else value for value in values]
    return frame.assign(**changed)


def _plain(text: str) -> str:
    return text[1:] if text.startswith("'") and csv_cell(text[1:]) == text else text
