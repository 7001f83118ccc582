"""Findings as plain text, CSV, JSON and Markdown; the same bytes for the same findings."""

from __future__ import annotations

import json
import re
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from refino_eval.config.base import Language
from refino_eval.csv_output import csv_text
from refino_eval.published.audit.findings import CERTAINTIES, RULES, Finding, rule_text
from refino_eval.published.audit.findings_text import comma
from refino_eval.published.reading.grids import Unread
from refino_eval.published.reading.printed_tables import PrintedCell, PrintedTable, divided
from refino_eval.published.relations import Key
from refino_eval.published.source import PublishedSource, pages_text
from refino_eval.text import say
from refino_eval.text.escaping import markdown_cell, markdown_row

_NONE = re.compile(r"\bnone\b")
_IN_QUOTES = re.compile(r"(«[^»]*»|“[^”]*”)")
_INTERVAL = re.compile(r"\[(-?[\d., ]*\d)[,;] (-?[\d., ]*\d)\]")
_MOST_PLACES = 3
_WIDEST_CELL = 34
_LINES = re.compile(r"[\d, .]+")
_PLACE = re.compile(r"\b(page|table|row|lines?|sheet|head)\b(?= [\d“]|$)")

FIELDS = (
    "document", "exhibit", "panel", "row", "column", "statistic", "rule", "certainty", "printed", "fits", "source_line",
    "also", "explanation_nb", "explanation_en", "name_nb", "name_en",
)  # fmt: skip
HEADINGS = ("location", "rule", "certainty", "published", "fits", "where", "explanation")
"""Texts of the catalogue that head the columns of `cells`."""

MARKS = ("wrong", "suspect", "part")
"""How a number is marked: singled out, one of several of which one must be wrong, or a part of a relation that fails."""

WRITTEN_MARKS = {"wrong": ">{}<", "suspect": "?{}?", "part": "~{}~"}
"""The same in plain text."""

UNREAD = ("no_numbers", "picture", "formula_without_value", "too_large", "unrounded")
"""Reasons for not reading a part of a document that have a text of their own."""


@dataclass(frozen=True)
class Audited:
    """One document with its findings.

    Attributes
    ----------
    name
        The document.
    numbers
        How many published numbers were read.
    findings
        The findings, in the document's order.
    source
        The document's title and its names of exhibits, where these are known.
    tables
        How many tables were read; 0 for a file of published values.
    unread
        What in the document could not be read.
    printed
        Its tables as published, by language.
    """

    name: str
    numbers: int
    findings: tuple[Finding, ...]
    source: PublishedSource = field(default_factory=PublishedSource)
    tables: int = 0
    unread: tuple[Unread, ...] = ()
    printed: Mapping[str, tuple[PrintedTable, ...]] = field(default_factory=dict)

    def count(self, language: Language = "en") -> str:
        """Return the number of findings by certainty, as `2 certain, 1 possible`."""
        counts = Counter(finding.certainty for finding in self.findings)
        return ", ".join(
            f"{counts[sure]} {say(f'audit.word_{sure}', language)}" for sure in CERTAINTIES if counts[sure]
        )

    def surest_first(self) -> list[Finding]:
        """Return the findings, the most certain first; equally certain ones in the document's order."""
        return sorted(self.findings, key=lambda finding: CERTAINTIES.index(finding.certainty))

    def by_kind(self) -> list[FindingGroup]:
        """Return the findings, those of one kind about one table together; the most certain first."""
        groups: dict[tuple[str, str, str], list[Finding]] = {}
        for finding in self.surest_first():
            groups.setdefault((finding.certainty, finding.rule, finding.exhibit), []).append(finding)
        return [FindingGroup(self, tuple(group)) for group in groups.values()]


