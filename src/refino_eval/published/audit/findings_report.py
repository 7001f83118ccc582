"""Findings as plain text, CSV and Markdown, in both languages; the same bytes for the same findings."""

from __future__ import annotations

import csv
import io
import re
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from refino_eval.config.base import Label, Language
from refino_eval.published.audit.findings import CERTAINTIES, RULES, Finding
from refino_eval.published.audit.findings_text import comma
from refino_eval.published.source import PublishedSource

_EXHIBIT = re.compile(r"(?<![\w/«])([a-z]+_[a-z0-9_]+)(/?)")
_NONE = re.compile(r"\bnone\b")

FIELDS = (
    "document", "exhibit", "panel", "row", "column", "statistic", "rule", "certainty", "printed", "fits", "source_line",
    "also", "explanation_nb", "explanation_en",
)  # fmt: skip

WORDS: Mapping[str, Label] = {
    "title": Label(nb="Kontroll av trykte tabeller", en="Audit of printed tables"),
    "certain": Label(nb="sikkert", en="certain"),
    "likely": Label(nb="sannsynlig", en="likely"),
    "possible": Label(nb="mulig", en="possible"),
    "printed": Label(nb="Trykt", en="Printed"),
    "fits": Label(nb="Ville passe", en="Would fit"),
    "line": Label(nb="Kilde, linje", en="Source, line"),
    "also": Label(nb="Forklarer også", en="Explains as well"),
    "nothing": Label(nb="ingenting funnet", en="nothing found"),
    "numbers": Label(nb="trykte tall lest", en="printed numbers read"),
    "place": Label(nb="Sted", en="Place"),
    "rule": Label(nb="Regel", en="Rule"),
    "sure": Label(nb="Sikkerhet", en="Certainty"),
    "explanation": Label(nb="Forklaring", en="Explanation"),
    "must_hold": Label(nb="Hva som må holde", en="What must hold"),
    "source": Label(nb="Kilde", en="Source"),
    "rules": Label(nb="Reglene bak funnene", en="The rules behind the findings"),
    "documents": Label(nb="Dokumentene", en="The documents"),
    "document": Label(nb="Dokument", en="Document"),
    "read": Label(nb="tall lest", en="numbers read"),
    "findings": Label(nb="funn", en="findings"),
    "lead": Label(
        nb="Hvert funn er noe i de trykte tabellene som ikke kan stemme, eller neppe stemmer, når avrundingen regnes nøyaktig: et "
        "trykt tall står for alle tall som avrundes til det. Et funn er et spørsmål til dokumentet, ikke en dom over det.",
        en="Each finding is something in the printed tables that cannot hold, or hardly can, with the rounding taken exactly: a "
        "printed number stands for every number that rounds to it. A finding is a question to the document, not a verdict.",
    ),
}


@dataclass(frozen=True)
class Audited:
    """One document with what was found in it.

    Attributes
    ----------
    name
        The document.
    numbers
        How many printed numbers were read.
    findings
        What was found, in the document's order.
    source
        What the document is and what it calls its exhibits, where that is known.
    """

    name: str
    numbers: int
    findings: tuple[Finding, ...]
    source: PublishedSource = field(default_factory=PublishedSource)

    def count(self) -> str:
        """Return how many findings there are by certainty, as `2 certain, 1 possible`."""
        counts = Counter(finding.certainty for finding in self.findings)
        return ", ".join(f"{counts[sure]} {sure}" for sure in CERTAINTIES if counts[sure])


def told(audited: Audited, language: Language) -> str:
    """Return one line on a document: numbers read, findings by certainty."""
    counts = Counter(finding.certainty for finding in audited.findings)
    parts = [f"{counts[sure]} {WORDS[sure][language]}" for sure in CERTAINTIES if counts[sure]]
    found = ", ".join(parts) if parts else WORDS["nothing"][language]
    return f"{audited.numbers} {WORDS['numbers'][language]}; {found}"


def place(finding: Finding) -> str:
    """Return where a finding is, as its key without empty parts."""
    parts = (finding.exhibit, finding.panel, finding.row, finding.column, finding.statistic)
    return "/".join(part for part in parts if part)


def exhibit_name(finding: Finding, source: PublishedSource, language: Language) -> str:
    """Return the exhibit as the document calls it, or nothing where its key does not tell."""
    return source.exhibit_name(finding.exhibit, language) or ""


