"""`refino-eval audit-published`: what is wrong in printed tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from refino_eval.config.base import Language
from refino_eval.config.load import project_root
from refino_eval.errors import UserError, nearest
from refino_eval.published.audit import audit_file
from refino_eval.published.audit.findings_report import Audited, to_csv, to_markdown, to_text
from refino_eval.published.source import load_source
from refino_eval.published.values import load_published

FORMS = ("text", "csv", "html", "md")


def audit_published(
    document: str | None, *, form: str, language: str, out: Path | None, strict: bool, root: Path | None = None
) -> int:
    """Audit one document, or all, and print or write what was found.

    Parameters
    ----------
    document
        A file of `data/published` without its ending, or the path of such a CSV; None for all that the project has.
    form
        ``"text"``, ``"csv"``, ``"html"`` or ``"md"``.
    language
        ``"nb"`` or ``"en"``; CSV holds both.
    out
        A file to write; None prints.
    strict
        Let the exit code tell whether anything is certainly wrong.
    root
        The project; found from the working directory when left out and needed.

    Returns
    -------
    int
        Exit code: 0, or 1 when `strict` and a finding is certain.
    """
    for given, valid, option in ((language, get_args(Language), "--language"), (form, FORMS, "--format")):
        if given not in valid:
            raise UserError(f"{option} is '{given}'.{nearest(given, valid)}")
    audited = [_audited(path) for path in _files(document, root)]
    text = _written(audited, form, "nb" if language == "nb" else "en")
    if out is None:
        print(text, end="")
    else:
        from refino_eval.exhibits.tidy import write_text

        write_text(out, text)
    certain = any(finding.certainty == "certain" for each in audited for finding in each.findings)
    return 1 if strict and certain else 0


def _audited(path: Path) -> Audited:
    source = load_source(path.with_name(f"{path.stem}.source.yaml"))
    return Audited(path.stem, len(load_published(path)), audit_file(path), source)


def _files(document: str | None, root: Path | None) -> list[Path]:
    """Return the files to audit: a path as it stands, a name from the project's folder, or all of that."""
    if document is not None and (document.endswith(".csv") or "/" in document):
        return [Path(document)]
    folder = (root or project_root()) / "data" / "published"
    names = sorted(path.stem for path in folder.glob("*.csv"))
    if document is None:
        if not names:
            raise UserError("data/published has no .csv file: name the path of one to audit it.")
        return [folder / f"{name}.csv" for name in names]
    if document not in names:
        raise UserError(
            f"There are no published values '{document}' in data/published.{nearest(document, names)} A path that ends in "
            ".csv is audited wherever it stands."
        )
    return [folder / f"{document}.csv"]


def _written(audited: Sequence[Audited], form: str, language: Language) -> str:
    if form == "csv":
        return to_csv(audited)
    if form == "md":
        return to_markdown(audited, language)
    if form == "html":
        from refino_eval.report.audit_page import audit_page

        return audit_page(audited, language)
    return to_text(audited, language)
