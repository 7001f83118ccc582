"""The catalogue of definitions as one self-contained HTML page, complete without its scripts, and as Markdown.

Reviewers read it instead of the YAML.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from refino_eval.catalogue.catalogue_entries import PARTS, CatalogueInputs, entries, examples_line, ready_outcomes
from refino_eval.catalogue.example_results import run_examples
from refino_eval.catalogue.markdown_catalogue import markdown_catalogue
from refino_eval.codes.codelists import load_codelists
from refino_eval.config import definitions as d
from refino_eval.config.base import Language, Unit
from refino_eval.config.evaluation import Evaluation
from refino_eval.config.sources import Source
from refino_eval.exhibits.tidy import write_text
from refino_eval.report.html import scripted, write_page
from refino_eval.text.design_wording import worded_for

STYLES = ("report.css", "contents.css", "tools.css", "search.css", "catalogue.css", "print.css")
SCRIPTS = ("numbers.js", "contents.js", "links.js", "search.js")


def catalogue_inputs(
    configuration: Mapping[str, Any], *, other_sources: Mapping[str, Any], codelists: Path
) -> CatalogueInputs:
    """Read the definitions and run their worked examples, once for the pages of all languages.

    Parameters
    ----------
    configuration
        Everything that was configured, as plain data.
    other_sources
        Registers that definitions refer to and the evaluation does not read, as plain data.
    codelists
        Folder of code lists and price indices.
    """
    study = Evaluation.model_validate(configuration["evaluation"])
    definitions = d.Definitions.model_validate(configuration["definitions"])
    own = {name: Source.model_validate(source) for name, source in configuration["sources"].items()}
    sources = own | {name: Source.model_validate(source) for name, source in other_sources.items()}
    lists = {c.codelist for source in sources.values() for c in source.columns.values() if c.codelist is not None}
    # Worked examples are written in the evaluation's registers; one that needs another register is shown as not run.
    keys = [(kind, name) for kind in ("states", "outcomes") for name in getattr(definitions, kind)]
    clock: Unit = "month" if "month" in study.clocks else "week"
    return CatalogueInputs(
        evaluation=study,
        definitions=definitions,
        sources=sources,
        codelists=load_codelists(lists, codelists),
        results=run_examples(keys, definitions, own, codelists=codelists, clock=clock),
    )


def write_catalogue(inputs: CatalogueInputs, *, language: Language, html_path: Path, markdown_path: Path) -> int:
    """Write the catalogue in one language.

    Parameters
    ----------
    inputs
        What it is made of.
    language
        ``nb`` or ``en``.
    html_path, markdown_path
        The two files; each is written at once or not at all.

    Returns
    -------
    int
        Number of definitions shown.
    """
    study = inputs.evaluation
    with worded_for(study.design):
        write_page(
            html_path,
            "catalogue.html.j2",
            language,
            styles=STYLES,
            title=study.label[language],
            parts={kind: entries(inputs, kind, language) for kind in PARTS},
            ready=ready_outcomes(study, language),
            examples_line=examples_line(inputs, language),
            report=f"report.{language}.html",
            **scripted(SCRIPTS, language),
        )
        write_text(markdown_path, markdown_catalogue(inputs, language))
    return sum(len(getattr(inputs.definitions, kind)) for kind in PARTS)
