"""Write the report and the catalogue of definitions in every language.

Inputs: exhibits, aggregates and the tables of the run; code lists. Outputs: self-contained HTML pages, and the catalogue as
Markdown too.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.workflow_job import job, results_of

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

    from refino_eval.catalogue.entries import CatalogueInputs

with job(snakemake) as log:
    from refino_eval.kept_results import KeptResults, Result

    params = snakemake.params

    def write_report(result: Result) -> None:
        """Write the report in one language."""
        from refino_eval.report import ReportInputs, build_report

        (path,) = map(Path, result.writes)
        inputs = ReportInputs.of_configuration(params.configuration, path.parent.parent)
        build_report(inputs, language=result.name.removeprefix("report_"), out_path=path)
        log.info("%s", result.name)

    @cache
    def definitions() -> "CatalogueInputs":
        """Run the worked examples, which have the same results in every language."""
        from refino_eval.report.catalogue_page import catalogue_inputs

        codelists = Path("config/codelists")
        return catalogue_inputs(params.configuration, other_sources=params.other_sources, codelists=codelists)

    def write_definitions(result: Result) -> None:
        """Write the catalogue in one language."""
        from refino_eval.report.catalogue_page import write_catalogue

        html, markdown = map(Path, result.writes)
        language = result.name.removeprefix("catalogue_")
        shown = write_catalogue(definitions(), language=language, html_path=html, markdown_path=markdown)
        log.info("%s: %d definitions", result.name, shown)

    kept = KeptResults(results_of(snakemake), "pages")
    catalogue = [params.configuration, params.other_sources, params.source_digest]
    report = [params.configuration, params.source_digest]
    inputs = snakemake.input
    kept.make_each(
        [
            Result(f"catalogue_{language}", catalogue, tuple(inputs.codelists), tuple(pages["catalogue"]))
            for language, pages in params.writes.items()
        ],
        write_definitions,
        log,
    )
    kept.make_each(
        [
            Result(
                f"report_{language}",
                report,
                (*inputs.exhibits, *inputs.aggregates, *inputs.run),
                tuple(pages["report"]),
            )
            for language, pages in params.writes.items()
        ],
        write_report,
        log,
    )
