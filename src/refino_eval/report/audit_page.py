"""The audit of published tables as one self-contained HTML page: no network, no other files, and complete without its scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from refino_eval.config.base import Language
from refino_eval.published.audit.findings import CERTAINTIES, rule_text
from refino_eval.published.audit.findings_report import (
    Audited,
    FindingGroup,
    as_written,
    fitting,
    place,
    readable,
    summary,
    unread_reason,
    used_rules,
)
from refino_eval.published.reading.printed_tables import PrintedCell, PrintedTable, divided
from refino_eval.report.html import SEARCH, page_text, scripted
from refino_eval.text import say

MOST_LETTERS = 40
"""Characters of numbers in the list of findings."""


@dataclass(frozen=True)
class PageCell:
    """A cell of a table on the page: its tag and scope, how many columns it covers, and whether columns before it are left out."""

    printed: PrintedCell
    tag: str
    scope: str
    wide: int
    cut: bool


@dataclass(frozen=True)
class PageRow:
    """A row of a table on the page: rows left out above it, whether it is a title of others, and how many columns it has."""

    cells: tuple[PageCell, ...]
    gap: int
    title: bool
    width: int


def audit_page(documents: Sequence[Audited], language: Language) -> str:
    """Return the page of an audit.

    Parameters
    ----------
    documents
        Documents with their findings.
    language
        ``"nb"`` or ``"en"``.

    Returns
    -------
    str
        HTML; every text of a document is escaped.
    """
    return page_text(
        "audit.html.j2",
        language,
        styles=("report.css", "receipt.css", "tools.css", "search.css", "audit.css"),
        **scripted(SEARCH, language),
        documents=[(audited, anchor(audited.name, number)) for number, audited in enumerate(documents, start=1)],
        word=lambda key: say(f"audit.word_{key}", language),
        summary=lambda audited: summary(audited, language),
        counted=lambda audited, sure: sum(finding.certainty == sure for finding in audited.findings),
        fitting=lambda finding: fitting(finding, language),
        place=lambda text: place(text, language),
        written=lambda text: readable(as_written(text, language), language),
        readable=lambda text: readable(text, language),
        short=lambda text: text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS].rsplit(' ', 1)[0]} …",
        word_of=lambda key, number: say(f"audit.word_{key}", language, n=number),
        lines=_lines,
        marked=_marked,
        reason=lambda unread: unread_reason(unread, language),
        title_of=lambda rule: rule_text("title", rule, language),
        must=lambda rule: rule_text("must", rule, language),
        rules=[
            tuple(rule_text(part, rule, language) for part in ("title", "must", "source"))
            for rule in used_rules(documents)
        ],
        certainties=[
            (sure, say(f"audit.word_{sure}", language), say(f"audit.means_{sure}", language)) for sure in CERTAINTIES
        ],
    )


def anchor(name: str, number: int) -> str:
    """Return the address of a document within the page: its name where that is one, else its number."""
    return name if re.fullmatch(r"[A-Za-z][\w-]*", name) else f"document-{number}"


def _lines(table: PrintedTable) -> list[tuple[str, list[PageRow]]]:
    """Return the rows of a table for `thead` and `tbody`; heads in the middle are rows of the body."""
    rows = [_row(table, at) for at in range(len(table.rows))]
    first = next((at for at in range(len(rows)) if at not in table.heads), len(rows))
    return [("head", rows[:first]), ("body", rows[first:])]


def _row(table: PrintedTable, at: int) -> PageRow:
    """Return one row; a cell that continues the one before it makes that one wider."""
    row, title = table.rows[at], table.is_title(at) and len(table.rows[at]) > 1
    starts = [0] if title else [column for column in range(len(row)) if column == 0 or not _continues(row, column)]
    cells = []
    for start, stop in zip(starts, [*starts[1:], len(row)], strict=True):
        heading = bool(row[start].text) and (at in table.heads or start < table.labels)
        of_column, of_row = "colgroup" if stop - start > 1 else "col", "rowgroup" if title else "row"
        scope = of_column if at in table.heads else of_row
        tag, scope = ("th", scope) if heading else ("td", "")
        cells.append(PageCell(row[start], tag, scope, stop - start, start in table.cut))
    return PageRow(tuple(cells), table.gaps.get(at, 0), title, len(row))


def _continues(row: Sequence[PrintedCell], column: int) -> bool:
    """Return whether a cell continues the one to its left; one below a merged cell does not."""
    return row[column].covered and row[column].text in ("", row[column - 1].text)


def _marked(cell: PageCell, group: FindingGroup) -> Iterator[tuple[str, str, int]]:
    """Yield the parts of a cell's text, how each is marked, and the number of its finding where there are several."""
    marks, leading = group.marks, group.leading if len(group.findings) > 1 else {}
    if cell.printed.covered and cell.scope == "":
        return
    for text, key in divided(cell.printed, marks):
        yield text, "" if key is None else marks[key], 0 if key is None else leading.get(key, 0)
