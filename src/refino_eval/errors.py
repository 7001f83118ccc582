"""The two families of errors: user errors, and everything else.

A user error (configuration, delivery, definition) is reported in one paragraph that says what is wrong and where, why,
and what to do; the program then ends with exit code 2 and no traceback. Any other exception is a fault of the program
and keeps its traceback. Messages carry counts and row numbers, never a person's id.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

NAMES_LISTED = 12
"""How many valid names a hint lists before it ends with an ellipsis."""


class UserError(Exception):
    """An error that the user can correct: one paragraph for each problem, exit code 2."""

    def __init__(self, *problems: str) -> None:
        self.problems: tuple[str, ...] = problems
        super().__init__("\n".join(problems))


def nearest(name: str, valid: Iterable[str]) -> str:
    """Return a hint that names the valid name closest to a misspelt one.

    Parameters
    ----------
    name
        What the user wrote.
    valid
        The names that are valid in its place.

    Returns
    -------
    str
        ``" Did you mean 'x'?"``; the list of valid names if none is close; or nothing if there are none.
    """
    names = sorted(set(valid))
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f" Did you mean '{close[0]}'?"
    if not names:
        return ""
    listed = ", ".join(names[:NAMES_LISTED]) + (", ..." if len(names) > NAMES_LISTED else "")
    return f" Valid names: {listed}."


def raise_problems(problems: Sequence[str]) -> None:
    """Raise all problems of a stage as one user error, or do nothing if there are none."""
    if problems:
        raise UserError(*problems)
