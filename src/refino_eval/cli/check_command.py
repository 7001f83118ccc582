"""`refino-eval check`: every problem that can be found before anything runs, and the receipt of the delivery."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.cli.output import make_for
from refino_eval.cli.published_files import require_published
from refino_eval.config import Configuration, Unit, load_configuration
from refino_eval.config.across.forests import load_forests
from refino_eval.config.dependencies import needed_states, used_outcomes, used_states
from refino_eval.config.load import NO_PROTECTION
from refino_eval.economics.payment_examples import check_payment_examples
from refino_eval.errors import UserError, raise_problems
from refino_eval.outcomes.registered_plan import plan_lines
from refino_eval.workflow_job import person_level_folder

if TYPE_CHECKING:
    from refino_eval.registers.delivery_receipt import Draws, Receipt
    from refino_eval.trial.sample_flow import FlowLine


def check_evaluation(
    root: Path, name: str | None, *, delivery: Path | None = None, out: Path | None = None
) -> Iterator[str]:
    """Check one evaluation and yield lines to print: what is valid, and the delivery's receipt.

    Parameters
    ----------
    root
        The project's root.
    name
        The evaluation; None for the one that `config/config.yaml` names.
    delivery
        A delivery to check instead of the evaluation's own.
    out
        Folder of the receipt; by default `results/<evaluation>/run/receipt`.

    Raises
    ------
    UserError
        With all problems at once, after the lines.
    """
    configuration = load_configuration(root, evaluation=name)
    study = configuration.evaluation
    require_published(configuration, read=True)
    yield f"{study.name}: the configuration is valid ({len(study.exhibits)} exhibits); {_disclosure_line(configuration)}"
    yield from _forest_lines(root)
    if configuration.project.engine == "spark":
        yield _spark_line(configuration.project.spark_address)
    _require_writable(configuration.root / configuration.results_folder)
    yield from _lake_lines(configuration)
    if not study.has_people and delivery is None:
        yield f"{study.name}: there are no people; every exhibit is computed from inputs"
        return
    if study.entry != "spells":
        if delivery is not None:
            raise UserError(
                f"The evaluation '{study.name}' reads a file made elsewhere; only deliveries of registers have a receipt."
            )
        lines = _person_table_lines if study.entry == "person_table" else _panel_lines
        yield from (f"{study.name}: {line}" for line in lines(configuration))
        return
    yield from _definition_lines(configuration)
    folder = delivery if delivery is not None else configuration.data_folder
    if delivery is None and study.synthetic is not None and not (root / folder / "manifest.json").is_file():
        yield f"{study.name}: the delivery is synthetic and will be made by the run"
        return
    target = out or configuration.results_folder / "run" / "receipt"
    if out is not None:
        make_for("--out", out, out)
    yield from _receipt_lines(configuration, folder, target)


def _definition_lines(configuration: Configuration) -> Iterator[str]:
    """Yield what was checked of the definitions of a study of registers: worked examples, and the registered plan."""
    study = configuration.evaluation
    yield f"{study.name}: {_examples(configuration)} worked examples give the expected values"
    if paid := check_payment_examples(configuration.definitions.payments):
        yield f"{study.name}: {paid} worked examples of payment rules give the expected payments"
    yield from (f"{study.name}: {line}" for line in plan_lines(configuration))


def _disclosure_line(configuration: Configuration) -> str:
    """Return which profile protects releases, and what the data owner has not confirmed."""
    name = configuration.disclosure_profile
    if name is None:
        return "no disclosure profile is chosen, so there can be no release (disclosure.profile)"
    if name == NO_PROTECTION:
        return f"releases hold the numbers as they are: the data are {configuration.evaluation.data_class}"
    from refino_eval.disclosure.profiles import load_profile

    unconfirmed = load_profile(name, root=configuration.root).unconfirmed
    doubts = f"; not confirmed by the data owner: {', '.join(unconfirmed)}" if unconfirmed else ""
    return f"the disclosure profile '{name}' protects releases{doubts}"


def _forest_lines(root: Path) -> Iterator[str]:
    """Yield what is wrong with the page of all studies, which no evaluation depends on."""
    try:
        load_forests(root)
    except UserError as error:
        yield from (f"The page of all studies cannot be made: {problem}" for problem in error.problems)


def _spark_line(address: str) -> str:
    """Connect to the Spark server, and return a line about it."""
    from refino_eval.sql.spark_server import server_facts, use_address

    use_address(address)
    facts = server_facts()
    return f"engine spark: the server ({facts['server']}) answers, as Spark {facts['spark']}"


def _require_writable(results: Path) -> None:
    """Make a file where the results will be and remove it: permissions alone do not say whether that is possible."""
    there = next(path for path in (results, *results.parents) if path.exists())
    if not there.is_dir():
        raise UserError(
            f"{there.relative_to(Path.cwd()) if there.is_relative_to(Path.cwd()) else there}: this is a file, and the results of a "
            "run go into a folder of that name. Move the file away."
        )
    with tempfile.TemporaryFile(dir=there):
        pass


def _lake_lines(configuration: Configuration) -> Iterator[str]:
    """Check the registers that Spark reads from a data lake, and yield a line for each."""
    sources = {name: source for name, source in configuration.sources.items() if source.lake is not None}
    if not sources:
        return
    from refino_eval.registers.lake_limits import lake_problems
    from refino_eval.registers.lake_registers import check_lake_columns

    raise_problems(lake_problems(sources, configuration.project.engine))
    for name, source in sources.items():
        yield f"{name}: read from {source.lake}, where all {check_lake_columns(source)} columns are; no receipt is taken of it"


def _examples(configuration: Configuration) -> int:
    from refino_eval.codes.prices import load_indices
    from refino_eval.outcomes.examples import check_examples

    study, definitions = configuration.evaluation, configuration.definitions
    outcomes = used_outcomes(study, definitions)
    states = [state for unit in study.clocks for state in used_states(study, definitions, unit)]
    needed = needed_states(definitions, list(dict.fromkeys(states)))
    prices = load_indices(
        {name: definitions.states[name] for name in needed}, configuration.root / "config" / "codelists"
    )
    clock: Unit = "month" if "month" in study.clocks else "week"
    return check_examples(
        definitions, configuration.sources, prices, states=needed, outcomes=outcomes, state_clock=clock
    )


def _person_table_lines(configuration: Configuration) -> Iterator[str]:
    """Read the person table as a run does, and yield what is in it."""
    from refino_eval.config.dependencies import used_covariates
    from refino_eval.trial import read_person_table
    from refino_eval.trial.cluster_advice import cluster_advice
    from refino_eval.trial.group_counts import group_problems

    study, definitions = configuration.evaluation, configuration.definitions
    assert study.person_table is not None
    data = read_person_table(
        configuration.root / configuration.data_folder,
        table=study.person_table,
        samples=study.samples,
        arms=study.arms,
        covariates={name: definitions.covariates[name] for name in used_covariates(study, definitions)},
    )
    yield f"the person table {study.person_table.file} has {data.cohort.flow[0].persons:,} people and every column that is used"
    yield from _flow_lines(data.cohort.flow)
    yield from cluster_advice(data.cohort.frame, study.person_table.strata)
    shown = {name: definitions.exhibits[name] for name in study.exhibits}
    raise_problems(group_problems(data.cohort.frame, data.outcomes, study, shown))


def _panel_lines(configuration: Configuration) -> Iterator[str]:
    """Read the panel as a run does, and yield what is in it."""
    from refino_eval.config.dependencies import used_covariates
    from refino_eval.months.panel_file import read_panel
    from refino_eval.trial.cluster_advice import cluster_advice
    from refino_eval.trial.group_counts import group_problems

    study, definitions = configuration.evaluation, configuration.definitions
    assert study.panel is not None
    data = read_panel(
        configuration.root / configuration.data_folder,
        panel=study.panel,
        unit=study.clock_unit,
        clock=study.clocks[study.clock_unit],
        states=used_states(study, definitions, study.clock_unit),
        definitions=definitions,
        samples=study.samples,
        arms=study.arms,
        covariates={name: definitions.covariates[name] for name in used_covariates(study, definitions)},
    )
    yield (
        f"the panel {study.panel.file} has {data.report.delivered:,} rows of {data.report.people:,} people and every column that is "
        f"used ({data.report.rejected:,} rows are outside the clock)"
    )
    yield from _flow_lines(data.cohort.flow)
    yield from cluster_advice(data.cohort.frame, study.panel.strata)
    shown = {name: definitions.exhibits[name] for name in study.exhibits}
    raise_problems(group_problems(data.cohort.frame, None, study, shown))


def _flow_lines(flow: Sequence[FlowLine]) -> Iterator[str]:
    for line in flow[1:]:
        if line.reason:
            yield f"  {line.persons:,} people: {line.reason.replace('_', ' ')} ({line.step})"


def _receipt_lines(configuration: Configuration, folder: Path, out: Path) -> Iterator[str]:
    """Take the receipt, write it, and yield its lines; errors are raised last."""
    from refino_eval.registers.receipt_output import problem_text, receipt_text, write_receipt_csv
    from refino_eval.registers.receipt_problems import ERROR, NOTE, WARNING
    from refino_eval.report.receipt_page import write_receipt_html

    receipt = receipt_of(configuration, folder)
    written = write_receipt_csv(receipt, out)
    (out / "receipt.txt").write_text("\n".join(receipt_text(receipt)) + "\n", encoding="utf-8")
    page = write_receipt_html(receipt, out / "receipt.html", label=configuration.evaluation.label.en)
    yield ""
    yield from receipt_text(receipt, severities=(WARNING, NOTE))
    yield ""
    yield f"Receipt: {page}   Numbers: {', '.join(path.name for path in written)}"
    errors = receipt.of(ERROR)
    if errors:
        raise UserError(*(problem_text(error) for error in errors))


def receipt_of(configuration: Configuration, folder: Path) -> Receipt:
    """Take the receipt of a delivery as `check` does."""
    from refino_eval.codes.codelists import load_codelists
    from refino_eval.registers.delivery_letter import find_letter, read_letter
    from refino_eval.registers.delivery_receipt import take_receipt

    if not folder.is_dir():
        raise UserError(f"{folder}: no such delivery folder. Put the delivery there, or correct `data`.")
    study, sources = configuration.evaluation, configuration.sources
    path = find_letter(folder, study.letter)
    lists = {column.codelist for source in sources.values() for column in source.columns.values() if column.codelist}
    return take_receipt(
        study.name,
        [source for source in sources.values() if source.lake is None],
        folder,
        codelists=load_codelists(lists, configuration.root / "config" / "codelists"),
        # Drafts contain rows about people, so they are written where such rows may be.
        work=person_level_folder(configuration.root / configuration.results_folder),
        letter=None if path is None else (path, read_letter(path)),
        draws=_draws(configuration),
        origin=study.population.draw_date if study.population is not None else None,
    )


def _draws(configuration: Configuration) -> Draws | None:
    """Return the register of draws and its codes of the arms, to which the other registers are linked."""
    from refino_eval.registers.delivery_receipt import Draws

    study = configuration.evaluation
    # Entries by rule are found after ingestion.
    if study.population is None or study.population.entry is not None:
        return None
    treated = tuple(str(code) for arm in study.arms.treated_arms for code in arm.codes)
    control = tuple(str(code) for code in study.arms.control.codes)
    columns = configuration.sources[study.population.register_name].columns
    units = [
        name
        for name, column in columns.items()
        if column.type in ("id", "text", "code", "integer") and name != "person_id"
    ]
    units = [] if study.clusters else [name for name in units if name not in (study.population.arm, *study.strata)]
    return Draws(study.population.register_name, study.population.arm, treated, control, tuple(units))