@dataclass(frozen=True)
class FindingGroup:
    """Findings of one kind, equally certain, about one table."""

    audited: Audited
    findings: tuple[Finding, ...]

    @property
    def rule(self) -> str:
        """The rule that they break."""
        return self.findings[0].rule

    @property
    def certainty(self) -> str:
        """How sure they are."""
        return self.findings[0].certainty

    def table_name(self, language: Language) -> str:
        """Return what the document calls the table."""
        return self.findings[0].names[0][language]

    def where(self, language: Language) -> str:
        """Return the pages of the table where its description states them, else where its numbers are in the file."""
        pages = pages_text(self.audited.source.pages.get(self.findings[0].exhibit, ""), language)
        places = dict.fromkeys(place(finding.source_line, language) for finding in self.findings)
        return pages or "; ".join(list(places)[:_MOST_PLACES]) + ("; …" if len(places) > _MOST_PLACES else "")

    @property
    def leading(self) -> dict[Key, int]:
        """The number that each finding is about, the first of several -> the number of the finding within the group."""
        return {finding.cells[0]: number for number, finding in reversed([*enumerate(self.findings, start=1)])}

    @property
    def marks(self) -> dict[Key, str]:
        """How each number is marked, the strongest of `MARKS` that a finding gives it."""
        marks: dict[Key, str] = {}
        for finding in self.findings:
            suspected = (*finding.cells, *finding.suspects)
            for mark, keys in zip(MARKS, (finding.singled_out, suspected, finding.relation), strict=True):
                for key in keys:
                    marks[key] = min(mark, marks.get(key, mark), key=MARKS.index)
        return marks

    def marks_within(self, table: PrintedTable) -> list[str]:
        """Return the marks of a table's numbers, the strongest first."""
        keys = {key for row in table.rows for cell in row for key in cell.numbers}
        used = {mark for key, mark in self.marks.items() if key in keys}
        return [mark for mark in MARKS if mark in used]

    def excerpt(self, language: Language) -> PrintedTable | None:
        """Return the table as published, or the part of it around the numbers; None for numbers of the text."""
        tables = [
            table for table in self.audited.printed.get(language, ()) if table.exhibit == self.findings[0].exhibit
        ]
        return next((part for table in tables if (part := table.around(self.marks)) is not None), None)


def summary(audited: Audited, language: Language) -> str:
    """Return one line about a document: numbers read, findings by certainty, parts that were not read."""
    found = audited.count(language) or say("audit.word_nothing_found", language)
    text = say("audit.word_numbers_read", language, numbers=audited.numbers, found=found)
    if audited.tables:
        text = say("audit.word_tables_read", language, n=audited.tables, numbers=audited.numbers, found=found)
    if audited.unread:
        text += "; " + say("audit.word_parts_unread", language, n=len(audited.unread))
    return text


def location(finding: Finding, language: Language) -> str:
    """Return what the document calls the number at fault: `Table 4.5 › education › economic cost › value`."""
    return " › ".join(dict.fromkeys(name[language] for name in finding.names if name[language]))


def place(text: str, language: Language) -> str:
    """Return where in the document a number is: `page 12, table 3, row 4`; a line of its plain text as such."""
    if _LINES.fullmatch(text):
        return f"{say('audit.word_line', language).lower()} {text}"
    return _PLACE.sub(lambda match: say(f"audit.place_{match[1]}", language), text)


def unread_reason(unread: Unread, language: Language) -> str:
    """Return why a part of a document was not read."""
    if unread.reason in UNREAD:
        return say(f"audit.unread_{unread.reason}", language)
    if unread.reason.startswith("+"):
        return say("audit.unread_more", language, number=unread.reason.removeprefix("+").strip())
    return say("audit.unread_text", language, text=unread.reason)


def fitting(finding: Finding, language: Language) -> str:
    """Return what would fit, with the language's decimal sign and words."""
    return readable(as_written(finding.fits, language), language)


def as_written(text: str, language: Language) -> str:
    """Return what would fit with the decimal sign and the words of a language."""
    return comma(_NONE.sub(say("audit.word_no_star", "nb"), text)) if language == "nb" else text


