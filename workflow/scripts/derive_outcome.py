"""Compute one outcome from its panel.

Inputs: the panel. Outputs: one row a person.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.workflow_job import job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job(snakemake) as log:
    from refino_eval.config.definitions import Definitions, Outcome
    from refino_eval.outcomes.build import derive_outcomes

    name = snakemake.wildcards.outcome
    derive_outcomes(
        Path(snakemake.input.panel),
        {name: Outcome.from_params(snakemake.params.definition)},
        out_paths={name: Path(snakemake.output.outcome)},
        definitions=Definitions.from_params({"states": snakemake.params.states}),
    )
    log.info("%s", name)
