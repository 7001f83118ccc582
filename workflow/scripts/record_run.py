"""Record what was run: configuration, versions, checksums.

Inputs: the cohort (so that it is written after the delivery was read). Outputs: `provenance.json`, `run_config.yaml`.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.workflow_job import job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job(snakemake) as log:
    from refino_eval.report.provenance import record_run

    record_run(
        snakemake.params.configuration,
        data_folder=Path(snakemake.params.data),
        root=Path(snakemake.params.root),
        provenance_path=Path(snakemake.output.provenance),
        configuration_path=Path(snakemake.output.configuration),
        source_digests=snakemake.params.source_digests,
    )
    log.info("recorded")
