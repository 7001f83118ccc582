"""Make the panel of person x event time states from clean spells.

Inputs: cohort and clean registers. Outputs: `panel_<unit>.parquet`, and the query that made it.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.workflow_job import job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job(snakemake) as log:
    from refino_eval.codes.prices import load_indices
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Clock
    from refino_eval.config.sources import Source
    from refino_eval.months.engine import derive_panel

    params = snakemake.params
    definitions = Definitions.from_params({"states": params.states})
    clock = Clock.model_validate(params.clock)
    report = derive_panel(
        definitions,
        {name: Source.from_params(source) for name, source in params.sources.items()},
        load_indices(definitions.states, Path("config/codelists")),
        clock_unit=snakemake.wildcards.unit,
        first=clock.first,
        last=clock.last,
        states=list(params.wanted),
        cohort_path=Path(snakemake.input.cohort),
        clean_paths={name: Path(path) for name, path in zip(params.sources, snakemake.input.clean, strict=True)},
        out_path=Path(snakemake.output.panel),
        threads=snakemake.threads,
        memory_limit=f"{snakemake.resources.mem_mb}MB",
    )
    Path(snakemake.output.sql).write_text(report.sql, encoding="utf-8")
    log.info("%d people, %d rows, %d states", report.people, report.rows, len(report.states))
