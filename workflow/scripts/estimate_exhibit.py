"""Compute the tidy numbers of one exhibit.

Inputs: cohort, outcomes and panels; other exhibits' numbers, clean registers, published values and the flow of people, for
those that read them. Outputs: `<exhibit>.csv` and `<exhibit>.parquet`.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.workflow_job import job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job(snakemake) as log:
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Arms
    from refino_eval.exhibits.aggregate import aggregate
    from refino_eval.exhibits.numbers.study import PersonFiles, Study
    from refino_eval.exhibits.tidy import write_tidy

    name = snakemake.wildcards.exhibit
    params = snakemake.params
    definitions = Definitions.from_params(params.definitions)
    numbers = aggregate(
        name,
        definitions.exhibits[name],
        files=PersonFiles.listed(
            cohort=snakemake.input.cohort,
            outcomes=snakemake.input.outcomes,
            panels=snakemake.input.panels,
            flow=snakemake.input.flow,
            aggregates=snakemake.input.aggregates,
            clean=snakemake.input.clean,
            published=snakemake.input.published,
        ),
        study=Study.of(definitions, Arms.from_params(params.study["arms"]), params.study["seed"]),
    )
    write_tidy(numbers, Path(snakemake.output.csv))
    log.info("%s: %d numbers", name, len(numbers))
