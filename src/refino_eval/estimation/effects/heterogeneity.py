"""Heterogeneity of effects: interactions one at a time and all together, and effects by subgroup.

One at a time, each moderator g gives the regression of the outcome on z, z x g, g, the other controls and cells; the
main coefficient of z is the effect where g = 0. All coefficients are kept, since a table may show those of the controls.
All together, a Wald test asks whether any moderator matters. Subgroups have separate cells and controls
throughout, so that their effects are those of separate trials; differences use the joint covariance.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Unpack

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval.covariances import Vcov
from refino_eval.errors import UserError
from refino_eval.estimation.core.absorbed_cells import encode, fewest_clusters
from refino_eval.estimation.core.arrays import (
    BoolArray,
    Columns,
    FloatArray,
    IntArray,
    Labels,
    Vector,
    as_columns,
    check_length,
)
from refino_eval.estimation.core.bias_reduction import WorkingForm
from refino_eval.estimation.core.coefficient_tests import WaldTest, t_inference, wald_test
from refino_eval.estimation.core.kernel import Design, Fit, cross_product
from refino_eval.estimation.core.outcome_groups import group_outcomes
from refino_eval.estimation.core.preparation import design_of
from refino_eval.estimation.core.recording import Source
from refino_eval.estimation.core.regression_inputs import Options, RegressionInputs, regression_inputs
from refino_eval.estimation.core.samples import choose_samples
from refino_eval.estimation.effects.itt import EffectTable, effect_table

TREATED = "treated"


@dataclass(frozen=True, eq=False)
class Regression:
    """One regression with all its coefficients except the cells' constants.

    Arrays of shape (T,), one value per term (``df`` too: Satterthwaite degrees of freedom differ between terms); ``moderator`` is empty when all moderators entered together. ``dropped``
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
    df: npt.NDArray[np.number]
    r_squared: float
    dropped: tuple[str, ...]
    sources: tuple[Source, ...] = field(repr=False)

    def to_frame(self) -> pd.DataFrame:
        """One row per term."""
        columns = ("estimate", "std_error", "t", "p_value", "conf_low", "conf_high")
        frame = pd.DataFrame({"term": self.terms} | {name: getattr(self, name) for name in columns})
        frame.insert(0, "moderator", self.moderator)
        frame.insert(0, "outcome", self.outcome)
        return frame.assign(n=self.n, df=self.df, r_squared=self.r_squared)


