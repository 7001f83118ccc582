"""Where the parts of a table are: rows of heads, the rows of numbers below them, and headings in the middle."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from refino_eval.published.reading.grids import Grid, GridCell, filled
from refino_eval.published.reading.head_words import head, is_model_number, statistic_of
from refino_eval.published.reading.printed_cells import Decimals, is_empty, pieces

YEAR = re.compile(r"(19|20)\d\d([/\-–](19|20)?\d\d)?")

NOTE = re.compile(
    r"\W*(notes?|merknad(er)?|merk|anm(erkning(er)?)?|sources?|kilder?|fotnoter?|footnotes?)\b\s*[:.]|\*+ ?p ?[<=]",
    re.IGNORECASE,
)
"""Beginning of a note below a table."""

_SCALED = re.compile(
    r"\W*\d[\d.,]*\s*(millions?|mill\.?|mio\.?|billions?|mrd\.?|milliarder?|thousand|tusen)\b", re.IGNORECASE
)
"""A number with a word for its scale, which makes its row one of numbers although it is not read."""

_TIME = re.compile(
    r"(months?|måned(er)?|weeks?|uker?|years?|år|days?|dager?|quarters?|kvartal|waves?|age|alder)\b.*", re.IGNORECASE
)
_RESULTS = ("estimate", "std_error", "t_stat", "p_value", "mean", "sd", "difference", "share")

Row = Sequence[GridCell]


@dataclass(frozen=True)
class Part:
    """One heading with the rows below it, up to the next heading.

    Attributes
    ----------
    heads
        The rows of the heading.
    body
        The rows of numbers and of labels.
    first
        Index in the grid of the body's first row.
    title
        The title above the heading, which names the part; that of the part above where it has none.
    """

    heads: Sequence[Row]
    body: Sequence[Row]
    first: int
    title: str


def parts(grid: Grid, decimals: Decimals) -> Iterator[Part]:
    """Yield the parts of a grid; a grid without a heading in the middle has one."""
    rows = grid.rows
    start, title = 0, ""
    while start < len(rows):
        first = _first_numbers(grid, start, decimals)
        heads = rows[start:first]
        again = len(heads) == 1 and start > 0 and _repeats(heads[0], rows[:start])
        title = _title(rows, start, first) or (heads[0][0].text.strip() if again else "") or title
        stop = next((row for row in range(first + 1, len(rows)) if _begins_part(rows, row, decimals, heads)), len(rows))
        # A label alone right above the next heading is the title of the next part, not a label of this one.
        while first < stop - 1 and stop < len(rows) and filled(rows[stop - 1]) == [0]:
            stop -= 1
        yield Part(heads, rows[first:stop], first, title)
        start = max(stop, start + 1)


def is_data(row: Row, decimals: Decimals, above: Sequence[Row] = ()) -> bool:
    """Return whether a row has numbers to the right of its label, other than years and numbers of models.

    Parameters
    ----------
    row
        The row.
    decimals
        The decimal sign of the document.
    above
        The heads above it: where these name each column, small numbers and years below them are numbers.
    """
    label, *cells = [cell.text.strip() for cell in row]
    texts = [text for text in cells if not is_empty(text)]
    numeric = [text for text in texts if _is_numeric(text, decimals)]
    if not numeric:
        # `n.a.` stands where a number would: the row is no heading.
        return bool(label) and not texts and any(cells)
    if numeric == texts and all(map(_may_be_head, texts)):
        described = bool(label) and (bool(statistic_of(label)) or _named(row, above))
        return described or not _numbers_columns(label, texts)
    # A heading may hold a few numbers (a size, a year); a row of results holds few words.
    return len(numeric) >= len(texts) / 4


def _may_be_head(text: str) -> bool:
    return is_model_number(text) or YEAR.fullmatch(text) is not None


def _is_numeric(text: str, decimals: Decimals) -> bool:
    return pieces(text, decimals) is not None or _SCALED.match(text) is not None


def _numbers_columns(label: str, texts: Sequence[str]) -> bool:
    """Return whether small numbers or years are heads: `(1) (2) (3)`, `2021 2022`, `Month 6 12 24`, or `1 2 3` without a label.

    `1 2 3` with a label may be counts, and so may `3 1 2` without one.
    """
    if _TIME.fullmatch(label) and all(text.isdigit() for text in texts):
        return len(texts) > 1 and [int(text) for text in texts] == sorted({int(text) for text in texts})
    in_order = [re.sub(r"\D", "", text) for text in texts] == [str(number) for number in range(1, len(texts) + 1)]
    return (in_order and not label) or all(
        YEAR.fullmatch(text) or re.search(r"[(\[a-zA-Z]", text) is not None for text in texts
    )


def _named(row: Row, heads: Sequence[Row]) -> bool:
    """Return whether words above name each of the cells of a row that have a text; a common heading names none."""
    return all(
        any(cells[at].origin and re.search(r"[^\W\d_]{2}", cells[at].text) is not None for cells in heads)
        for at in filled(row)
        if at > 0
    )


def _states_sizes(row: Row) -> bool:
    """Return whether a row below heads states the size of each column: `(N = 1,203)`."""
    texts = [row[at].text for at in filled(row) if at > 0]
    return bool(texts) and all(head(text).size for text in texts)


def _first_numbers(grid: Grid, start: int, decimals: Decimals) -> int:
    """Return the first row below the heading that begins at `start`."""
    rows = grid.rows
    marked = grid.head_rows
    if start == 0 and marked is not None and any(is_data(row, decimals, rows[:marked]) for row in rows[marked:]):
        return marked
    first = next(
        (
            row
            for row in range(start, len(rows))
            if is_data(rows[row], decimals, rows[start:row]) and not _states_sizes(rows[row])
        ),
        len(rows),
    )
    # Labels of groups right above the numbers are not heads of columns.
    while first > start + 1 and filled(rows[first - 1]) == [0] and not rows[first - 1][0].head:
        first -= 1
    return first


def _title(rows: Sequence[Row], start: int, first: int) -> str:
    """Return the last title among the heads from `start` to `first`; nothing where these are titles alone."""
    titles = [
        row[0].text.strip()
        for row in rows[start:first]
        if is_title(row) and (first - start > 1 or all(cell.origin for cell in row[1:]))
    ]
    return titles[-1] if titles and first - start > len(titles) else ""


def is_title(row: Row) -> bool:
    """Return whether a row has a text in its first cell alone."""
    return filled(row) == [0]


def _begins_part(rows: Sequence[Row], at: int, decimals: Decimals, heads: Sequence[Row]) -> bool:
    """Return whether a row below the first heading is a heading again: words over the columns and no label."""
    row = rows[at]
    used = filled(row)
    if not used or is_data(row, decimals, heads) or NOTE.match(row[used[0]].text):
        return False
    if _repeats(row, heads):
        return True
    words = [column for column in used if column > 0 and not is_empty(row[column].text)]
    if len(words) > 1 and all(row[column].head for column in used):
        return True
    above_numbers = at + 1 < len(rows) and is_data(rows[at + 1], decimals)
    return used[0] > 0 and (len(words) > 1 or (len(words) == 1 and above_numbers))


def _repeats(row: Row, above: Sequence[Row]) -> bool:
    """Return whether a row has the same heads as one above, whatever its label: `Men | 2019 | 2020` below `Women | 2019 | 2020`."""
    texts = [cell.text for cell in row[1:]]
    return len(set(filter(None, texts))) > 1 and any([cell.text for cell in cells[1:]] == texts for cells in above)


def label_columns(part: Part, decimals: Decimals) -> int:
    """Return how many columns on the left hold labels: words, with numbers somewhere to their right.

    There is none where the first column has numbers, and its head says which.
    """
    named = bool(part.heads) and statistic_of(part.heads[-1][0].text) in _RESULTS
    count, numbers = _entries(part.body, 0, decimals)
    if named and count and count == numbers:
        return 0
    width = len(part.body[0]) if part.body else 0
    for column in range(1, width):
        count, numbers = _entries(part.body, column, decimals)
        last = not any(_entries(part.body, other, decimals)[1] for other in range(column + 1, width))
        if numbers >= count / 5 or last:
            return column
    return 1


def _entries(body: Sequence[Row], column: int, decimals: Decimals) -> tuple[int, int]:
    """Return how many cells of a column have a text, and how many of these are numbers."""
    texts = [row[column].text for row in body if not is_empty(row[column].text)]
    return len(texts), sum(pieces(text, decimals) is not None for text in texts)
