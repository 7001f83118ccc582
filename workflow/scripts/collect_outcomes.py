"""Put all outcomes side by side.

Inputs: the cohort and one file an outcome. Outputs: one row a person, one column an outcome.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.workflow_job import job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job(snakemake) as log:
    from refino_eval.outcomes.collect import collect_outcomes

    files = {name: Path(path) for name, path in zip(snakemake.params.names, snakemake.input.outcomes, strict=True)}
    collect_outcomes(Path(snakemake.input.cohort), files, Path(snakemake.output.table))
    log.info("%d outcomes", len(files))
