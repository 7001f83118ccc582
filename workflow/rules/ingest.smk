"""Delivered registers to clean spells.

REQUIRED INPUTS: the delivery's files, as config/sources/<register>.yaml names them.
OUTPUTS: person_level/clean/<register>.parquet, person_level/rejects/<register>.parquet (person-level, never leave the
zone); run/ingest/<register>.json (counts).
"""

for JOB in EVALUATION.jobs.registers():

    rule:
        """Registers: typed, checked, and split into clean rows and rejects with a reason."""
        name:
            JOB.rule
        input:
            delivery=[
                path for register in JOB.names for path in FILES.delivered(register)
            ],
            codelists=[
                path
                for register in JOB.names
                for path in FILES.register_codelists(register)
            ],
        output:
            [path for register in JOB.names for path in FILES.register_files(register)],
        log:
            f"logs/{STUDY.name}/{JOB.rule}.log",
        benchmark:
            f"results/{STUDY.name}/run/benchmarks/{JOB.rule}.tsv"
        conda:
            "../envs/refino_eval.yaml"
        resources:
            mem_mb=1500,
        params:
            registers=PARAMS.registers(JOB.names),
            folder=lambda wildcards: str(CONFIGURATION.data_folder),
            origin=PARAMS.draw_date(),
            source_digest=digest("ingest_registers.py"),
        message:
            f"Reading {len(JOB.names)} registers{JOB.number}"
        script:
            "../scripts/ingest_registers.py"
