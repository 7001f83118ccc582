"""The closed list of what an outcome can be: how it is computed from a state, and how it is said.

A new kind is one class here and a name in `config.definitions.Outcome`; nothing else knows the list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from refino_eval.config.base import Language
from refino_eval.config.definitions import Outcome
from refino_eval.months.quoting import identifier
from refino_eval.outcomes.describe import period_words, window_words


@dataclass(frozen=True)
class Kind:
    """One kind of outcome.

    Attributes
    ----------
    aggregate
        Takes the SQL of the state inside the window (NULL outside it) and gives the SQL of a person's value.
    sentence
        Takes an outcome, the state's label and a language, and says in words what the value is.
    """

    aggregate: Callable[[str], str]
    sentence: Callable[[Outcome, str, Language], str]


def outcome_sql(outcome: Outcome) -> str:
    """Write the aggregate that gives an outcome's value, over one person's rows of the panel.

    Parameters
    ----------
    outcome
        The definition.

    Returns
    -------
    str
        An SQL expression giving a double; NULL by the outcome's rule for missing periods.
    """
    first, last = outcome.periods
    state = identifier(outcome.state)
    here = f"event_time = {first}" if first == last else f"event_time BETWEEN {first} AND {last}"
    inside = f"CASE WHEN {here} THEN {state} END"
    needed = last - first + 1 if outcome.missing == "any" else 1
    value = KINDS[outcome.kind].aggregate(inside)
    return f"CASE WHEN COUNT({inside}) >= {needed} THEN {value} END"


def outcome_sentence(outcome: Outcome, state_label: str, language: Language) -> str:
    """Say in one sentence what an outcome's value is.

    Parameters
    ----------
    outcome
        The definition.
    state_label
        The state's label in that language.
    language
        ``nb`` or ``en``.
    """
    return KINDS[outcome.kind].sentence(outcome, state_label, language)


def _sum(inside: str) -> str:
    # Decimals add up to the same in any order of rows, so that two threads give the bytes that one gives.
    return f"CAST(SUM(CAST({inside} AS DECIMAL(28, 12))) AS DOUBLE)"


def _value_at(inside: str) -> str:
    return f"MAX({inside})"


def _mean_over(inside: str) -> str:
    return f"{_sum(inside)} / COUNT({inside})"


def _any_in(inside: str) -> str:
    return f"MAX(CASE WHEN {inside} <> 0 THEN 1E0 WHEN {inside} = 0 THEN 0E0 END)"


def _value_at_words(outcome: Outcome, state: str, language: Language) -> str:
    assert outcome.at is not None
    return f"{state}, {period_words(outcome.at, outcome.clock, language)}."


def _window_words(nb: str, en: str) -> Callable[[Outcome, str, Language], str]:
    def sentence(outcome: Outcome, state: str, language: Language) -> str:
        window = window_words(outcome, language)
        return (nb if language == "nb" else en).format(state=state, window=window)

    return sentence


KINDS: Mapping[str, Kind] = {
    "value_at": Kind(_value_at, _value_at_words),
    "sum_over": Kind(_sum, _window_words("{state}, summert over {window}.", "{state}, summed over {window}.")),
    "mean_over": Kind(
        _mean_over, _window_words("{state}, gjennomsnitt over {window}.", "{state}, averaged over {window}.")
    ),
    "any_in": Kind(_any_in, _window_words("{state}: minst én gang i {window}.", "{state}: at least once in {window}.")),
}
