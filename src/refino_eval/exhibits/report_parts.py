"""What a kind adds to the report beyond its table or figure: optional functions in `kinds/<kind>/text.py`.

A kind needs none of them; most have no such module.

`formula(exhibit, key, outcome, specification, labels)`
    The regression behind a number, where it is not simply the outcome on assignment.
`copied(exhibit, key)`
    Whether a number is an input copied from a document or the configuration, for exhibits that are not about people.
`methods(exhibit, labels)`
    A paragraph of the chapter on methods.
`summary(exhibit, frame, labels)`
    Sentences of the summary.
`other_effects(exhibit, frame, labels)`
    Sentences on effects, for an evaluation whose first page has no table of effects by outcome.
`period(exhibit, frame)`
    The first and the last month of assignment, or None.
`design_checks(exhibit, frame, labels)`
    What was tested about the design and its validity (see `DesignCheck`).

With several treated arms a kind that lays out a table for each gets the numbers of one arm at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from refino_eval.config.exhibits import FOLDER

LOADS = ("exhibits/kinds/*/text.py",)
"""What this module imports by name: `digest` follows it like an import."""


@dataclass(frozen=True)
class DesignCheck:
    """One thing that was tested about the design and its validity.

    Attributes
    ----------
    text
        What was tested, with the result.
    p_value
        That of the test, by which the summary orders the checks, the worst first; None where shares are shown without a test.
    """

    text: str
    p_value: float | None = None


@cache
def report_part(kind: str, name: str) -> Callable[..., Any] | None:
    """Return a function that a kind adds to the report, or None when it has none of that name."""
    module = f"{FOLDER}.{kind}.text"
    return getattr(import_module(module), name, None) if find_spec(module) is not None else None
