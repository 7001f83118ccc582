"""Compare the primary outcomes with the registered plan.

Inputs: none but definitions and plan. Outputs: `run/plan.csv`, a row for each way in which they differ.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.workflow_job import job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job(snakemake) as log:
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.plans import RegisteredPlan
    from refino_eval.outcomes.plan import compare_plan, write_changes

    params = snakemake.params
    plan = RegisteredPlan.model_validate(params.plan) if params.plan is not None else None
    definitions = Definitions.model_validate({"states": params.states, "outcomes": params.outcomes})
    changes = compare_plan(definitions, plan, outcomes=list(params.used))
    write_changes(changes, Path(snakemake.output.table))
    log.info("%d departures from the registered plan", len(changes))
