"""Write the report in one language.

Inputs: exhibits, aggregates and the tables of the run. Outputs: one self-contained HTML page.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.jobs import job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job(snakemake) as log:
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Evaluation
    from refino_eval.report import ReportInputs, build_report

    configuration = snakemake.params.configuration
    release = Path(snakemake.output.report).parent
    results = release.parent
    build_report(
        ReportInputs(
            evaluation=Evaluation.model_validate(configuration["evaluation"]),
            definitions=Definitions.model_validate(configuration["definitions"]),
            aggregates_dir=results / "aggregates",
            release_dir=release,
            run_dir=results / "run",
        ),
        language=snakemake.wildcards.language,
        out_path=Path(snakemake.output.report),
    )
    log.info("report (%s)", snakemake.wildcards.language)
