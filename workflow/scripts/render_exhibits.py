"""Draw up exhibits in every language and format, and put all tables into one document.

Inputs: tidy numbers. Outputs: files of tables or figures, and the documents that hold all tables where this job makes them.
An exhibit whose numbers and texts are unchanged is kept.
"""

import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.workflow_job import job, results_of

if TYPE_CHECKING:
    import pandas as pd
    from snakemake.iocontainers import snakemake

    from refino_eval.config.exhibits import Exhibit
    from refino_eval.exhibits.formats.write import Laid
    from refino_eval.exhibits.wording.labels import LabelBook

with job(snakemake) as log:
    from refino_eval.kept_results import KeptResults, Result

    params = snakemake.params
    facts = {"data_class": params.names["data_class"], "stars": params.stars}
    laid_tables: "dict[tuple[str, str], Laid]" = {}

    @cache
    def read_exhibit(name: str) -> "tuple[Exhibit, pd.DataFrame, LabelBook]":
        """Read the definition, the numbers and the texts of an exhibit."""
        from refino_eval.config.definitions import Definitions
        from refino_eval.exhibits.tidy import read_tidy
        from refino_eval.exhibits.wording.labels import LabelBook

        exhibit = (params.exhibits if name in params.exhibits else params.bundle["tables"])[name]
        definitions = Definitions.model_validate({"exhibits": {name: exhibit["definition"]}, **exhibit["labels"]})
        return definitions.exhibits[name], read_tidy(exhibit["reads"]), LabelBook.named(params.names, definitions)

    def lay_out(name: str, language: str) -> "Laid":
        """Lay out a table once, for its own files and for the document of all tables."""
        from refino_eval.exhibits.render import laid_out

        if (name, language) not in laid_tables:
            definition, numbers, labels = read_exhibit(name)
            laid = laid_out(name, definition, numbers, labels=labels, language=language, facts=facts)
            laid_tables[name, language] = laid
        return laid_tables[name, language]

    def draw(name: str, language: str, folder: Path) -> None:
        """Draw a figure."""
        from refino_eval.exhibits.render import render

        definition, numbers, labels = read_exhibit(name)
        # The numbers behind a figure have no language.
        formats = [form for form in params.formats if form != "csv" or language == params.languages[0]]
        render(
            name,
            definition,
            numbers,
            labels=labels,
            language=language,
            tables_dir=folder,
            figures_dir=folder,
            facts=facts,
            formats=formats,
        )

    def draw_up(result: Result) -> None:
        """Write the files of one exhibit."""
        from refino_eval.exhibits.formats.write import write_table

        start = time.perf_counter()
        folder = Path(result.writes[0]).parent
        for language in params.languages:
            if params.form == "table":
                write_table(lay_out(result.name, language), folder, formats=params.formats)
            else:
                draw(result.name, language, folder)
        log.info("%s: %d files in %.2f s", result.name, len(result.writes), time.perf_counter() - start)

    def bundle(result: Result) -> None:
        """Put all tables into one document of each format, in one language."""
        from refino_eval.exhibits.formats.write import write_bundle

        language = result.name.removeprefix("all_tables_")
        names, chapters = zip(*params.bundle["chapters"], strict=True)
        tables = [lay_out(name, language) for name in names]
        for path in result.writes:
            title = params.bundle["title"][language]
            write_bundle(tables, Path(path), title=title, language=language, chapters=chapters)
        log.info("%s: %d tables", result.name, len(tables))

    shared = [params.names, params.languages, params.formats, params.stars]
    kept = KeptResults(results_of(snakemake), "renders")
    kept.make_each(
        [
            Result(
                name,
                [exhibit["definition"], exhibit["labels"], exhibit["source_digest"], shared],
                (exhibit["reads"],),
                tuple(exhibit["writes"]),
            )
            for name, exhibit in params.exhibits.items()
        ],
        draw_up,
        log,
    )
    if params.bundle is not None:
        reads = tuple(exhibit["reads"] for exhibit in params.bundle["tables"].values())
        kept.make_each(
            [
                Result(f"all_tables_{language}", [params.bundle, params.source_digest, shared], reads, tuple(paths))
                for language, paths in params.bundle["writes"].items()
            ],
            bundle,
            log,
        )
