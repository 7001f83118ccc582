"""The audit of published tables as one self-contained HTML page: no network, no other files, and complete without its scripts."""

from __future__ import annotations

import re
from collections.abc import Sequence

from refino_eval.config.base import Language
from refino_eval.published.audit.findings import CERTAINTIES, Finding, rule_text
from refino_eval.published.audit.findings_report import (
    Audited,
    fitting,
    place,
    summary,
    unread_reason,
    used_rules,
)
from refino_eval.report.html import SEARCH, page_text, scripted
from refino_eval.text import say

PARTS = ("panel", "row", "column", "statistic")
"""Parts of a number's name that the page lists below the table's name."""


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
        named=lambda finding: _named(finding, language),
        numbered=_numbered,
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


def _numbered(audited: Audited) -> list[tuple[str, list[tuple[int, Finding]]]]:
    """Return the findings of a document with their numbers, by certainty, the most certain first."""
    numbered = list(enumerate(audited.surest_first(), start=1))
    groups = [(sure, [pair for pair in numbered if pair[1].certainty == sure]) for sure in CERTAINTIES]
    return [(sure, group) for sure, group in groups if group]


def _named(finding: Finding, language: Language) -> tuple[str, list[tuple[str, str]]]:
    """Return the name of the table, and of the number's place in it: panel, row, column and quantity with their headings."""
    table, *names = (name[language] for name in finding.names)
    rows = [(say(f"audit.word_{part}", language), name) for part, name in zip(PARTS, names, strict=True) if name]
    return table, rows