@dataclass(frozen=True, eq=False)
class InteractionTable:
    """Interactions of treatment with moderators, arrays of shape (J, M) for J outcomes and M moderators.

    Attributes
    ----------
    main, main_std_error, main_p_value
        Coefficient of treatment in the regression with one moderator: the effect where the moderator is 0.
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
    vcov: Vcov
    level: float

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
        Of these, shape (G - 1, J): those of all groups together, clusters - 1, or Satterthwaite's.
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
    treated: Vector | RegressionInputs,
    moderators: Columns,
    *,
    names: Sequence[str] | None = None,
    **options: Unpack[Options],
) -> InteractionTable:
    """Estimate how the effect of treatment varies with each moderator.

    Parameters
    ----------
    outcomes, treated, names, options
        As in `itt.itt`. A moderator's column is added to the controls when they lack its name, so that the interaction
        does not pick up its level.
    moderators
        Shape (n, M), measured before random assignment, used as they are: the main coefficient is the effect where they
        are 0.

    Raises
    ------
    UserError
        As `itt.itt`; and when an interaction cannot be distinguished from treatment and the controls.
    """
    inputs = regression_inputs(treated, **options)
    values, labels = as_columns(outcomes, inputs.n_rows, what="outcomes", names=names)
    right = _RightHandSide(inputs, *as_columns(moderators, inputs.n_rows, what="moderators"))
    alone: dict[tuple[int, int], Regression] = {}
    together: dict[int, tuple[Regression, WaldTest]] = {}
    # A design for each moderator and one for all serve every outcome of the same people.
    for sample in choose_samples(values, labels, inputs.missing, among=inputs.rows):
        columns = pd.DataFrame(values[:, sample.columns], columns=[labels[j] for j in sample.columns])
        for m, moderator in enumerate(right.names):
            fit = right.one(m, sample.rows).fit(columns)
            alone |= {(int(j), m): _regression(fit, k, moderator, inputs) for k, j in enumerate(sample.columns)}
        fit = right.all(sample.rows).fit(columns)
        for k, j in enumerate(sample.columns):
            together[int(j)] = _regression(fit, k, "", inputs), _joint(fit, k, inputs.vcov, right.names)
    regressions = tuple(alone[j, m] for j in range(len(labels)) for m in range(len(right.names)))
    pooled = tuple(together[j] for j in range(len(labels)))
    return InteractionTable(
        outcomes=labels,
        moderators=right.names,
        **_collect(regressions, tuple(one for one, _ in pooled), len(labels), right.names),
        joint_test=tuple(test for _, test in pooled),
        regressions=regressions,
        together=tuple(one for one, _ in pooled),
        vcov=inputs.vcov,
        level=inputs.level,
    )


def subgroups(
    outcomes: Columns,
    treated: Vector | RegressionInputs,
    groups: Labels,
    *,
    names: Sequence[str] | None = None,
    **options: Unpack[Options],
) -> SubgroupTable:
    """Estimate the effect of treatment in each group separately, and the differences between groups.

    Parameters
    ----------
    outcomes, treated, names, options
        As in `itt.itt`, in each group.
    groups
        Label of each person, known before random assignment, shape (n,); every person in ``rows`` has one.

    Raises
    ------
    UserError
        As `itt.itt`, naming the group; and when there are fewer than two groups.

    Notes
    -----
    Groups share nobody, so without clusters the variance of a difference is the sum of variances. Clusters may span
    groups; their scores are then summed over groups before they are squared.
    """
    inputs = regression_inputs(treated, **options)
    values, labels = as_columns(outcomes, inputs.n_rows, what="outcomes", names=names)
    members = _members(groups, inputs.rows)
    parts = [_group_effects(label, values, labels, replace(inputs, rows=rows)) for label, rows in members]
    covs = [_group_cov([(part.effects, part.scores[:, j]) for part in parts], j, inputs) for j in range(len(labels))]
    effects = tuple(part.effects for part in parts)
    df = np.sum([one.df for one in effects], axis=0)
    if inputs.summed_in is not None:
        df = np.full(len(labels), fewest_clusters(inputs.summed_in[inputs.rows]) - 1)
    forms = None
    if inputs.covariance.has_satterthwaite:
        forms = [_joint_form([part.designs[j] for part in parts], inputs.vcov) for j in range(len(labels))]
    return _compare(tuple(label for label, _ in members), effects, covs, df, inputs.level, forms)


@dataclass(frozen=True, eq=False, repr=False)
class _Group:
    """The effects in one group, the scores of its people, shape (n_rows, J), and the design of each outcome."""

    effects: EffectTable
    scores: FloatArray
    designs: tuple[Design, ...]


def _joint_form(designs: list[Design], vcov: Vcov) -> WorkingForm:
    """Return the quadratic forms of the differences of later groups from the first, one design a group.

    Groups share nobody; that clusters may have people in several groups is part of the forms. Errors have the same variance in
    all groups under the working model.
    """
    contrast = np.hstack((-np.ones((len(designs) - 1, 1)), np.eye(len(designs) - 1)))
    # Weights of a group's coefficient in the differences: -1 in all for the first group, 1 in its own for a later one.
    parts = [design.working_form(vcov, contrast[:, [g]]) for g, design in enumerate(designs)]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _group_effects(label: Hashable, values: FloatArray, names: tuple[str, ...], inputs: RegressionInputs) -> _Group:
    """Estimate the effects in one group."""
    try:
        groups = group_outcomes(values, names, inputs)
    except UserError as error:
        raise UserError(*(f"Group '{label}': {line}" for line in error.problems)) from error
    fits = [group.fit(values) for group in groups]
    effects = effect_table(groups, fits, values, names, inputs)
    scores = np.zeros((inputs.n_rows, len(names)))
    if inputs.covariance.is_robust:
        for group, fit in zip(groups, fits, strict=True):
            scores[:, group.columns] = fit.scores(inputs.vcov)
    designs = {int(j): group.design for group in groups for j in group.columns}
    return _Group(effects, scores, tuple(designs[j] for j in range(len(names))))


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


def _group_cov(parts: list[tuple[EffectTable, FloatArray]], outcome: int, inputs: RegressionInputs) -> FloatArray:
    """Covariance of one outcome's effects in all groups, shape (G, G)."""
    if not inputs.covariance.is_robust:
        return np.diag([float(effects.std_error[outcome]) ** 2 for effects, _ in parts])
    return cross_product(np.column_stack([scores for _, scores in parts]), inputs.summed_in)


def _compare(
    groups: tuple[Hashable, ...],
    effects: tuple[EffectTable, ...],
    covs: list[FloatArray],
    df: IntArray,
    level: float,
    forms: list[WorkingForm] | None,
) -> SubgroupTable:
    """Compare later groups with the first; `forms` of the differences, one an outcome, give Satterthwaite's degrees of freedom."""
    estimates = np.array([one.estimate for one in effects])
    contrast = np.hstack((-np.ones((len(groups) - 1, 1)), np.eye(len(groups) - 1)))
    difference = contrast @ estimates
    spread = [contrast @ cov @ contrast.T for cov in covs]
    std_error = np.sqrt(np.column_stack([np.diag(cov) for cov in spread]))
    each = np.broadcast_to(df, difference.shape)
    if forms is not None:
        one_by_one = np.eye(len(groups) - 1)
        each = np.array([[form.combine(row[None]).freedom() for form in forms] for row in one_by_one])
    inference = t_inference(difference, std_error, each, level=level)
    tests = [
        wald_test(
            difference[:, j],
            cov,
            float(df[j]),
            freedom=None if forms is None else forms[j].freedom_of,
        )
        for j, cov in enumerate(spread)
    ]
    return SubgroupTable(
        groups=groups,
        effects=effects,
        difference=difference,
        std_error=std_error,
        t=inference.t,
        p_value=inference.p_value,
        conf_low=inference.conf_low,
        conf_high=inference.conf_high,
        df=each,
        equality=tuple(tests),
    )


