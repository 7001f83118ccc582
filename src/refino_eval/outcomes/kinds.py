"""The closed list of what an outcome can be: how it is computed from the periods that it reads, and how it is said.

A new kind is one function here, its plain twin in `outcomes.oracle`, its name and keys in `config.definitions`, and a
section of `docs/outcome_kinds.md`; a test holds the four in step, and nothing else knows the list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from refino_eval.config.base import Language
from refino_eval.config.definitions import Outcome
from refino_eval.outcomes.describe import period_words, window_words

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Values = npt.NDArray[np.float64]
    Result = Values | tuple[Values, Values]

DECIMALS = 12
"""Sums are rounded here, so that ten tenths are one."""


@dataclass(frozen=True)
class Kind:
    """One kind of outcome.

    Attributes
    ----------
    compute
        Takes an outcome and the values of the periods that it reads (people, periods; NaN when missing, periods in order
        of event time) and gives a value a person, or a value and the flag beside it.
    truth
        Whether it asks for something that is true or false in a period, and not for a number.
    own_rule
        Whether it decides by itself what missing periods do.
    sentence
        Takes an outcome, the label of what it reads and a language, and says in words what the value is.
    """

    compute: Callable[[Outcome, Values], Result]
    truth: bool
    own_rule: bool
    sentence: Callable[[Outcome, str, Language], str]


KINDS: dict[str, Kind] = {}


def kind(
    name: str, *, nb: str, en: str, truth: bool = False, own_rule: bool = False
) -> Callable[[Callable[[Outcome, Values], Result]], Callable[[Outcome, Values], Result]]:
    """Register a function as a kind of outcome, with its sentence in two languages.

    The sentence may hold {state}, {window}, {times}, {first}, {last}, {at_least} and {unit} (`måneder`, `months`).
    """

    def sentence(outcome: Outcome, state: str, language: Language) -> str:
        return (nb if language == "nb" else en).format(state=state, **_parts(outcome, language))

    def register(compute: Callable[[Outcome, Values], Result]) -> Callable[[Outcome, Values], Result]:
        KINDS[name] = Kind(compute, truth, own_rule, sentence)
        return compute

    return register


def _parts(outcome: Outcome, language: Language) -> dict[str, str]:
    """Return what a sentence is made of."""
    times = outcome.times or outcome.periods
    said = [period_words(time, outcome.clock, language) for time in times]
    joint = " og " if language == "nb" else " and "
    units = {("nb", "month"): "måneder", ("nb", "week"): "uker", ("en", "month"): "months", ("en", "week"): "weeks"}
    return {
        "window": window_words(outcome, language),
        "times": joint.join((", ".join(said[:-1]), said[-1])),
        "first": said[0],
        "last": said[-1],
        "at_least": str(outcome.at_least),
        "unit": units[language, outcome.clock],
    }


def compute(outcome: Outcome, values: Values) -> tuple[Values, Values | None]:
    """Compute an outcome from the periods that it reads.

    Parameters
    ----------
    outcome
        The definition.
    values
        Shape (people, periods): what is read at each of `outcome.read`, NaN when missing.

    Returns
    -------
    tuple
        A value a person (NaN when missing by the outcome's rule), and the flag beside it for kinds that have one.
    """
    import numpy as np

    chosen = KINDS[outcome.kind]
    result = chosen.compute(outcome, values)
    value, flag = result if isinstance(result, tuple) else (result, None)
    if not chosen.own_rule:
        missing = np.isnan(values)
        lost = missing.any(axis=1) if outcome.missing == "any" else missing.all(axis=1)
        value = np.where(lost, np.nan, value)
    return value, flag


def outcome_sentence(outcome: Outcome, state_label: str, language: Language) -> str:
    """Say in one sentence what an outcome's value is.

    Parameters
    ----------
    outcome
        The definition.
    state_label
        The state's label in that language; an outcome over an expression is told by the expression instead.
    language
        ``nb`` or ``en``.
    """
    told = state_label if outcome.expression is None else f"`{outcome.expression}`"
    return KINDS[outcome.kind].sentence(outcome, told, language)


@kind("value_at", nb="{state}, {first}.", en="{state}, {first}.")
def value_at(outcome: Outcome, values: Values) -> Values:
    """Take the value in one period."""
    first: Values = values[:, 0]
    return first


@kind("sum_over", nb="{state}, summert over {window}.", en="{state}, summed over {window}.")
def sum_over(outcome: Outcome, values: Values) -> Values:
    """Add the values of a window up."""
    import numpy as np

    total: Values = np.round(np.nansum(values, axis=1), DECIMALS)
    return total


@kind("mean_over", nb="{state}, gjennomsnitt over {window}.", en="{state}, averaged over {window}.")
def mean_over(outcome: Outcome, values: Values) -> Values:
    """Take the mean of the values of a window that are not missing."""
    import numpy as np

    seen = (~np.isnan(values)).sum(axis=1)
    total: Values = np.round(np.nansum(values, axis=1), DECIMALS) / np.maximum(seen, 1)
    return total


@kind("any_in", nb="{state}: minst én gang i {window}.", en="{state}: at least once in {window}.")
def any_in(outcome: Outcome, values: Values) -> Values:
    """Tell whether any value of a window is other than zero."""
    return _number(_holds(values).any(axis=1))


@kind("months_in", truth=True, nb="{state}: antall {unit} i {window}.", en="{state}: number of {unit} in {window}.")
def months_in(outcome: Outcome, values: Values) -> Values:
    """Count the periods of a window in which it holds."""
    return _number(_holds(values).sum(axis=1))


@kind(
    "first_month", truth=True, own_rule=True,
    nb="{state}: første gang i {window}, regnet i {unit} fra trekkingen; sensurert der det ikke skjer.",
    en="{state}: first time in {window}, in {unit} since the draw; censored where it does not happen.",
)  # fmt: skip
def first_month(outcome: Outcome, values: Values) -> tuple[Values, Values]:
    """Give the event time at which it first holds, or the last one seen; the flag tells which."""
    import numpy as np

    read = np.asarray(outcome.read, dtype=float)
    seen = ~np.isnan(values)
    if outcome.missing == "any":
        # What follows a gap may not be the first: only the unbroken stretch from the window's beginning is looked at.
        seen = np.logical_and.accumulate(seen, axis=1)
    holds = _holds(values) & seen
    found, observed = holds.any(axis=1), seen.any(axis=1)
    last = read[len(read) - 1 - np.argmax(seen[:, ::-1], axis=1)]
    otherwise = last if outcome.censored == "last" else np.full(len(values), np.nan)
    value = np.where(found, read[np.argmax(holds, axis=1)], otherwise)
    return np.where(observed, value, np.nan), np.where(observed, ~found, np.nan)


@kind(
    "spell_of", truth=True,
    nb="{state}: minst {at_least} {unit} på rad i {window}.", en="{state}: at least {at_least} {unit} in a row in {window}.",
)  # fmt: skip
def spell_of(outcome: Outcome, values: Values) -> Values:
    """Tell whether it holds for so many periods in a row."""
    assert outcome.at_least is not None
    return _number(_longest_run(values) >= outcome.at_least)


@kind(
    "longest_spell", truth=True,
    nb="{state}: flest {unit} på rad i {window}.", en="{state}: most {unit} in a row in {window}.",
)  # fmt: skip
def longest_spell(outcome: Outcome, values: Values) -> Values:
    """Give the length of the longest stretch of periods in which it holds."""
    return _longest_run(values)


@kind("held_at", truth=True, nb="{state}: i alle av {times}.", en="{state}: in all of {times}.")
def held_at(outcome: Outcome, values: Values) -> Values:
    """Tell whether it holds at every one of several event times (that are not missing)."""
    import numpy as np

    return _number((_holds(values) | np.isnan(values)).all(axis=1))


@kind("change", nb="{state}: endring fra {first} til {last}.", en="{state}: change from {first} to {last}.")
def change(outcome: Outcome, values: Values) -> Values:
    """Take the value at the second event time minus that at the first."""
    begin, end = (values[:, outcome.read.index(time)] for time in outcome.times or ())
    difference: Values = end - begin
    return difference


def _holds(values: Values) -> npt.NDArray[np.bool_]:
    """Tell where something is true; a missing period is not."""
    import numpy as np

    holds: npt.NDArray[np.bool_] = (values != 0) & ~np.isnan(values)
    return holds


def _number(found: Any) -> Values:
    import numpy as np

    return np.asarray(found, dtype=np.float64)


def _longest_run(values: Values) -> Values:
    import numpy as np

    run, longest = np.zeros(len(values)), np.zeros(len(values))
    for holds in _holds(values).T:
        run = (run + 1) * holds
        longest = np.maximum(longest, run)
    return longest
