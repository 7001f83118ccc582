"""Text from data and definitions, made harmless for the programs that open what we write.

A Markdown reader runs the HTML in a cell, and Word and Excel cannot hold control characters. A label or a published string
can contain them, so every writer of such files passes its texts through here. For CSV see `refino_eval.csv_output`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


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
