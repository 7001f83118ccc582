"""The kernel: one demeaning, one QR decomposition, and matrix products for every outcome at once.

A `Design` is prepared once from treatment, cells, controls, weights and clusters, and knows nothing of outcomes;
`Design.fit` takes all outcomes together. Everything an analysis needs afterwards is the influence of each person on
each coefficient,

    psi_ij = d_i e_ij,   b_j - beta_j ~ sum_i psi_ij,

with e the residuals and d the person's row of the dual of the coefficient's regressor (for treatment alone
d = z~ / z~'z~, z~ the residual of z on cells and controls; Frisch and Waugh 1933, Lovell 1963). Covariances of one
coefficient, and of all outcomes' coefficients jointly, are products of (scaled) psi.

Conventions, with n people and K = cells + columns (cells count as constants, also when each is part of one cluster):
`covariances` lists the covariances and their degrees of freedom; `bias_reduction` has the formulas of those with leverage
of whole clusters. The leverage h is the full one, 1/n_c(i) + |Q_i|^2 with absorbed cells. People with h = 1 have no
residual and psi = 0, and a coefficient that they alone identify has no robust variance (`Design.supported`). With
probability weights w all sums are weighted and leverage is that of the weighted regression. Objects that hold person
rows print nothing of them (``repr=False``), since logs may be read by others.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from refino_eval.covariances import CLUSTERED, COVARIANCES, Vcov
from refino_eval.errors import UserError
from refino_eval.estimation.core.absorbed_cells import (
    Cells,
    build_cells,
    crossed,
    dimensions,
    fewest_clusters,
    nested_in,
)
from refino_eval.estimation.core.arrays import (
    Columns,
    FloatArray,
    IntArray,
    as_columns,
    check_choice,
    check_finite,
    ratio,
)
from refino_eval.estimation.core.bias_reduction import HatMatrix, WorkingForm, adjusted_dual, working_form
from refino_eval.estimation.core.coefficient_tests import Freedom
from refino_eval.estimation.core.recording import Key, Regression, Source, note_outcomes, open_recording

# People whose 1 - h is below this are fitted exactly.
SATURATED = 1e-10
# Sums of squares below this share of the outcome's own are rounding, and are taken as 0.
ROUNDING = 1e-26
# Sums that cancel to below this share of their terms' sizes are 0 by design, and are taken as 0.
CANCELLED = 1e-9


@dataclass(frozen=True, eq=False, repr=False)
class Design:
    """The right-hand side, prepared once: everything about the regression that outcomes do not change.

    Attributes
    ----------
    focus
        Names of the coefficients of interest, f of them; ``("treated",)`` for an ITT.
    controls, dropped
        Names of the controls that count, and of columns left out as collinear with cells or earlier columns.
    rows
        Input rows in use, shape (n,); fewer than ``n_rows`` when rows were left out or singletons dropped.
    n_rows
        Rows of the inputs.
    cells
        The absorbed cells of the people in use.
    root_weights
        Square roots of the weights, shape (n,), or None.
    cluster
        Cluster codes of the people in use, shape (n,), or (n, 2) for clusters in two dimensions, or None.
    basis
        Orthonormal basis of controls and focus columns within cells, focus last, shape (n, k).
    lift
        Coefficients of interest per unit of the basis' loadings, shape (f, k).
    leverage
        Diagonal of the full hat matrix (cells and columns), shape (n,).
    n_cluster_codes
        One more than the largest code of a cluster among all rows of the inputs.
    fixed_effects
        For each column in use, those of interest first, which further fixed effect its dummy is of: 1, 2, ..., or 0 for others;
        shape (k,).
    n_nested_dummies
        Dummies of further fixed effects that are nested in clusters.
    """

    focus: tuple[str, ...]
    controls: tuple[str, ...]
    dropped: tuple[str, ...]
    rows: IntArray
    n_rows: int
    cells: Cells
    root_weights: FloatArray | None
    cluster: IntArray | None
    basis: FloatArray
    lift: FloatArray
    leverage: FloatArray
    n_cluster_codes: int = 0
    fixed_effects: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    n_nested_dummies: int = 0

    @property
    def n(self) -> int:
        """People in use."""
        return int(self.rows.size)

    @property
    def n_parameters(self) -> int:
        """K: cells and columns."""
        return self.cells.n_cells + int(self.basis.shape[1])

    @property
    def df_resid(self) -> int:
        """Residual degrees of freedom, n - K."""
        return self.n - self.n_parameters

    @cached_property
    def n_nested(self) -> int:
        """Parameters that are fixed effects nested in clusters, all but one constant; see `Covariance.counts_nested`."""
        if self.cluster is None:
            return 0
        return self.n_nested_dummies + (self.cells.n_cells - 1) * nested_in(self.cells.codes, self.cluster)

    @cached_property
    def dual(self) -> FloatArray:
        """Weight of each residual in each coefficient, shape (n, f): b = dual'Y within cells."""
        return np.asarray(self.basis @ self.lift.T)

    @cached_property
    def inverse_slack(self) -> FloatArray:
        """1 / (1 - h), and 0 for people fitted exactly, shape (n,)."""
        slack = 1.0 - self.leverage
        return np.nan_to_num(ratio(np.ones(self.n), slack, where=slack > SATURATED))

    @cached_property
    def supported(self) -> npt.NDArray[np.bool_]:
        """Whether people who are not fitted exactly identify each coefficient too, shape (f,).

        A coefficient that rests on people with h = 1 (a trait of a single person, or of the only person outside the other
        categories) has residuals of 0 behind it whatever the outcome: no robust covariance can estimate its variance.
        """
        inside = self.inverse_slack > 0
        within_cells = build_cells(self.cells.codes)
        # A person alone in a cell is fitted exactly, and identifies nothing.
        if np.all(inside | (within_cells.sizes[within_cells.codes] == 1)):
            return np.ones(len(self.focus), dtype=bool)
        root = np.ones(self.n) if self.root_weights is None else self.root_weights
        rest = build_cells(self.cells.codes[inside], weights=root[inside] ** 2)
        columns = rest.demean(self.basis[inside] / root[inside, None]) * root[inside, None]
        # A direction of the basis that only people fitted exactly vary along has a singular value of 0 without them. A
        # coefficient is identified without them if it has no weight on such a direction.
        # Of the triangular factor, which has the same singular values: the other factor of `columns` would be people x people.
        _, values, directions = np.linalg.svd(np.linalg.qr(columns, mode="r"), full_matrices=True)
        values = np.pad(values, (0, directions.shape[0] - values.size))
        lost = directions[values <= SATURATED**0.5]
        sizes = np.linalg.norm(self.lift, axis=1)
        return np.asarray(np.linalg.norm(self.lift @ lost.T, axis=1) <= SATURATED**0.5 * sizes)

    @cached_property
    def n_clusters(self) -> int:
        """Clusters with a person in use; of two dimensions the fewer."""
        return 0 if self.cluster is None else fewest_clusters(self.cluster)

    def is_two_way(self, vcov: Vcov) -> bool:
        """Return whether a covariance has clusters in two dimensions."""
        return COVARIANCES[vcov].is_clustered and self.cluster is not None and self.cluster.ndim == 2

    @property
    def hat(self) -> HatMatrix:
        """What the regression fits."""
        return HatMatrix(self.cells, self.basis, self.root_weights)

    @cached_property
    def _adjusted(self) -> dict[Vcov, FloatArray]:
        return {}

    def adjusted(self, vcov: Vcov) -> FloatArray:
        """Weight of each residual in each coefficient's score, shape (n, f), under a covariance with leverage and clusters.

        Outcomes share it: the adjustment of a cluster is made once for a design.
        """
        if vcov not in self._adjusted:
            self._require_cluster()
            assert self.cluster is not None
            if self.is_two_way(vcov):
                raise UserError(
                    f"The covariance {vcov} takes one dimension of clusters, and two are named; choose CRV1."
                )
            power = COVARIANCES[vcov].leverage_power
            self._adjusted[vcov] = adjusted_dual(self.hat, self.dual, self.cluster, power)
        return self._adjusted[vcov]

    def df(self, vcov: Vcov, *, focus: int = 0, loadings: FloatArray | None = None) -> float:
        """Degrees of freedom of the reference distribution: n - K, clusters - 1, or Satterthwaite's, of one coefficient.

        Parameters
        ----------
        vcov
            The covariance.
        focus, loadings
            The coefficient; or weights of the coefficients, shape (q, f), of q combinations that are tested together.
        """
        covariance = COVARIANCES[vcov]
        if covariance.has_satterthwaite:
            if loadings is not None:
                return self.working_form(vcov, loadings).freedom()
            if (vcov, focus) not in self._freedom:
                one = np.eye(len(self.focus))[[focus]]
                self._freedom[vcov, focus] = self.working_form(vcov, one).freedom()
            return self._freedom[vcov, focus]
        if covariance.is_clustered:
            self._require_cluster()
            return self.n_clusters - 1
        return self.df_resid

    @cached_property
    def _freedom(self) -> dict[tuple[Vcov, int], float]:
        return {}

    def dfs(self, vcov: Vcov) -> npt.NDArray[np.number]:
        """Return the degrees of freedom of each coefficient of interest, shape (f,)."""
        return np.array([self.df(vcov, focus=k) for k in range(len(self.focus))])

    def freedom(self, vcov: Vcov, loadings: FloatArray) -> Freedom | None:
        """Return the degrees of freedom of combinations of combinations of coefficients; None where they are not Satterthwaite's.

        Parameters
        ----------
        vcov
            The covariance.
        loadings
            Weights of the coefficients in what is tested, shape (q, f).
        """
        if not COVARIANCES[vcov].has_satterthwaite:
            return None
        return lambda directions: self.df(vcov, loadings=directions @ loadings)

    def working_form(self, vcov: Vcov, loadings: FloatArray) -> WorkingForm:
        """Return the quadratic forms behind the variances of combinations of coefficients, loadings of shape (q, f).

        Clusters (people, without clusters) have the numbers of the inputs, so that forms of designs on different people can be
        added.
        """
        if COVARIANCES[vcov].is_clustered:
            adjusted, groups = self.adjusted(vcov), self.cluster
            assert groups is not None
            n_groups = self.n_cluster_codes or int(groups.max()) + 1
        else:
            scale = np.sqrt(self.inverse_slack ** COVARIANCES[vcov].leverage_power)
            adjusted, groups, n_groups = self.dual * scale[:, None], self.rows, self.n_rows
        # Coefficients without a variance are NaN, and do not count where their weight is 0.
        used = np.any(loadings != 0, axis=0)
        return working_form(self.hat, adjusted[:, used] @ loadings[:, used].T, groups, n_groups)

    def summed_in(self, vcov: Vcov) -> IntArray | None:
        """Clusters within which a covariance sums scores, or None, shape (n,) or (n, 2)."""
        return self.cluster if COVARIANCES[vcov].is_clustered else None

    @property
    def control_basis(self) -> FloatArray:
        """Orthonormal basis of the controls alone within cells, shape (n, k - f)."""
        return self.basis[:, : self.basis.shape[1] - len(self.focus)]

    def used(self, values: FloatArray) -> FloatArray:
        """Return the rows in use of an array with ``n_rows`` rows."""
        return values[self.rows] if self.n < self.n_rows else values

    def within(self, columns: FloatArray) -> FloatArray:
        """Deviations from cell means, times the root weights, shape (n, J); rounding is cleared to 0."""
        used = self.used(columns)
        demeaned = self.cells.demean(used)
        if self.root_weights is not None:
            used = used * self.root_weights[:, None]
            demeaned *= self.root_weights[:, None]
        constant = np.einsum("ij,ij->j", demeaned, demeaned) <= ROUNDING * np.einsum("ij,ij->j", used, used)
        demeaned[:, constant] = 0.0
        return demeaned

    def fit(self, outcomes: Columns) -> Fit:
        """Estimate all outcomes at once.

        Parameters
        ----------
        outcomes
            Shape (n_rows, J); finite in the rows in use.

        Raises
        ------
        UserError
            When a row in use has a missing or infinite outcome.
        """
        values, names = as_columns(outcomes, self.n_rows, what="outcomes")
        used = self.used(values)
        check_finite(
            used, names, what="Outcomes", remedy="Choose a common sample (common_sample), or missing='available'."
        )
        demeaned = self.within(values)
        loadings = self.basis.T @ demeaned
        residuals = demeaned - self.basis @ loadings
        # Where h = 1 the residual is 0 whatever the outcome: what the subtraction leaves is rounding.
        residuals[self.inverse_slack == 0.0] = 0.0
        tss_within = np.einsum("ij,ij->j", demeaned, demeaned)
        rss = np.einsum("ij,ij->j", residuals, residuals)
        residuals[:, rss <= ROUNDING * tss_within] = 0.0
        fit = Fit(
            design=self,
            names=names,
            coefficients=self.lift @ loadings,
            residuals=residuals,
            rss=np.where(rss <= ROUNDING * tss_within, 0.0, rss),
            tss_within=tss_within,
            tss=self._total_squares(used),
        )
        note_outcomes(fit.number, used)
        return fit

    def _total_squares(self, used: FloatArray) -> FloatArray:
        if self.root_weights is None:
            centred = used - used.mean(axis=0)
        else:
            weights = self.root_weights**2
            centred = (used - weights @ used / weights.sum()) * self.root_weights[:, None]
        return np.asarray(np.einsum("ij,ij->j", centred, centred))

    def _require_cluster(self) -> None:
        if self.cluster is None:
            raise UserError(
                f"A clustered covariance ({', '.join(CLUSTERED)}) needs a cluster, and none was given; name one, or choose HC1 or HC2."
            )
        if self.n_clusters < 2:
            raise UserError(
                f"A clustered covariance ({', '.join(CLUSTERED)}) needs at least two clusters, and all people in use belong "
                "to one; choose HC1 or HC2."
            )


