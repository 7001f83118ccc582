"""Kinds of outcomes: the one list of them, and what the configuration, the tables and the report know about each.

A line here registers a kind. How it is computed is in `refino_eval/outcomes/kinds/<kind>.py`, its sentence in
`text/outcome_kinds.yaml`, and its section in `docs/outcome_kinds.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class OutcomeKind:
    """What is known of a kind without computing it.

    Attributes
    ----------
    keys
        Which of `at`, `window`, `times`, `at_least`, `censored`, `spell` and `trim` it takes.
    mean_is_share
        Whether a mean over people is a share: `always`, `never`, or `as_read` when what is read is one.
    reads_truth
        Whether it asks in which periods something is true, and refuses a number.
    has_missing_rule
        Whether it decides what missing periods do, instead of the outcome's `missing`.
    adds_up
        Whether it adds the periods of a window up, so that a path over time sums to it.
    """

    keys: tuple[str, ...]
    mean_is_share: Literal["always", "never", "as_read"]
    reads_truth: bool = False
    has_missing_rule: bool = False
    adds_up: bool = False


OUTCOME_KINDS: Mapping[str, OutcomeKind] = {
    "value_at": OutcomeKind(("at",), "as_read"),
    "any_in": OutcomeKind(("window",), "always"),
    "months_in": OutcomeKind(("window",), "never", reads_truth=True, adds_up=True),
    "sum_over": OutcomeKind(("window",), "never", adds_up=True),
    "mean_over": OutcomeKind(("window",), "as_read"),
    "first_month": OutcomeKind(("window", "censored"), "never", reads_truth=True, has_missing_rule=True),
    "spell_of": OutcomeKind(("window", "at_least"), "always", reads_truth=True),
    "longest_spell": OutcomeKind(("window",), "never", reads_truth=True),
    "held_at": OutcomeKind(("times",), "always", reads_truth=True),
    "change": OutcomeKind(("times",), "as_read"),
    "during_spell": OutcomeKind(("window", "spell", "trim"), "always", reads_truth=True, has_missing_rule=True),
}
"""Every kind, a line each."""
