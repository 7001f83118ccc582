"""Results of the worked examples of definitions, one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from refino_eval.catalogue.references import registers_of, states_of
from refino_eval.codes.prices import load_indices
from refino_eval.config import definitions as d
from refino_eval.config import dependencies
from refino_eval.config.base import Unit
from refino_eval.config.sources import Source
from refino_eval.errors import UserError
from refino_eval.outcomes.examples import check_examples

Key = tuple[str, str]
"""Kind and name of a definition."""


@dataclass(frozen=True)
class ExampleResults:
    """Results of an entry's worked examples.

    Attributes
    ----------
    run
        Whether they were run: not when a register that they need is not among the sources.
    problems
        For each example what is wrong with it, or an empty text.
    """

    run: bool
    problems: tuple[str, ...]

    @property
    def wrong(self) -> int:
        """Number of examples whose result differs from the expected one."""
        return sum(bool(problem) for problem in self.problems)


def run_examples(
    keys: Iterable[Key],
    definitions: d.Definitions,
    sources: Mapping[str, Source],
    *,
    codelists: Path,
    clock: Unit = "month",
) -> dict[Key, ExampleResults]:
    """Run the worked examples of states and outcomes.

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
        Results for each key. An invalid definition has its problem at each of its examples.
    """

    def problems(chosen: Sequence[Key], among: d.Definitions) -> tuple[str, ...]:
        return _problems(chosen, among, sources, codelists, clock)

    unique = list(dict.fromkeys(keys))
    clean = {key: ("",) * len(_examples(key, definitions)) for key in unique}
    runnable = [key for key in unique if _has_registers(key, definitions, sources)]
    results = {key: ExampleResults(key in runnable, texts) for key, texts in clean.items()}
    # All at once is fast; only when something is wrong are they run one by one to find out which.
    if not runnable or not problems(runnable, definitions):
        return results
    for key in runnable:
        if problems([key], definitions):
            each = [
                # Alone it is the first; the reader needs its number in the file.
                " ".join(problems([key], _with_example(key, number, definitions))).replace(
                    "example 1 (", f"example {number + 1} ("
                )
                for number in range(len(clean[key]))
            ]
            results[key] = ExampleResults(True, tuple(each))
    return results


def _has_registers(key: Key, definitions: d.Definitions, sources: Mapping[str, Source]) -> bool:
    entry = getattr(definitions, key[0])[key[1]]
    return all(register in sources for register in registers_of(entry, definitions))


def _examples(key: Key, definitions: d.Definitions) -> Sequence[d.Example]:
    examples: Sequence[d.Example] = getattr(definitions, key[0])[key[1]].examples
    return examples


def _with_example(key: Key, number: int, definitions: d.Definitions) -> d.Definitions:
    """Return the definitions with a single example for one entry."""
    kind, name = key
    entry = getattr(definitions, kind)[name]
    alone = entry.model_copy(update={"examples": (entry.examples[number],)})
    return definitions.model_copy(update={kind: {**getattr(definitions, kind), name: alone}})


def _problems(
    keys: Sequence[Key], definitions: d.Definitions, sources: Mapping[str, Source], codelists: Path, clock: Unit
) -> tuple[str, ...]:
    states = [name for kind, name in keys if kind == "states"]
    outcomes = [name for kind, name in keys if kind == "outcomes"]
    read = [state for name in outcomes for state in states_of(definitions.outcomes[name], definitions)]
    needed = dependencies.needed_states(definitions, [*states, *read])
    try:
        prices = load_indices({name: definitions.states[name] for name in needed}, codelists)
        check_examples(definitions, sources, prices, states=states, outcomes=outcomes, state_clock=clock)
    except UserError as error:
        return error.problems
    return ()
