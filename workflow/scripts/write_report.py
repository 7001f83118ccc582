"""Write the report in one language.

Inputs: exhibits, aggregates and the tables of the run. Outputs: one self-contained HTML page.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.workflow_job import job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job(snakemake) as log:
    from refino_eval.report import ReportInputs, build_report

    report = Path(snakemake.output.report)
    build_report(
        ReportInputs.of_configuration(snakemake.params.configuration, report.parent.parent),
        language=snakemake.wildcards.language,
        out_path=report,
    )
    log.info("report (%s)", snakemake.wildcards.language)
