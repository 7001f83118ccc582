"""Whether the worked examples of definitions come out as written, one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from refino_eval.catalogue.references import registers_of, states_of
from refino_eval.codes.prices import load_indices
from refino_eval.config import checks
from refino_eval.config import definitions as d
from refino_eval.config.base import Unit
from refino_eval.config.sources import Source
from refino_eval.errors import UserError
from refino_eval.outcomes.examples import check_examples

Key = tuple[str, str]
"""Kind and name of a definition."""


@dataclass(frozen=True)
class Proof:
    """What became of an entry's examples.

    Attributes
    ----------
    run
        Whether they were run: not when a register behind them is not among the sources.
    faults
        For each example, what is wrong with it, or nothing.
    """

    run: bool
    faults: tuple[str, ...]

    @property
    def wrong(self) -> int:
        """Number of examples that did not come out as written."""
        return sum(bool(fault) for fault in self.faults)


def prove(
    keys: Iterable[Key],
    definitions: d.Definitions,
    sources: Mapping[str, Source],
    *,
    codelists: Path,
    clock: Unit = "month",
) -> dict[Key, Proof]:
    """Run the examples of states and outcomes.

    Parameters
    ----------
    keys
        ``("states", name)`` or ``("outcomes", name)``.
    definitions, sources
        The definitions, and the registers that their examples are written in.
    codelists
        Folder of the price indices.
    clock
        Clock of the examples of states; an outcome's are run on its own.

    Returns
    -------
    dict
        A proof for each key. A definition that is broken as a whole is told at each of its examples.
    """
    wanted = list(dict.fromkeys(keys))
    able = [key for key in wanted if _possible(key, definitions, sources)]
    proofs = {
        key: Proof(False, tuple("" for _ in getattr(definitions, key[0])[key[1]].examples))
        for key in wanted
        if key not in able
    }
    if not able or _faults(able, definitions, sources, codelists, clock) == ():
        return proofs | {key: Proof(True, tuple("" for _ in _examples(key, definitions))) for key in able}
    # Something is wrong with one of them: take them apart until it is known with which.
    for key in able:
        if not _faults([key], definitions, sources, codelists, clock):
            proofs[key] = Proof(True, tuple("" for _ in _examples(key, definitions)))
        else:
            told = []
            for number in range(len(_examples(key, definitions))):
                faults = _faults([key], _with_example(key, number, definitions), sources, codelists, clock)
                # Alone it is the first; its own number is what the reader can find.
                told.append(" ".join(faults).replace("example 1 (", f"example {number + 1} ("))
            proofs[key] = Proof(True, tuple(told))
    return proofs


def _possible(key: Key, definitions: d.Definitions, sources: Mapping[str, Source]) -> bool:
    entry = getattr(definitions, key[0])[key[1]]
    return all(register in sources for register in registers_of(entry, definitions))


def _examples(key: Key, definitions: d.Definitions) -> Sequence[d.Example]:
    examples: Sequence[d.Example] = getattr(definitions, key[0])[key[1]].examples
    return examples


def _with_example(key: Key, number: int, definitions: d.Definitions) -> d.Definitions:
    """Return the definitions with one example of one entry alone."""
    kind, name = key
    entry = getattr(definitions, kind)[name]
    alone = entry.model_copy(update={"examples": (entry.examples[number],)})
    return definitions.model_copy(update={kind: {**getattr(definitions, kind), name: alone}})


def _faults(
    keys: Sequence[Key], definitions: d.Definitions, sources: Mapping[str, Source], codelists: Path, clock: Unit
) -> tuple[str, ...]:
    states = [name for kind, name in keys if kind == "states"]
    outcomes = [name for kind, name in keys if kind == "outcomes"]
    read = [state for name in outcomes for state in states_of(definitions.outcomes[name], definitions)]
    needed = checks.needed_states(definitions, [*states, *read])
    try:
        prices = load_indices({name: definitions.states[name] for name in needed}, codelists)
        check_examples(definitions, sources, prices, states=states, outcomes=outcomes, state_clock=clock)
    except UserError as fault:
        return fault.problems
    return ()
