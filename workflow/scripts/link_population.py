"""Link draws, strata and covariates into the cohort.

Inputs: clean registers. Outputs: `cohort.parquet` (one row a person) and `flow.csv` (counts).
"""

from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.workflow_job import job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job(snakemake) as log:
    from refino_eval.codes.prices import load_indices
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Arms, Population, Sample
    from refino_eval.config.sources import Source
    from refino_eval.trial import flow_frame, link_population, write_cohort

    people = snakemake.params.people
    covariates = Definitions.from_params({"covariates": people["covariates"]}).covariates
    cohort = link_population(
        population=Population.from_params(people["population"]),
        samples={name: Sample.from_params(sample) for name, sample in people["samples"].items()},
        arms=Arms.from_params(people["arms"]),
        strata=tuple(people["strata"]),
        covariates=covariates,
        sources={name: Source.from_params(source) for name, source in people["sources"].items()},
        clean={name: Path(path) for name, path in zip(people["registers"], snakemake.input.clean, strict=True)},
        indices=load_indices(covariates, Path("config/codelists")),
    )
    write_cohort(cohort.frame, Path(snakemake.output.cohort))
    flow_frame(cohort.flow).to_csv(snakemake.output.flow, index=False, lineterminator="\n")
    for line in cohort.flow:
        log.info("%s %s: %d (%d treated, %d control)", line.step, line.reason, line.persons, line.treated, line.control)
