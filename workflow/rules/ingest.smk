"""Delivered registers to clean spells.

REQUIRED INPUTS: the delivery's files, as config/sources/<register>.yaml names them.
OUTPUTS: person_level/clean/<register>.parquet, person_level/rejects/<register>.parquet (person-level, never leave the
zone); run/quality.csv and run/quality_rules.csv (counts).
"""


rule ingest_register:
    """One register: typed, checked, and split into clean rows and rejects with a reason."""
    input:
        delivery=by("register", FILES.delivered),
        codelists=by("register", FILES.register_codelists),
    output:
        clean="results/{evaluation}/person_level/clean/{register}.parquet",
        rejects="results/{evaluation}/person_level/rejects/{register}.parquet",
        report="results/{evaluation}/run/ingest/{register}.json",
    log:
        "logs/{evaluation}/ingest_register/{register}.log",
    benchmark:
        "results/{evaluation}/run/benchmarks/ingest_register.{register}.tsv"
    conda:
        "../envs/refino_eval.yaml"
    resources:
        mem_mb=1500,
    params:
        source=by("register", PARAMS.source),
        folder=str(CONFIGURATION.data_folder),
        origin=PARAMS.draw_date(),
        source_digest=digest("ingest_register.py"),
    message:
        "Reading the register {wildcards.register}"
    script:
        "../scripts/ingest_register.py"


rule collect_quality:
    """How many rows each register delivered and how many are clean, which rule rejected the others, and who is found."""
    input:
        reports=expand(
            "results/{{evaluation}}/run/ingest/{register}.json",
            register=STUDY.sources,
        ),
        linkage="results/{evaluation}/run/linkage.csv",
    output:
        quality="results/{evaluation}/run/quality.csv",
        rules="results/{evaluation}/run/quality_rules.csv",
    log:
        "logs/{evaluation}/collect_quality.log",
    wildcard_constraints:
        evaluation=FROM_SPELLS,
    conda:
        "../envs/refino_eval.yaml"
    params:
        source_digest=digest("collect_quality.py"),
    message:
        "Counting delivered, clean and rejected rows"
    script:
        "../scripts/collect_quality.py"
