"""`refino-eval check`: everything that can be known to be wrong before anything runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from refino_eval.config import Configuration, Unit, load_configuration
from refino_eval.config.checks import needed_states, used_outcomes, used_states
from refino_eval.errors import UserFault, raise_faults


def check_evaluation(root: Path, name: str | None) -> Iterator[str]:
    """Check one evaluation and yield a line for each thing that is right.

    Parameters
    ----------
    root
        The project's root.
    name
        Which evaluation; None for the one that `config/config.yaml` names.

    Raises
    ------
    UserFault
        With everything found wrong at once.
    """
    configuration = load_configuration(root, evaluation=name)
    study = configuration.evaluation
    yield f"{study.name}: the configuration is sound ({len(study.exhibits)} exhibits)"
    if study.entry == "spells":
        yield f"{study.name}: {_examples(configuration)} worked examples give what they should"
        if study.synthetic is not None:
            yield f"{study.name}: the delivery is synthetic and is made by the run"
        else:
            yield f"{study.name}: {_delivery(configuration)} delivered files are there with the columns they need"


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


def _delivery(configuration: Configuration) -> int:
    from refino_eval.registers.formats import check_files, find_files

    faults: list[str] = []
    files = 0
    for source in configuration.sources.values():
        try:
            files += len(check_files(source, find_files(source, configuration.data_folder)))
        except UserFault as fault:
            faults += fault.faults
    raise_faults(faults)
    return files
