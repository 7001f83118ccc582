"""Which release files Snakemake's own report shows, and under which headings."""

SHOWN = ("html", "docx", "xlsx", "svg", "pdf")
"""Endings that Snakemake's own report shows, or offers for download."""


def marked(paths, caption, *, category, exhibit=""):
    """Mark release files for Snakemake's report, with language and format as labels; nothing else may be marked."""
    if not STUDY.releasable:
        return paths
    files = []
    for path in paths:
        if not path.startswith(f"results/{STUDY.name}/release/"):
            raise WorkflowError(f"{path} is not a release file.")
        *_, language, ending = Path(path).name.split(".")
        labels = {"language": language, "form": ending}
        if exhibit:
            labels = {"exhibit": exhibit, **labels}
        options = {"caption": caption, "category": category, "labels": labels}
        # At the head of a line Snakemake would read `report` as a keyword.
        files += [report(path, **options) if ending in SHOWN else path]
    return files
