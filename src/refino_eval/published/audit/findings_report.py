"""Findings as plain text, CSV, JSON and Markdown; the same bytes for the same findings."""

from __future__ import annotations

import json
import re
import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from refino_eval.config.base import Language
from refino_eval.csv_output import csv_text
from refino_eval.published.audit.findings import CERTAINTIES, RULES, Finding, rule_text
from refino_eval.published.audit.findings_text import comma
from refino_eval.published.reading.grids import Unread
from refino_eval.published.source import PublishedSource
from refino_eval.text import say
from refino_eval.text.escaping import markdown_cell, markdown_row

_NONE = re.compile(r"\bnone\b")
_LINES = re.compile(r"[\d, .]+")
_PLACE = re.compile(r"\b(page|table|row|lines?|sheet|head)\b(?= [\d“]|$)")

FIELDS = (
    "document", "exhibit", "panel", "row", "column", "statistic", "rule", "certainty", "printed", "fits", "source_line",
    "also", "explanation_nb", "explanation_en", "name_nb", "name_en",
)  # fmt: skip
HEADINGS = ("location", "rule", "certainty", "published", "fits", "where", "explanation")
"""Texts of the catalogue that head the columns of `cells`."""

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
    """

    name: str
    numbers: int
    findings: tuple[Finding, ...]
    source: PublishedSource = field(default_factory=PublishedSource)
    tables: int = 0
    unread: tuple[Unread, ...] = ()

    def count(self, language: Language = "en") -> str:
        """Return the number of findings by certainty, as `2 certain, 1 possible`."""
        counts = Counter(finding.certainty for finding in self.findings)
        return ", ".join(
            f"{counts[sure]} {say(f'audit.word_{sure}', language)}" for sure in CERTAINTIES if counts[sure]
        )

    def surest_first(self) -> list[Finding]:
        """Return the findings, the most certain first; equally certain ones in the document's order."""
        return sorted(self.findings, key=lambda finding: CERTAINTIES.index(finding.certainty))


def summary(audited: Audited, language: Language) -> str:
    """Return one line about a document: numbers read, findings by certainty, parts that were not read."""
    found = audited.count(language) or say("audit.word_nothing_found", language)
    text = say("audit.word_numbers_read", language, numbers=audited.numbers, found=found)
    if audited.tables:
        text = say("audit.word_tables_read", language, tables=audited.tables, numbers=audited.numbers, found=found)
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
    return comma(_NONE.sub(say("audit.word_no_star", "nb"), finding.fits)) if language == "nb" else finding.fits


def cells(finding: Finding, language: Language) -> tuple[str, ...]:
    """Return a finding as the cells of a table, under `HEADINGS`."""
    return (
        location(finding, language),
        rule_text("title", finding.rule, language),
        say(f"audit.word_{finding.certainty}", language),
        finding.printed,
        fitting(finding, language),
        place(finding.source_line, language),
        finding.explanation[language],
    )


def to_text(documents: Sequence[Audited], language: Language, *, width: int = 100) -> str:
    """Write findings as paragraphs, grouped by document, the most certain first."""
    lines = []
    for audited in documents:
        lines += [f"{audited.name}: {summary(audited, language)}", ""]
        for number, finding in enumerate(audited.surest_first(), start=1):
            at, title, certainty, *_, text = cells(finding, language)
            lines += [f"{number}. {at}", f"   {title} ({certainty}); {_facts(finding, language)}"]
            lines += [*textwrap.wrap(text, width, initial_indent="   ", subsequent_indent="   "), ""]
        if audited.unread:
            lines.append(f"{say('audit.word_unread', language)}:")
            lines += [f"- {place(each.place, language)}: {unread_reason(each, language)}" for each in audited.unread]
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _facts(finding: Finding, language: Language) -> str:
    """Return the published number, what would fit, where it is and what else the finding explains, in one line."""
    facts = [f"{say('audit.word_published', language).lower()}: {finding.printed}"]
    if finding.fits:
        facts.append(f"{say('audit.word_fits', language).lower()}: {fitting(finding, language)}")
    facts.append(place(finding.source_line, language))
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
            lines += [markdown_row(cells(finding, language)) for finding in audited.surest_first()]
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