@dataclass(frozen=True, eq=False, repr=False)
class _RightHandSide:
    """The columns from which interacted designs are made."""

    inputs: RegressionInputs
    moderators: FloatArray
    names: tuple[str, ...]

    def one(self, moderator: int, rows: BoolArray) -> Design:
        """Prepare the design with one moderator; its last term is the interaction."""
        design = self._design([moderator], rows)
        name = interaction_name(self.names[moderator])
        if design.focus[-2:] != (TREATED, name):
            lost = name if TREATED in design.focus else TREATED
            raise UserError(
                f"'{lost}' cannot be distinguished from cells, controls and treatment ({design.n} people in use): the moderator "
                f"'{self.names[moderator]}' or treatment does not vary where it should. Leave the moderator out."
            )
        return design

    def all(self, rows: BoolArray) -> Design:
        """Prepare the design with all moderators; interactions that are collinear are left out."""
        return self._design(list(range(len(self.names))), rows)

    def _design(self, chosen: list[int], rows: BoolArray) -> Design:
        # Controls are among the columns of interest, since tables show their coefficients.
        inputs = self.inputs
        added = [m for m in chosen if self.names[m] not in inputs.control_names]
        treated = inputs.treated[:, None]
        names = (
            *inputs.control_names,
            *(self.names[m] for m in added),
            TREATED,
            *(interaction_name(self.names[m]) for m in chosen),
        )
        columns = np.hstack((inputs.controls, self.moderators[:, added], treated, treated * self.moderators[:, chosen]))
        without = inputs.adjusted_for(np.empty((inputs.n_rows, 0)), ())
        return design_of(replace(without, rows=rows), columns, names, collinear="drop")


def interaction_name(moderator: str) -> str:
    """Name the product of treatment and a moderator."""
    return f"{TREATED} x {moderator}"


def _regression(fit: Fit, outcome: int, moderator: str, inputs: RegressionInputs) -> Regression:
    design, vcov = fit.design, inputs.vcov
    std_error = np.sqrt(np.diag(fit.coefficient_cov(outcome, vcov)))
    errors = np.repeat(std_error[:, None], len(fit.names), axis=1)
    estimate = fit.cleared(errors)[:, outcome]
    inference = t_inference(estimate, std_error, design.dfs(vcov), level=inputs.level)
    return Regression(
        outcome=fit.names[outcome],
        moderator=moderator,
        terms=design.focus,
        estimate=estimate,
        std_error=std_error,
        t=inference.t,
        p_value=inference.p_value,
        conf_low=inference.conf_low,
        conf_high=inference.conf_high,
        n=design.n,
        df=design.dfs(vcov),
        r_squared=float(fit.r_squared[outcome]),
        dropped=design.dropped,
        sources=tuple(fit.source(vcov, outcome, focus=k) for k in range(len(design.focus))),
    )


def _joint(fit: Fit, outcome: int, vcov: Vcov, moderators: tuple[str, ...]) -> WaldTest:
    """Test that all interactions that could be estimated are 0."""
    names = {interaction_name(moderator) for moderator in moderators}
    chosen = [k for k, term in enumerate(fit.design.focus) if term in names]
    cov = fit.coefficient_cov(outcome, vcov)[np.ix_(chosen, chosen)]
    loadings = np.eye(len(fit.design.focus))[chosen]
    source, freedom = fit.source(vcov, outcome, loadings=loadings), fit.design.freedom(vcov, loadings)
    return wald_test(fit.coefficients[chosen, outcome], cov, fit.design.df(vcov), source=source, freedom=freedom)


def _collect(
    regressions: tuple[Regression, ...], together: tuple[Regression, ...], n_outcomes: int, moderators: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """Return the coefficients of treatment and of the interactions, as arrays (J, M)."""
    shape = n_outcomes, len(moderators)
    table = {}
    for name in ("estimate", "std_error", "t", "p_value", "conf_low", "conf_high"):
        # The interaction is the last term and treatment the one before it.
        table[name] = np.array([getattr(one, name)[-1] for one in regressions]).reshape(shape)
        if name in ("estimate", "std_error", "p_value"):
            own = np.array([getattr(one, name)[-2] for one in regressions]).reshape(shape)
            table["main" if name == "estimate" else f"main_{name}"] = own
            table[f"{name}_together"] = np.array(
                [[_of_term(one, interaction_name(moderator), name) for moderator in moderators] for one in together]
            )
    table["n"] = np.array([one.n for one in regressions]).reshape(shape)
    table["df"] = np.array([one.df[-1] for one in regressions]).reshape(shape)
    return table


def _of_term(regression: Regression, term: str, statistic: str) -> float:
    if term not in regression.terms:
        return float("nan")
    return float(getattr(regression, statistic)[regression.terms.index(term)])
