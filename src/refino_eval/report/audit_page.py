"""The audit of published tables as one self-contained HTML page: no network, no scripts, no other files."""

from __future__ import annotations

from collections.abc import Sequence

from refino_eval.config.base import Language
from refino_eval.published.audit.findings import CERTAINTIES, rule_text
from refino_eval.published.audit.findings_report import (
    Audited,
    exhibit_name,
    explanation,
    fitting,
    location,
    summary,
    used_rules,
)
from refino_eval.report.html import page_text
from refino_eval.text import say


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
        styles=("report.css", "receipt.css", "audit.css"),
        documents=documents,
        word=lambda key: say(f"audit.word_{key}", language),
        summary=lambda audited: summary(audited, language),
        location=location,
        counted=lambda audited, sure: sum(finding.certainty == sure for finding in audited.findings),
        fitting=lambda finding: fitting(finding, language),
        exhibit_name=lambda finding, audited: exhibit_name(finding, audited.source, language),
        explanation=lambda finding, audited: explanation(finding, audited.source, language),
        title_of=lambda rule: rule_text("title", rule, language),
        rules=[
            tuple(rule_text(part, rule, language) for part in ("title", "must", "source"))
            for rule in used_rules(documents)
        ],
        certainties=[
            (sure, say(f"audit.word_{sure}", language), say(f"audit.means_{sure}", language)) for sure in CERTAINTIES
        ],
    )
