"""`refino-eval audit-published`: errors in published tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from refino_eval.cli.output import check_option, write_output
from refino_eval.config.base import Language
from refino_eval.config.load import project_root
from refino_eval.errors import UserError, nearest
from refino_eval.published.audit import audit_file
from refino_eval.published.audit.findings_report import Audited, to_csv, to_markdown, to_text
from refino_eval.published.source import load_source, source_file
from refino_eval.published.values import load_published

FORMS = ("text", "csv", "html", "md")


def audit_published(
    document: str | None, *, form: str, language: str, out: Path | None, strict: bool, root: Path | None = None
) -> int:
    """Audit one document, or all, and print or write the findings.

    Parameters
    ----------
    document
        A file of `data/published` without its extension, or the path of such a CSV file; None for all of the project.
    form
        ``"text"``, ``"csv"``, ``"html"`` or ``"md"``.
    language
        ``"nb"`` or ``"en"``; CSV has both.
    out
        A file to write; None prints.
    strict
        Whether certain findings give exit code 1.
    root
        The project; by default found from the working directory when needed.

    Returns
    -------
    int
        Exit code: 0, or 1 if `strict` and a finding is certain.
    """
    check_option("--language", language, get_args(Language))
    check_option("--format", form, FORMS)
    documents = [_audit(path) for path in _files(document, root)]
    write_output(_text(documents, form, "nb" if language == "nb" else "en"), out)
    certain = any(finding.certainty == "certain" for audited in documents for finding in audited.findings)
    return 1 if strict and certain else 0


def _audit(path: Path) -> Audited:
    return Audited(path.stem, len(load_published(path)), audit_file(path), load_source(source_file(path)))


def _files(document: str | None, root: Path | None) -> list[Path]:
    """Return the files to audit: a path, a document of the project, or all of its documents."""
    if document is not None and (document.endswith(".csv") or "/" in document):
        return [Path(document)]
    folder = (root or project_root()) / "data" / "published"
    names = sorted(path.stem for path in folder.glob("*.csv"))
    if document is None:
        if not names:
            raise UserError("data/published has no .csv file. Name the path of a file to audit it.")
        return [folder / f"{name}.csv" for name in names]
    if document not in names:
        raise UserError(
            f"No published values '{document[:80]}' in data/published.{nearest(document[:80], names)} To audit a file "
            "elsewhere, name its path, ending in .csv."
        )
    return [folder / f"{document}.csv"]


def _text(documents: Sequence[Audited], form: str, language: Language) -> str:
    if form == "csv":
        return to_csv(documents)
    if form == "md":
        return to_markdown(documents, language)
    if form == "html":
        from refino_eval.report.audit_page import audit_page

        return audit_page(documents, language)
    return to_text(documents, language)
