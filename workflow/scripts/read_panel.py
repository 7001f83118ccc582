"""Read a file of people and periods made elsewhere.

Inputs: the file. Outputs: `cohort.parquet`, the panel, `flow.csv`, `quality.csv` and `quality_rules.csv` (counts).
"""

from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.workflow_job import job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job(snakemake) as log:
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Arms, Clock, Panel, Sample
    from refino_eval.csv_output import frame_csv
    from refino_eval.months.panel_file import read_panel, write_panel
    from refino_eval.registers.ingest_report import quality_tables
    from refino_eval.trial import flow_frame, write_cohort

    params = snakemake.params
    people = params.people
    arms = Arms.from_params(people["arms"])
    data = read_panel(
        Path(params.folder),
        panel=Panel.from_params(people["table"]),
        unit=params.unit,
        clock=Clock.model_validate(params.clock),
        states=list(params.wanted),
        definitions=Definitions.from_params({"states": params.states}),
        samples={name: Sample.from_params(sample) for name, sample in people["samples"].items()},
        arms=arms,
        covariates=Definitions.from_params({"covariates": people["covariates"]}).covariates,
        dropping=people["dropping"],
    )
    write_cohort(data.cohort.frame, Path(snakemake.output.cohort))
    write_panel(data.panel, Path(snakemake.output.panel))
    flow = flow_frame(data.cohort.flow, [arm.name for arm in arms.treated_arms])
    Path(snakemake.output.flow).write_text(frame_csv(flow), encoding="utf-8")
    quality, rules = quality_tables([data.report])
    Path(snakemake.output.quality).write_text(frame_csv(quality), encoding="utf-8")
    Path(snakemake.output.rules).write_text(frame_csv(rules), encoding="utf-8")
    log.info("%d people, %d rows, %d states", len(data.cohort.frame), len(data.panel), len(params.wanted))