@dataclass(frozen=True, eq=False, repr=False)
class Fit:
    """All outcomes of one design.

    Attributes
    ----------
    coefficients
        Shape (f, J).
    residuals
        Times the root weights, shape (n, J), rows as ``design.rows``.
    rss, tss_within, tss
        Sums of squares: residual, within cells, about the overall mean, each shape (J,).
    number
        Identifies the fit in sources of numbers.
    """

    design: Design
    names: tuple[str, ...]
    coefficients: FloatArray
    residuals: FloatArray
    rss: FloatArray
    tss_within: FloatArray
    tss: FloatArray
    number: int = field(default_factory=itertools.count().__next__)

    @property
    def estimates(self) -> FloatArray:
        """Coefficients of a design with one focus, shape (J,)."""
        if self.coefficients.shape[0] != 1:
            raise ValueError("estimates is for a design with one focus; use coefficients")
        return np.asarray(self.coefficients[0])

    @property
    def r_squared(self) -> FloatArray:
        """Share of the outcome's variation that cells and columns explain, shape (J,); NaN for a constant outcome."""
        return _explained(self.rss, self.tss, self.tss_within)

    @property
    def r_squared_within(self) -> FloatArray:
        """Share of the variation within cells that the columns explain, shape (J,)."""
        return _explained(self.rss, self.tss_within, self.tss_within)

    @cached_property
    def _squares(self) -> FloatArray:
        return np.asarray(self.residuals * self.residuals)

    def psi(self, focus: int = 0) -> FloatArray:
        """Influence of each person in use on one coefficient, shape (n, J)."""
        return np.asarray(self.design.dual[:, focus, None] * self.residuals)

    def scores(self, vcov: Vcov = "HC1", *, focus: int = 0) -> FloatArray:
        """Influence scaled so that its (clustered) cross product is the covariance, shape (n_rows, J).

        Rows left out of the design are 0, so that scores of designs on different samples of the same people can
        stand side by side. Classical errors have no such form.
        """
        check_choice(vcov, Vcov, what="vcov")
        self._record(vcov)
        if not COVARIANCES[vcov].is_robust:
            raise UserError(
                f"The covariance '{vcov}' has no influence form; choose one of "
                f"{', '.join(name for name, one in COVARIANCES.items() if one.is_robust)}, or joint_cov of one sample."
            )
        if COVARIANCES[vcov].has_cluster_leverage:
            scale = self.design.adjusted(vcov)[:, focus]
        else:
            scale = self.design.dual[:, focus] * np.sqrt(self._person_factor(vcov))
        if not self.design.supported[focus]:
            scale = np.full_like(scale, np.nan)
        scores = np.zeros((self.design.n_rows, self.residuals.shape[1]))
        scores[self.design.rows] = scale[:, None] * self.residuals
        return scores

    def cleared(self, std_errors: FloatArray) -> FloatArray:
        """Return the coefficients, 0 where they and their standard errors, (f, J), are 0 by design.

        A covariate with the same values in every cluster has an effect of 0 and no sampling variation, whatever is treated;
        so has an outcome that is a control, too. In floating point both come out as rounding errors, whose ratio would be
        tested.
        """
        if np.all(std_errors > 0):
            return self.coefficients
        # A coefficient sums the products of dual and outcome, whose sizes have this bound.
        terms = np.outer(np.linalg.norm(self.design.dual, axis=0), np.sqrt(self.tss_within))
        cancelled = (std_errors == 0) & (np.abs(self.coefficients) <= CANCELLED * terms)
        return np.where(cancelled, 0.0, self.coefficients)

    def variances(self, vcov: Vcov = "HC1") -> FloatArray:
        """Return the sampling variance of each coefficient, shape (f, J)."""
        check_choice(vcov, Vcov, what="vcov")
        self._record(vcov)
        dual, covariance = self.design.dual, COVARIANCES[vcov]
        if not covariance.is_robust:
            return np.outer(np.einsum("if,if->f", dual, dual), self.rss / self.design.df_resid)
        if self.design.is_two_way(vcov):
            each = [np.diag(self.coefficient_cov(j, vcov)) for j in range(self.residuals.shape[1])]
            return np.column_stack(each) if each else np.empty_like(self.coefficients)
        if covariance.is_clustered:
            return np.stack([np.diag(self.joint_cov(vcov, focus=f)) for f in range(dual.shape[1])])
        dual = np.where(self.design.supported, dual, np.nan)
        return np.asarray((dual * dual * self._person_factor(vcov)[:, None]).T @ self._squares)

    def std_errors(self, vcov: Vcov = "HC1") -> FloatArray:
        """Return the standard error of each coefficient, shape (f, J)."""
        return np.sqrt(self.variances(vcov))

    def joint_cov(self, vcov: Vcov = "HC1", *, focus: int = 0) -> FloatArray:
        """Covariance of all outcomes' coefficients on one focus, shape (J, J)."""
        if not COVARIANCES[vcov].is_robust:
            self._record(vcov)
            dual = self.design.dual[:, focus]
            return np.asarray(self.residuals.T @ self.residuals * (dual @ dual / self.design.df_resid))
        scores = self.scores(vcov, focus=focus)[self.design.rows]
        return cross_product(scores, self.design.summed_in(vcov))

    def coefficient_cov(self, outcome: int = 0, vcov: Vcov = "HC1") -> FloatArray:
        """Covariance of one outcome's coefficients, shape (f, f); see `without_negative` for clusters in two dimensions."""
        check_choice(vcov, Vcov, what="vcov")
        self._record(vcov)
        dual = self.design.dual
        if not COVARIANCES[vcov].is_robust:
            return np.asarray(dual.T @ dual * (self.rss[outcome] / self.design.df_resid))
        supported = self.design.supported
        if COVARIANCES[vcov].has_cluster_leverage:
            adjusted = np.where(supported, self.design.adjusted(vcov), np.nan)
            return cross_product(adjusted * self.residuals[:, [outcome]], self.design.cluster)
        dual = np.where(supported, dual, np.nan)
        scale = np.sqrt(self._person_factor(vcov)) * self.residuals[:, outcome]
        cov = cross_product(dual * scale[:, None], self.design.summed_in(vcov))
        return without_negative(cov) if self.design.is_two_way(vcov) else cov

    def combination_errors(self, loadings: FloatArray, outcome: int = 0, vcov: Vcov = "HC1") -> FloatArray:
        """Return the standard errors of weighted sums of one outcome's coefficients, loadings of shape (q, f).

        A coefficient without a variance leaves those sums without one in which it counts, and no others.
        """
        cov = self.coefficient_cov(outcome, vcov)
        unknown = ~np.isfinite(np.diag(cov))
        known = np.where(unknown[:, None] | unknown, 0.0, cov)
        # 0 x NaN is NaN: an unknown variance would reach the sums that give it no weight.
        errors = np.sqrt(np.einsum("ki,ij,kj->k", loadings, known, loadings))
        errors[np.any(loadings[:, unknown] != 0, axis=1)] = np.nan
        return np.asarray(errors)

    def source(
        self, vcov: Vcov, outcome: int = 0, *, focus: int = 0, loadings: FloatArray | None = None, late: bool = False
    ) -> Source:
        """Return where an estimate comes from.

        Parameters
        ----------
        vcov
            Covariance of its standard error.
        outcome
            Its outcome; in two-stage least squares take-up does not count.
        focus, loadings
            The coefficient; or rows of weights of the coefficients, shape (q, f).
        late
            Whether it is the ratio that two-stage least squares gives; see `record_instrumented`.
        """
        if loadings is None:
            loadings = np.eye(self.coefficients.shape[0])[[focus]]
        return Source(Key(self.number, vcov, late), outcome, loadings)

    def record_instrumented(self, vcov: Vcov, estimate: FloatArray, std_error: FloatArray) -> None:
        """Record two-stage least squares of the outcomes but the first, which is take-up, each array of shape (J - 1,)."""
        opened = open_recording()
        if opened is not None and self.design in opened.columns:
            both = opened.outcomes[self.number]
            opened.regressions[Key(self.number, vcov, True)] = self._regression(
                vcov, estimate[None, :], std_error[None, :], both[:, 1:], both[:, 0]
            )

    def _record(self, vcov: Vcov) -> None:
        """Record the regression when its variance is asked for: then numbers come from it."""
        opened, key = open_recording(), Key(self.number, vcov, False)
        if opened is None or key in opened.regressions or self.design not in opened.columns:
            return
        outcomes = opened.outcomes[self.number]
        # The entry comes before the standard errors, which ask for the variance again.
        unknown = np.full_like(self.coefficients, np.nan)
        opened.regressions[key] = self._regression(vcov, self.coefficients, unknown, outcomes, None)
        opened.regressions[key] = self._regression(vcov, self.coefficients, self.std_errors(vcov), outcomes, None)

    def _regression(
        self, vcov: Vcov, b: FloatArray, std_errors: FloatArray, outcomes: FloatArray, take_up: FloatArray | None
    ) -> Regression:
        design, opened = self.design, open_recording()
        assert opened is not None
        return Regression(
            coefficients=b,
            std_errors=std_errors,
            columns=opened.columns[design],
            outcomes=outcomes,
            cells=design.cells.codes,
            weights=None if design.root_weights is None else design.root_weights**2,
            cluster=design.cluster,
            vcov=vcov,
            scale=np.outer(np.abs(design.dual).sum(axis=0), np.sqrt(np.mean(outcomes**2, axis=0))),
            people=design.rows,
            fixed_effects=design.fixed_effects,
            take_up=take_up,
        )

    def _person_factor(self, vcov: Vcov) -> FloatArray:
        """Multiplier of each squared residual under a vcov, shape (n,)."""
        design, covariance = self.design, COVARIANCES[vcov]
        n_clusters = n_nested = 0
        if covariance.is_clustered:
            # Of those with clusters only CRV1 comes here (the others adjust whole clusters): its degrees of freedom are clusters - 1.
            n_clusters, n_nested = int(design.df(vcov)) + 1, design.n_nested
        factor = covariance.factor(n=design.n, df_resid=design.df_resid, n_clusters=n_clusters, n_nested=n_nested)
        return np.asarray(design.inverse_slack**covariance.leverage_power * factor)


