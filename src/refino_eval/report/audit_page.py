"""The audit of printed tables as one self-contained HTML page: no network, no script, nothing beside it."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from refino_eval.config.base import Language
from refino_eval.published.audit.findings import CERTAINTIES, RULES
from refino_eval.published.audit.findings_report import (
    WORDS,
    Audited,
    exhibit_name,
    explanation,
    fitting,
    place,
    told,
    used_rules,
)


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
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(str(files("refino_eval.report").joinpath("templates"))),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    assets = files("refino_eval.report").joinpath("assets")
    names = ("report.css", "receipt.css", "audit.css")
    return environment.get_template("audit.html.j2").render(
        documents=documents,
        language=language,
        style=Markup("".join(assets.joinpath(name).read_text(encoding="utf-8") for name in names)),
        word=lambda key: WORDS[key][language],
        told=lambda audited: told(audited, language),
        place=place,
        counted=lambda audited, sure: sum(finding.certainty == sure for finding in audited.findings),
        fitting=lambda finding: fitting(finding, language),
        exhibit_name=lambda finding, audited: exhibit_name(finding, audited.source, language),
        explanation=lambda finding, audited: explanation(finding, audited.source, language),
        title_of=lambda rule: RULES[rule].title[language],
        rules=[
            (RULES[rule].title[language], RULES[rule].says[language], RULES[rule].source[language])
            for rule in used_rules(documents)
        ],
        certainties=[(sure, WORDS[sure][language], means[language]) for sure, means in CERTAINTIES.items()],
    )
