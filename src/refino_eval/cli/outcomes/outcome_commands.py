"""`refino-eval outcomes list | show | new | try | diff`: read definitions, add one, and try it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from refino_eval.cli.output import EvaluationName, drawable, table_lines, width

if TYPE_CHECKING:
    from refino_eval.cli.outcomes.definition_files import Change
    from refino_eval.config.load import Configuration

app = typer.Typer(
    help="Read the definitions of outcomes, add one, and try it on the evaluation's people.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

OutcomeName = Annotated[str, typer.Argument(help="An outcome of config/definitions/outcomes, or of the evaluation.")]


@app.command(name="list")
def list_outcomes(evaluation: EvaluationName = None) -> None:
    """List the outcomes: role, kind, window, label, and the exhibits that show them."""
    for line in _list_lines(_configuration(evaluation)):
        print(line)


@app.command()
def show(name: OutcomeName, evaluation: EvaluationName = None) -> None:
    """Show everything about one outcome: definition, window, registers and codes, thresholds, examples, history."""
    for line in _show_lines(_configuration(evaluation), name):
        print(line)


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="The new outcome: lower case, digits, underscores.")],
    like: Annotated[str, typer.Option("--like", help="The outcome to copy.")],
    evaluation: EvaluationName = None,
) -> None:
    """Add a copy of an outcome under a new name, to be changed by hand; the rest of the file stays as it is."""
    from refino_eval.cli.outcomes.definition_files import REMINDER, add_copy

    location = add_copy(_configuration(evaluation), name, like)
    print(f"{name}, a copy of {like}, is in {location.file}, lines {location.first} to {location.last}. Change:")
    for text in REMINDER:
        print(f"  - {text}")
    print(f"Then: refino-eval outcomes try {name}")


@app.command(name="try")
def try_one(
    name: OutcomeName,
    person_file: Annotated[
        Path | None,
        typer.Option("--person-file", help="Write each person's value to this parquet file. [default: write nothing]"),
    ] = None,
    evaluation: EvaluationName = None,
) -> None:
    """Compute one outcome for the evaluation's people and show the result by group."""
    from refino_eval.cli.outcomes.try_outcome import try_outcome

    path = Path(os.path.abspath(person_file)) if person_file is not None else None
    for line in try_outcome(_configuration(evaluation), name, person_file=path):
        print(line)


@app.command()
def diff(
    revision: Annotated[str, typer.Argument(metavar="REV", help="A commit, tag or branch, for instance HEAD~1.")],
    evaluation: EvaluationName = None,
) -> None:
    """Compare all definitions with those of a git revision, and name the exhibits that a difference affects."""
    from refino_eval.cli.outcomes.definition_files import changes_since

    configuration = _configuration(evaluation)
    for line in _difference_lines(configuration, revision, changes_since(configuration, revision)):
        print(line)


def _configuration(evaluation: str | None) -> Configuration:
    from refino_eval.config.load import load_configuration, project_root

    root = project_root()
    os.chdir(root)
    return load_configuration(root, evaluation=evaluation)


def _list_lines(configuration: Configuration) -> Iterator[str]:
    from refino_eval.catalogue.references import periods_of, span_text, users_of

    users = users_of(configuration.definitions, configuration.evaluation.exhibits)
    families = any(getattr(entry, "family", None) for entry in configuration.definitions.outcomes.values())
    rows = []
    for name, entry in configuration.definitions.outcomes.items():
        window = f"{entry.clock} {span_text(periods_of(entry))}"
        family = [getattr(entry, "family", None) or ""] if families else []
        exhibits = ", ".join(users.get(("outcomes", name), [])) or "-"
        role = f"{entry.role} (deprecated)" if entry.deprecated else entry.role
        rows.append([name, role, *family, entry.kind, window, entry.label.en, exhibits])
    if not rows:
        yield "No outcomes are defined: those of the evaluation are columns of its person table."
        return
    head = ["outcome", "role", *(["family"] if families else []), "kind", "window", "label", "shown in"]
    yield from table_lines(head, rows)


def _show_lines(configuration: Configuration, name: str) -> Iterator[str]:
    from refino_eval.catalogue.references import sentence_of, users_of
    from refino_eval.cli.outcomes.try_outcome import find_outcome
    from refino_eval.config.base import text_in

    definitions = configuration.definitions
    entry = find_outcome(configuration, name)
    yield f"{name}: {entry.label.en} / {entry.label.nb}"
    yield f"  en  {sentence_of(entry, definitions, 'en')}"
    yield f"  nb  {sentence_of(entry, definitions, 'nb')}"
    yield f"  {text_in(entry.description, 'en')}"
    yield ""
    yield from _window(configuration, entry)
    yield ""
    users = users_of(definitions, configuration.evaluation.exhibits).get(("outcomes", name), [])
    yield from _facts(configuration, entry, users)
    yield from _reads(configuration, entry)
    yield from _examples(configuration, name, entry)
    yield from _history(configuration, name, entry)


def _window(configuration: Configuration, entry: Any) -> Iterator[str]:
    from refino_eval.catalogue.references import periods_of
    from refino_eval.cli.outcomes.ascii_plots import window_picture

    times = list(periods_of(entry))
    clock = configuration.evaluation.clocks.get(entry.clock)
    first, last = (clock.first, clock.last) if clock is not None else (times[0], times[-1])
    plain = not drawable("─━●┼╋")
    for line in window_picture(times, first, last, width=min(width() or 78, 100) - 4, plain=plain):
        yield f"  {line}"
    yield f"  event {entry.clock}s; 0 is the {entry.clock} of random assignment"