def headed(finding: Finding, source: PublishedSource, language: Language) -> str:
    """Return where a finding is: the exhibit's printed name, where there is one, and the key."""
    return ": ".join(filter(None, (exhibit_name(finding, source, language), place(finding))))


def fitting(finding: Finding, language: Language) -> str:
    """Return what would fit, with the language's decimal sign and words."""
    return comma(_NONE.sub("ingen", finding.fits)) if language == "nb" else finding.fits


def explanation(finding: Finding, source: PublishedSource, language: Language) -> str:
    """Return the explanation in a language, with exhibits by their printed names: `Table 4.4 woman/job/estimate`."""

    def named(found: re.Match[str]) -> str:
        name = source.exhibit_name(found[1], language)
        return found[0] if name is None else f"{name} " if found[2] else name

    return _EXHIBIT.sub(named, finding.nb if language == "nb" else finding.en)


def to_text(documents: Sequence[Audited], language: Language, *, width: int = 100) -> str:
    """Write findings as paragraphs, a document under its name."""
    lines = []
    for audited in documents:
        lines += [f"{audited.name}: {told(audited, language)}", ""]
        for number, finding in enumerate(audited.findings, start=1):
            title = RULES[finding.rule].title[language]
            lines.append(f"{number}. {headed(finding, audited.source, language)}")
            lines.append(f"   {title} ({WORDS[finding.certainty][language]}); {_facts(finding, language)}")
            lines += textwrap.wrap(
                explanation(finding, audited.source, language), width, initial_indent="   ", subsequent_indent="   "
            )
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _facts(finding: Finding, language: Language) -> str:
    """Return what was printed, what would fit, where, and what else it explains, in one line."""
    facts = [f"{WORDS['printed'][language].lower()}: {finding.printed}"]
    if finding.fits:
        facts.append(f"{WORDS['fits'][language].lower()}: {fitting(finding, language)}")
    facts.append(f"{WORDS['line'][language].lower()} {finding.source_line}")
    if finding.also:
        titles = ", ".join(RULES[rule].title[language] for rule in finding.also)
        facts.append(f"{WORDS['also'][language].lower()}: {titles}")
    return "; ".join(facts)


def to_csv(documents: Sequence[Audited]) -> str:
    """Write findings as CSV: the columns of `FIELDS`, a row a finding, both languages."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(FIELDS)
    for audited in documents:
        for f in audited.findings:
            writer.writerow(
                (f.document, f.exhibit, f.panel, f.row, f.column, f.statistic, f.rule, f.certainty, f.printed, f.fits,
                 f.source_line, " ".join(f.also), f.nb, f.en)
            )  # fmt: skip
    return out.getvalue()


def to_markdown(documents: Sequence[Audited], language: Language) -> str:
    """Write findings as Markdown: a table for each document, and the rules that found something."""
    lines = [f"# {WORDS['title'][language]}", "", WORDS["lead"][language], ""]
    for sure, means in CERTAINTIES.items():
        lines.append(f"- **{WORDS[sure][language]}**: {means[language]}")
    lines.append("")
    head = [WORDS[key][language] for key in ("place", "rule", "sure", "printed", "fits", "line", "explanation")]
    for audited in documents:
        lines += [f"## {audited.source.title or audited.name}", "", f"`{audited.name}`: {told(audited, language)}.", ""]
        if audited.findings:
            lines += ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
            lines += [
                "| " + " | ".join(_escaped(cell) for cell in cells(f, audited.source, language)) + " |"
                for f in audited.findings
            ]
            lines.append("")
    used = used_rules(documents)
    if used:
        lines += [f"## {WORDS['rules'][language]}", ""]
        lines += [
            f"- **{RULES[r].title[language]}** {RULES[r].says[language]} ({RULES[r].source[language].rstrip('.')})"
            for r in used
        ]
        lines.append("")
    return "\n".join(lines)


def cells(finding: Finding, source: PublishedSource, language: Language) -> tuple[str, ...]:
    """Return a finding as the cells of a table: place, rule, certainty, print, what would fit, line, explanation."""
    return (
        headed(finding, source, language),
        RULES[finding.rule].title[language],
        WORDS[finding.certainty][language],
        finding.printed,
        fitting(finding, language),
        finding.source_line,
        explanation(finding, source, language),
    )


def used_rules(documents: Sequence[Audited]) -> tuple[str, ...]:
    """Return the rules that found something, in their order."""
    found = {rule for audited in documents for f in audited.findings for rule in (f.rule, *f.also)}
    return tuple(rule for rule in RULES if rule in found)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*").replace("\n", " ")
