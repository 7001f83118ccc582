"""People to numbers: the tidy aggregate of each exhibit, and each number estimated again.

REQUIRED INPUTS: person_level/cohort.parquet, outcomes, panels.
OUTPUTS: aggregates/<exhibit>.csv and .parquet (aggregates, not yet protected); run/verification/<exhibit>.csv and
run/verify.csv.
"""

for JOB in EVALUATION.jobs.estimates():

    rule:
        """The numbers of exhibits, in tidy form; before anything is drawn, since the longest job waits for them."""
        name:
            JOB.rule
        input:
            cohort=FILES.cohort(),
            outcomes=FILES.estimation_inputs(JOB.names, "outcomes"),
            panels=FILES.estimation_inputs(JOB.names, "panels"),
            aggregates=FILES.estimation_inputs(JOB.names, "aggregates"),
            clean=FILES.estimation_inputs(JOB.names, "clean"),
            published=FILES.estimation_inputs(JOB.names, "published"),
            flow=FILES.estimation_inputs(JOB.names, "flow"),
        output:
            [
                path
                for name in JOB.names
                for path in with_named(
                    FILES.aggregate_of(name)[:1], FILES.aggregate_of(name)
                )
            ],
        log:
            f"logs/{STUDY.name}/{JOB.rule}.log",
        benchmark:
            f"results/{STUDY.name}/run/benchmarks/{JOB.rule}.tsv"
        priority: 10
        conda:
            "../envs/refino_eval.yaml"
        params:
            exhibits=PARAMS.estimates(JOB.names, digest_of_kind("estimate_exhibits.py")),
            study=PARAMS.study(),
        message:
            f"Estimating {len(JOB.names)} exhibits{JOB.number}"
        script:
            "../scripts/estimate_exhibits.py"


for JOB in EVALUATION.jobs.verification():

    rule:
        """Every coefficient, standard error and F, estimated again by two engines that share nothing with ours."""
        name:
            JOB.rule
        input:
            cohort=FILES.cohort(),
            outcomes=FILES.estimation_inputs(JOB.names, "outcomes"),
            panels=FILES.estimation_inputs(JOB.names, "panels"),
            aggregates=FILES.verified_aggregates(JOB.names),
            clean=FILES.estimation_inputs(JOB.names, "clean"),
            published=FILES.estimation_inputs(JOB.names, "published"),
            flow=FILES.estimation_inputs(JOB.names, "flow"),
            others=(
                [
                    path
                    for path in FILES.verification()
                    if Path(path).stem not in JOB.names
                ]
                if JOB.gathers
                else []
            ),
        output:
            [FILES.verification_of(name) for name in JOB.names],
            [f"results/{STUDY.name}/run/verify.csv"] if JOB.gathers else [],
        log:
            f"logs/{STUDY.name}/{JOB.rule}.log",
        benchmark:
            f"results/{STUDY.name}/run/benchmarks/{JOB.rule}.tsv"
        priority: 20
        conda:
            "../envs/refino_eval.yaml"
        resources:
            mem_mb=1500,
        params:
            made=JOB.names,
            exhibits=PARAMS.verification(JOB.names, digest_of_kind("verify_numbers.py")),
            study=PARAMS.study(),
            table=PARAMS.verification_table() if JOB.gathers else None,
            source_digest=digest("verify_numbers.py"),
        message:
            (
                f"Estimating every number again by other engines{JOB.number}"
                if JOB.names
                else "Putting the comparisons of engines together"
            )
        script:
            "../scripts/verify_numbers.py"
