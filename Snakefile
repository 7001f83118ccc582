"""Evaluate a randomised labour-market trial from register data.

`snakemake --list-rules` prints the menu; `refino-eval run` is the same with a friendlier face. Which evaluation runs is
said by config/config.yaml, or by `--config evaluation=NAME`.
"""


configfile: "config/config.yaml"


# Configuration, checked whole before any job is planned
include: "workflow/rules/common.smk"
include: "workflow/rules/forms.smk"
# Stages, in running order
include: "workflow/rules/simulate.smk"
include: "workflow/rules/ingest.smk"
include: "workflow/rules/trial.smk"
include: "workflow/rules/states.smk"
include: "workflow/rules/estimate.smk"
include: "workflow/rules/release.smk"


localrules:
    all,
    aggregates,
    outcomes,


wildcard_constraints:
    evaluation="[a-z][a-z0-9_]*",
    register="[a-z][a-z0-9_]*",
    unit="month|week",
    outcome="[a-z][a-z0-9_]*",
    exhibit="[a-z][a-z0-9_]*",
    language="nb|en",


rule all:
    """Everything: the protected exhibits and the report, or for a confidential evaluation all but these."""
    default_target: True
    input:
        aggregate_files(),
        run_files(),
        release_files(),


rule aggregates:
    """The tidy numbers of every exhibit, and no further."""
    input:
        aggregate_files(),


rule outcomes:
    """Everybody's outcomes, and no further."""
    input:
        f"results/{NAME}/person_level/outcomes.parquet",
