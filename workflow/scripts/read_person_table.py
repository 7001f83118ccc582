"""Read an analysis file with one row a person.

Inputs: the file. Outputs: `cohort.parquet`, one file an outcome, and `flow.csv` (counts).
"""

from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.workflow_job import job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job(snakemake) as log:
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Arms, PersonTable, Sample
    from refino_eval.csv_output import frame_csv
    from refino_eval.trial import flow_frame, read_person_table, write_cohort, write_outcome

    people = snakemake.params.people
    arms = Arms.from_params(people["arms"])
    data = read_person_table(
        Path(snakemake.params.folder),
        table=PersonTable.from_params(people["table"]),
        samples={name: Sample.from_params(sample) for name, sample in people["samples"].items()},
        arms=arms,
        covariates=Definitions.from_params({"covariates": people["covariates"]}).covariates,
        dropping=people["dropping"],
    )
    write_cohort(data.cohort.frame, Path(snakemake.output.cohort))
    for path in snakemake.output.outcomes:
        write_outcome(data.outcomes, Path(path).stem, Path(path))
    flow = flow_frame(data.cohort.flow, [arm.name for arm in arms.treated_arms])
    Path(snakemake.output.flow).write_text(frame_csv(flow), encoding="utf-8")
    log.info("%d people", len(data.cohort.frame))
