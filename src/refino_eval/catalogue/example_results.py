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
from refino_eval.outcomes.examples import Key, example_results


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
    unique = list(dict.fromkeys(keys))
    runnable = [key for key in unique if _has_registers(key, definitions, sources)]
    problems = _problems(runnable, definitions, sources, codelists, clock)
    return {
        key: ExampleResults(key in problems, problems.get(key, ("",) * len(_examples(key, definitions))))
        for key in unique
    }


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
) -> dict[Key, tuple[str, ...]]:
    """Return what is wrong with each example of each entry.

    All are run at once. An entry that cannot be run stops that: it is found by halves, since every run has a cost.
    """
    try:
        results = _results(keys, definitions, sources, codelists, clock)
        return {key: results.get(key, ()) for key in keys}
    except UserError:
        if len(keys) == 1:
            return {keys[0]: _one_by_one(keys[0], definitions, sources, codelists, clock)}
    middle = len(keys) // 2
    return {
        key: texts
        for half in (keys[:middle], keys[middle:])
        for key, texts in _problems(half, definitions, sources, codelists, clock).items()
    }


def _one_by_one(
    key: Key, definitions: d.Definitions, sources: Mapping[str, Source], codelists: Path, clock: Unit
) -> tuple[str, ...]:
    """Return what is wrong with each example of an entry that cannot be run as it stands."""
    texts = []
    for number in range(len(_examples(key, definitions))):
        try:
            results = _results([key], _with_example(key, number, definitions), sources, codelists, clock)
            text = " ".join(results.get(key, ()))
        except UserError as error:
            text = " ".join(error.problems)
        # Alone it is the first; the reader needs its number in the file.
        texts.append(text.replace("example 1 (", f"example {number + 1} ("))
    return tuple(texts)


def _results(
    keys: Sequence[Key], definitions: d.Definitions, sources: Mapping[str, Source], codelists: Path, clock: Unit
) -> dict[Key, tuple[str, ...]]:
    states = [name for kind, name in keys if kind == "states"]
    outcomes = [name for kind, name in keys if kind == "outcomes"]
    read = [state for name in outcomes for state in states_of(definitions.outcomes[name], definitions)]
    needed = dependencies.needed_states(definitions, [*states, *read])
    prices = load_indices({name: definitions.states[name] for name in needed}, codelists)
    return example_results(definitions, sources, prices, states=states, outcomes=outcomes, state_clock=clock)
