"""`refino-eval pdf`: the report of a finished run as PDF, and what a run does about it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from refino_eval.checksums import Checksums, require_as_written
from refino_eval.cli.output import check_option
from refino_eval.cli.running.failed_run import refuse_after_failure
from refino_eval.config import Configuration, load_configuration
from refino_eval.config.load import project_root
from refino_eval.errors import UserError

RECORD = "run/pdf.json"
"""Checksums of each PDF and of the page that it was made of, inside an evaluation's results."""


def make_pdf(evaluation: str | None, *, language: str | None) -> Iterator[str]:
    """Make the PDF of a finished run's report, and yield lines about it.

    Parameters
    ----------
    evaluation
        The evaluation; None for the one that `config/config.yaml` names.
    language
        ``nb`` or ``en``; None for all of the project.

    Raises
    ------
    UserError
        If there is no report, or no browser.
    """
    from refino_eval.report.pdf_report import NoBrowser, find_browser

    root = project_root()
    configuration = load_configuration(root, evaluation=evaluation)
    languages = list(configuration.project.languages)
    if language is not None:
        check_option("--language", language, languages)
    os.chdir(root)
    folder = _pages(configuration)
    refuse_after_failure(configuration)
    require_as_written(configuration.results_folder, f"{folder.name}/report.")
    missing = [str(_page(folder, each)) for each in languages if not _page(folder, each).is_file()]
    if missing:
        raise UserError(
            f"{missing[0]} is not there, and the PDF is made of it. Run first: refino-eval run --evaluation {configuration.evaluation.name}"
        )
    try:
        browser = find_browser()
    except NoBrowser as problem:
        raise UserError(f"No PDF was made: {problem.reason}.") from None
    yield from _up_to_date(configuration, languages if language is None else [language], browser)


def pdf_after_run(configuration: Configuration) -> Iterator[str]:
    """Make the PDF of a report that was just written where it is wanted, remove one of an earlier report, and say so.

    A machine without a browser is no fault of the run.
    """
    languages = list(configuration.project.languages)
    if "pdf" in configuration.project.formats.report:
        # Imports pandas, which a run with nothing to do has no time for.
        from refino_eval.report.pdf_report import NoBrowser, find_browser

        try:
            yield from _up_to_date(configuration, languages, find_browser())
            return
        except NoBrowser as problem:
            yield f"No PDF of the report was made: {problem.reason}."
    for language in languages:
        path = _pages(configuration) / f"report.{language}.pdf"
        if path.is_file() and not _is_current(configuration, language):
            path.unlink()
            yield f"{path} was of an earlier report and is removed; `refino-eval pdf` makes it again."


def _up_to_date(configuration: Configuration, languages: Sequence[str], browser: str) -> Iterator[str]:
    from refino_eval.report.pdf_report import print_report
    from refino_eval.workflow_job import protect

    folder = _pages(configuration)
    for language in languages:
        path = folder / f"report.{language}.pdf"
        if _is_current(configuration, language):
            yield f"PDF ({language}): {path}, up to date"
            continue
        print_report(_page(folder, language), path, browser=browser)
        protect([path])
        _remember(configuration, language)
        yield f"PDF ({language}): {path}"


def _pages(configuration: Configuration) -> Path:
    return configuration.results_folder / configuration.evaluation.pages_folder


def _page(folder: Path, language: str) -> Path:
    return folder / f"report.{language}.html"


def _state(configuration: Configuration, language: str) -> dict[str, str]:
    """Return the checksums of a page and its PDF, of those that are there."""
    page = _page(_pages(configuration), language)
    sums = {path.suffix: Checksums().of(str(path)) for path in (page, page.with_suffix(".pdf"))}
    return {ending: found.sha256 for ending, found in sums.items() if found is not None}


def _recorded(configuration: Configuration) -> dict[str, dict[str, str]]:
    try:
        record: dict[str, dict[str, str]] = json.loads(
            (configuration.results_folder / RECORD).read_text(encoding="utf-8")
        )
    except (OSError, ValueError):
        return {}
    return record


def _is_current(configuration: Configuration, language: str) -> bool:
    """Whether the PDF that is there was made of the page that is there."""
    state = _state(configuration, language)
    return ".pdf" in state and _recorded(configuration).get(language) == state


def _remember(configuration: Configuration, language: str) -> None:
    from refino_eval.exhibits.tidy import write_text

    record = _recorded(configuration) | {language: _state(configuration, language)}
    write_text(configuration.results_folder / RECORD, json.dumps(record, indent=2, sort_keys=True) + "\n")