def cells(finding: Finding, language: Language, source: PublishedSource) -> tuple[str, ...]:
    """Return a finding as the cells of a table, under `HEADINGS`."""
    return (
        location(finding, language),
        rule_text("title", finding.rule, language),
        say(f"audit.word_{finding.certainty}", language),
        finding.printed,
        fitting(finding, language),
        pages_text(source.pages.get(finding.exhibit, ""), language) or place(finding.source_line, language),
        readable(finding.explanation[language], language),
    )


def to_text(documents: Sequence[Audited], language: Language, *, width: int = 100) -> str:
    """Write findings as paragraphs, grouped by document, the most certain first, with the suspected numbers marked."""
    lines = []
    if any(group.excerpt(language) for audited in documents for group in audited.by_kind()):
        lines += [say("audit.word_marks_of_text", language), ""]
    for audited in documents:
        lines += [f"{audited.name}: {summary(audited, language)}", ""]
        for number, group in enumerate(audited.by_kind(), start=1):
            title, sure = rule_text("title", group.rule, language), say(f"audit.word_{group.certainty}", language)
            lines += [f"{number}. {group.table_name(language)}: {title} ({sure}); {group.where(language)}", ""]
            excerpt = group.excerpt(language)
            if excerpt is not None:
                lines += [*_table_lines(excerpt, group, width), ""]
            for finding in group.findings:
                facts = f"{location(finding, language)}; {_facts(finding, language)}"
                for text in (facts, readable(finding.explanation[language], language)):
                    lines += textwrap.wrap(text, width, initial_indent="   ", subsequent_indent="   ")
                lines.append("")
        if audited.unread:
            lines.append(f"{say('audit.word_unread', language)}:")
            lines += [f"- {place(each.place, language)}: {unread_reason(each, language)}" for each in audited.unread]
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _table_lines(table: PrintedTable, group: FindingGroup, width: int) -> list[str]:
    """Return a table as lines of text, its numbers marked by `WRITTEN_MARKS`."""
    marks = group.marks

    def written(cell: PrintedCell, at: int) -> str:
        if cell.covered and at in table.heads:
            return ""
        parts = divided(cell, marks)
        texts = (part if key is None else WRITTEN_MARKS[marks[key]].format(part) for part, key in parts)
        return textwrap.shorten("".join(texts), _WIDEST_CELL, placeholder="…")

    rows = [[written(cell, at) for cell in row] for at, row in enumerate(table.rows)]
    # A title over all columns makes no column wide.
    counted = [row for at, row in enumerate(rows) if not table.is_title(at)]
    widths = [max((len(row[column]) for row in counted), default=0) for column in range(len(rows[0]))]
    lines = []
    for at, row in enumerate(rows):
        if at in table.gaps:
            lines.append("   …")
        texts = [text.ljust(size) if column < table.labels else text.rjust(size)
                 for column, (text, size) in enumerate(zip(row, widths, strict=True))]  # fmt: skip
        lines.append(f"   {'  '.join(texts)}".rstrip()[:width])
    return lines


def readable(text: str, language: Language) -> str:
    """Return a text with its intervals in words: `[0.205, 0.215]` as `0.205 to 0.215`.

    Examples
    --------
    >>> readable("p in [0.01, 0.02], [-3, 4] %", "en")
    'p in 0.01 to 0.02, -3 to 4 %'
    """
    parts = _IN_QUOTES.split(text)
    for index in range(0, len(parts), 2):
        parts[index] = _INTERVAL.sub(rf"\1 {say('audit.word_to', language)} \2", parts[index])
    return "".join(parts)


def _facts(finding: Finding, language: Language) -> str:
    """Return the published number, what would fit, and what else the finding explains, in one line."""
    facts = [f"{say('audit.word_published', language).lower()}: {finding.printed}"]
    if finding.fits:
        facts.append(f"{say('audit.word_fits', language).lower()}: {fitting(finding, language)}")
    if finding.also:
        titles = ", ".join(rule_text("title", rule, language) for rule in finding.also)
        facts.append(f"{say('audit.word_also', language).lower()}: {titles}")
    return "; ".join(facts)


