"""The three families of errors, their exit codes, and how the operating system's errors are put into words.

user error (2)
    A problem in configuration, delivery or definition, reported in one paragraph that says what is wrong and where, why,
    and what to do; no traceback.
machine error (3)
    The machine refuses: disk full, out of memory, no permission. Reported in one paragraph; results are unaffected and the
    command can be repeated once the cause is removed.
fault of the program (1)
    Any other exception keeps its traceback.

Messages carry counts and row numbers, never a person's id.
"""

from __future__ import annotations

import datetime as dt
import difflib
import errno
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

USER_ERROR = 2
MACHINE_ERROR = 3
NAMES_LISTED = 12
"""How many valid names a hint lists before it ends with an ellipsis."""

NO_SPACE = "the disk is full or over its quota. Free some space and repeat the command."
NO_MEMORY = "not enough memory. Close other programs, use fewer --cores, or run on a larger machine."
_REASONS = {
    errno.ENOSPC: NO_SPACE,
    errno.EDQUOT: NO_SPACE,
    errno.EFBIG: "the file would exceed the largest size allowed here (see `ulimit -f`). Raise the limit.",
    errno.ENOMEM: NO_MEMORY,
    errno.EROFS: "the file system is read-only. Work in a copy of the project that can be written.",
    errno.EACCES: "permission denied. Ask for access, or correct the owner and mode of the folder.",
    errno.EPERM: "the operating system does not permit it. Ask for access.",
    errno.EMFILE: "too many open files. Raise the limit (`ulimit -n`) or use fewer --cores.",
    errno.ENFILE: "too many open files on this machine. Close other programs.",
    errno.EIO: "the disk or network drive reports an input/output error. Check it and repeat the command.",
    errno.ENAMETOOLONG: "the name is too long for this file system. Use a shorter one.",
}
MOST_VALUES = 20
"""With more different values than this, a column is rather one of ids than one of codes, and none is shown."""

_LONG_NUMBER = re.compile(r"[0-9]{6,}")


class UserError(Exception):
    """An error that the user can correct: one paragraph for each problem, exit code 2."""

    def __init__(self, *problems: str) -> None:
        self.problems: tuple[str, ...] = problems
        super().__init__("\n".join(problems))


class MachineError(Exception):
    """An error of the machine that the program runs on: one paragraph for each problem, exit code 3."""

    def __init__(self, *problems: str) -> None:
        self.problems: tuple[str, ...] = problems
        super().__init__("\n".join(problems))


def machine_problem(error: BaseException) -> str | None:
    """Return an exception of the operating system as a paragraph, or None for any other exception.

    The whole chain of causes is looked at, since libraries wrap what the system reports.
    """
    for cause in _causes(error):
        name = type(cause).__name__
        if isinstance(cause, MemoryError) or name == "OutOfMemoryException":
            return f"The program stopped: {NO_MEMORY}"
        if isinstance(cause, OSError) and cause.errno is not None and not isinstance(cause, BrokenPipeError):
            reason = _REASONS.get(cause.errno, f"{cause.strerror or name}.")
            return f"{_located(cause.filename)}{reason}"
        # DuckDB reports system errors in a class of its own, with the system's words at the end.
        if name == "IOException" and (quoted := reason_in(str(cause))):
            return f"The program stopped: {quoted}"
    return None


def reason_in(text: str) -> str | None:
    """Return the paragraph for a system error that a text quotes, or None; for the output of other programs."""
    number = re.search(r"\[Errno (\d+)\]", text)
    if number and int(number[1]) in _REASONS:
        return _REASONS[int(number[1])]
    if "MemoryError" in text or "OutOfMemoryException" in text or "Cannot allocate memory" in text:
        return NO_MEMORY
    quoted = {"No space left on device": NO_SPACE, "Disk quota exceeded": NO_SPACE}
    quoted |= {"Read-only file system": _REASONS[errno.EROFS], "Permission denied": _REASONS[errno.EACCES]}
    return next((reason for words, reason in quoted.items() if words in text), None)


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def _located(filename: object) -> str:
    """Return the place of a system error for a message; long numbers, which may be ids, are masked."""
    if not isinstance(filename, str | bytes | Path) or not filename:
        return "The program stopped: "
    path = Path(filename.decode("utf-8", "replace") if isinstance(filename, bytes) else filename)
    with suppress(ValueError, OSError):
        path = path.relative_to(Path.cwd())
    return f"{masked(str(path))[:200]}: "


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


def masked(text: str) -> str:
    """Return a text in which long numbers, which may be a person's id, are replaced by #; dates and months are kept."""

    def mask(match: re.Match[str]) -> str:
        digits = match.group()
        try:
            date = dt.datetime.strptime(digits, "%Y%m%d" if len(digits) == 8 else "%Y%m")
        except ValueError:
            return "#" * len(digits)
        return digits if 1990 <= date.year <= 2100 else "#" * len(digits)

    return _LONG_NUMBER.sub(mask, text)


def shown_values(values: Iterable[object], *, most: int = 5) -> str:
    """Return some values of data for a message: codes in quotes, or only their number if they may be ids."""
    texts = sorted({str(value) for value in values})
    if len(texts) > MOST_VALUES:
        return f"{len(texts):,} different values"
    listed = ", ".join(f"'{masked(text)[:20]}'" for text in texts[:most])
    return listed + (", ..." if len(texts) > most else "")


def raise_problems(problems: Sequence[str]) -> None:
    """Raise all problems of a stage as one user error, or do nothing if there are none."""
    if problems:
        raise UserError(*problems)
