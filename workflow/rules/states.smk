"""Clean spells to person x event time states, and states to outcomes.

REQUIRED INPUTS: person_level/cohort.parquet, clean registers.
OUTPUTS: person_level/panel_<unit>.parquet, person_level/outcomes/<outcome>.parquet, person_level/outcomes.parquet (all
person-level); run/panel_<unit>.sql, the query itself, for an auditor to read; run/plan.csv, how the primary
outcomes differ from the registered plan.
"""


rule derive_panel:
    """Every person x event time: one query, written from the definitions of the states."""
    input:
        cohort="results/{evaluation}/person_level/cohort.parquet",
        clean=by("unit", FILES.panel_clean),
        indices=by("unit", FILES.panel_indices),
        parts=by("unit", FILES.panel_parts),
    output:
        panel="results/{evaluation}/person_level/panel_{unit}.parquet",
        sql="results/{evaluation}/run/panel_{unit}.sql",
    log:
        "logs/{evaluation}/derive_panel/{unit}.log",
    benchmark:
        "results/{evaluation}/run/benchmarks/derive_panel.{unit}.tsv"
    conda:
        "../envs/refino_eval.yaml"
    threads: 2
    resources:
        mem_mb=2000,
    params:
        states=by("unit", PARAMS.panel_states),
        wanted=by("unit", PARAMS.panel_columns),
        sources=by("unit", PARAMS.panel_sources),
        clock=by("unit", PARAMS.clock),
        engine=CONFIGURATION.project.engine,
        source_digest=digest("derive_panel.py"),
    message:
        "Making the person x {wildcards.unit} panel"
    script:
        "../scripts/derive_panel.py"


use rule derive_panel as derive_panel_part with:
    # A part of the people, where config/config.yaml splits the panel into several jobs (`panel_parts`).
    input:
        cohort="results/{evaluation}/person_level/cohort.parquet",
        clean=by("unit", FILES.panel_clean),
        indices=by("unit", FILES.panel_indices),
    output:
        panel="results/{evaluation}/person_level/panel_{unit}_parts/{part}_of_{parts}.parquet",
    log:
        "logs/{evaluation}/derive_panel/{unit}_{part}_of_{parts}.log",
    benchmark:
        "results/{evaluation}/run/benchmarks/derive_panel.{unit}_{part}_of_{parts}.tsv"
    message:
        "Making part {wildcards.part} of {wildcards.parts} of the person x {wildcards.unit} panel"


rule derive_outcome:
    """One outcome: a number a person, over the states of its panel."""
    input:
        panel=by("outcome", FILES.outcome_panel),
    output:
        outcome="results/{evaluation}/person_level/outcomes/{outcome}.parquet",
    log:
        "logs/{evaluation}/derive_outcome/{outcome}.log",
    wildcard_constraints:
        evaluation=FROM_SPELLS,
    conda:
        "../envs/refino_eval.yaml"
    params:
        definition=by("outcome", PARAMS.outcome),
        states=by("outcome", PARAMS.outcome_states),
        source_digest=digest("derive_outcome.py"),
    message:
        "Computing the outcome {wildcards.outcome}"
    script:
        "../scripts/derive_outcome.py"


rule collect_outcomes:
    """All outcomes side by side, one row a person, for whoever wants to look."""
    input:
        cohort="results/{evaluation}/person_level/cohort.parquet",
        outcomes=expand(
            "results/{{evaluation}}/person_level/outcomes/{outcome}.parquet",
            outcome=FILES.outcome_names(),
        ),
    output:
        table="results/{evaluation}/person_level/outcomes.parquet",
    log:
        "logs/{evaluation}/collect_outcomes.log",
    conda:
        "../envs/refino_eval.yaml"
    params:
        names=FILES.outcome_names(),
        source_digest=digest("collect_outcomes.py"),
    message:
        "Putting the outcomes side by side"
    script:
        "../scripts/collect_outcomes.py"


rule compare_plan:
    """How the primary outcomes differ from the registered plan, if they do."""
    output:
        table="results/{evaluation}/run/plan.csv",
    log:
        "logs/{evaluation}/compare_plan.log",
    wildcard_constraints:
        evaluation=FROM_SPELLS,
    conda:
        "../envs/refino_eval.yaml"
    params:
        comparison=PARAMS.comparison_with_plan(),
        source_digest=digest("compare_plan.py"),
    message:
        "Comparing the primary outcomes with the registered plan"
    script:
        "../scripts/compare_plan.py"
