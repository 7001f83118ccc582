"""Link draws, strata and covariates into the cohort.

Inputs: clean registers. Outputs: `cohort.parquet` (one row a person), `flow.csv` and `linkage.csv` (counts). Unchanged ones
are kept.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.workflow_job import job, results_of

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

with job(snakemake) as log:
    from refino_eval.kept_results import KeptResults, Result

    params, inputs, outputs = snakemake.params, snakemake.input, snakemake.output

    def link(result: Result) -> None:
        """Link and count everybody."""
        # Imported here, so that a job in which nothing changed starts quickly.
        from refino_eval.codes.prices import load_indices
        from refino_eval.config.definitions import Definitions
        from refino_eval.config.evaluation import Arms, Population, Sample
        from refino_eval.config.sources import LinkageExpectation, Source
        from refino_eval.csv_output import frame_csv
        from refino_eval.errors import raise_problems
        from refino_eval.registers.linkage import count_linkage, linkage_frame, linkage_problems
        from refino_eval.trial import flow_frame, link_population, write_cohort

        people = params.people
        covariates = Definitions.from_params({"covariates": people["covariates"]}).covariates
        cohort = link_population(
            population=Population.from_params(people["population"]),
            samples={name: Sample.from_params(sample) for name, sample in people["samples"].items()},
            arms=Arms.from_params(people["arms"]),
            strata=tuple(people["strata"]),
            covariates=covariates,
            sources={name: Source.from_params(source) for name, source in people["sources"].items()},
            clean={name: Path(path) for name, path in zip(people["registers"], inputs.clean, strict=True)},
            indices=load_indices(covariates, Path("config/codelists")),
            dropping=people["dropping"],
        )
        stated = params.linkage
        registers = {name: Path(path) for name, path in zip(stated, inputs.registers, strict=True)}
        linkages = count_linkage(
            cohort.frame,
            drawn=registers[people["population"]["register"]],
            registers=registers,
            stated={name: LinkageExpectation.from_params(entry) if entry else None for name, entry in stated.items()},
        )
        for linkage in linkages:
            log.info("%s: %d of %d people found", linkage.register, linkage.found, linkage.people)
        raise_problems(linkage_problems(linkages))
        Path(outputs.linkage).write_text(frame_csv(linkage_frame(linkages)), encoding="utf-8")
        write_cohort(cohort.frame, Path(outputs.cohort))
        Path(outputs.flow).write_text(frame_csv(flow_frame(cohort.flow)), encoding="utf-8")
        for line in cohort.flow:
            log.info(
                "%s %s: %d (%d treated, %d control)", line.step, line.reason, line.persons, line.treated, line.control
            )

    made_from = [params.people, params.linkage, params.source_digest]
    reads = tuple(dict.fromkeys(inputs))
    KeptResults(results_of(snakemake), "population").make_each(
        [Result("cohort", made_from, reads, tuple(outputs))], link, log
    )
