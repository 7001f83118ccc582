"""Numbers to tables, figures and the report, and what the run says of itself.

REQUIRED INPUTS: aggregates/, run/.
OUTPUTS: release/tables, release/figures, release/tables.<language>.docx and .xlsx, release/report.<language>.html (passed disclosure control, or not confidential);
release/catalogue.<language>.html and .md (definitions, nothing about people); run/provenance.json and
run/run_config.yaml. A confidential evaluation has none of the first until there is a disclosure profile.
"""


rule render_table:
    """One table, in every language and format."""
    input:
        aggregate="results/{evaluation}/aggregates/{exhibit}.csv",
    output:
        marked(
            FILES.patterns("table"),
            "../report/table.rst",
            category=by("exhibit", PARAMS.chapter),
            exhibit="{exhibit}",
        ),
    log:
        "logs/{evaluation}/render_table/{exhibit}.log",
    wildcard_constraints:
        evaluation=RELEASABLE,
        exhibit=EVALUATION.exhibits_of("table"),
    conda:
        "../envs/refino_eval.yaml"
    params:
        exhibit=by("exhibit", PARAMS.exhibit),
        labels=by("exhibit", PARAMS.labels),
        names=PARAMS.names(),
        languages=list(CONFIGURATION.project.languages),
        formats=FILES.formats("table"),
        stars=PARAMS.stars("table"),
        source_digest=digest_of_kind("render_exhibit.py"),
    message:
        "Drawing up {wildcards.exhibit}"
    script:
        "../scripts/render_exhibit.py"


rule render_figure:
    """One figure, in every language and format."""
    input:
        aggregate="results/{evaluation}/aggregates/{exhibit}.csv",
    output:
        marked(
            FILES.patterns("figure"),
            "../report/figure.rst",
            category=by("exhibit", PARAMS.chapter),
            exhibit="{exhibit}",
        ),
    log:
        "logs/{evaluation}/render_figure/{exhibit}.log",
    wildcard_constraints:
        evaluation=RELEASABLE,
        exhibit=EVALUATION.exhibits_of("figure"),
    conda:
        "../envs/refino_eval.yaml"
    params:
        exhibit=by("exhibit", PARAMS.exhibit),
        labels=by("exhibit", PARAMS.labels),
        names=PARAMS.names(),
        languages=list(CONFIGURATION.project.languages),
        formats=FILES.formats("figure"),
        stars=PARAMS.stars("figure"),
        source_digest=digest_of_kind("render_exhibit.py"),
    message:
        "Drawing {wildcards.exhibit}"
    script:
        "../scripts/render_exhibit.py"


rule bundle_tables:
    """All tables of the evaluation in one Word document and one Excel book, in one language."""
    input:
        aggregates=FILES.bundled(),
    output:
        marked(
            expand(
                "results/{{evaluation}}/release/tables.{{language}}.{ext}",
                ext=CONFIGURATION.project.formats.bundles,
            ),
            "../report/bundle.rst",
            category="All tables",
        ),
    log:
        "logs/{evaluation}/bundle_tables/{language}.log",
    wildcard_constraints:
        evaluation=EVALUATION.only_if(
            STUDY.releasable and bool(FILES.exhibits_of("table"))
        ),
    conda:
        "../envs/refino_eval.yaml"
    params:
        definitions=PARAMS.bundle(),
        names=PARAMS.names(),
        title=PARAMS.title(),
        stars=PARAMS.stars("table"),
        source_digest=digest("bundle_tables.py"),
    message:
        "Putting all tables into one file ({wildcards.language})"
    script:
        "../scripts/bundle_tables.py"


rule record_run:
    """What was run: the whole configuration, versions, and checksums of what went in."""
    input:
        cohort="results/{evaluation}/person_level/cohort.parquet",
    output:
        provenance="results/{evaluation}/run/provenance.json",
        configuration="results/{evaluation}/run/run_config.yaml",
    log:
        "logs/{evaluation}/record_run.log",
    conda:
        "../envs/refino_eval.yaml"
    params:
        configuration=PARAMS.whole_configuration(),
        data=str(CONFIGURATION.data_folder),
        root=".",
        source_digests=number_making_digests(),
        source_digest=digest("record_run.py"),
    message:
        "Recording versions and checksums"
    script:
        "../scripts/record_run.py"


rule write_report:
    """The report in one language: one self-contained page."""
    input:
        exhibits=FILES.rendered(),
        aggregates=FILES.aggregates(),
        run=FILES.run(),
        catalogue=FILES.pages("catalogue.html"),
    output:
        report=marked(
            ["results/{evaluation}/release/report.{language}.html"],
            "../report/report.rst",
            category="Report",
        )[0],
    log:
        "logs/{evaluation}/write_report/{language}.log",
    wildcard_constraints:
        evaluation=RELEASABLE,
    conda:
        "../envs/refino_eval.yaml"
    params:
        configuration=PARAMS.whole_configuration(),
        source_digest=digest("write_report.py"),
    message:
        "Writing the report ({wildcards.language})"
    script:
        "../scripts/write_report.py"


rule write_catalogue:
    """Every definition in words, with windows drawn, codes, worked examples, and where it is used."""
    input:
        codelists=FILES.codelists(),
    output:
        page=marked(
            ["results/{evaluation}/release/catalogue.{language}.html"],
            "../report/catalogue.rst",
            category="Definitions",
        )[0],
        markdown="results/{evaluation}/release/catalogue.{language}.md",
    log:
        "logs/{evaluation}/write_catalogue/{language}.log",
    wildcard_constraints:
        evaluation=RELEASABLE,
    conda:
        "../envs/refino_eval.yaml"
    params:
        configuration=PARAMS.whole_configuration(),
        other_sources=PARAMS.other_sources(),
        source_digest=digest("write_catalogue.py"),
    message:
        "Writing the catalogue of definitions ({wildcards.language})"
    script:
        "../scripts/write_catalogue.py"
