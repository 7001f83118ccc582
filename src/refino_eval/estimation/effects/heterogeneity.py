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

from refino_eval.errors import UserError
from refino_eval.estimation.core.absorbed_cells import encode
from refino_eval.estimation.core.arrays import (
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
from refino_eval.estimation.core.coefficient_tests import WaldTest, t_inference, wald_test
from refino_eval.estimation.core.kernel import Design, Fit, cross_product
from refino_eval.estimation.core.outcome_groups import prepare_passes
from refino_eval.estimation.core.preparation import prepare_columns
from refino_eval.estimation.core.samples import choose_samples
from refino_eval.estimation.effects.itt import EffectTable, effect_table
from refino_eval.estimation.randomisation.multiplicity import normal_statistics
from refino_eval.estimation.randomisation.permutation_test import StatisticDraws

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
            raise UserError(
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
            frame.insert(0, "group", pd.Series([group] * len(frame)))
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
    UserError
        As `itt.itt`; and when an interaction cannot be told from the draw and the controls.
    """
    check_cluster(cluster, vcov)
    check_level(level)
    drawn = as_treated(treated)
    values, found = as_columns(outcomes, drawn.size, what="outcomes", names=names)
    wanted, listed = as_columns(moderators, drawn.size, what="moderators")
    beside = _named(controls, drawn.size)
    right = _RightHandSide(drawn, wanted, listed, beside, cells, weights, cluster, singletons)
    singles: dict[tuple[int, int], Regression] = {}
    together: dict[int, tuple[Regression, WaldTest]] = {}
    scores = np.zeros((drawn.size, len(found), len(listed)))
    among = None if rows is None else as_mask(rows, drawn.size)
    for pattern in choose_samples(values, found, missing, among=among):
        columns = pd.DataFrame(values[:, pattern.columns], columns=[found[j] for j in pattern.columns])
        for m in range(len(listed)):
            fit = right.one(m, pattern.rows).fit(columns)
            singles |= {(int(j), m): _regression(fit, k, listed[m], vcov, level) for k, j in enumerate(pattern.columns)}
            if vcov != "iid":
                scores[:, pattern.columns, m] = fit.scores(vcov, focus=len(fit.design.focus) - 1)
        fit = right.all(pattern.rows).fit(columns)
        for k, j in enumerate(pattern.columns):
            together[int(j)] = _regression(fit, k, "", vcov, level), _joint(fit, k, vcov, listed)
    groups = None if cluster is None else encode(cluster, drawn.size, what="cluster")
    cov = None if vcov == "iid" else cross_product(scores.reshape(drawn.size, -1), groups)
    regressions = tuple(singles[j, m] for j in range(len(found)) for m in range(len(listed)))
    pooled = tuple(together[j] for j in range(len(found)))
    return InteractionTable(
        outcomes=found,
        moderators=listed,
        **_collect(regressions, tuple(one for one, _ in pooled), len(found), listed),
        joint_test=tuple(test for _, test in pooled),
        regressions=regressions,
        together=tuple(one for one, _ in pooled),
        cov=cov,
        vcov=vcov,
        level=level,
    )


def subgroups(
    outcomes: Columns,
    treated: Vector,
    groups: Labels,
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
) -> SubgroupTable:
    """Estimate the effect of the draw in each group by itself, and the differences between groups.

    Parameters
    ----------
    outcomes, treated, cells, controls, weights, cluster, vcov, singletons, missing, rows, level, names
        As in `itt.itt`, in each group.
    groups
        A label a person known before the draw, shape (n,); every person in ``rows`` has one.

    Raises
    ------
    UserError
        As `itt.itt`, naming the group; and when there are fewer than two groups.

    Notes
    -----
    Groups share nobody, so without clusters the variance of a difference is the sum of variances. Clusters may span
    groups; their scores are then summed over groups before they are squared.
    """
    check_cluster(cluster, vcov)
    check_level(level)
    drawn = as_treated(treated)
    values, found = as_columns(outcomes, drawn.size, what="outcomes", names=names)
    among = np.ones(drawn.size, dtype=bool) if rows is None else as_mask(rows, drawn.size)
    parts = []
    labelled = _members(groups, among)
    for label, member in labelled:
        try:
            passes = prepare_passes(
                values, found, drawn, cells=cells, controls=controls, weights=weights, cluster=cluster,
                singletons=singletons, missing=missing, rows=member,
            )  # fmt: skip
        except UserError as fault:
            raise UserError(*(f"Group '{label}': {line}" for line in fault.problems)) from fault
        fits = [one.fit(values) for one in passes]
        effects = effect_table(passes, fits, values, found, drawn, vcov=vcov, level=level)
        scores = np.zeros((drawn.size, len(found)))
        for one, fit in zip(passes, fits, strict=True):
            scores[:, one.columns] = fit.scores("HC0" if vcov == "iid" else vcov)
        parts.append((effects, scores))
    clusters = None if cluster is None else encode(cluster, drawn.size, what="cluster")
    covs = [
        _group_cov([(effects, scores[:, j]) for effects, scores in parts], j, vcov, clusters) for j in range(len(found))
    ]
    df = np.sum([effects.df for effects, _ in parts], axis=0)
    if clusters is not None:
        df = np.full(len(found), np.unique(clusters[among]).size - 1)
    return _compare(tuple(label for label, _ in labelled), tuple(effects for effects, _ in parts), covs, df, level)


def _members(groups: Labels, among: BoolArray) -> list[tuple[Hashable, BoolArray]]:
    """List the groups of the people in question, sorted by label."""
    listed = list(groups.itertuples(index=False, name=None)) if isinstance(groups, pd.DataFrame) else list(groups)
    check_length(len(listed), among.size, what="groups")
    inside = np.flatnonzero(among)
    codes = encode([listed[i] for i in inside], inside.size, what="groups")
    first = np.unique(codes, return_index=True)[1]
    if first.size < 2:
        raise UserError(
            "Subgroups need at least two groups with people in use, and there is one; choose another variable."
        )
    members = []
    for code, at in enumerate(first):
        mask = np.zeros(among.size, dtype=bool)
        mask[inside[codes == code]] = True
        members.append((listed[inside[at]], mask))
    try:
        return sorted(members, key=lambda member: member[0])
    except TypeError:
        return sorted(members, key=lambda member: str(member[0]))


def _group_cov(
    parts: list[tuple[EffectTable, FloatArray]], outcome: int, vcov: Vcov, clusters: IntArray | None
) -> FloatArray:
    """Covariance of one outcome's effects in all groups, shape (G, G)."""
    if vcov == "iid":
        return np.diag([float(effects.std_error[outcome]) ** 2 for effects, _ in parts])
    return cross_product(np.column_stack([scores for _, scores in parts]), clusters)


def _compare(
    groups: tuple[Hashable, ...], effects: tuple[EffectTable, ...], covs: list[FloatArray], df: IntArray, level: float
) -> SubgroupTable:
    estimates = np.array([one.estimate for one in effects])
    contrast = np.hstack((-np.ones((len(groups) - 1, 1)), np.eye(len(groups) - 1)))
    difference = contrast @ estimates
    spread = [contrast @ cov @ contrast.T for cov in covs]
    std_error = np.sqrt(np.column_stack([np.diag(cov) for cov in spread]))
    told = t_inference(difference, std_error, df, level=level)
    tests = [wald_test(difference[:, j], cov, float(df[j])) for j, cov in enumerate(spread)]
    return SubgroupTable(
        groups=groups,
        effects=effects,
        difference=difference,
        std_error=std_error,
        t=told.t,
        p_value=told.p_value,
        conf_low=told.conf_low,
        conf_high=told.conf_high,
        df=df,
        equality=tuple(tests),
    )


@dataclass(frozen=True, eq=False, repr=False)
class _RightHandSide:
    """The columns from which interacted designs are made."""

    drawn: FloatArray
    moderators: FloatArray
    names: tuple[str, ...]
    controls: tuple[FloatArray, tuple[str, ...]]
    cells: Labels | None
    weights: Vector | None
    cluster: Labels | None
    singletons: Singletons

    def one(self, moderator: int, rows: BoolArray) -> Design:
        """Prepare the design with one moderator; its last term is the interaction."""
        design = self._design([moderator], rows)
        name = interaction_name(self.names[moderator])
        if design.focus[-2:] != (TREATED, name):
            lost = name if TREATED in design.focus else TREATED
            raise UserError(
                f"'{lost}' cannot be told from cells, controls and the draw ({design.n} people in use): the moderator "
                f"'{self.names[moderator]}' or the draw does not vary where it should. Leave the moderator out."
            )
        return design

    def all(self, rows: BoolArray) -> Design:
        """Prepare the design with all moderators; interactions that are collinear are left out."""
        return self._design(list(range(len(self.names))), rows)

    def _design(self, chosen: list[int], rows: BoolArray) -> Design:
        controls, listed = self.controls
        added = [m for m in chosen if self.names[m] not in listed]
        drawn = self.drawn[:, None]
        names = [*listed, *(self.names[m] for m in added), TREATED, *(interaction_name(self.names[m]) for m in chosen)]
        return prepare_columns(
            np.hstack((controls, self.moderators[:, added], drawn, drawn * self.moderators[:, chosen])),
            names=names, cells=self.cells, weights=self.weights, cluster=self.cluster, singletons=self.singletons,
            rows=rows, collinear="drop",
        )  # fmt: skip


def interaction_name(moderator: str) -> str:
    """Name the product of the draw and a moderator."""
    return f"{TREATED} x {moderator}"


def _named(controls: Columns | None, n: int) -> tuple[FloatArray, tuple[str, ...]]:
    return (np.empty((n, 0)), ()) if controls is None else as_columns(controls, n, what="controls")


def _regression(fit: Fit, outcome: int, moderator: str, vcov: Vcov, level: float) -> Regression:
    design = fit.design
    estimate = fit.coefficients[:, outcome]
    std_error = np.sqrt(np.diag(fit.coefficient_cov(outcome, vcov)))
    told = t_inference(estimate, std_error, design.df(vcov), level=level)
    return Regression(
        outcome=fit.names[outcome],
        moderator=moderator,
        terms=design.focus,
        estimate=estimate,
        std_error=std_error,
        t=told.t,
        p_value=told.p_value,
        conf_low=told.conf_low,
        conf_high=told.conf_high,
        n=design.n,
        df=design.df(vcov),
        r_squared=float(fit.r_squared[outcome]),
        dropped=design.dropped,
    )


def _joint(fit: Fit, outcome: int, vcov: Vcov, moderators: tuple[str, ...]) -> WaldTest:
    """Test that all interactions that could be told apart are 0."""
    names = {interaction_name(moderator) for moderator in moderators}
    chosen = [k for k, term in enumerate(fit.design.focus) if term in names]
    cov = fit.coefficient_cov(outcome, vcov)[np.ix_(chosen, chosen)]
    return wald_test(fit.coefficients[chosen, outcome], cov, fit.design.df(vcov))


def _collect(
    regressions: tuple[Regression, ...], together: tuple[Regression, ...], n_outcomes: int, moderators: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """Read the draw's and the interactions' coefficients off the regressions, as arrays (J, M)."""
    shape = n_outcomes, len(moderators)
    table = {}
    for name in ("estimate", "std_error", "t", "p_value", "conf_low", "conf_high"):
        # The interaction is the last term and the draw the one before it.
        table[name] = np.array([getattr(one, name)[-1] for one in regressions]).reshape(shape)
        if name in ("estimate", "std_error", "p_value"):
            own = np.array([getattr(one, name)[-2] for one in regressions]).reshape(shape)
            table["main" if name == "estimate" else f"main_{name}"] = own
            table[f"{name}_together"] = np.array(
                [[_of_term(one, interaction_name(moderator), name) for moderator in moderators] for one in together]
            )
    table["n"] = np.array([one.n for one in regressions]).reshape(shape)
    table["df"] = np.array([one.df for one in regressions]).reshape(shape)
    return table


def _of_term(regression: Regression, term: str, statistic: str) -> float:
    if term not in regression.terms:
        return float("nan")
    return float(getattr(regression, statistic)[regression.terms.index(term)])
