"""Numbers to tables, figures and the report, and what the run says of itself.

REQUIRED INPUTS: aggregates/, run/.
OUTPUTS: release/tables, release/figures, release/tables.<language>.docx and .xlsx, release/report.<language>.html
and .docx, release/catalogue.<language>.html and .md (definitions); run/provenance.json, run/run_config.yaml and the tables of the run.
The tables, figures and pages of a confidential evaluation are in internal/ instead, readable by their owner alone and
watermarked; `refino-eval release` makes protected ones.
"""

for FORM in ["table", "figure"]:
    for JOB in EVALUATION.jobs.renders(FORM):

        rule:
            """Tables, or figures, in every language and format; and all tables in one document."""
            name:
                JOB.rule
            input:
                # Snakemake looks at each input once for each output: none is named twice.
                list(
                    dict.fromkeys(
                        [FILES.aggregate_of(name)[0] for name in JOB.names]
                        + (FILES.bundled() if JOB.gathers else [])
                    )
                ),
            output:
                [
                    marked(
                        with_named(FILES.stated_of(name), FILES.release_of(name)),
                        f"../report/{FORM}.rst",
                        category=PARAMS.chapter(name),
                        exhibit=name,
                    )
                    for name in JOB.names
                ],
                marked(
                    FILES.bundles() if JOB.gathers else [],
                    "../report/bundle.rst",
                    category="All tables",
                ),
            log:
                f"logs/{STUDY.name}/{JOB.rule}.log",
            benchmark:
                f"results/{STUDY.name}/run/benchmarks/{JOB.rule}.tsv"
            conda:
                "../envs/refino_eval.yaml"
            params:
                form=FORM,
                exhibits=PARAMS.renders(JOB.names, digest_of_kind("render_exhibits.py")),
                bundle=(
                    PARAMS.bundle(digest_of_kind("render_exhibits.py"))
                    if JOB.gathers
                    else None
                ),
                names=Recorded(PARAMS.names()),
                languages=list(CONFIGURATION.project.languages),
                formats=FILES.formats(FORM),
                stars=PARAMS.stars(FORM),
                source_digest=digest("render_exhibits.py"),
            message:
                (
                    f"Drawing up {len(JOB.names)} {FORM}s{JOB.number}"
                    if JOB.names
                    else "Putting all tables into one document"
                )
            script:
                "../scripts/render_exhibits.py"


rule record_run:
    """What was run: configuration, versions, checksums, counts of rows, comparisons with plan and publication."""
    input:
        cohort=FILES.cohort(),
        aggregates=FILES.aggregates(),
        published=FILES.published(),
        sources=FILES.published_source(),
        counts=FILES.register_counts(),
        linkage=FILES.linkage(),
        manifest=FILES.manifest(),
    output:
        [path for paths in FILES.record_files().values() for path in paths],
        provenance=f"results/{STUDY.name}/run/provenance.json",
        configuration=f"results/{STUDY.name}/run/run_config.yaml",
    log:
        f"logs/{STUDY.name}/record_run.log",
    benchmark:
        f"results/{STUDY.name}/run/benchmarks/record_run.tsv"
    priority: 20
    conda:
        "../envs/refino_eval.yaml"
    params:
        configuration=Recorded(PARAMS.whole_configuration()),
        plan=PARAMS.comparison_with_plan() if STUDY.entry == "spells" else None,
        recipe=PARAMS.recipe(),
        data_class=STUDY.data_class,
        writes=FILES.record_files(),
        data=lambda wildcards: str(CONFIGURATION.data_folder),
        files=list(STUDY.table.files) if STUDY.table is not None else None,
        root=".",
        source_digests=number_making_digests(),
        source_digest=digest("record_run.py"),
    message:
        "Recording versions, checksums and comparisons"
    script:
        "../scripts/record_run.py"


rule write_catalogue:
    """The catalogue of definitions in every language; it waits for no result."""
    input:
        codelists=FILES.codelists(),
    output:
        marked(
            FILES.pages("catalogue.html"),
            "../report/catalogue.rst",
            category="Definitions",
        ),
        FILES.pages("catalogue.md"),
    log:
        f"logs/{STUDY.name}/write_catalogue.log",
    benchmark:
        f"results/{STUDY.name}/run/benchmarks/write_catalogue.tsv"
    conda:
        "../envs/refino_eval.yaml"
    params:
        configuration=Recorded(PARAMS.whole_configuration()),
        other_sources=PARAMS.other_sources(),
        writes=FILES.catalogue_files(),
        source_digest=digest("write_catalogue.py"),
    message:
        "Writing the catalogue of definitions"
    script:
        "../scripts/write_catalogue.py"


rule write_report:
    """The report in every language: self-contained pages, then Word. It draws up its tables itself, without waiting for their files."""
    input:
        figures=FILES.report_figures(),
        pictures=FILES.report_pictures(),
        catalogue=FILES.pages("catalogue.html"),
        aggregates=FILES.aggregates(),
        run=FILES.run(),
    output:
        marked(
            FILES.reports(),
            "../report/report.rst",
            category="Report",
        ),
    log:
        f"logs/{STUDY.name}/write_report.log",
    benchmark:
        f"results/{STUDY.name}/run/benchmarks/write_report.tsv"
    priority: 30
    conda:
        "../envs/refino_eval.yaml"
    params:
        configuration=Recorded(PARAMS.whole_configuration()),
        writes=FILES.report_files(),
        source_digest=digest("write_report.py"),
    message:
        "Writing the report"
    script:
        "../scripts/write_report.py"
