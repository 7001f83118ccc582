"""The sample flow: one line for each group of people excluded, with the reason, and one for those who remain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
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
        Why these people were excluded; empty for the line of those who remain.
    persons, treated, control
        People (before repeated draws are excluded: draws): all, those of a treated arm, those of the control arm.
    by_arm
        The treated, by arm.
    """

    step: str
    reason: str
    persons: int
    treated: int
    control: int
    by_arm: Mapping[str, int] = field(default_factory=dict)


def flow_line(step: str, reason: str, people: pd.DataFrame, *, arm: str = "arm") -> FlowLine:
    """Count one group of people by arm.

    Parameters
    ----------
    step, reason
        As in `FlowLine`.
    people
        Those counted: `treated` (0 or 1, or missing where the arm is unknown) and the arm's name.
    arm
        The column of the arm's name.
    """
    treated = np.asarray(people["treated"], dtype=float)
    by_arm = people.loc[treated == 1, arm].value_counts()
    counts = {str(name): int(count) for name, count in by_arm.items()}
    return FlowLine(step, reason, treated.size, int((treated == 1).sum()), int((treated == 0).sum()), counts)


def flow_frame(lines: Sequence[FlowLine], treated: Sequence[str] = ()) -> pd.DataFrame:
    """Return the flow as a table with the columns of `run/flow.csv`, and `arm_<name>` for each of several treated arms.

    Parameters
    ----------
    lines
        The flow.
    treated
        Names of the treated arms, so that one without people has its column too; default: those that have people.
    """
    arms = list(dict.fromkeys([*(arm for line in lines for arm in line.by_arm), *treated]))
    rows: list[dict[str, object]] = []
    for line in lines:
        row: dict[str, object] = {name: getattr(line, name) for name in COLUMNS}
        if len(arms) > 1:
            row |= {f"arm_{arm}": line.by_arm.get(arm, 0) for arm in arms}
        rows.append(row)
    return pd.DataFrame(rows, columns=[*COLUMNS, *(f"arm_{arm}" for arm in arms if len(arms) > 1)])
