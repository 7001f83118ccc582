"""People to numbers: the tidy aggregate of each exhibit.

REQUIRED INPUTS: person_level/cohort.parquet, outcomes, panels.
OUTPUTS: aggregates/<exhibit>.csv and .parquet (aggregates, not yet protected); run/verify.csv; run/comparison.csv.
"""


rule estimate_exhibit:
    """The numbers of one exhibit, in tidy form; before anything is drawn, since the longest job waits for all of them."""
    input:
        cohort="results/{evaluation}/person_level/cohort.parquet",
        outcomes=by("exhibit", FILES.exhibit_outcomes),
        panels=by("exhibit", FILES.exhibit_panels),
        aggregates=by("exhibit", FILES.exhibit_aggregates),
        clean=by("exhibit", FILES.exhibit_clean),
        published=by("exhibit", FILES.exhibit_published),
        flow=by("exhibit", FILES.exhibit_flow),
    output:
        csv="results/{evaluation}/aggregates/{exhibit}.csv",
        parquet="results/{evaluation}/aggregates/{exhibit}.parquet",
    log:
        "logs/{evaluation}/estimate_exhibit/{exhibit}.log",
    benchmark:
        "results/{evaluation}/run/benchmarks/estimate_exhibit.{exhibit}.tsv"
    priority: 10
    conda:
        "../envs/refino_eval.yaml"
    params:
        definitions=by("exhibit", PARAMS.estimation),
        study=PARAMS.study(),
        source_digest=digest_of_kind("estimate_exhibit.py"),
    message:
        "Estimating {wildcards.exhibit}"
    script:
        "../scripts/estimate_exhibit.py"


rule verify_numbers:
    """Every coefficient, standard error and F, estimated again by two engines that share nothing with ours."""
    input:
        cohort="results/{evaluation}/person_level/cohort.parquet",
        outcomes=FILES.outcomes(),
        panels=FILES.all_panels(),
        aggregates=FILES.aggregates(),
        flow="results/{evaluation}/run/flow.csv",
    output:
        table="results/{evaluation}/run/verify.csv",
    log:
        "logs/{evaluation}/verify_numbers.log",
    benchmark:
        "results/{evaluation}/run/benchmarks/verify_numbers.tsv"
    priority: 20
    conda:
        "../envs/refino_eval.yaml"
    resources:
        mem_mb=1500,
    params:
        definitions=PARAMS.verification(),
        study=PARAMS.study(),
        source_digest=digest("verify_numbers.py"),
    message:
        "Estimating every number again by other engines"
    script:
        "../scripts/verify_numbers.py"


rule compare_published:
    """Published numbers next to ours, cell by cell, with a verdict."""
    input:
        aggregates=FILES.aggregates(),
        published=FILES.published(),
        sources=FILES.published_source(),
    output:
        comparison="results/{evaluation}/run/comparison.csv",
    log:
        "logs/{evaluation}/compare_published.log",
    conda:
        "../envs/refino_eval.yaml"
    params:
        data_class=STUDY.data_class,
        source_digest=digest("compare_published.py"),
    message:
        "Comparing with the published numbers"
    script:
        "../scripts/compare_published.py"
