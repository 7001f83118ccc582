"""`refino-eval check`: everything that can be known to be wrong before anything runs, and the receipt of the delivery."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.config import Configuration, Unit, load_configuration
from refino_eval.config.checks import needed_states, used_outcomes, used_states
from refino_eval.errors import UserError
from refino_eval.outcomes.plan import plan_lines

if TYPE_CHECKING:
    from refino_eval.registers.delivery_receipt import Receipt


def check_evaluation(
    root: Path, name: str | None, *, delivery: Path | None = None, out: Path | None = None
) -> Iterator[str]:
    """Check one evaluation and yield lines to print: what is right, and the delivery's receipt.

    Parameters
    ----------
    root
        The project's root.
    name
        Which evaluation; None for the one that `config/config.yaml` names.
    delivery
        A delivery to check instead of the evaluation's own.
    out
        Where the receipt's files go; by default `results/<evaluation>/run/receipt`.

    Raises
    ------
    UserError
        With everything that must be mended, at once, after the lines.
    """
    configuration = load_configuration(root, evaluation=name)
    study = configuration.evaluation
    yield f"{study.name}: the configuration is sound ({len(study.exhibits)} exhibits)"
    if study.entry != "spells":
        if delivery is not None:
            raise UserError(f"The evaluation '{study.name}' reads a person table; only registers have a receipt.")
        return
    yield f"{study.name}: {_examples(configuration)} worked examples give what they should"
    yield from (f"{study.name}: {line}" for line in plan_lines(configuration))
    folder = delivery if delivery is not None else configuration.data_folder
    if delivery is None and study.synthetic is not None and not (root / folder / "manifest.json").is_file():
        yield f"{study.name}: the delivery is synthetic and is made by the run"
        return
    yield from _deliver(configuration, folder, out or configuration.results_folder / "run" / "receipt")


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


def _deliver(configuration: Configuration, folder: Path, out: Path) -> Iterator[str]:
    """Take the receipt, write it, and tell it; what must be mended comes last, as faults."""
    from refino_eval.registers.receipt_output import fault_text, receipt_text, write_receipt_csv
    from refino_eval.registers.receipt_problems import ERROR, NOTE, WARNING
    from refino_eval.report.receipt_page import write_receipt_html

    receipt = _receipt(configuration, folder)
    written = write_receipt_csv(receipt, out)
    (out / "receipt.txt").write_text("\n".join(receipt_text(receipt)) + "\n", encoding="utf-8")
    page = write_receipt_html(receipt, out / "receipt.html", label=configuration.evaluation.label.en)
    yield ""
    yield from receipt_text(receipt, severities=(WARNING, NOTE))
    yield ""
    yield f"Receipt: {page}   Numbers: {', '.join(path.name for path in written)}"
    errors = receipt.of(ERROR)
    if errors:
        raise UserError(*(fault_text(fault) for fault in errors))


def _receipt(configuration: Configuration, folder: Path) -> Receipt:
    from refino_eval.codes.codelists import load_codelists
    from refino_eval.registers.delivery_letter import find_letter, read_letter
    from refino_eval.registers.delivery_receipt import take_receipt

    if not folder.is_dir():
        raise UserError(f"The delivery folder {folder} does not exist. Put the delivery there, or correct `data`.")
    study, sources = configuration.evaluation, configuration.sources
    path = find_letter(folder, study.letter)
    lists = {column.codelist for source in sources.values() for column in source.columns.values() if column.codelist}
    return take_receipt(
        study.name,
        sources.values(),
        folder,
        codelists=load_codelists(lists, configuration.root / "config" / "codelists"),
        # Drafts hold people's rows, so they stand where such rows may.
        work=configuration.root / configuration.results_folder / "person_level",
        letter=None if path is None else (path, read_letter(path)),
        origin=study.population.draw_date if study.population is not None else None,
    )
