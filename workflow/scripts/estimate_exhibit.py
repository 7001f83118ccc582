"""Compute the tidy numbers of one exhibit.

Inputs: cohort, outcomes and panels; other exhibits' numbers, and the flow of people, for those that read them. Outputs: `<exhibit>.csv` and `<exhibit>.parquet`.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.jobs import job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job(snakemake) as log:
    from refino_eval.config.definitions import Definitions
    from refino_eval.exhibits.aggregate import aggregate
    from refino_eval.exhibits.people import PersonFiles, Study
    from refino_eval.exhibits.tidy import write_tidy

    name = snakemake.wildcards.exhibit
    params = snakemake.params
    definitions = Definitions.model_validate(
        {"exhibits": {name: params.exhibit}, "specifications": params.specifications, "subgroups": params.subgroups}
    )
    numbers = aggregate(
        name,
        definitions.exhibits[name],
        files=PersonFiles(
            cohort=Path(snakemake.input.cohort),
            outcomes={Path(path).stem: Path(path) for path in snakemake.input.outcomes},
            panels={Path(path).stem.removeprefix("panel_"): Path(path) for path in snakemake.input.panels},
            aggregates={Path(path).stem: Path(path) for path in snakemake.input.aggregates},
            flow=next((Path(path) for path in snakemake.input.flow), None),
        ),
        study=Study(
            treated=params.treated[0],
            control=params.control,
            specifications=definitions.specifications,
            subgroups=definitions.subgroups,
            seed=params.seed,
            several=tuple(params.treated),
        ),
    )
    write_tidy(numbers, Path(snakemake.output.csv))
    log.info("%s: %d numbers", name, len(numbers))
