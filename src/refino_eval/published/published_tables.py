"""The tables behind a file of published values, put together again from their keys."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

import pandas as pd

from refino_eval.config.base import Label, Language
from refino_eval.published.audit.findings_text import NAMED_PARTS
from refino_eval.published.reading.head_words import OF_COLUMN
from refino_eval.published.reading.printed_tables import PrintedCell, PrintedTable
from refino_eval.published.relations import Key
from refino_eval.published.values import KEYS
from refino_eval.text import say


def published_tables(
    published: pd.DataFrame, language: Language, names: Mapping[str, Label]
) -> tuple[PrintedTable, ...]:
    """Return each table of a file of published values; numbers of the text have none.

    Parameters
    ----------
    published
        As `load_published` returns it.
    language
        Of the names of rows and columns.
    names
        Parts of keys -> the names that the document gives them.
    """
    result = []
    for exhibit, part in published.groupby("exhibit", sort=False):
        if not str(exhibit).startswith("text"):
            cells = {tuple(str(record[name]) for name in KEYS): _text(record) for record in part.to_dict("records")}
            result.append(_table(str(exhibit), cells, language, names))
    return tuple(result)


def _text(record: Mapping[object, object]) -> str:
    return str(record.get("quoted", "")) or str(record["printed"])


def part_name(part: str, language: Language, names: Mapping[str, Label]) -> str:
    """Return what a document calls a part of a key; where it has no name for it, the part's words."""
    if part in names:
        return names[part][language]
    return say(f"audit.part_{part}", language) if part in NAMED_PARTS else part.replace("_", " ")


def _slots(cells: Collection[Key]) -> dict[tuple[str, str], tuple[str, int]]:
    """Return the place of each column and statistic: statistics that no row has both of share one."""
    rows: dict[str, dict[tuple[str, str], set[str]]] = {}
    for _, panel, row, column, statistic in cells:
        of_column = rows.setdefault(column, {})
        if statistic not in OF_COLUMN:
            of_column.setdefault((panel, row), set()).add(statistic)
    places: dict[tuple[str, str], tuple[str, int]] = {}
    for column, of_column in rows.items():
        slots: list[set[str]] = []
        for statistic in dict.fromkeys(key[4] for key in cells if key[3] == column and key[4] not in OF_COLUMN):
            together = {other for group in of_column.values() if statistic in group for other in group}
            slot = next((at for at, members in enumerate(slots) if not members & together), len(slots))
            slots[slot:] = slots[slot:] or [set()]
            slots[slot].add(statistic)
            places[column, statistic] = (column, slot)
    return places


def _table(exhibit: str, cells: Mapping[Key, str], language: Language, names: Mapping[str, Label]) -> PrintedTable:
    """Return one table: a column per column and statistic; a statistic of a whole column (N, R²) is a row."""
    slots = _slots(cells)
    order = {column: at for at, column in enumerate(dict.fromkeys(key[3] for key in cells))}
    places = sorted(
        {*slots.values(), *((column, 0) for column in order)}, key=lambda place: (order[place[0]], place[1])
    )

    def named(part: str) -> str:
        return part_name(part, language, names)

    rows = [_heads([named(column) for column, _ in places])]
    if len({statistic for _, statistic in slots}) > 1:
        statistics = ([statistic for (_, statistic), at in slots.items() if at == place] for place in places)
        rows.append((PrintedCell(), *(PrintedCell(", ".join(map(named, each))) for each in statistics)))
    heads = frozenset(range(len(rows)))
    lines: dict[tuple[str, str], dict[int, PrintedCell]] = {}
    for key, text in cells.items():
        _, panel, row, column, statistic = key
        at = places.index(slots.get((column, statistic), (column, 0)))
        lines.setdefault((panel, _label(row, statistic, named)), {})[at] = PrintedCell(text, numbers={key: text})
    rows += _body({(panel and named(panel), label): numbers for (panel, label), numbers in lines.items()}, len(places))
    return PrintedTable(exhibit, "", tuple(rows), heads)


def _body(lines: Mapping[tuple[str, str], Mapping[int, PrintedCell]], width: int) -> Iterator[tuple[PrintedCell, ...]]:
    """Yield the rows of numbers by panel and label, with a title above each panel."""
    before = ""
    for (panel, label), numbers in lines.items():
        if panel and panel != before:
            yield (PrintedCell(panel), *(PrintedCell(covered=True) for _ in range(width)))
        before = panel
        yield (PrintedCell(label), *(numbers.get(at, PrintedCell()) for at in range(width)))


def _label(row: str, statistic: str, named: Callable[[str], str]) -> str:
    """Return the label of a row; a statistic of a whole column has a row of its own."""
    if statistic not in OF_COLUMN:
        return named(row)
    return named(statistic) if row == "all" else f"{named(row)}, {named(statistic)}"


def _heads(names: list[str]) -> tuple[PrintedCell, ...]:
    """Return the row of heads: a name over several statistics is one cell."""
    return (
        PrintedCell(),
        *(PrintedCell(name, covered=at > 0 and names[at - 1] == name) for at, name in enumerate(names)),
    )