def cross_product(scores: FloatArray, cluster: IntArray | None = None) -> FloatArray:
    """Return S'S, rows first summed in clusters when there are any, shape (J, J).

    With two dimensions of clusters, (n, 2), the sum of both less that of their intersection: a difference, which may be negative.
    """
    if cluster is not None and cluster.ndim == 2:
        first, second = dimensions(cluster)
        both = crossed(first, second)
        return cross_product(scores, first) + cross_product(scores, second) - cross_product(scores, both)
    if cluster is not None:
        groups = build_cells(cluster)
        scores = scores[groups.order]
        sums = np.add.reduceat(scores, groups.starts, axis=0)
        # Scores that cancel within a cluster leave rounding errors, which are no variance.
        sizes = np.add.reduceat(np.abs(scores), groups.starts, axis=0)
        scores = np.where(np.abs(sums) <= CANCELLED * sizes, 0.0, sums)
    return np.asarray(scores.T @ scores)


def without_negative(cov: FloatArray) -> FloatArray:
    """Return a covariance with its negative eigenvalues set to 0 (Cameron, Gelbach and Miller 2011, section 2.3), shape (f, f).

    Without a positive one nothing is known of the variances, and all are NaN. Coefficients without a variance stay out.
    """
    known = np.isfinite(np.diag(cov))
    part = cov[np.ix_(known, known)]
    if not part.size:
        return cov
    values, vectors = np.linalg.eigh(part)
    # What is negative by rounding alone is a variance of 0 by design.
    if values[0] >= -CANCELLED * np.abs(values).max():
        return cov
    result = cov.copy()
    positive = np.maximum(values, 0.0)
    result[np.ix_(known, known)] = (vectors * positive) @ vectors.T if values[-1] > 0 else np.nan
    return result


def _explained(rss: FloatArray, total: FloatArray, tss_within: FloatArray) -> FloatArray:
    """Return 1 - rss / total; NaN where the outcome does not vary within cells, since rounding would speak."""
    return 1.0 - ratio(rss, total, where=(total > 0) & (tss_within > 0))
