"""The sample flow: one line for every group of people taken out, with the reason, and one for those who remain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

COLUMNS = ("step", "reason", "persons", "treated", "control")


@dataclass(frozen=True)
class FlowLine:
    """One line of the flow.

    Attributes
    ----------
    step
        `delivered`, `population`, or the name of a sample.
    reason
        Why these people were taken out; empty for the line of those who remain.
    persons, treated, control
        People (before repeated draws are taken out: draws), all and by arm.
    """

    step: str
    reason: str
    persons: int
    treated: int
    control: int


def flow_line(step: str, reason: str, treated: npt.ArrayLike) -> FlowLine:
    """Count one group of people by arm.

    Parameters
    ----------
    step, reason
        As in `FlowLine`.
    treated
        (n,) the arms of those counted, 0 or 1.
    """
    arms = np.asarray(treated, dtype=int)
    return FlowLine(step, reason, arms.size, int(arms.sum()), int(arms.size - arms.sum()))


def flow_frame(lines: Sequence[FlowLine]) -> pd.DataFrame:
    """Return the flow as a table with the columns of `run/flow.csv`."""
    return pd.DataFrame([vars(line) for line in lines], columns=list(COLUMNS))
