"""People to numbers: the tidy aggregate of each exhibit.

REQUIRED INPUTS: person_level/cohort.parquet, outcomes, panels.
OUTPUTS: aggregates/<exhibit>.csv and .parquet (aggregates, not yet protected); run/comparison.csv.
"""


rule estimate_exhibit:
    """The numbers of one exhibit, in tidy form."""
    input:
        cohort="results/{evaluation}/person_level/cohort.parquet",
        outcomes=exhibit_outcomes,
        panels=exhibit_panels,
        aggregates=exhibit_aggregates,
        flow=exhibit_flow,
    output:
        csv="results/{evaluation}/aggregates/{exhibit}.csv",
        parquet="results/{evaluation}/aggregates/{exhibit}.parquet",
    log:
        "logs/{evaluation}/estimate_exhibit/{exhibit}.log",
    benchmark:
        "results/{evaluation}/run/benchmarks/estimate_exhibit.{exhibit}.tsv"
    conda:
        "../envs/refino_eval.yaml"
    params:
        exhibit=exhibit_numbers,
        specifications=exhibit_specifications,
        subgroups=exhibit_subgroups,
        treated=[arm.name for arm in EVALUATION.arms.treated_arms],
        control=EVALUATION.arms.control.name,
        seed=CONFIGURATION.project.seed,
        source_digest=digest("estimate_exhibit.py"),
    message:
        "Estimating {wildcards.exhibit}"
    script:
        "../scripts/estimate_exhibit.py"


rule compare_published:
    """Published numbers beside ours, cell by cell, with a verdict."""
    input:
        aggregates=aggregate_files(),
        published=(
            [f"data/published/{EVALUATION.published}.csv"]
            if EVALUATION.published
            else []
        ),
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
