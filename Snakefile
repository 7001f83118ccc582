"""Evaluate a randomised labour-market trial from register data.

`snakemake --list-rules` prints the rules; `refino-eval run` runs the same workflow and reports
progress and problems more readably. config/config.yaml names the evaluation to run, or `--config evaluation=NAME`.
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
    unit="month|week",
    part="[0-9]+",
    parts="[0-9]+",


rule all:
    """Everything: numbers, exhibits and the report; those of a confidential evaluation stay in the secure zone."""
    default_target: True
    input:
        FILES.aggregates(),
        FILES.run(),
        FILES.outcomes_of_everybody(),
        FILES.stated_release(),


rule aggregates:
    """The tidy numbers of every exhibit, and no further."""
    input:
        FILES.aggregates(),


rule outcomes:
    """Everybody's outcomes, and no further."""
    input:
        FILES.outcomes_of_everybody(),
