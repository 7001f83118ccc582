"""`refino-eval audit`: errors in the tables of papers and reports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import get_args

from refino_eval.cli.output import check_option, write_output
from refino_eval.config.base import Language
from refino_eval.config.load import project_root
from refino_eval.errors import UserError, nearest
from refino_eval.published.audit import audit, audit_file
from refino_eval.published.audit.document import relations_file
from refino_eval.published.audit.findings_report import Audited, to_csv, to_json, to_markdown, to_text
from refino_eval.published.published_tables import published_tables
from refino_eval.published.reading import READERS, read_document
from refino_eval.published.relations import load_relations
from refino_eval.published.source import load_source, source_file
from refino_eval.published.values import COLUMNS, load_published

FORMS = ("text", "csv", "json", "html", "md")
_ENDINGS = {".csv": "csv", ".json": "json", ".html": "html", ".htm": "html", ".md": "md"}


def audit_documents(
    documents: Sequence[str],
    *,
    form: str | None,
    language: str,
    out: Path | None,
    strict: bool,
    root: Path | None = None,
) -> int:
    """Audit documents, and print or write the findings.

    Parameters
    ----------
    documents
        Files (CSV, HTML, Word, Excel, Markdown, text), or names of files of `data/published` without their extension; none
        for all of the project.
    form
        ``"text"``, ``"csv"``, ``"json"``, ``"html"`` or ``"md"``; None for that of the ending of `out`, else text.
    language
        ``"nb"`` or ``"en"``; CSV and JSON have both.
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
    form = form or (_ENDINGS.get(out.suffix.lower(), "text") if out else "text")
    check_option("--language", language, get_args(Language))
    check_option("--format", form, FORMS)
    results = [_audit(path) for path in _files(documents, root)]
    write_output(_text(results, form, "nb" if language == "nb" else "en"), out)
    certain = any(finding.certainty == "certain" for audited in results for finding in audited.findings)
    return 1 if strict and certain else 0


def _audit(path: Path) -> Audited:
    if _has_published_values(path):
        published, source = load_published(path), load_source(source_file(path))
        names = source.exhibit_names(published["exhibit"].unique())
        tables = {language: published_tables(published, language, names) for language in get_args(Language)}
        return Audited(path.stem, len(published), audit_file(path), source, printed=tables)
    read = read_document(path)
    declared = relations_file(path)
    relations = load_relations(declared) if declared.is_file() else ()
    findings = audit(read.values, relations, name=path.name, names=read.names)
    source = load_source(source_file(path))
    printed = dict.fromkeys(get_args(Language), read.printed)
    return Audited(path.name, len(read.values), findings, source, read.tables, read.unread, printed)


def _has_published_values(path: Path) -> bool:
    """Return whether a file has the form of `data/published`, or tries to: its head names most of the columns."""
    if path.suffix.lower() != ".csv":
        return False
    try:
        with path.open(encoding="utf-8-sig") as file:
            head = file.readline()
    except (OSError, UnicodeDecodeError):
        return False
    named = {name.strip().strip('"') for name in head.split(",")}
    return len(named & {*COLUMNS}) >= len(COLUMNS) - 2


def _files(documents: Sequence[str], root: Path | None) -> list[Path]:
    """Return the files to audit: paths, documents of the project, or all of its documents."""
    given = [Path(document) for document in documents if _is_path(document)]
    names = [document for document in documents if not _is_path(document)]
    if documents and not names:
        return given
    folder = (root or project_root()) / "data" / "published"
    known = sorted(path.stem for path in folder.glob("*.csv"))
    if not documents:
        if not known:
            raise UserError("data/published has no .csv file. Name the path of a file to audit it.")
        return [folder / f"{name}.csv" for name in known]
    _require_published(names, known)
    return [Path(document) if _is_path(document) else folder / f"{document}.csv" for document in documents]


def _require_published(names: Iterable[str], published: Sequence[str]) -> None:
    """Refuse names that are no published values of the project."""
    for name in names:
        if name not in published:
            raise UserError(
                f"No published values '{name[:80]}' in data/published.{nearest(name[:80], published)} To audit a file "
                "elsewhere, name its path with its ending."
            )


def _is_path(document: str) -> bool:
    return "/" in document or "\\" in document or Path(document).suffix.lower() in READERS


def _text(documents: Sequence[Audited], form: str, language: Language) -> str:
    if form == "html":
        from refino_eval.report.audit_page import audit_page

        return audit_page(documents, language)
    machine: dict[str, Callable[[Sequence[Audited]], str]] = {"csv": to_csv, "json": to_json}
    if form in machine:
        return machine[form](documents)
    return to_markdown(documents, language) if form == "md" else to_text(documents, language)
