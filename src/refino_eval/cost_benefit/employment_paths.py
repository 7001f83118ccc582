"""Effects on work by month: from chances of finding and losing work, from income, or from estimated effects.

All functions take arrays whose last axis is draws of inputs (one for the values themselves) and return months x draws.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Values = Mapping[str, FloatArray]
"""Input -> its draws, shape (draws,)."""

MONTHS = 12


@dataclass(frozen=True)
class EmploymentPaths:
    """Chances of finding work and shares in work by month, with and without the programme.

    Attributes
    ----------
    finding, finding_without
        Monthly chance of finding work in months 0, 1, ..., shape (months, draws).
    employed, employed_without
        Share in work at the end of months 1, 2, ..., shape (months, draws); nobody works at the start.
    """

    finding: FloatArray
    finding_without: FloatArray
    employed: FloatArray
    employed_without: FloatArray

    @property
    def effect(self) -> FloatArray:
        """Difference in the share in work, shape (months, draws)."""
        return self.employed - self.employed_without


def share_before(end: FloatArray, months: int) -> FloatArray:
    """Return how much of each of the months 0, 1, ... lies before a time, between 0 and 1, shape (months, draws)."""
    return np.clip(end[None, :] - np.arange(months)[:, None], 0.0, 1.0)


def employment_paths(values: Values, months: int) -> EmploymentPaths:
    """Return the shares in work that follow from monthly chances of finding and of losing work.

    With chance p of finding and s of losing work, the share in work is `E(t+1) = E(t) (1 - s) + (1 - E(t)) p`, `E(0) = 0`.
    In the programme p is `job_finding (1 + effect_during)`, after it `job_finding (1 + effect_after)` until `effect_months`
    from the start; s is `separation_affected` for `separation_months`. A month of which the programme takes a part has the
    weighted mean of both chances.
    """
    base, loss = values["job_finding"], values["separation"]
    during = share_before(values["duration"], months)
    affected = np.maximum(share_before(values["effect_months"], months), during)
    change = during * values["effect_during"] + (affected - during) * values["effect_after"]
    finding = np.clip(base * (1.0 + change), 0.0, 1.0)
    stay = share_before(values["separation_months"], months)
    losing = loss + stay * (values["separation_affected"] - loss)
    without = np.broadcast_to(base, finding.shape)
    return EmploymentPaths(
        finding,
        without,
        _shares(finding, losing),
        _shares(without, np.broadcast_to(loss, finding.shape)),
    )


def _shares(finding: FloatArray, losing: FloatArray) -> FloatArray:
    shares = np.empty_like(finding)
    share = np.zeros(finding.shape[1])
    for month in range(len(finding)):
        share = share * (1.0 - losing[month]) + (1.0 - share) * finding[month]
        shares[month] = share
    return shares


def income_effect(values: Values, months: int) -> FloatArray:
    """Return the effect on income in kroner a month: in the programme, after it, and its decay, shape (months, draws).

    After `income_months` from the start the effect falls by `income_decay` a year; 1 ends it at once.
    """
    during = share_before(values["duration"], months)
    lasting = np.maximum(share_before(values["income_months"], months), during)
    past = np.maximum(np.arange(1, months + 1)[:, None] - values["income_months"][None, :], 0.0)
    fading = (1.0 - lasting) * (1.0 - values["income_decay"]) ** (past / MONTHS)
    return (during * values["income_during"] + (lasting - during + fading) * values["income_after"]) / MONTHS
