"""Draws, strata, covariates and the flow of people.

REQUIRED INPUTS: clean registers, or the analysis file of a person table.
OUTPUTS: person_level/cohort.parquet (person-level), run/flow.csv (counts); for a person table its outcomes as well.
"""


rule link_population:
    """The cohort: who was assigned to which arm, in which cell, and what was known of them then."""
    input:
        clean=FILES.clean(FILES.cohort_registers()),
        registers=FILES.clean(FILES.registers_of_people()),
        indices=FILES.covariate_indices(),
    output:
        cohort="results/{evaluation}/person_level/cohort.parquet",
        flow="results/{evaluation}/run/flow.csv",
        linkage="results/{evaluation}/run/linkage.csv",
    log:
        "logs/{evaluation}/link_population.log",
    benchmark:
        "results/{evaluation}/run/benchmarks/link_population.tsv"
    wildcard_constraints:
        evaluation=FROM_SPELLS,
    conda:
        "../envs/refino_eval.yaml"
    resources:
        mem_mb=1500,
    params:
        people=PARAMS.people(),
        linkage=PARAMS.linkage(),
        source_digest=digest("link_population.py"),
    message:
        "Linking draws, strata and covariates"
    script:
        "../scripts/link_population.py"


rule read_person_table:
    """The cohort and the outcomes of an analysis file with one row a person."""
    input:
        tables=FILES.table_files(),
    output:
        cohort="results/{evaluation}/person_level/cohort.parquet",
        flow="results/{evaluation}/run/flow.csv",
        outcomes=expand(
            "results/{{evaluation}}/person_level/outcomes/{outcome}.parquet",
            outcome=FILES.outcome_names() if STUDY.person_table else [],
        ),
    log:
        "logs/{evaluation}/read_person_table.log",
    wildcard_constraints:
        evaluation=FROM_TABLE,
    conda:
        "../envs/refino_eval.yaml"
    params:
        folder=lambda wildcards: str(CONFIGURATION.data_folder),
        people=PARAMS.people(),
        source_digest=digest("read_person_table.py"),
    message:
        "Reading the person table"
    script:
        "../scripts/read_person_table.py"


rule read_panel:
    """The cohort and the panel of a file with one row a person and period."""
    input:
        tables=FILES.table_files(),
    output:
        cohort="results/{evaluation}/person_level/cohort.parquet",
        panel="results/{evaluation}/person_level/panel_%s.parquet" % STUDY.clock_unit,
        flow="results/{evaluation}/run/flow.csv",
        quality="results/{evaluation}/run/quality.csv",
        rules="results/{evaluation}/run/quality_rules.csv",
    log:
        "logs/{evaluation}/read_panel.log",
    wildcard_constraints:
        evaluation=FROM_PANEL,
    conda:
        "../envs/refino_eval.yaml"
    params:
        folder=lambda wildcards: str(CONFIGURATION.data_folder),
        people=PARAMS.people(),
        unit=STUDY.clock_unit,
        clock=PARAMS.clock(STUDY.clock_unit),
        wanted=PARAMS.panel_columns(STUDY.clock_unit),
        states=PARAMS.panel_states(STUDY.clock_unit),
        source_digest=digest("read_panel.py"),
    message:
        "Reading the panel"
    script:
        "../scripts/read_panel.py"