def _facts(configuration: Configuration, entry: Any, users: list[str]) -> Iterator[str]:
    from refino_eval.catalogue.references import periods_of, rule_fields, span_text, states_of, thresholds_of

    definitions = configuration.definitions
    family = getattr(entry, "family", None)
    facts = [
        ("kind", entry.kind + "".join(f", {key} {value}" for key, value in rule_fields(entry).items())),
        ("reads", f"{entry.clock} {span_text(periods_of(entry))}"),
        ("states", ", ".join(states_of(entry, definitions))),
        ("expression", getattr(entry, "expression", None)),
        ("thresholds", "; ".join(thresholds_of(entry, definitions))),
        (
            "missing",
            "if any of these periods is missing" if entry.missing == "any" else "if all of these periods are missing",
        ),
        ("unit", f"{entry.unit.en} / {entry.unit.nb}"),
        ("role", entry.role),
        ("family", family),
        ("shown in", ", ".join(users) or f"no exhibit of {configuration.evaluation.name}"),
        ("deprecated", entry.deprecated),
    ]
    for key, value in facts:
        if value:
            yield f"  {key:<11} {value}"


def _reads(configuration: Configuration, entry: Any) -> Iterator[str]:
    from refino_eval.catalogue.references import codes_of, reads_of, registers_of
    from refino_eval.codes.codelists import load_codelists

    definitions, sources = configuration.definitions, configuration.sources
    reads = reads_of(entry, definitions, sources)
    if reads:
        yield ""
        rows = [[f"  {read.register}", read.column or "(not among the sources)", read.why] for read in reads]
        yield from table_lines(["  register", "column", "why"], rows)
    used = [sources[register] for register in registers_of(entry, definitions) if register in sources]
    lists = {column.codelist for source in used for column in source.columns.values() if column.codelist}
    codelists = load_codelists(lists, configuration.root / "config" / "codelists")
    codes = codes_of(entry, definitions, sources, codelists, "en")
    if codes:
        yield ""
        rows = [[f"  {c.column}", c.code, c.label, "counts" if c.taken else "does not count"] for c in codes]
        yield from table_lines(["  code of", "code", "label", ""], rows)


def _examples(configuration: Configuration, name: str, entry: Any) -> Iterator[str]:
    from refino_eval.catalogue.example_results import run_examples
    from refino_eval.catalogue.references import example_text

    yield ""
    results = run_examples(
        [("outcomes", name)],
        configuration.definitions,
        configuration.sources,
        codelists=configuration.root / "config" / "codelists",
    )["outcomes", name]
    right, wrong = ("✓", "✗") if drawable("✓✗") else ("ok", "WRONG")
    yield f"  Examples ({len(entry.examples)})" + (
        "" if results.run else ", not run: a register is not among the sources"
    )
    for example, fault in zip(entry.examples, results.problems, strict=True):
        mark = (wrong if fault else right) if results.run else "-"
        expected = "missing" if example.expect is None else f"{example.expect:g}"
        yield f"  {mark} {expected}: {example.why}"
        yield f"      {example_text(example)}"
        if fault:
            yield f"      {fault}"


def _history(configuration: Configuration, name: str, entry: Any) -> Iterator[str]:
    from refino_eval.cli.outcomes.definition_files import history_of, locate

    yield ""
    changed = f", changed {entry.changed}" if entry.changed else ""
    yield f"  Version {entry.version}{changed}" + (f": {entry.reason}" if entry.reason else "")
    location = locate(configuration, "outcomes", name)
    if location is None:
        return
    yield f"  {location.file}, lines {location.first} to {location.last}"
    for line in history_of(configuration.root, location) or ():
        yield f"    {line}"


def _difference_lines(configuration: Configuration, revision: str, changes: list[Change]) -> Iterator[str]:
    from refino_eval.catalogue.references import users_of

    if not changes:
        yield f"The definitions are the same as at {revision}."
        return
    definitions = configuration.definitions
    users = users_of(definitions, definitions.exhibits)
    affected: dict[str, bool] = {}
    for change in changes:
        yield f"{change.what:<8}{change.kind}.{change.name}"
        for field, before, now in change.fields:
            yield f"          {field}: {_value(before)} -> {_value(now)}"
        itself = [change.name] if change.kind == "exhibits" and change.name in definitions.exhibits else []
        for exhibit in [*itself, *users.get((change.kind, change.name), [])]:
            affected[exhibit] = affected.get(exhibit, False) or change.of_numbers
    yield ""
    if not affected:
        yield "No exhibit is affected."
        return
    selected = set(configuration.evaluation.exhibits)
    yield "Exhibits affected:"
    rows = [
        [
            f"  {exhibit}",
            "numbers" if numbers else "text only",
            "" if exhibit in selected else f"(not part of {configuration.evaluation.name})",
        ]
        for exhibit, numbers in sorted(affected.items())
    ]
    yield from table_lines(["  exhibit", "what may change", ""], rows)


def _value(value: Any) -> str:
    if value is None:
        return "(none)"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 160 else text[:157] + "..."
