"""Draws, strata, covariates and the flow of people.

REQUIRED INPUTS: clean registers, or the analysis file of a person table.
OUTPUTS: person_level/cohort.parquet (person-level), run/flow.csv (counts); for a person table its outcomes as well.
"""


rule link_population:
    """The cohort: who was drawn to what, in which cell, with what known at the draw."""
    input:
        clean=[clean_file(register) for register in cohort_registers()],
        indices=index_files(DEFINITIONS.covariates[name] for name in covariates()),
    output:
        cohort="results/{evaluation}/person_level/cohort.parquet",
        flow="results/{evaluation}/run/flow.csv",
    log:
        "logs/{evaluation}/link_population.log",
    benchmark:
        "results/{evaluation}/run/benchmarks/link_population.tsv"
    wildcard_constraints:
        evaluation=only(EVALUATION.entry == "spells"),
    conda:
        "../envs/refino_eval.yaml"
    resources:
        mem_mb=1500,
    params:
        registers=cohort_registers(),
        population=bare(EVALUATION.population) if EVALUATION.population else None,
        samples=named(EVALUATION.samples, EVALUATION.samples, bare),
        arms=bare(EVALUATION.arms),
        strata=list(EVALUATION.strata),
        covariates=named(DEFINITIONS.covariates, covariates(), bare),
        sources=named(CONFIGURATION.sources, cohort_registers(), bare),
        source_digest=digest("link_population.py"),
    message:
        "Linking draws, strata and covariates"
    script:
        "../scripts/link_population.py"


rule read_person_table:
    """The cohort and the outcomes of an analysis file with one row a person."""
    input:
        tables=person_table_files(),
    output:
        cohort="results/{evaluation}/person_level/cohort.parquet",
        flow="results/{evaluation}/run/flow.csv",
        outcomes=expand(
            "results/{{evaluation}}/person_level/outcomes/{outcome}.parquet",
            outcome=outcome_names() if EVALUATION.entry == "person_table" else [],
        ),
    log:
        "logs/{evaluation}/read_person_table.log",
    wildcard_constraints:
        evaluation=only(EVALUATION.entry == "person_table"),
    conda:
        "../envs/refino_eval.yaml"
    params:
        folder=str(CONFIGURATION.data_folder),
        table=bare(EVALUATION.person_table) if EVALUATION.person_table else None,
        samples=named(EVALUATION.samples, EVALUATION.samples, bare),
        arms=bare(EVALUATION.arms),
        covariates=named(DEFINITIONS.covariates, covariates(), bare),
        source_digest=digest("read_person_table.py"),
    message:
        "Reading the person table"
    script:
        "../scripts/read_person_table.py"
