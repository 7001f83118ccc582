"""The two families of errors: a user's fault, and everything else.

A user's fault (configuration, delivery, definition) is told in one clear paragraph that says what is wrong, where,
by which rule, and what to do; the program then ends with exit code 2 and no traceback. Anything else is a fault of
the program and keeps its traceback. Messages carry counts and row numbers, never a person's id.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


class UserFault(Exception):
    """A fault of the user: one paragraph, exit code 2."""

    def __init__(self, *faults: str) -> None:
        self.faults: tuple[str, ...] = faults
        super().__init__("\n".join(faults))


def nearest(name: str, valid: Iterable[str]) -> str:
    """Return a hint naming the valid name nearest to a misspelt one.

    Parameters
    ----------
    name
        What the user wrote.
    valid
        The names that would have been right.

    Returns
    -------
    str
        ``" Did you mean 'x'?"``, or the list of valid names when none is near, or nothing when there are none.
    """
    names = sorted(set(valid))
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f" Did you mean '{close[0]}'?"
    if not names:
        return ""
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f" Valid names: {shown}."


def raise_faults(faults: Sequence[str]) -> None:
    """Raise all faults of a stage at once, or do nothing when there are none."""
    if faults:
        raise UserFault(*faults)
