"""Look up a number by its name: `exhibit:row:column:statistic`, and the panel where the exhibit has several.

A row may contain a colon (`population:area_left`): every reading of the name is tried, the one without a panel first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from refino_eval.errors import UserError, nearest
from refino_eval.exhibits.tidy import Key, reason_not_made
from refino_eval.exhibits.wording.reasons import reason_text
from refino_eval.report.trail.trails import Trails

FORM = "exhibit:row:column:statistic, with the panel after another colon or in --panel"

Reading = tuple[str | None, str, str, str]
"""Panel (None: not given), row, column and statistic that a name may mean."""


def find_number(trails: Trails, name: str, *, panel: str | None = None) -> tuple[str, Key]:
    """Return the exhibit and key of a number.

    Parameters
    ----------
    trails
        The run.
    name
        For instance ``table_8_1:treated:wage:estimate``.
    panel
        The panel, where the name does not say it; by default the only one that has the number, else that of the
        exhibit's first specification.

    Raises
    ------
    UserError
        When there is no such number: names the part that is not valid, and the nearest valid one.
    """
    exhibit, *rest = name.split(":")
    made = made_exhibits(trails)
    if exhibit not in made:
        raise UserError(f"There is no exhibit '{exhibit}' among the numbers of this run.{nearest(exhibit, made)}")
    if (reason := reason_not_made(trails.inputs.numbers(exhibit))) is not None:
        raise UserError(
            f"The exhibit '{exhibit}' could not be made, so it has no numbers to follow: {reason_text(reason, 'en')}"
        )
    if len(rest) < 3:
        raise UserError(f"'{name}' does not name one number. Write {FORM}.{_example(exhibit, trails)}")
    keys = trails.numbers(exhibit)
    readings = list(_readings(rest, panel))
    for reading in readings:
        matches = [key for key in keys if key[1:] == reading[1:] and reading[0] in (None, key[0])]
        if matches:
            return exhibit, _choose(exhibit, name, matches, trails)
    # Of several readings, the one with the most valid parts is most likely what was meant.
    raise UserError(max(_miss(exhibit, reading, keys) for reading in readings)[1])


def made_exhibits(trails: Trails) -> list[str]:
    """Return the exhibits whose numbers the run has made."""
    inputs = trails.inputs
    return [name for name in inputs.evaluation.exhibits if (inputs.aggregates_dir / f"{name}.csv").is_file()]


def _readings(rest: list[str], panel: str | None) -> Iterator[Reading]:
    yield panel, ":".join(rest[:-2]), rest[-2], rest[-1]
    if panel is None and len(rest) > 3:
        yield rest[-1], ":".join(rest[:-3]), rest[-3], rest[-2]


def _choose(exhibit: str, name: str, matches: list[Key], trails: Trails) -> Key:
    """Return one of several panels: that of the exhibit's first specification."""
    if len(matches) == 1:
        return matches[0]
    first = next(iter(trails.definitions.exhibits[exhibit].specifications_read), "")
    chosen = [key for key in matches if key[0] in (first, "")]
    if chosen:
        return chosen[0]
    panels = ", ".join(f"'{key[0]}'" for key in matches)
    raise UserError(
        f"'{name}' is in several panels of {exhibit}: {panels}. Add the panel after another colon, or in --panel."
    )


def _miss(exhibit: str, reading: Reading, keys: Collection[Key]) -> tuple[int, str]:
    """Return how many parts of a name are valid, in the order in which they are written, and a message about the next."""
    left = list(keys)
    for valid, (index, what) in enumerate(((1, "row"), (2, "column"), (3, "statistic"), (0, "panel"))):
        value = reading[index]
        matches = [key for key in left if value in (None, key[index])]
        if value is not None and not matches:
            among = "" if len(left) == len(keys) else " there"
            return valid, f"{exhibit} has no {what} '{value}'{among}.{nearest(value, {key[index] for key in left})}"
        left = matches
    raise AssertionError("every part is valid")


def _example(exhibit: str, trails: Trails) -> str:
    panel, row, column, statistic = next(iter(trails.numbers(exhibit)))
    return f" For example {':'.join((exhibit, row, column, statistic, *([panel] if panel else [])))}."
