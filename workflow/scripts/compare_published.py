"""Compare the published numbers with ours.

Inputs: tidy aggregates, and the published values, with what is said of them, where the evaluation names some. Outputs: `comparison.csv`.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.workflow_job import job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job(snakemake) as log:
    from refino_eval.published.compare import compare_files

    comparison = compare_files(
        [Path(path) for path in snakemake.input.published],
        [Path(path) for path in snakemake.input.aggregates],
        data_class=snakemake.params.data_class,
        out_path=Path(snakemake.output.comparison),
    )
    log.info("%d published numbers compared", len(comparison))
