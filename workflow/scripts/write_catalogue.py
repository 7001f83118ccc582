"""Write the catalogue of definitions in every language, after running their worked examples.

Inputs: code lists. Outputs: self-contained HTML pages, and the catalogue as Markdown. A page whose definitions are unchanged is
kept, and so are the results of examples of unchanged definitions.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.workflow_job import job, results_of

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

    from refino_eval.catalogue.catalogue_entries import CatalogueInputs

with job(snakemake) as log:
    from refino_eval.kept_results import KeptResults, Result

    params = snakemake.params

    @cache
    def inputs() -> "CatalogueInputs":
        """Run the worked examples, which have the same results in every language."""
        from refino_eval.report.catalogue_page import catalogue_inputs

        lists = [(path, Path(path).read_text(encoding="utf-8")) for path in snakemake.input.codelists]
        clocks, sources = params.configuration["evaluation"].get("clocks"), params.configuration["sources"]
        parts = kept.parts(results[0], [clocks, sources, lists, params.source_digest])
        read = catalogue_inputs(
            params.configuration, other_sources=params.other_sources, codelists=Path("config/codelists"), kept=parts
        )
        parts.keep()
        return read

    def write_definitions(result: Result) -> None:
        """Write the catalogue in one language."""
        from refino_eval.report.catalogue_page import write_catalogue

        html, markdown = map(Path, result.writes)
        language = result.name.removeprefix("catalogue_")
        shown = write_catalogue(inputs(), language=language, html_path=html, markdown_path=markdown)
        log.info("%s: %d definitions", result.name, shown)

    made_from = [params.configuration, params.other_sources, params.source_digest]
    results = [
        Result(f"catalogue_{language}", made_from, tuple(snakemake.input.codelists), tuple(paths))
        for language, paths in params.writes.items()
    ]
    kept = KeptResults(results_of(snakemake), "pages")
    kept.make_each(results, write_definitions, log)
