"""Does the effect differ between people? Interactions one at a time and all together, and effects by subgroup.

One at a time, each moderator g gives the regression of the outcome on z, z x g, g, the other controls and cells; the
main coefficient of z is the effect where g = 0. The report's table shows the main coefficients of the controls too, so
all are kept. All together, a Wald test asks whether any moderator matters. Subgroups have their own cells and controls
throughout, so that their effects are those of separate trials; differences use the joint covariance.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from refino_eval.errors import UserFault
from refino_eval.estimation.cells import encode
from refino_eval.estimation.inference import WaldTest, t_inference, wald_test
from refino_eval.estimation.inputs import (
    BoolArray,
    Columns,
    FloatArray,
    IntArray,
    Labels,
    Missing,
    Singletons,
    Vcov,
    Vector,
    as_columns,
    as_mask,
    as_treated,
    check_cluster,
    check_length,
    check_level,
)
from refino_eval.estimation.itt import EffectTable, effect_table
from refino_eval.estimation.kernel import Design, Fit, cross_product
from refino_eval.estimation.multiplicity import normal_statistics
from refino_eval.estimation.passes import prepare_passes
from refino_eval.estimation.preparation import prepare_columns
from refino_eval.estimation.randomisation import StatisticDraws
from refino_eval.estimation.samples import choose_samples

TREATED = "treated"


@dataclass(frozen=True, eq=False)
class Regression:
    """One regression with everything it estimated but the cells' constants.

    Arrays of shape (T,), one value a term; ``moderator`` is empty when all moderators entered together. ``dropped``
    are terms left out as collinear with cells or earlier terms.
    """

    outcome: str
    moderator: str
    terms: tuple[str, ...]
    estimate: FloatArray
    std_error: FloatArray
    t: FloatArray
    p_value: FloatArray
    conf_low: FloatArray
    conf_high: FloatArray
    n: int
    df: int
    r_squared: float
    dropped: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row a term."""
        columns = ("estimate", "std_error", "t", "p_value", "conf_low", "conf_high")
        frame = pd.DataFrame({"term": self.terms} | {name: getattr(self, name) for name in columns})
        frame.insert(0, "moderator", self.moderator)
        frame.insert(0, "outcome", self.outcome)
        return frame.assign(n=self.n, df=self.df, r_squared=self.r_squared)


@dataclass(frozen=True, eq=False)
class InteractionTable:
    """Interactions of the draw with moderators, arrays of shape (J, M) for J outcomes and M moderators.

    Attributes
    ----------
    main, main_std_error, main_p_value
        The draw's own coefficient beside one moderator: the effect where the moderator is 0.
    estimate, std_error, t, p_value, conf_low, conf_high
        The interaction, one moderator at a time.
    estimate_together, std_error_together, p_value_together
        The interaction with all moderators in; NaN where it is collinear with earlier ones.
    n, df
        Of the regressions one at a time.
    joint_test
        For each outcome, Wald test that all interactions together are 0.
    regressions, together
        All coefficients: J x M regressions outcome by outcome, and J with all moderators.
    cov
        Covariance of the interactions one at a time, shape (J M, J M) in the order of ``tests``; None under ``iid``.
    """

    outcomes: tuple[str, ...]
    moderators: tuple[str, ...]
    main: FloatArray
    main_std_error: FloatArray
    main_p_value: FloatArray
    estimate: FloatArray
    std_error: FloatArray
    t: FloatArray
    p_value: FloatArray
    conf_low: FloatArray
    conf_high: FloatArray
    estimate_together: FloatArray
    std_error_together: FloatArray
    p_value_together: FloatArray
    n: IntArray
    df: IntArray
    joint_test: tuple[WaldTest, ...]
    regressions: tuple[Regression, ...] = field(repr=False)
    together: tuple[Regression, ...] = field(repr=False)
    cov: FloatArray | None = field(repr=False)
    vcov: Vcov
    level: float

    @property
    def tests(self) -> tuple[str, ...]:
        """Name each interaction, ``<outcome> | <moderator>``, in the order of ``p_value.ravel()``."""
        return tuple(f"{outcome} | {moderator}" for outcome in self.outcomes for moderator in self.moderators)

    def statistics(self, *, draws: int = 10_000, seed: int = 1) -> StatisticDraws:
        """Draw all interactions' t statistics jointly under the null, for `multiplicity.multiplicity`."""
        if self.cov is None:
            raise UserFault(
                "Classical (iid) errors of several regressions have no joint covariance; choose HC0-HC3 or CRV1."
            )
        return normal_statistics(self.tests, self.estimate.ravel(), self.cov, draws=draws, seed=seed)

    def to_frame(self) -> pd.DataFrame:
        """One row an outcome and moderator, with the outcome's joint test."""
        columns = ("main", "main_std_error", "main_p_value", "estimate", "std_error", "t", "p_value", "conf_low",
                   "conf_high", "estimate_together", "std_error_together", "p_value_together", "n", "df")  # fmt: skip
        repeated = len(self.moderators)
        index = {
            "outcome": np.repeat(self.outcomes, repeated),
            "moderator": np.tile(self.moderators, len(self.outcomes)),
        }
        frame = pd.DataFrame(index | {name: getattr(self, name).ravel() for name in columns})
        joint = {"f_stat": "joint_f_stat", "df_num": "joint_df", "p_value": "joint_p_value"}
        for name, column in joint.items():
            frame[column] = np.repeat([getattr(test, name) for test in self.joint_test], repeated)
        return frame.assign(vcov=self.vcov)

    def coefficients(self) -> pd.DataFrame:
        """Every coefficient, one row an outcome, moderator and term; then those with all moderators together."""
        return pd.concat([one.to_frame() for one in (*self.regressions, *self.together)], ignore_index=True)


