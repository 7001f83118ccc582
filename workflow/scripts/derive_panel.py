"""Make the panel of person x event time states from clean spells, or put its parts together.

Inputs: cohort and clean registers, or the parts. Outputs: `panel_<unit>.parquet`, and the query that made it.
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
    from refino_eval.months.engine import derive_panel, merge_panel

    params = snakemake.params
    definitions = Definitions.from_params({"states": params.states})
    sources = {name: Source.from_params(source) for name, source in params.sources.items()}
    clock = Clock.model_validate(params.clock)
    asked = {
        "clock_unit": snakemake.wildcards.unit,
        "first": clock.first,
        "last": clock.last,
        "states": list(params.wanted),
    }
    parts = [Path(path) for path in snakemake.input.get("parts", [])]
    if parts:
        report = merge_panel(definitions, sources, **asked, part_paths=parts, out_path=Path(snakemake.output.panel))
    else:
        number, count = snakemake.wildcards.get("part"), snakemake.wildcards.get("parts")
        report = derive_panel(
            definitions,
            sources,
            load_indices(definitions.states, Path("config/codelists")),
            **asked,
            cohort_path=Path(snakemake.input.cohort),
            clean_paths={name: Path(path) for name, path in zip(params.sources, snakemake.input.clean, strict=True)},
            out_path=Path(snakemake.output.panel),
            threads=snakemake.threads,
            # The rest is for Python, and for rows on their way from the engine to the file.
            memory_limit=f"{snakemake.resources.mem_mb * 3 // 5}MB",
            part=None if number is None else (int(number), int(count)),
            engine=params.engine,
        )
    if snakemake.output.get("sql") is not None:
        Path(snakemake.output.sql).write_text(report.sql, encoding="utf-8")
    log.info("%d people, %d rows, %d states", report.people, report.rows, len(report.states))