def to_csv(documents: Sequence[Audited]) -> str:
    """Write findings as CSV: the columns of `FIELDS`, one row per finding, both languages."""
    rows = [
        (
            f.document, f.exhibit, f.panel, f.row, f.column, f.statistic, f.rule, f.certainty, f.printed, f.fits,
            f.source_line, " ".join(f.also), f.explanation.nb, f.explanation.en, location(f, "nb"), location(f, "en"),
        )
        for audited in documents for f in audited.surest_first()
    ]  # fmt: skip
    return csv_text([FIELDS, *rows])


def to_json(documents: Sequence[Audited]) -> str:
    """Write documents with their findings, and what was not read, as JSON; texts in both languages."""
    return json.dumps({"documents": [_record(audited) for audited in documents]}, ensure_ascii=False, indent=2) + "\n"


def _record(audited: Audited) -> dict[str, object]:
    return {
        "document": audited.name,
        "title": audited.source.title,
        "tables": audited.tables,
        "numbers": audited.numbers,
        "unread": [
            {"place": each.place, "nb": unread_reason(each, "nb"), "en": unread_reason(each, "en")}
            for each in audited.unread
        ],
        "findings": [
            {
                "rule": f.rule,
                "certainty": f.certainty,
                "key": {"exhibit": f.exhibit, "panel": f.panel, "row": f.row, "column": f.column, "statistic": f.statistic},
                "name": {"nb": location(f, "nb"), "en": location(f, "en")},
                "published": [
                    {"nb": each.name.nb, "en": each.name.en, "text": each.text, "place": each.place} for each in f.quotes
                ],
                "fits": f.fits,
                "explanation": {"nb": f.explanation.nb, "en": f.explanation.en},
                "also": list(f.also),
            }
            for f in audited.surest_first()
        ],
    }  # fmt: skip


def to_markdown(documents: Sequence[Audited], language: Language) -> str:
    """Write findings as Markdown: one table per document, and the rules behind the findings."""
    lines = [f"# {say('audit.word_title', language)}", "", say("audit.word_lead", language), ""]
    for sure in CERTAINTIES:
        lines.append(f"- **{say(f'audit.word_{sure}', language)}**: {say(f'audit.means_{sure}', language)}")
    lines.append("")
    for audited in documents:
        title = markdown_cell(audited.source.title or audited.name)
        lines += [f"## {title}", "", f"`{audited.name}`: {summary(audited, language)}.", ""]
        if audited.findings:
            lines += [
                markdown_row(say(f"audit.word_{key}", language) for key in HEADINGS),
                "|" + "---|" * len(HEADINGS),
            ]
            lines += [markdown_row(cells(finding, language, audited.source)) for finding in audited.surest_first()]
            lines.append("")
        if audited.unread:
            lines += [f"{say('audit.word_unread', language)}:", ""]
            for each in audited.unread:
                where = markdown_cell(place(each.place, language))
                lines.append(f"- {where}: {markdown_cell(unread_reason(each, language))}")
            lines.append("")
    used = used_rules(documents)
    if used:
        lines += [f"## {say('audit.word_rules', language)}", ""]
        for rule in used:
            title, must, source = (rule_text(part, rule, language) for part in ("title", "must", "source"))
            lines.append(f"- **{title}** {must} ({source.rstrip('.')})")
        lines.append("")
    return "\n".join(lines)


def used_rules(documents: Sequence[Audited]) -> tuple[str, ...]:
    """Return the rules that found something, in their order."""
    used = {rule for audited in documents for finding in audited.findings for rule in (finding.rule, *finding.also)}
    return tuple(rule for rule in RULES if rule in used)
