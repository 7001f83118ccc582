"""Estimate exhibits' numbers again by other engines, and put all comparisons into one table.

Inputs: the exhibits' numbers, and the person-level files that they were made of. Outputs: one table of comparisons an exhibit,
and `verify.csv` where this job makes it. An exhibit whose inputs, numbers and definitions are unchanged is kept.
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from refino_eval.workflow_job import job, results_of

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job(snakemake) as log:
    from refino_eval.kept_results import KeptResults, Result

    params = snakemake.params

    def verify_again(result: Result) -> None:
        """Estimate the numbers of one exhibit again.

        One at a time: the last digits of an engine depend on which outcomes share a design, and a table of comparisons
        must not depend on which exhibits had changed, or on how the work is split into jobs.
        """
        from refino_eval.config.definitions import Definitions
        from refino_eval.config.evaluation import Arms
        from refino_eval.exhibits.numbers.study import PersonFiles, Study
        from refino_eval.exhibits.tidy import read_tidy
        from refino_eval.exhibits.verification import require_agreement, verify, write_verification

        start = time.perf_counter()
        # A number that an exhibit copies from another one takes the answer for that one.
        wanted = {name: params.exhibits[name] for name in (result.name, *params.exhibits[result.name]["copies"])}
        merged: dict[str, dict[str, object]] = {}
        for exhibit in wanted.values():
            for kind, entries in exhibit["definitions"].items():
                merged.setdefault(kind, {}).update(entries)
        definitions = Definitions.from_params(merged)
        kinds = ("outcomes", "panels", "flow", "aggregates", "clean", "published")
        listed = {
            kind: list(dict.fromkeys(path for exhibit in wanted.values() for path in exhibit["reads"][kind]))
            for kind in kinds
        }
        found = verify(
            definitions.exhibits,
            {name: read_tidy(exhibit["numbers"]) for name, exhibit in wanted.items()},
            files=PersonFiles.listed(cohort=params.exhibits[result.name]["reads"]["cohort"], **listed),
            study=Study.of(
                definitions, Arms.from_params(params.study["arms"]), params.study["seed"], params.study["design"]
            ),
            again=again,
        )
        # What later exhibits copy from is not computed for each of them anew.
        for name in [name for name in again if last_use[name] == result.name]:
            del again[name]
        require_agreement(found)
        write_verification(found[found["exhibit"] == result.name], Path(*result.writes))
        counts = found["verdict"].value_counts().to_dict()
        log.info("%s: %s in %.2f s", result.name, counts, time.perf_counter() - start)

    def gather(result: Result) -> None:
        """Put the comparisons of all exhibits into one table."""
        from refino_eval.exhibits.tidy import write_text

        texts = [Path(path).read_text(encoding="utf-8").partition("\n") for path in result.reads]
        write_text(Path(*result.writes), texts[0][0] + "\n" + "".join(rows for _, _, rows in texts))

    again: dict[str, Any] = {}
    last_use = {
        read: name
        for name, exhibit in params.exhibits.items()
        if name in params.made
        for read in (name, *exhibit["copies"])
    }
    kept = KeptResults(results_of(snakemake), "verification")
    results = [
        Result(
            name,
            [
                [
                    (params.exhibits[each]["definitions"], params.exhibits[each]["source_digest"])
                    for each in (name, *exhibit["copies"])
                ],
                params.study,
            ],
            (
                exhibit["numbers"],
                *exhibit["reads"]["aggregates"],
                *(
                    path
                    for paths in exhibit["reads"].values()
                    for path in ([paths] if isinstance(paths, str) else paths)
                ),
            ),
            (exhibit["writes"],),
        )
        for name, exhibit in params.exhibits.items()
        if name in params.made
    ]
    kept.make_each(results, verify_again, log)
    if params.table is not None:
        reads = tuple(params.table["reads"])
        kept.make_each([Result("all_exhibits", params.source_digest, reads, (params.table["writes"],))], gather, log)
