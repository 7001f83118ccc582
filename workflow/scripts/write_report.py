"""Write the report in every language.

Inputs: figures, aggregates and the tables of the run. Outputs: self-contained HTML pages. A page whose inputs are unchanged is kept.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.workflow_job import job, results_of

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

    from refino_eval.report.report_inputs import ReportInputs

with job(snakemake) as log:
    from refino_eval.kept_results import KeptResults, Result

    params, results = snakemake.params, results_of(snakemake)

    @cache
    def inputs() -> "ReportInputs":
        """Read the configuration once for all languages."""
        from refino_eval.report.report_inputs import ReportInputs

        return ReportInputs.of_configuration(params.configuration, results)

    def write_report(result: Result) -> None:
        """Write the report in one language."""
        from refino_eval.report import build_report

        build_report(inputs(), language=result.name.removeprefix("report_"), out_path=Path(*result.writes))
        log.info("%s", result.name)

    reads = tuple(snakemake.input)
    KeptResults(results, "pages").make_each(
        [
            Result(f"report_{language}", [params.configuration, params.source_digest], reads, tuple(paths))
            for language, paths in params.writes.items()
        ],
        write_report,
        log,
    )
