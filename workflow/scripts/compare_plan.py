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
    from refino_eval.outcomes.registered_plan import compare_plan, write_changes

    now = snakemake.params.comparison
    plan = RegisteredPlan.model_validate(now["plan"]) if now["plan"] is not None else None
    definitions = Definitions.from_params({"states": now["states"], "outcomes": now["outcomes"]})
    changes = compare_plan(definitions, plan, outcomes=list(now["used"]))
    write_changes(changes, Path(snakemake.output.table))
    log.info("%d departures from the registered plan", len(changes))
