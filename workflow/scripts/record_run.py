"""Record what was run: configuration, versions, checksums, counts of rows, and comparisons with plan and publication.

Inputs: counts of each register, every exhibit's numbers, published values, and the cohort, so that provenance is written after
the delivery was read. Outputs: `provenance.json` and `run_config.yaml`; `comparison.csv`; for registers `quality.csv`,
`quality_rules.csv` and `plan.csv`; for a synthetic delivery `calibration.csv` and `.md`.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.workflow_job import also_read, job, results_of

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job(snakemake) as log:
    from refino_eval.kept_results import KeptResults, Result
    from refino_eval.report.provenance import record_run

    params, inputs, outputs = snakemake.params, snakemake.input, snakemake.output

    def compare_with_publication(result: Result) -> None:
        """Compare the published numbers with ours."""
        from refino_eval.published.compare import compare_files

        comparison = compare_files(
            [Path(path) for path in inputs.published],
            [Path(path) for path in inputs.aggregates],
            data_class=params.data_class,
            out_path=Path(*result.writes),
        )
        log.info("%d published numbers compared", len(comparison))

    def compare_with_plan(result: Result) -> None:
        """Compare the primary outcomes with the registered plan."""
        from refino_eval.config.definitions import Definitions
        from refino_eval.config.plans import RegisteredPlan
        from refino_eval.outcomes.registered_plan import compare_plan, write_changes

        now = params.plan
        plan = RegisteredPlan.model_validate(now["plan"]) if now["plan"] is not None else None
        definitions = Definitions.from_params({"states": now["states"], "outcomes": now["outcomes"]})
        changes = compare_plan(definitions, plan, outcomes=list(now["used"]))
        write_changes(changes, Path(*result.writes))
        log.info("%d departures from the registered plan", len(changes))

    def count_rows(result: Result) -> None:
        """Put the counts of all registers together."""
        import pandas as pd

        from refino_eval.csv_output import frame_csv
        from refino_eval.registers.ingest_report import IngestReport, quality_tables

        reports = [IngestReport.from_json(Path(path).read_text(encoding="utf-8")) for path in inputs.counts]
        tables = quality_tables(reports, pd.read_csv(*inputs.linkage))
        for table, path in zip(tables, result.writes, strict=True):
            Path(path).write_text(frame_csv(table), encoding="utf-8")
        log.info("%d registers", len(reports))

    def calibrate(result: Result) -> None:
        """Compare the synthetic delivery with the targets of its recipe, from its files alone."""
        from refino_eval.synthetic import Recipe, calibration_report, write_calibration

        report = calibration_report(Path(*inputs.manifest).parent, Recipe.model_validate(params.recipe))
        write_calibration(report, Path(result.writes[0]))
        log.info("%d of %d moments within tolerance", int((report["verdict"] == "within").sum()), len(report))

    delivery = sorted(path for path in Path(params.data).rglob("*") if path.is_file()) if inputs.manifest else []
    also_read(delivery)
    read = {
        "comparison": (*inputs.aggregates, *inputs.published, *inputs.sources),
        "plan": (),
        "quality": (*inputs.counts, *inputs.linkage),
        "calibration": tuple(path.as_posix() for path in delivery),
    }
    made = {
        "comparison": (compare_with_publication, params.data_class),
        "plan": (compare_with_plan, params.plan),
        "quality": (count_rows, None),
        "calibration": (calibrate, params.recipe),
    }
    KeptResults(results_of(snakemake), "records").make_each(
        [
            Result(name, [made[name][1], params.source_digest], read[name], tuple(paths))
            for name, paths in params.writes.items()
        ],
        lambda result: made[result.name][0](result),
        log,
    )
    # Never kept: it states the versions of this run.
    record_run(
        params.configuration,
        data_folder=Path(params.data),
        files=params.files,
        root=Path(params.root),
        provenance_path=Path(outputs.provenance),
        configuration_path=Path(outputs.configuration),
        source_digests=params.source_digests,
    )
