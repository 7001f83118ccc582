"""Make the synthetic delivery from its recipe.

Outputs: the delivery's files, `manifest.json` last.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.workflow_job import also_written, job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job(snakemake) as log:
    from refino_eval.synthetic import Recipe, generate

    manifest = generate(
        Recipe.model_validate(snakemake.params.recipe),
        Path(snakemake.output.manifest).parent,
        people=snakemake.params.people,
    )
    also_written(path for path in Path(snakemake.output.manifest).parent.iterdir() if path.is_file())
    log.info("synthetic register: %s", manifest)
