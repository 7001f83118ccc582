"""Compute the tidy numbers of exhibits.

Inputs: cohort, outcomes and panels; other exhibits' numbers, clean registers, published values and the flow of people, for
those that read them. Outputs: `<exhibit>.csv` and `<exhibit>.parquet`; of an exhibit that cannot be made, the reason. An
exhibit whose inputs and definitions are unchanged is kept.
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.workflow_job import job, results_of

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job(snakemake) as log:
    from refino_eval.kept_results import KeptResults, Result

    params = snakemake.params

    def estimate(result: Result) -> None:
        """Compute and write the numbers of one exhibit."""
        # Imported here, so that a job in which nothing changed starts quickly.
        from refino_eval.config.definitions import Definitions
        from refino_eval.config.evaluation import Arms
        from refino_eval.errors import UserError, masked
        from refino_eval.exhibits.aggregate import aggregate
        from refino_eval.exhibits.numbers.study import PersonFiles, Study
        from refino_eval.exhibits.tidy import not_made, reason_not_made, write_tidy

        start = time.perf_counter()
        exhibit = params.exhibits[result.name]
        definitions = Definitions.from_params(exhibit["definitions"])
        study = Study.of(
            definitions, Arms.from_params(params.study["arms"]), params.study["seed"], params.study["design"]
        )
        try:
            files = PersonFiles.listed(**exhibit["reads"])
            numbers = aggregate(result.name, definitions.exhibits[result.name], files=files, study=study)
        except UserError as error:
            # One exhibit that cannot be made does not cost the report: it is shown empty, and the run's exit code says so.
            numbers = not_made(result.name, map(masked, error.problems))
            log.warning("%s could not be made: %s", result.name, reason_not_made(numbers))
        write_tidy(numbers, Path(result.writes[0]))
        log.info("%s: %d numbers in %.2f s", result.name, len(numbers), time.perf_counter() - start)

    results = []
    for name, exhibit in params.exhibits.items():
        reads = [path for paths in exhibit["reads"].values() for path in ([paths] if isinstance(paths, str) else paths)]
        made_from = [exhibit["definitions"], params.study, exhibit["source_digest"]]
        results.append(Result(name, made_from, tuple(reads), tuple(exhibit["writes"])))
    KeptResults(results_of(snakemake), "estimates").make_each(results, estimate, log)
