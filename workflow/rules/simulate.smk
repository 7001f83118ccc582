"""Make the synthetic delivery of an evaluation that asks for one.

REQUIRED INPUTS: none; the recipe is in config/synthetic.
OUTPUTS: data/synthetic/<evaluation>/manifest.json and the delivery's files next to it (synthetic, about nobody).
"""


rule simulate_register:
    """The synthetic register, with its known truth."""
    output:
        manifest="data/synthetic/{evaluation}/manifest.json",
    log:
        "logs/{evaluation}/simulate_register.log",
    benchmark:
        "results/{evaluation}/run/benchmarks/simulate_register.tsv"
    wildcard_constraints:
        evaluation=SYNTHETIC,
    conda:
        "../envs/refino_eval.yaml"
    resources:
        mem_mb=1500,
    params:
        recipe=PARAMS.recipe(),
        people=STUDY.synthetic.people if STUDY.synthetic else None,
        source_digest=digest("simulate_register.py"),
    message:
        "Making the synthetic register"
    script:
        "../scripts/simulate_register.py"
