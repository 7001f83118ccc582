"""Write the report in every language.

Inputs: figures, aggregates and the tables of the run. Outputs: self-contained HTML pages, all of which are written before the
first Word document. What is made from unchanged inputs is kept, and of the others the parts of unchanged exhibits.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.workflow_job import job, results_of

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

    from refino_eval.report.page.report_contents import ReportContents

with job(snakemake) as log:
    from refino_eval.kept_results import KeptResults, Result

    params, results = snakemake.params, results_of(snakemake)

    @cache
    def contents(language: str) -> "ReportContents":
        """Gather what the report shows once for all forms."""
        from refino_eval.report.page.report_contents import report_contents
        from refino_eval.report.report_inputs import ReportInputs

        return report_contents(ReportInputs.of_configuration(params.configuration, results), language)

    def write_report(result: Result) -> None:
        """Write the report in one form and language."""
        from refino_eval.report.report_forms import write_form

        (path,) = map(Path, result.writes)
        *_, language, form = path.name.split(".")
        parts = kept.parts(result, [params.source_digest, language])
        write_form(form, contents(language), path, parts)
        parts.keep()
        log.info("%s", path.name)

    reads = tuple(snakemake.input)
    kept = KeptResults(results, "pages")
    kept.make_each(
        [
            Result(f"report_{form}_{language}", [params.configuration, params.source_digest], reads, (path,))
            for form, paths in params.writes.items()
            for language, path in paths.items()
        ],
        write_report,
        log,
    )
