"""Compute the tidy numbers of one exhibit.

Inputs: cohort, outcomes and panels; other exhibits' numbers, clean registers, published values and the flow of people, for
those that read them. Outputs: `<exhibit>.csv` and `<exhibit>.parquet`; of an exhibit that cannot be made, the reason.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.workflow_job import job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job(snakemake) as log:
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Arms
    from refino_eval.errors import UserError, masked
    from refino_eval.exhibits.aggregate import aggregate
    from refino_eval.exhibits.numbers.study import PersonFiles, Study
    from refino_eval.exhibits.tidy import not_made, reason_not_made, write_tidy

    name = snakemake.wildcards.exhibit
    params = snakemake.params
    definitions = Definitions.from_params(params.definitions)
    try:
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
    except UserError as error:
        # One exhibit that cannot be made does not cost the report: it is shown empty, and the run's exit code says so.
        numbers = not_made(name, map(masked, error.problems))
        log.warning("%s could not be made: %s", name, reason_not_made(numbers))
    write_tidy(numbers, Path(snakemake.output.csv))
    log.info("%s: %d numbers", name, len(numbers))
