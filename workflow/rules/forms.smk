"""Which release files there are: a file for every exhibit, language and configured form, and what Snakemake's report shows."""

from refino_eval.report.page.chapters import chapter_of


def form_files(form, exhibit="{exhibit}", evaluation="{evaluation}"):
    """Return the release files of a table or a figure, in every language and configured format."""
    folder = f"results/{evaluation}/release/{form}s"
    if form == "table":
        return [
            f"{folder}/{exhibit}.{language}.{ending}"
            for language in LANGUAGES
            for ending in FORMATS.tables
        ]
    pictures = [ending for ending in FORMATS.figures if ending != "csv"]
    numbers = [f"{folder}/{exhibit}.csv"] if "csv" in FORMATS.figures else []
    return [
        f"{folder}/{exhibit}.{language}.{ending}"
        for language in LANGUAGES
        for ending in pictures
    ] + numbers


SHOWN = ("html", "docx", "xlsx", "svg", "pdf")
"""Endings that Snakemake's own report shows, or offers for download."""


def exhibit_chapter(wildcards):
    """Return the chapter that an exhibit stands in, as a heading of Snakemake's report."""
    chapter = chapter_of(DEFINITIONS.exhibits[wildcards.exhibit])
    return chapter.replace("_", " ").capitalize()


def marked(paths, caption, *, category, exhibit=""):
    """Mark release files for Snakemake's report, with their language and form as labels; nothing else may be marked."""
    files = []
    for path in paths:
        if not path.startswith("results/{evaluation}/release/"):
            raise WorkflowError(f"{path} is not a release file.")
        *_, language, ending = Path(path).name.split(".")
        labels = {"language": language, "form": ending}
        if exhibit:
            labels = {"exhibit": exhibit, **labels}
        told = {"caption": caption, "category": category, "labels": labels}
        # At the head of a line Snakemake would read `report` as a keyword.
        files += [report(path, **told) if ending in SHOWN else path]
    return files


def rendered(exhibit):
    """Return the release files of one exhibit."""
    return form_files(DEFINITIONS.exhibits[exhibit].form, exhibit, NAME)


def bundled():
    """Return the evaluation's tables, in its order."""
    return [
        name
        for name in EVALUATION.exhibits
        if DEFINITIONS.exhibits[name].form == "table"
    ]


def bundle_files():
    """Return the files that hold all tables at once."""
    if not bundled():
        return []
    return expand(
        "results/{evaluation}/release/tables.{language}.{ext}",
        evaluation=NAME,
        language=LANGUAGES,
        ext=FORMATS.bundles,
    )


def bundle_words():
    """Return the definitions that the words of all tables come from."""
    words = {}
    for name in bundled():
        for kind, entries in checks.words_of(name, EVALUATION, DEFINITIONS).items():
            words[kind] = {**words.get(kind, {}), **entries}
    return words


def stars():
    """Return the levels of p that a star each is given for, where an exhibit does not say."""
    return list(CONFIGURATION.project.stars)
