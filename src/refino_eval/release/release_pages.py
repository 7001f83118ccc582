"""The tables, figures and pages of a release, made from protected numbers alone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from refino_eval.config import Configuration
from refino_eval.config.base import Language
from refino_eval.config.disclosure_profiles import DisclosureProfile
from refino_eval.csv_output import csv_text
from refino_eval.disclosure.release_tables import ProtectedRelease
from refino_eval.exhibits.formats.write import Laid, write_bundle, write_table
from refino_eval.exhibits.render import laid_out, render
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.published.compare import compare_files
from refino_eval.report import ReportInputs
from refino_eval.report.page.chapters import by_chapter
from refino_eval.report.page.report_contents import report_contents
from refino_eval.report.pdf_report import NoBrowser, find_browser, print_report
from refino_eval.report.report_forms import write_form
from refino_eval.text import say

NOT_IN_A_RELEASE = ("delivery", "inputs", "source_digests")
"""Parts of the provenance that name files of the delivery or rules of the workflow."""


def write_pages(
    configuration: Configuration, release: ProtectedRelease, rules: DisclosureProfile, *, folder: Path, work: Path
) -> dict[str, str]:
    """Write tables, figures, the document of all tables, the report and the catalogue in every language.

    Parameters
    ----------
    configuration
        The evaluation's configuration.
    release
        Its protected numbers; nothing else of the run is shown.
    rules
        The profile that protects them, named on every output.
    folder
        Where they go.
    work
        A folder of the secure zone that holds `aggregates/`, the protected numbers.

    Returns
    -------
    dict
        Files that were wanted and could not be made, each with the reason.
    """
    project, study = configuration.project, configuration.evaluation
    _write_run(configuration, work)
    left_out: dict[str, str] = {}
    for language in project.languages:
        profile = f"{rules.name} ({rules.label[language]})"
        facts = {"data_class": study.data_class, "stars": project.stars, "profile": profile}
        tables = _write_exhibits(configuration, release, language, facts, folder)
        held = by_chapter((laid.page.exhibit for laid in tables), configuration.definitions.exhibits)
        order = {name: chapter for chapter, names in held.items() for name in names}
        tables, chapters = sorted(tables, key=lambda laid: list(order).index(laid.page.exhibit)), list(order.values())
        for ending in project.formats.bundles if tables else ():
            path = folder / f"tables.{language}.{ending}"
            write_bundle(tables, path, title=study.label[language], language=language, chapters=chapters)
        for name in (f"catalogue.{language}.html", f"catalogue.{language}.md"):
            page = configuration.results_folder / study.pages_folder / name
            if page.is_file():  # definitions alone, which are about nobody
                shutil.copyfile(page, folder / name)
        inputs = ReportInputs(
            evaluation=study,
            definitions=configuration.definitions,
            aggregates_dir=work / "aggregates",
            release_dir=folder,
            run_dir=work / "run",
            sources=configuration.sources,
            stars=tuple(project.stars),
            profile=profile,
        )
        contents = report_contents(inputs, language)
        page = folder / f"report.{language}.html"
        for form in project.formats.report:
            if form != "pdf":
                write_form(form, contents, page.with_suffix(f".{form}"))
        if "pdf" in project.formats.report:
            try:
                print_report(page, page.with_suffix(".pdf"), browser=find_browser())
            except NoBrowser:
                left_out[f"report.{language}.pdf"] = "There is no browser on the machine that makes a PDF."
    return left_out


def _write_exhibits(
    configuration: Configuration, release: ProtectedRelease, language: Language, facts: Mapping[str, Any], folder: Path
) -> list[Laid]:
    """Write each table and figure in one language, and return the tables as they are laid out."""
    formats = configuration.project.formats
    labels = LabelBook.of(configuration.evaluation, configuration.definitions)
    tables = []
    for protected in release.exhibits:
        exhibit, name = configuration.definitions.exhibits[protected.name], protected.name
        if exhibit.form == "table":
            laid = laid_out(name, exhibit, protected.frame, labels=labels, language=language, facts=facts)
            tables.append(laid)
            for path in write_table(laid, folder / "tables", formats=formats.tables):
                if path.suffix == ".csv":
                    _name_profile(path, language, facts["profile"])
        else:
            # The numbers behind a figure are in numbers/, as those of a table are.
            pictures = [each for each in formats.figures if each != "csv"]
            figures = folder / "figures"
            render(
                name,
                exhibit,
                protected.frame,
                labels=labels,
                language=language,
                tables_dir=figures,
                figures_dir=figures,
                facts=facts,
                formats=pictures,
            )
    return tables


def _name_profile(path: Path, language: Language, profile: str) -> None:
    """Write the profile under a table in CSV, whose notes are left out."""
    with path.open("a", encoding="utf-8", newline="") as stream:
        stream.write(csv_text([[say("notes.profile", language, profile=profile)]]))


def _write_run(configuration: Configuration, work: Path) -> None:
    """Write what the report may show of the run: versions, and the comparison of protected with published numbers."""
    run, study = work / "run", configuration.evaluation
    run.mkdir(parents=True)
    path = configuration.results_folder / "run" / "provenance.json"
    if path.is_file():
        record = json.loads(path.read_text(encoding="utf-8"))
        kept = {name: value for name, value in record.items() if name not in NOT_IN_A_RELEASE}
        (run / "provenance.json").write_text(json.dumps(kept), encoding="utf-8")
    if study.published:
        compare_files(
            [Path(f"data/published/{study.published}.csv")],
            sorted((work / "aggregates").glob("*.csv")),
            data_class=study.data_class,
            out_path=run / "comparison.csv",
        )
