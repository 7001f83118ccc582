"""Null results: which effects the data reject, and which the trial could have detected.

A p-value above .05 alone says neither. The card shows for each outcome: the confidence interval in units and in per
cent of the control mean; the effect that the trial had 80 % power to detect (Bloom 1995); two one-sided tests against a
margin declared beforehand (Schuirmann 1987); and the smallest effects in each direction that are rejected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from refino_eval.errors import UserError, nearest
from refino_eval.estimation.core.arrays import FloatArray, IntArray, ratio
from refino_eval.estimation.effects.itt import EffectTable

Verdict = Literal["equivalent", "different", "both", "undecided", "no margin"]


@dataclass(frozen=True, eq=False)
class NullCard:
    """One value per outcome, every array of shape (J,).

    Attributes
    ----------
    estimate, std_error, df, p_value, conf_low, conf_high, mean_control
        As in `itt.EffectTable`; the interval is two-sided at ``level``.
    mde
        Smallest true effect that the two-sided test at 1 - ``level`` detects with probability ``power``, of either sign.
    rejected_above, rejected_below
        Ends of the one-sided confidence bounds at ``level``: a one-sided test rejects every effect from
        ``rejected_above`` up, and every effect from ``rejected_below`` down.
    margin
        Effects nearer to 0 than this are declared unimportant; NaN where none was declared.
    p_below_margin, p_above_minus_margin
        One-sided p-values of the nulls that the effect is at least ``margin``, and at most -``margin``.
    p_equivalence
        The larger of the two: p of the null that the effect is not within the margin.
    verdict
        ``equivalent`` (within the margin at 1 - ``level``), ``different`` (two-sided p at most 1 - ``level``),
        ``both`` (not 0, and too small to matter), ``undecided``, or ``no margin``.
    p_randomisation, p_family
        As given, NaN when not.
    level, power
        Of the card.
    """

    outcomes: tuple[str, ...]
    estimate: FloatArray
    std_error: FloatArray
    df: IntArray
    p_value: FloatArray
    conf_low: FloatArray
    conf_high: FloatArray
    mean_control: FloatArray
    mde: FloatArray
    rejected_above: FloatArray
    rejected_below: FloatArray
    margin: FloatArray
    p_below_margin: FloatArray
    p_above_minus_margin: FloatArray
    p_equivalence: FloatArray
    verdict: tuple[Verdict, ...]
    p_randomisation: FloatArray
    p_family: FloatArray
    level: float
    power: float

    def percent(self, values: FloatArray) -> FloatArray:
        """100 x values / control mean, shape (J,); NaN where the control mean is 0."""
        return 100.0 * ratio(values, self.mean_control)

    @property
    def smallest_margin(self) -> FloatArray:
        """Margin that the two one-sided tests would just pass, shape (J,): any larger one gives equivalence."""
        return np.maximum(np.abs(self.rejected_above), np.abs(self.rejected_below))

    def to_frame(self) -> pd.DataFrame:
        """One row per outcome; what is in units also in per cent of the control mean, under ``percent_<name>``."""
        columns: dict[str, Any] = {
            "outcome" if entry.name == "outcomes" else entry.name: getattr(self, entry.name) for entry in fields(self)
        }
        columns["smallest_margin"] = self.smallest_margin
        in_units = (
            "estimate", "conf_low", "conf_high", "mde", "rejected_above", "rejected_below", "margin", "smallest_margin",
        )  # fmt: skip
        columns |= {f"percent_{name}": self.percent(columns[name]) for name in in_units}
        return pd.DataFrame(columns)


def null_card(
    effects: EffectTable,
    *,
    margin: float | Mapping[str, float] | None = None,
    power: float = 0.8,
    p_randomisation: npt.ArrayLike | None = None,
    p_family: npt.ArrayLike | None = None,
) -> NullCard:
    """Describe which effects an estimate rules out.

    Parameters
    ----------
    effects
        Estimates with their t reference and level (`itt.itt`).
    margin
        Margin of equivalence in units of the outcome, positive: one for all, or by outcome (others have none).
    power
        Of the minimum detectable effect.
    p_randomisation, p_family
        Randomisation and family-wise p-values in the order of the outcomes, shape (J,).

    Raises
    ------
    UserError
        When a margin is not positive or names an unknown outcome, power is not a share above the test's size, or
        p-values have another length.

    Notes
    -----
    mde = (t_{(1 + level)/2} + t_power) x std_error, quantiles of t with the estimate's degrees of freedom.
    """
    size = 1.0 - effects.level
    if not size < power < 1.0:
        raise UserError(f"power must lie between the test's size {size:.3g} and 1, and is {power}; 0.8 is usual.")
    margins = _margins(margin, effects.outcomes)
    df, std_error = effects.df.astype(np.float64), np.where(effects.std_error > 0, effects.std_error, np.nan)
    one_sided = special.stdtrit(df, effects.level) * std_error
    # Two one-sided tests (Schuirmann 1987): equivalence is rejecting both, so the larger p counts.
    p_below = special.stdtr(df, (effects.estimate - margins) / std_error)
    p_above = special.stdtr(df, -(effects.estimate + margins) / std_error)
    p_equivalence = np.maximum(p_below, p_above)
    verdicts = zip(p_equivalence <= size, effects.p_value <= size, np.isnan(margins), strict=True)
    return NullCard(
        outcomes=effects.outcomes,
        estimate=effects.estimate,
        std_error=effects.std_error,
        df=effects.df,
        p_value=effects.p_value,
        conf_low=effects.conf_low,
        conf_high=effects.conf_high,
        mean_control=effects.mean_control,
        mde=np.asarray((special.stdtrit(df, 1.0 - size / 2) + special.stdtrit(df, power)) * std_error),
        rejected_above=effects.estimate + one_sided,
        rejected_below=effects.estimate - one_sided,
        margin=margins,
        p_below_margin=p_below,
        p_above_minus_margin=p_above,
        p_equivalence=p_equivalence,
        verdict=tuple(_verdict(*tests) for tests in verdicts),
        p_randomisation=_given(p_randomisation, len(effects.outcomes), "p_randomisation"),
        p_family=_given(p_family, len(effects.outcomes), "p_family"),
        level=effects.level,
        power=power,
    )


def _verdict(equivalent: bool, different: bool, no_margin: bool) -> Verdict:
    if no_margin:
        return "no margin"
    if equivalent:
        return "both" if different else "equivalent"
    return "different" if different else "undecided"


def _margins(margin: float | Mapping[str, float] | None, outcomes: tuple[str, ...]) -> FloatArray:
    margins = np.full(len(outcomes), np.nan)
    if margin is None:
        return margins
    declared = margin if isinstance(margin, Mapping) else dict.fromkeys(outcomes, margin)
    problems = []
    for name, value in declared.items():
        if name not in outcomes:
            problems.append(
                f"A margin is declared for '{name}', which is not among the outcomes.{nearest(name, outcomes)}"
            )
        elif not (np.isfinite(value) and value > 0):
            problems.append(
                f"The margin of '{name}' must be a positive number, in the outcome's units, and is {value}."
            )
        else:
            margins[outcomes.index(name)] = value
    if problems:
        raise UserError(*problems)
    return margins


def _given(values: npt.ArrayLike | None, n: int, what: str) -> FloatArray:
    if values is None:
        return np.full(n, np.nan)
    given = np.asarray(values, dtype=np.float64)
    if given.shape != (n,):
        raise UserError(
            f"{what} holds {given.size} values for {n} outcomes; give one per outcome, in the table's order."
        )
    return given
