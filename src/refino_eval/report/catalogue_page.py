"""The catalogue of definitions as one self-contained HTML page, complete without its scripts, and as Markdown.

Reviewers read it instead of the YAML.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from refino_eval.catalogue.catalogue_entries import PARTS, CatalogueInputs, entries, examples_line, ready_outcomes
from refino_eval.catalogue.example_results import ExampleResults, run_examples
from refino_eval.catalogue.markdown_catalogue import markdown_catalogue
from refino_eval.codes.codelists import load_codelists
from refino_eval.config import definitions as d
from refino_eval.config import dependencies
from refino_eval.config.base import Language, Unit
from refino_eval.config.evaluation import Evaluation
from refino_eval.config.sources import Source
from refino_eval.exhibits.tidy import write_text
from refino_eval.kept_results import KeptParts
from refino_eval.outcomes.examples import Key
from refino_eval.report.html import scripted, write_page
from refino_eval.text.design_wording import worded_for

STYLES = ("report.css", "contents.css", "tools.css", "search.css", "catalogue.css", "print.css")
SCRIPTS = ("numbers.js", "contents.js", "links.js", "search.js")


def catalogue_inputs(
    configuration: Mapping[str, Any],
    *,
    other_sources: Mapping[str, Any],
    codelists: Path,
    kept: KeptParts | None = None,
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
    kept
        Results of examples from an earlier run; those of unchanged definitions are not run again.
    """
    study = Evaluation.model_validate(configuration["evaluation"])
    definitions = d.Definitions.model_validate(configuration["definitions"])
    own = {name: Source.model_validate(source) for name, source in configuration["sources"].items()}
    sources = own | {name: Source.model_validate(source) for name, source in other_sources.items()}
    lists = {c.codelist for source in sources.values() for c in source.columns.values() if c.codelist is not None}
    # Worked examples are written in the evaluation's registers; one that needs another register is shown as not run.
    keys = [(kind, name) for kind in ("states", "outcomes") for name in getattr(definitions, kind)]
    clock: Unit = "month" if "month" in study.clocks else "week"

    def run(some: Sequence[Key]) -> Mapping[Key, ExampleResults]:
        return run_examples(some, definitions, own, codelists=codelists, clock=clock)

    return CatalogueInputs(
        evaluation=study,
        definitions=definitions,
        sources=sources,
        codelists=load_codelists(lists, codelists),
        results=_example_results(keys, definitions, configuration["definitions"], run, kept or KeptParts()),
    )


def _example_results(
    keys: Sequence[Key],
    definitions: d.Definitions,
    written: Mapping[str, Mapping[str, Any]],
    run: Callable[[Sequence[Key]], Mapping[Key, ExampleResults]],
    kept: KeptParts,
) -> dict[Key, ExampleResults]:
    """Return the results of worked examples, of which only those that are not kept are run.

    An entry's results are made from its definition and those of the states that it needs; registers, code lists and the clock
    are the same for all.
    """
    named = {f"{kind}.{name}": (kind, name) for kind, name in keys}
    made_from = {}
    for text, (kind, name) in named.items():
        reads = dependencies.outcome_states(definitions.outcomes[name]) if kind == "outcomes" else [name]
        states = dependencies.needed_states(definitions, reads)
        made_from[text] = [text, written[kind][name], [[state, written["states"][state]] for state in states]]

    def make(missing: Sequence[str]) -> dict[str, Any]:
        results = run([named[text] for text in missing])
        return {text: [results[named[text]].run, list(results[named[text]].problems)] for text in missing}

    parts = kept.of_each(made_from, make)
    return {key: ExampleResults(parts[text][0], tuple(parts[text][1])) for text, key in named.items()}


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
