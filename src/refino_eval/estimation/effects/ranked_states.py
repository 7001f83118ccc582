"""States of participation made from several programmes, and how long people stay in one.

A panel says for each period whether a person participates in each programme. Two questions need more than a mean of it:
in which one state was each person (`rank_states`, the form that `take_up.first_stage` reads), and how long did a stay
last (`stays`, the form that `survival.survival_shares` reads).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from refino_eval.errors import UserError
from refino_eval.estimation.core.arrays import BoolArray, Columns, FloatArray, as_columns, check_level

NONE = "none"
"""The state of those who participate in nothing that is listed."""


@dataclass(frozen=True, eq=False)
class RankedStates:
    """Participation over T periods as states that exclude each other and leave nothing out.

    Attributes
    ----------
    states
        S names, the weightiest first, ``none`` last.
    ever
        For each person the weightiest state held in any period, shape (n,); None where that is not known.
    periods
        Periods in each state, shape (n, S), which add up to T; NaN for people who are not observed in every period.
    """

    states: tuple[str, ...]
    ever: npt.NDArray[np.object_]
    periods: FloatArray


def rank_states(participation: Mapping[str, Columns]) -> RankedStates:
    """Return one state per person from several programmes: people in more than one count in the one named first.

    Parameters
    ----------
    participation
        Name -> matrix of shape (n, T), 1 in the periods with participation, else 0, NaN when not observed; weightiest first.

    Raises
    ------
    UserError
        When nothing is given, shapes differ, a value is other than 0, 1 or missing, or a programme is called ``none``.

    Notes
    -----
    Somebody observed in the first programme has been in it, whatever else is missing; anything else is known only of
    those who are observed in every period.
    """
    if not participation or NONE in participation:
        raise UserError(f"name at least one programme, and none of them '{NONE}'.")
    names = tuple(participation)
    parts = [as_columns(values, None, what=f"participation in '{name}'")[0] for name, values in participation.items()]
    if len({part.shape for part in parts}) > 1:
        raise UserError("participation in every programme must be given for the same people and periods.")
    for name, part in zip(names, parts, strict=True):
        wrong = int(np.count_nonzero(~(np.isin(part, (0.0, 1.0)) | np.isnan(part))))
        if wrong:
            raise UserError(f"participation in '{name}' must be 0, 1 or missing; {wrong} values are not.")
    observed = np.isfinite(np.stack(parts)).all(axis=(0, 2))
    left = np.ones(parts[0].shape, dtype=bool)
    periods = np.empty((parts[0].shape[0], len(names) + 1))
    ever = np.full(parts[0].shape[0], None, dtype=object)
    undecided = np.ones(ever.size, dtype=bool)
    # `left` are the person-periods that no earlier programme has taken.
    for s, part in enumerate(parts):
        inside = (part == 1.0) & left
        periods[:, s] = inside.sum(axis=1)
        left &= ~inside
        held = undecided & (part == 1.0).any(axis=1) & (observed | (s == 0))
        ever[held] = names[s]
        undecided &= ~held
    periods[:, -1] = left.sum(axis=1)
    ever[undecided & observed] = NONE
    periods[~observed] = np.nan
    return RankedStates((*names, NONE), ever, periods)


@dataclass(frozen=True, eq=False)
class Stays:
    """How long each person stayed in a programme, from the first period in it, every array of shape (n,).

    Attributes
    ----------
    started
        Whether the person started in the window, not having been in it the period before.
    duration
        Periods from the one of the start to the first without it, when ``ended``; else to the last one observed, and a half.
        NaN for people who did not start.
    ended
        1 when the end was observed, 0 when the stay lasts until observation ends.
    bridged
        Whether a gap was passed over.
    returned
        Whether the person came back after the end.
    already
        Whether the person was in the programme just before the window, so that the start is not known.
    """

    started: BoolArray
    duration: FloatArray
    ended: FloatArray
    bridged: BoolArray
    returned: BoolArray
    already: BoolArray


def stays(participation: Columns, *, first: int, last: int, gap: int = 0) -> Stays:
    """Measure the first stay that begins in a window of periods.

    Parameters
    ----------
    participation
        Shape (n, T), 1 in the programme, 0 outside, NaN not observed.
    first, last
        Columns of the first and the last period in which a start counts, both included.
    gap
        Periods outside that do not end a stay when the person is back after them. Somebody who is out in the last
        observed period has left.

    Notes
    -----
    The share still there k periods after the period of the start is the share whose duration exceeds k: `ended`
    durations are whole numbers, others lie half-way between the last observed period and the next, so that a stay counts
    as long as it is observed.
    """
    values, _ = as_columns(participation, None, what="participation")
    n, periods = values.shape
    if not 0 <= first <= last < periods or gap < 0:
        raise UserError(f"a start must lie within the {periods} periods, in order, and a gap is 0 or more periods.")
    inside = values == 1.0
    already = inside[:, first - 1] if first else np.zeros(n, dtype=bool)
    started = inside[:, first : last + 1].any(axis=1) & ~already
    duration, ended = np.full(n, np.nan), np.full(n, np.nan)
    bridged, returned = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    for i in np.flatnonzero(started):
        begin = first + int(np.argmax(inside[i, first : last + 1]))
        path = values[i, begin:]
        missing = np.flatnonzero(np.isnan(path))
        path = path[: missing[0]] if missing.size else path
        there = np.flatnonzero(path == 1.0)
        # A stay ends at the first gap longer than allowed; shorter ones are bridged.
        breaks = np.flatnonzero(np.diff(there) > gap + 1)
        end = int(there[breaks[0]]) if breaks.size else int(there[-1])
        ended[i] = float(end + 1 < path.size)
        duration[i] = end + 1.0 if ended[i] else end + 0.5
        returned[i] = bool(breaks.size)
        bridged[i] = int(np.count_nonzero(there <= end)) < end + 1
    return Stays(started, duration, ended, bridged, returned, already)


def share_interval(count: float, n: float, *, level: float = 0.95) -> tuple[float, float]:
    """Return Wilson's (1927) interval of a share, which has correct coverage near 0 and 1, too.

    Parameters
    ----------
    count, n
        People with the property, and people.
    level
        Confidence level.
    """
    check_level(level)
    if n <= 0:
        return float("nan"), float("nan")
    z2 = float(special.ndtri(0.5 + level / 2)) ** 2
    share = count / n
    # The shares p with (share - p)^2 <= z^2 p (1 - p) / n, solved for p.
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    reach = np.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n**2))) / (1 + z2 / n)
    # At 0 and n the limit is the share itself, but for rounding.
    low = 0.0 if count == 0 else float(middle - reach)
    high = 1.0 if count == n else float(middle + reach)
    return low, high