@dataclass(frozen=True, eq=False)
class SubgroupTable:
    """Effects in G groups, and their differences from the first group.

    Attributes
    ----------
    groups
        Their labels, sorted.
    effects
        One `itt.EffectTable` a group.
    difference, std_error, t, p_value, conf_low, conf_high
        Effect in each later group less that in the first, shape (G - 1, J).
    df
        Of these, shape (J,): those of all groups together, or clusters - 1.
    equality
        For each outcome, Wald test that the effect is the same in all groups.
    """

    groups: tuple[Hashable, ...]
    effects: tuple[EffectTable, ...]
    difference: FloatArray
    std_error: FloatArray
    t: FloatArray
    p_value: FloatArray
    conf_low: FloatArray
    conf_high: FloatArray
    df: IntArray
    equality: tuple[WaldTest, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row a group and outcome: the columns of `itt.EffectTable`, then ``difference_...`` and the equality p."""
        parts = []
        for place, (group, effects) in enumerate(zip(self.groups, self.effects, strict=True)):
            frame = effects.to_frame()
            frame.insert(0, "group", group)
            for name in ("difference", "std_error", "p_value", "conf_low", "conf_high"):
                label = name if name == "difference" else f"difference_{name}"
                frame[label] = np.nan if place == 0 else getattr(self, name)[place - 1]
            parts.append(frame.assign(p_equality=[test.p_value for test in self.equality]))
        return pd.concat(parts, ignore_index=True)


def interactions(
    outcomes: Columns,
    treated: Vector,
    moderators: Columns,
    *,
    cells: Labels | None = None,
    controls: Columns | None = None,
    weights: Vector | None = None,
    cluster: Labels | None = None,
    vcov: Vcov = "HC1",
    singletons: Singletons = "keep",
    missing: Missing = "error",
    rows: BoolArray | None = None,
    level: float = 0.95,
    names: Sequence[str] | None = None,
) -> InteractionTable:
    """Estimate how the effect of the draw varies with each moderator.

    Parameters
    ----------
    outcomes, treated, cells, weights, cluster, vcov, singletons, missing, rows, level, names
        As in `itt.itt`.
    moderators
        Shape (n, M), measured before the draw, as they are: the main coefficient is the effect where they are 0.
    controls
        As in `itt.itt`. A moderator's own column is added to them where they lack its name, so that the interaction
        does not pick up its level.

    Raises
    ------
    UserFault
        As `itt.itt`; and when an interaction cannot be told from the draw and the controls.
    """
    check_cluster(cluster, vcov)
    check_level(level)
    drawn = as_treated(treated)
    values, found = as_columns(outcomes, drawn.size, what="outcomes", names=names)
    wanted, listed = as_columns(moderators, drawn.size, what="moderators")
    beside = _named(controls, drawn.size)
    among = None if rows is None else as_mask(rows, drawn.size)
    groups = None if cluster is None else encode(cluster, drawn.size, what="cluster")
    keyed = [np.zeros((len(found), len(listed))) for _ in range(2)]
    singles: dict[tuple[int, int], Regression] = {}
    together: dict[int, tuple[Regression, WaldTest]] = {}
    scores = np.zeros((drawn.size, len(found), len(listed)))
    for pattern in choose_samples(values, found, missing, among=among):
        options = {"cells": cells, "weights": weights, "cluster": cluster, "singletons": singletons}
        chosen = [found[j] for j in pattern.columns]
        for m, moderator in enumerate(listed):
            design = _interacted(drawn, wanted[:, [m]], (moderator,), beside, pattern.rows, options, strict=True)
            fit = design.fit(pd.DataFrame(values[:, pattern.columns], columns=chosen))
            for place, j in enumerate(pattern.columns):
                singles[int(j), m] = _regression(fit, place, moderator, vcov, level)
            if vcov != "iid":
                scores[:, pattern.columns, m] = fit.scores(vcov, focus=len(design.focus) - 1)
        design = _interacted(drawn, wanted, listed, beside, pattern.rows, options, strict=False)
        fit = design.fit(pd.DataFrame(values[:, pattern.columns], columns=chosen))
        for place, j in enumerate(pattern.columns):
            together[int(j)] = _regression(fit, place, "", vcov, level), _joint(fit, place, vcov, listed)
    del keyed
    cov = None
    if vcov != "iid":
        cov = cross_product(scores.reshape(drawn.size, -1), groups)
    return _table(found, listed, singles, together, cov, vcov, level)
