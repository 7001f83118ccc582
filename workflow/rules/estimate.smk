"""People to numbers: the tidy aggregate of each exhibit.

REQUIRED INPUTS: person_level/cohort.parquet, outcomes, panels.
OUTPUTS: aggregates/<exhibit>.csv and .parquet (aggregates, not yet protected); run/verify.csv; run/comparison.csv.
"""


rule estimate_exhibit:
    """The numbers of one exhibit, in tidy form; before anything is drawn, since the longest job waits for all of them."""
    input:
        cohort="results/{evaluation}/person_level/cohort.parquet",
        outcomes=exhibit_outcomes,
        panels=exhibit_panels,
        aggregates=exhibit_aggregates,
        clean=exhibit_clean,
        published=exhibit_published,
        flow=exhibit_flow,
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
        exhibit=exhibit_numbers,
        specifications=exhibit_specifications,
        subgroups=exhibit_subgroups,
        money=exhibit_money,
        treated=[arm.name for arm in EVALUATION.arms.treated_arms],
        control=EVALUATION.arms.control.name,
        pooled=EVALUATION.arms.pooled.name if EVALUATION.arms.pooled else None,
        seed=CONFIGURATION.project.seed,
        source_digest=digest("estimate_exhibit.py"),
    message:
        "Estimating {wildcards.exhibit}"
    script:
        "../scripts/estimate_exhibit.py"


rule verify_numbers:
    """Every coefficient, standard error and F, estimated again by two engines that share nothing with ours."""
    input:
        cohort="results/{evaluation}/person_level/cohort.parquet",
        outcomes=outcome_files(outcome_names()),
        panels=all_panels(),
        aggregates=aggregate_files(),
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
        exhibits=named(DEFINITIONS.exhibits, EVALUATION.exhibits, bare),
        specifications=named(
            DEFINITIONS.specifications, in_exhibits(lambda exhibit: exhibit.specifications_read), bare
        ),
        subgroups=named(DEFINITIONS.subgroups, in_exhibits(lambda exhibit: exhibit.subgroups_read), bare),
        treated=[arm.name for arm in EVALUATION.arms.treated_arms],
        control=EVALUATION.arms.control.name,
        pooled=EVALUATION.arms.pooled.name if EVALUATION.arms.pooled else None,
        seed=CONFIGURATION.project.seed,
        source_digest=digest("verify_numbers.py"),
    message:
        "Estimating every number again by other engines"
    script:
        "../scripts/verify_numbers.py"


rule compare_published:
    """Published numbers beside ours, cell by cell, with a verdict."""
    input:
        aggregates=aggregate_files(),
        published=(
            [f"data/published/{EVALUATION.published}.csv"]
            if EVALUATION.published
            else []
        ),
        sources=published_source(),
    output:
        comparison="results/{evaluation}/run/comparison.csv",
    log:
        "logs/{evaluation}/compare_published.log",
    conda:
        "../envs/refino_eval.yaml"
    params:
        data_class=EVALUATION.data_class,
        source_digest=digest("compare_published.py"),
    message:
        "Comparing with the published numbers"
    script:
        "../scripts/compare_published.py"
