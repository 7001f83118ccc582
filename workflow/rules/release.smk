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
            form_files("table"),
            "../report/table.rst",
            category=exhibit_chapter,
            exhibit="{exhibit}",
        ),
    log:
        "logs/{evaluation}/render_table/{exhibit}.log",
    wildcard_constraints:
        evaluation=only(EVALUATION.releasable),
        exhibit=exhibits_of(*TABLE_KINDS),
    conda:
        "../envs/refino_eval.yaml"
    params:
        exhibit=exhibit_definition,
        words=exhibit_labels,
        names=label_names(),
        languages=LANGUAGES,
        formats=list(FORMATS.tables),
        stars=stars(),
        source_digest=digest("render_exhibit.py"),
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
            form_files("figure"),
            "../report/figure.rst",
            category=exhibit_chapter,
            exhibit="{exhibit}",
        ),
    log:
        "logs/{evaluation}/render_figure/{exhibit}.log",
    wildcard_constraints:
        evaluation=only(EVALUATION.releasable),
        exhibit=exhibits_of(*FIGURE_KINDS),
    conda:
        "../envs/refino_eval.yaml"
    params:
        exhibit=exhibit_definition,
        words=exhibit_labels,
        names=label_names(),
        languages=LANGUAGES,
        formats=list(FORMATS.figures),
        stars=[],
        source_digest=digest("render_exhibit.py"),
    message:
        "Drawing {wildcards.exhibit}"
    script:
        "../scripts/render_exhibit.py"


rule bundle_tables:
    """All tables of the evaluation in one Word document and one Excel book, in one language."""
    input:
        aggregates=[f"results/{NAME}/aggregates/{name}.csv" for name in bundled()],
    output:
        marked(
            expand(
                "results/{{evaluation}}/release/tables.{{language}}.{ext}",
                ext=FORMATS.bundles,
            ),
            "../report/bundle.rst",
            category="All tables",
        ),
    log:
        "logs/{evaluation}/bundle_tables/{language}.log",
    wildcard_constraints:
        evaluation=only(EVALUATION.releasable and bool(bundled())),
    conda:
        "../envs/refino_eval.yaml"
    params:
        exhibits=named(DEFINITIONS.exhibits, bundled()),
        words=bundle_words(),
        names=label_names(),
        title=plain(EVALUATION.label),
        stars=stars(),
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
        configuration=whole_configuration(),
        data=str(CONFIGURATION.data_folder),
        root=".",
        source_digests=number_making_digests(),
        source_digest=digest("record_run.py"),
    message:
        "Recording versions and checksums"
    script:
        "../scripts/record_run.py"


rule write_report:
    """The report in one language: one page that needs nothing beside it."""
    input:
        exhibits=all_rendered(),
        aggregates=aggregate_files(),
        run=run_tables(),
        catalogue=[path for path in catalogue_files() if path.endswith(".html")],
    output:
        report=marked(
            ["results/{evaluation}/release/report.{language}.html"],
            "../report/report.rst",
            category="Report",
        )[0],
    log:
        "logs/{evaluation}/write_report/{language}.log",
    wildcard_constraints:
        evaluation=only(EVALUATION.releasable),
    conda:
        "../envs/refino_eval.yaml"
    params:
        configuration=whole_configuration(),
        source_digest=digest("write_report.py"),
    message:
        "Writing the report ({wildcards.language})"
    script:
        "../scripts/write_report.py"


rule write_catalogue:
    """Every definition in words, with windows drawn, codes, worked examples, and where it is used."""
    input:
        codelists=codelist_files(),
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
        evaluation=only(EVALUATION.releasable),
    conda:
        "../envs/refino_eval.yaml"
    params:
        configuration=whole_configuration(),
        other_sources=other_sources(),
        source_digest=digest("write_catalogue.py"),
    message:
        "Writing the catalogue of definitions ({wildcards.language})"
    script:
        "../scripts/write_catalogue.py"
