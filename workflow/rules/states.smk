"""Clean spells to person x event time states, and states to outcomes.

REQUIRED INPUTS: person_level/cohort.parquet, clean registers.
OUTPUTS: person_level/panel_<unit>.parquet, person_level/outcomes/<outcome>.parquet, person_level/outcomes.parquet (all
person-level); run/panel_<unit>.sql, the query itself, for an auditor to read.
"""


rule derive_panel:
    """Every person x event time: one query, written from the definitions of the states."""
    input:
        cohort="results/{evaluation}/person_level/cohort.parquet",
        clean=by("unit", FILES.panel_clean),
        indices=by("unit", FILES.panel_indices),
        parts=by("unit", EVALUATION.jobs.panel_parts),
    output:
        panel="results/{evaluation}/person_level/panel_{unit}.parquet",
        sql="results/{evaluation}/run/panel_{unit}.sql",
    log:
        "logs/{evaluation}/derive_panel/{unit}.log",
    benchmark:
        "results/{evaluation}/run/benchmarks/derive_panel.{unit}.tsv"
    wildcard_constraints:
        evaluation=FROM_SPELLS,
    conda:
        "../envs/refino_eval.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
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


for JOB in EVALUATION.jobs.outcomes():

    rule:
        """Outcomes, a number a person over the states of their panel; and all side by side, one row a person."""
        name:
            JOB.rule
        input:
            panels=sorted({FILES.outcome_panel(name) for name in JOB.names}),
            others=(
                [
                    path
                    for path in FILES.all_outcomes()
                    if Path(path).stem not in JOB.names
                ]
                if JOB.gathers
                else []
            ),
            cohort=FILES.cohort() if JOB.gathers else [],
        output:
            [path for name in JOB.names for path in FILES.outcomes([name])],
            [FILES.outcomes_table()] if JOB.gathers else [],
        log:
            f"logs/{STUDY.name}/{JOB.rule}.log",
        benchmark:
            f"results/{STUDY.name}/run/benchmarks/{JOB.rule}.tsv"
        conda:
            "../envs/refino_eval.yaml"
        params:
            outcomes=PARAMS.outcomes(JOB.names),
            table=PARAMS.outcomes_table() if JOB.gathers else None,
            engine=CONFIGURATION.project.engine,
            source_digest=digest("derive_outcomes.py"),
        message:
            (
                f"Computing {len(JOB.names)} outcomes{JOB.number}"
                if JOB.names
                else "Putting the outcomes side by side"
            )
        script:
            "../scripts/derive_outcomes.py"
