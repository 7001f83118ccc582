"""Compute outcomes from their panels, and put all outcomes side by side.

Inputs: panels; cohort and outcomes for the table of all. Outputs: one file an outcome, and the table where this job makes
it. An outcome whose panel and definition are unchanged is kept.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.workflow_job import job, results_of

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job(snakemake) as log:
    from refino_eval.config.definitions import Definitions, Outcome
    from refino_eval.kept_results import KeptResults, Result
    from refino_eval.outcomes.build import derive_outcomes
    from refino_eval.outcomes.collect import collect_outcomes

    params = snakemake.params
    kept = KeptResults(results_of(snakemake), "outcomes")
    missing: dict[str, dict[str, Result]] = {}
    for name, outcome in params.outcomes.items():
        made_from = [outcome["definition"], outcome["states"], params.engine, params.source_digest]
        result = Result(name, made_from, (outcome["panel"],), (outcome["writes"],))
        if not kept.restore(result):
            missing.setdefault(outcome["panel"], {})[name] = result
    # Outcomes of one panel are computed together, so that it is read once.
    for panel, results in missing.items():
        definitions = [params.outcomes[name] for name in results]
        states = {state: entry for outcome in definitions for state, entry in outcome["states"].items()}
        derive_outcomes(
            Path(panel),
            {name: Outcome.from_params(params.outcomes[name]["definition"]) for name in results},
            out_paths={name: Path(*result.writes) for name, result in results.items()},
            definitions=Definitions.from_params({"states": states}),
            engine=params.engine,
        )
        for result in results.values():
            kept.keep(result)
        log.info("%s: %s", Path(panel).stem, ", ".join(results))
    log.info("%d outcomes unchanged", len(params.outcomes) - sum(map(len, missing.values())))

    def collect(result: Result) -> None:
        """Put all outcomes side by side."""
        cohort, *outcomes = map(Path, result.reads)
        collect_outcomes(cohort, {path.stem: path for path in outcomes}, Path(*result.writes))
        log.info("%d outcomes side by side", len(outcomes))

    if params.table is not None:
        table = Result("all_outcomes", params.source_digest, tuple(params.table["reads"]), (params.table["writes"],))
        kept.make_each([table], collect, log)
