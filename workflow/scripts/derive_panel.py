"""Make the panel of person x event time states from clean spells, or put its parts together.

Inputs: cohort and clean registers, or the parts. Outputs: `panel_<unit>.parquet`, and the query that made it. An unchanged
panel is kept.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.workflow_job import job, results_of

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job(snakemake) as log:
    from refino_eval.kept_results import KeptResults, Result

    params, inputs, outputs = snakemake.params, snakemake.input, snakemake.output
    unit, number, count = (snakemake.wildcards.get(name) for name in ("unit", "part", "parts"))
    parts = [Path(path) for path in inputs.get("parts", [])]

    def derive(result: Result) -> None:
        """Make the panel, a part of it, or put its parts together."""
        # Imported here, so that a job in which nothing changed starts quickly.
        from refino_eval.codes.prices import load_indices
        from refino_eval.config.definitions import Definitions
        from refino_eval.config.evaluation import Clock
        from refino_eval.config.sources import Source
        from refino_eval.months.engine import derive_panel, merge_panel

        definitions = Definitions.from_params({"states": params.states})
        sources = {name: Source.from_params(source) for name, source in params.sources.items()}
        clock = Clock.model_validate(params.clock)
        asked = {
            "clock_unit": unit,
            "first": clock.first,
            "last": clock.last,
            "states": list(params.wanted),
        }
        if parts:
            report = merge_panel(definitions, sources, **asked, part_paths=parts, out_path=Path(outputs.panel))
        else:
            report = derive_panel(
                definitions,
                sources,
                load_indices(definitions.states, Path("config/codelists")),
                **asked,
                cohort_path=Path(inputs.cohort),
                clean_paths={name: Path(path) for name, path in zip(params.sources, inputs.clean, strict=True)},
                out_path=Path(outputs.panel),
                threads=snakemake.threads,
                # The rest is for Python, and for rows on their way from the engine to the file.
                memory_limit=f"{snakemake.resources.mem_mb * 3 // 5}MB",
                part=None if number is None else (int(number), int(count)),
                engine=params.engine,
            )
        if outputs.get("sql") is not None:
            Path(outputs.sql).write_text(report.sql, encoding="utf-8")
        log.info("%d people, %d rows, %d states", report.people, report.rows, len(report.states))

    clock = [params.states, params.wanted, params.sources, params.clock, params.engine]
    KeptResults(results_of(snakemake), "panels").make_each(
        [
            Result(
                "_".join(filter(None, (unit, number, count))),
                [clock, len(parts), params.source_digest],
                tuple(dict.fromkeys(inputs)),
                tuple(outputs),
            )
        ],
        derive,
        log,
    )
