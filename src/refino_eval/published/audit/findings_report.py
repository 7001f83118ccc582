"""Findings as plain text, CSV and Markdown, in both languages; the same bytes for the same findings."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from refino_eval.config.base import Language
from refino_eval.csv_output import csv_text
from refino_eval.published.audit.findings import CERTAINTIES, RULES, Finding, rule_text
from refino_eval.published.audit.findings_text import comma
from refino_eval.published.source import PublishedSource
from refino_eval.text import say
from refino_eval.text.escaping import markdown_cell, markdown_row

_EXHIBIT = re.compile(r"(?<![\w/«“])([a-z]+_[a-z0-9_]+)(/?)")
_NONE = re.compile(r"\bnone\b")

FIELDS = (
    "document", "exhibit", "panel", "row", "column", "statistic", "rule", "certainty", "printed", "fits", "source_line",
    "also", "explanation_nb", "explanation_en",
)  # fmt: skip
HEADINGS = ("location", "rule", "certainty", "published", "fits", "line", "explanation")
"""Texts of the catalogue that head the columns of `cells`."""


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
    """

    name: str
    numbers: int
    findings: tuple[Finding, ...]
    source: PublishedSource = field(default_factory=PublishedSource)

    def count(self, language: Language = "en") -> str:
        """Return the number of findings by certainty, as `2 certain, 1 possible`."""
        counts = Counter(finding.certainty for finding in self.findings)
        return ", ".join(
            f"{counts[sure]} {say(f'audit.word_{sure}', language)}" for sure in CERTAINTIES if counts[sure]
        )


def summary(audited: Audited, language: Language) -> str:
    """Return one line about a document: numbers read, findings by certainty."""
    summary = audited.count(language) or say("audit.word_nothing_found", language)
    return say("audit.word_numbers_read", language, numbers=audited.numbers, found=summary)


def location(finding: Finding) -> str:
    """Return the key of a finding without empty parts."""
    parts = (finding.exhibit, finding.panel, finding.row, finding.column, finding.statistic)
    return "/".join(part for part in parts if part)


def exhibit_name(finding: Finding, source: PublishedSource, language: Language) -> str:
    """Return the name that the document gives an exhibit, or nothing if its key does not show it."""
    return source.exhibit_name(finding.exhibit, language) or ""


def fitting(finding: Finding, language: Language) -> str:
    """Return what would fit, with the language's decimal sign and words."""
    return comma(_NONE.sub(say("audit.word_no_star", "nb"), finding.fits)) if language == "nb" else finding.fits


def explanation(finding: Finding, source: PublishedSource, language: Language) -> str:
    """Return the explanation in a language, with exhibits by their published names: `Table 4.4 woman/job/estimate`."""

    def named(match: re.Match[str]) -> str:
        name = source.exhibit_name(match[1], language)
        return match[0] if name is None else f"{name} " if match[2] else name

    return _EXHIBIT.sub(named, finding.explanation[language])


def cells(finding: Finding, source: PublishedSource, language: Language) -> tuple[str, ...]:
    """Return a finding as the cells of a table, under `HEADINGS`."""
    return (
        ": ".join(filter(None, (exhibit_name(finding, source, language), location(finding)))),
        rule_text("title", finding.rule, language),
        say(f"audit.word_{finding.certainty}", language),
        finding.printed,
        fitting(finding, language),
        finding.source_line,
        explanation(finding, source, language),
    )


def to_text(documents: Sequence[Audited], language: Language, *, width: int = 100) -> str:
    """Write findings as paragraphs, grouped by document."""
    lines = []
    for audited in documents:
        lines += [f"{audited.name}: {summary(audited, language)}", ""]
        for number, finding in enumerate(audited.findings, start=1):
            at, title, certainty, *_, text = cells(finding, audited.source, language)
            lines += [f"{number}. {at}", f"   {title} ({certainty}); {_facts(finding, language)}"]
            lines += [*textwrap.wrap(text, width, initial_indent="   ", subsequent_indent="   "), ""]
    return "\n".join(lines).rstrip() + "\n"


def _facts(finding: Finding, language: Language) -> str:
    """Return the published number, what would fit, the source line and what else it explains, in one line."""
    facts = [f"{say('audit.word_published', language).lower()}: {finding.printed}"]
    if finding.fits:
        facts.append(f"{say('audit.word_fits', language).lower()}: {fitting(finding, language)}")
    facts.append(f"{say('audit.word_line', language).lower()} {finding.source_line}")
    if finding.also:
        titles = ", ".join(rule_text("title", rule, language) for rule in finding.also)
        facts.append(f"{say('audit.word_also', language).lower()}: {titles}")
    return "; ".join(facts)


def to_csv(documents: Sequence[Audited]) -> str:
    """Write findings as CSV: the columns of `FIELDS`, one row per finding, both languages."""
    rows = [
        (
            f.document, f.exhibit, f.panel, f.row, f.column, f.statistic, f.rule, f.certainty, f.printed, f.fits,
            f.source_line, " ".join(f.also), f.explanation.nb, f.explanation.en,
        )
        for audited in documents for f in audited.findings
    ]  # fmt: skip
    return csv_text([FIELDS, *rows])


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
            lines += [markdown_row(cells(finding, audited.source, language)) for finding in audited.findings]
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
