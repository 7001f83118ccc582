"""Estimate the exhibits' numbers again by other engines.

Inputs: every exhibit's numbers, and the person-level files that they were made of. Output: `verify.csv`.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.workflow_job import job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job(snakemake) as log:
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Arms
    from refino_eval.exhibits.numbers.study import PersonFiles, Study
    from refino_eval.exhibits.tidy import read_tidy
    from refino_eval.exhibits.verification import require_agreement, verify, write_verification

    params = snakemake.params
    definitions = Definitions.from_params(params.definitions)
    found = verify(
        definitions.exhibits,
        {Path(path).stem: read_tidy(path) for path in snakemake.input.aggregates},
        files=PersonFiles.listed(
            cohort=snakemake.input.cohort,
            outcomes=snakemake.input.outcomes,
            panels=snakemake.input.panels,
            flow=snakemake.input.flow,
            aggregates=snakemake.input.aggregates,
        ),
        study=Study.of(definitions, Arms.from_params(params.study["arms"]), params.study["seed"]),
    )
    require_agreement(found)
    write_verification(found, Path(snakemake.output.table))
    log.info("%s", found["verdict"].value_counts().to_dict())
