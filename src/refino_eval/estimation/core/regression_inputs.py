"""The right-hand side of a regression and how it is estimated, as one object that every analysis takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypedDict, Unpack

import numpy as np
import pandas as pd

from refino_eval.covariances import CLUSTERED, COVARIANCES, CRV1, Covariance, Vcov, usual_vcov
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
    Vector,
    as_columns,
    as_mask,
    as_treated,
    as_vector,
    check_choice,
    check_length,
    check_level,
)
from refino_eval.estimation.core.coefficient_tests import Freedom


class EstimationOptions(TypedDict, total=False):
    """How a regression is estimated; `RegressionInputs` describes the keywords."""

    vcov: Vcov
    singletons: Singletons
    missing: Missing
    rows: BoolArray | None
    level: float
    interacted: bool
    own_controls: Mapping[str, Sequence[str]]
    absorbed: Sequence[str]


class Options(EstimationOptions, total=False):
    """Keywords that every analysis takes; `RegressionInputs` describes them."""

    cells: Labels | None
    controls: Columns | None
    weights: Vector | None
    cluster: Labels | None


@dataclass(frozen=True, eq=False, repr=False)
class RegressionInputs:
    """Everything about a regression except its outcomes, checked; make it with `regression_inputs` or `from_frame`.

    Attributes
    ----------
    treated
        Assignment to treatment, 0 or 1, shape (n,).
    cells
        Codes of the cells within which assignment is random, shape (n,); one cell when none were given.
    controls, control_names
        Control variables, shape (n, k), finite in the rows in use. Collinear ones are dropped and named in the result.
    weights
        Probability weights, positive, shape (n,), or None.
    cluster
        Codes of the clusters, shape (n,), or (n, 2) for clusters in two dimensions, or None.
    rows
        The people in question (a subgroup, or those whose controls are known), boolean of shape (n,).
    vcov
        Covariance, one of `covariances.COVARIANCES`; CR2 when clusters are given without one (CRV1 when in two dimensions), otherwise HC1.
    singletons
        ``"keep"`` cells of one person in n and K (Stata's `areg`), or ``"drop"`` them (`reghdfe`). The estimate is the same.
    missing
        People with missing outcomes: ``"error"`` accepts none; ``"common"`` keeps those observed in every outcome;
        ``"available"`` keeps for each outcome those observed in it.
    level
        Confidence level.
    interacted
        Whether each control also has an interaction with treatment (Lin 2013); see `preparation.design_of`.
    own_controls
        Outcome -> names of controls that only the regressions of the outcomes that name them have, such as the outcome's value
        at baseline. All other controls are in every regression.
    absorbed
        Controls that are further fixed effects, with a dummy for each category: ``CRV1_nested`` does not count them where
        they are nested in clusters.
    """

    treated: FloatArray
    cells: IntArray
    controls: FloatArray
    rows: BoolArray
    control_names: tuple[str, ...] = ()
    weights: FloatArray | None = None
    cluster: IntArray | None = None
    vcov: Vcov = "HC1"
    singletons: Singletons = "keep"
    missing: Missing = "error"
    level: float = 0.95
    interacted: bool = False
    own_controls: Mapping[str, Sequence[str]] = field(default_factory=dict)
    absorbed: Sequence[str] = ()

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        treated: str,
        *,
        cells: Sequence[str] = (),
        controls: Sequence[str] = (),
        weights: str | None = None,
        cluster: str | Sequence[str] | None = None,
        **options: Unpack[EstimationOptions],
    ) -> RegressionInputs:
        """Read treatment, cells, controls, weights and clusters from columns of a data frame.

        Parameters
        ----------
        frame
            One row per person.
        treated, cells, controls, weights, cluster
            Names of columns; several columns of cells are crossed, two of clusters are two dimensions.
        options
            ``vcov``, ``singletons``, ``missing``, ``rows``, ``level``, ``interacted``, ``own_controls`` and ``absorbed``.

        Examples
        --------
        >>> inputs = RegressionInputs.from_frame(people, "treated", cells=["county", "month"], controls=["age"])
        >>> itt(people[["employed", "wage"]], inputs)
        """
        named = Options(
            cells=frame[list(cells)] if cells else None,
            controls=frame[list(controls)] if controls else None,
            weights=None if weights is None else frame[weights],
            cluster=None if cluster is None else frame[cluster if isinstance(cluster, str) else list(cluster)],
        )
        return regression_inputs(frame[treated], **(named | options))

    @property
    def n_rows(self) -> int:
        """Rows of all inputs, in use or not."""
        return int(self.treated.size)

    @property
    def covariance(self) -> Covariance:
        """What ``vcov`` stands for."""
        return COVARIANCES[self.vcov]

    @property
    def summed_in(self) -> IntArray | None:
        """Clusters within which the covariance sums scores, or None, shape (n,) or (n, 2)."""
        return self.cluster if self.covariance.is_clustered else None

    @property
    def two_way(self) -> bool:
        """Whether there are clusters in two dimensions."""
        return self.cluster is not None and self.cluster.ndim == 2

    def require_one_way(self, analysis: str) -> None:
        """Raise when clusters have two dimensions, for an analysis (its name begins the message) that takes one."""
        if self.two_way:
            raise UserError(f"{analysis} takes one dimension of clusters, and two are named; name one.")

    def freedom(self, df: float) -> Freedom | None:
        """Return the degrees of freedom of tests across outcomes, from those of one effect; None without Satterthwaite's.

        Effects of one regressor on several outcomes have the same weights of residuals, so that with independent errors of
        equal variance their covariance has the Satterthwaite degrees of freedom of each of them, and the test is Hotelling's.
        """
        return (lambda _: df) if self.covariance.has_satterthwaite else None

    def among(self, rows: BoolArray) -> RegressionInputs:
        """Return the inputs for those of the people in question who are in ``rows`` too."""
        return replace(self, rows=self.rows & rows)

    def adjusted_for(self, controls: FloatArray, names: tuple[str, ...]) -> RegressionInputs:
        """Return the inputs with other controls."""
        return replace(self, controls=controls, control_names=names)

    def of_outcome(self, outcome: str) -> tuple[int, ...]:
        """Return the columns of the controls in one outcome's regression: those of no outcome, and its own."""
        own = self.own_controls.get(outcome, ())
        others = {name for names in self.own_controls.values() for name in names} - set(own)
        return tuple(k for k, name in enumerate(self.control_names) if name not in others)

    def with_columns(self, columns: Sequence[int]) -> RegressionInputs:
        """Return the inputs with some of the controls, which then belong to all outcomes."""
        if len(columns) == len(self.control_names):
            return replace(self, own_controls={}) if self.own_controls else self
        names = tuple(self.control_names[k] for k in columns)
        return replace(self, controls=self.controls[:, list(columns)], control_names=names, own_controls={})

    def refuse(self, analysis: str, *options: str) -> None:
        """Raise when an option is set that an analysis does not use, rather than ignore it.

        Parameters
        ----------
        analysis
            Name for the message, at the start of a sentence.
        options
            Names of attributes that must have no value, or their default.
        """
        for name in options:
            value, default = getattr(self, name), getattr(RegressionInputs, name, None)
            if name == "controls":
                is_set = self.controls.shape[1] > 0
            elif name == "own_controls":
                is_set = bool(value)
            else:
                is_set = value is not None if default is None else value != default
            if is_set:
                raise UserError(f"{analysis} takes no {name}; leave the option out, or choose another analysis.")


def regression_inputs(treated: Vector | RegressionInputs, **options: Unpack[Options]) -> RegressionInputs:
    """Check the inputs of an analysis.

    Parameters
    ----------
    treated
        Assignment to treatment, 0 or 1, shape (n,); or inputs made before, without options.
    options
        As the attributes of `RegressionInputs`; ``cells`` and ``cluster`` are labels of any type, ``controls`` any columns.

    Raises
    ------
    UserError
        When treatment is not 0 or 1, inputs have other lengths, labels are missing, weights are not positive, an
        option is unknown, or a cluster and the covariance do not go together.
    """
    if isinstance(treated, RegressionInputs):
        if options:
            raise TypeError(f"options are part of the inputs already: {', '.join(options)}; see dataclasses.replace")
        return treated
    given = options.get("cluster")
    clustered, two_way = given is not None, _n_columns(given) == 2
    vcov = options.setdefault("vcov", usual_vcov(clusters=clustered + two_way))
    check_choice(vcov, Vcov, what="vcov")
    if clustered != COVARIANCES[vcov].is_clustered:
        raise UserError(
            f"vcov is '{vcov}' and cluster is {'given' if clustered else 'absent'}: clustered standard errors need both "
            f"a cluster and one of the vcov {', '.join(CLUSTERED)}; other vcov take no cluster."
        )
    if two_way and COVARIANCES[vcov].has_cluster_leverage:
        raise UserError(
            f"vcov is '{vcov}', which takes one dimension of clusters, and two are given; choose one of {', '.join(CRV1)}."
        )
    check_level(options.get("level", 0.95))
    return unchecked_inputs(as_treated(treated), **options)


def unchecked_inputs(
    treated: FloatArray, control_names: Sequence[str] | None = None, **options: Unpack[Options]
) -> RegressionInputs:
    """Return the inputs of a design: as `regression_inputs`, without asking whether cluster and covariance go together."""
    unknown = sorted(options.keys() - Options.__annotations__.keys())
    if unknown:
        raise UserError(
            f"unknown option: {', '.join(unknown)}. Options are {', '.join(sorted(Options.__annotations__))}; strata are given as 'cells'."
        )
    n = treated.size
    given, names = options.get("controls"), tuple[str, ...]()
    controls = np.empty((n, 0))
    if given is not None:
        controls, names = as_columns(given, n, what="controls", names=control_names)
    weights, cluster, rows = options.get("weights"), options.get("cluster"), options.get("rows")
    inputs = RegressionInputs(
        treated=treated,
        cells=encode(options.get("cells"), n),
        controls=controls,
        control_names=names,
        weights=None if weights is None else _positive(weights, n),
        cluster=None if cluster is None else _clusters(cluster, n),
        rows=np.ones(n, dtype=bool) if rows is None else as_mask(rows, n),
    )
    listed = ("vcov", "singletons", "missing", "level", "interacted", "own_controls", "absorbed")
    chosen: dict[str, Any] = {name: value for name, value in options.items() if name in listed}
    inputs = replace(inputs, **chosen)
    check_choice(inputs.singletons, Singletons, what="singletons convention")
    check_choice(inputs.missing, Missing, what="rule for missing outcomes")
    return inputs


def _n_columns(given: Labels | None) -> int:
    """Return how many columns labels have; a list of tuples has none, each tuple being one label."""
    return int(given.shape[1]) if isinstance(given, pd.DataFrame | np.ndarray) and given.ndim == 2 else 0


def _clusters(given: Labels, n: int) -> IntArray:
    """Return the codes of clusters: of labels shape (n,), of a table with two columns shape (n, 2)."""
    if not _n_columns(given):
        return encode(given, n, what="cluster")
    columns = pd.DataFrame(given)
    if columns.shape[1] > 2:
        raise UserError(f"cluster: {columns.shape[1]} columns are given, and clusters have two dimensions at most.")
    codes = [encode(columns.iloc[:, k], n, what="cluster") for k in range(columns.shape[1])]
    return codes[0] if len(codes) == 1 else np.column_stack(codes)


def _positive(weights: Vector, n: int) -> FloatArray:
    values = as_vector(weights, what="weights")
    check_length(values.size, n, what="weights")
    wrong = int(np.count_nonzero(~(np.isfinite(values) & (values > 0))))
    if wrong:
        raise UserError(
            f"weights must be positive numbers; {wrong} of {n} rows are not. Leave out people with weight 0."
        )
    return values
