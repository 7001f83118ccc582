"""Text from data and definitions, made harmless for the programs that open what we write.

A spreadsheet calculates a CSV cell that begins like a formula, and a Markdown reader runs the HTML in a cell. A label or a
published string can contain both, so every writer of such files passes its texts through here.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_FORMULA = re.compile(r"[=+\-@\t\r].", re.DOTALL)
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NUMBER = re.compile(r"[-+]?[\d\s.,;()*%]+(?:e[-+]?\d+)?", re.IGNORECASE)


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
    changed = {str(name): [change(v) if isinstance(v, str) else v for v in frame[name]] for name in frame}
    return frame.assign(**{name: cells for name, cells in changed.items() if cells != list(frame[name])})


def _plain(text: str) -> str:
    return text[1:] if text.startswith("'") and csv_cell(text[1:]) == text else text


def without_control_characters(text: str) -> str:
    r"""Return a text in which a space stands for each character that XML, and so Word and Excel, cannot hold.

    Examples
    --------
    >>> without_control_characters("Wages\x0bbefore tax")
    'Wages before tax'
    """
    return _CONTROL.sub(" ", text)


def without_tags(text: str) -> str:
    """Return a text for Markdown in which nothing is read as an HTML tag; `<5` stays as it is."""
    return _TAG.sub("&lt;", text)


def markdown_cell(text: str) -> str:
    """Return a text for a cell of a Markdown table: without HTML, cell borders, emphasis or line breaks."""
    return without_tags(text).replace("|", "\\|").replace("*", "\\*").replace("\n", " ")


def markdown_row(cells: Iterable[str]) -> str:
    """Return a row of a Markdown table."""
    return "| " + " | ".join(map(markdown_cell, cells)) + " |"
