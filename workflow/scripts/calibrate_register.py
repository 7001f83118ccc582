"""Compare the synthetic delivery with the targets of its recipe, from its files alone.

Inputs: the delivery's manifest. Outputs: `calibration.csv` and `.md`, a row a moment.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.workflow_job import job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job(snakemake) as log:
    from refino_eval.synthetic import Recipe, calibration_report, write_calibration

    report = calibration_report(Path(snakemake.input.manifest).parent, Recipe.model_validate(snakemake.params.recipe))
    write_calibration(report, Path(snakemake.output.table))
    log.info("%d of %d moments within tolerance", int((report["verdict"] == "within").sum()), len(report))
