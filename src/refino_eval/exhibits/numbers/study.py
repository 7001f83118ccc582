"""From people to numbers, for exhibits of who took part in what: take-up, stays, the fall-back mix, effects of taking part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval import estimation as est
from refino_eval.config import definitions as d
from refino_eval.config.base import Design
from refino_eval.config.evaluation import CLUSTER_COLUMNS, Arms
from refino_eval.config.money.cost_benefit import CostBenefit
from refino_eval.config.money.costs import Costs
from refino_eval.config.money.payments import PaymentRules
from refino_eval.covariances import Vcov, is_clustered
from refino_eval.errors import UserError, nearest
from refino_eval.estimation.core.arrays import Missing
from refino_eval.exhibits.numbers.number_sources import NumberSource
from refino_eval.exhibits.numbers.person_columns import read_outcome

Row = dict[str, object]
_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class PersonFiles:
    """Where the person-level files of an evaluation stand.

    Attributes
    ----------
    cohort
        `cohort.parquet`.
    outcomes
        One file for each outcome.
    panels
        One panel for each unit of the clock.
    flow
        `flow.csv`, for the exhibit that shows it.
    aggregates
        Numbers of other exhibits, for those that are computed from them.
    clean
        Clean registers, for the exhibit that reads spells.
    published
        A file of published values, for costs that name printed numbers.
    """

    cohort: Path
    outcomes: Mapping[str, Path]
    panels: Mapping[str, Path]
    flow: Path | None = None
    aggregates: Mapping[str, Path] = field(default_factory=dict)
    clean: Mapping[str, Path] = field(default_factory=dict)
    published: Path | None = None

    @classmethod
    def listed(
        cls,
        *,
        cohort: str | Sequence[str],
        outcomes: Iterable[str],
        panels: Iterable[str],
        flow: Iterable[str] = (),
        aggregates: Iterable[str] = (),
        clean: Iterable[str] = (),
        published: Iterable[str] = (),
    ) -> PersonFiles:
        """Return the files of a job's inputs by their names: `<outcome>.parquet`, `panel_<unit>.parquet`, `<exhibit>.csv`."""
        return cls(
            cohort=Path(cohort if isinstance(cohort, str) else ""),
            outcomes={Path(path).stem: Path(path) for path in outcomes},
            panels={Path(path).stem.removeprefix("panel_"): Path(path) for path in panels},
            flow=next((Path(path) for path in flow), None),
            aggregates={Path(path).stem: Path(path) for path in aggregates},
            clean={Path(path).stem: Path(path) for path in clean},
            published=next((Path(path) for path in published), None),
        )


@dataclass(frozen=True)
class Study:
    """What an exhibit needs to know of its study: names of the arms, definitions of controls and subgroups, and the seed.

    `treated` is the treated arm, the first of `several` where there are more than one; `pooled` is what all together are
    called. `costs`, `payments` and `cost_benefit` are definitions of those names, for the exhibits that read them. `all_arms` are the people of
    the sample in all arms, where an exhibit compares some of the arms.
    """

    treated: str
    control: str
    specifications: Mapping[str, d.Specification]
    seed: int
    design: Design = "randomised"
    several: tuple[str, ...] = ()
    subgroups: Mapping[str, d.Subgroup] = field(default_factory=dict)
    pooled: str | None = None
    comparisons: Mapping[str, d.Comparison] = field(default_factory=dict)
    costs: Mapping[str, Costs] = field(default_factory=dict)
    payments: Mapping[str, PaymentRules] = field(default_factory=dict)
    cost_benefit: Mapping[str, CostBenefit] = field(default_factory=dict)
    all_arms: pd.DataFrame | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls, definitions: d.Definitions, arms: Arms, seed: int, design: Design = "randomised") -> Study:
        """Return the study of an evaluation's arms, with the definitions that its exhibits use."""
        return cls(
            treated=arms.treated.name,
            control=arms.control.name,
            several=tuple(arm.name for arm in arms.treated_arms),
            pooled=arms.pooled.name if arms.pooled else None,
            specifications=definitions.specifications,
            subgroups=definitions.subgroups,
            comparisons=definitions.comparisons,
            costs=definitions.costs,
            payments=definitions.payments,
            cost_benefit=definitions.cost_benefit,
            seed=seed,
            design=design,
        )

    @property
    def treated_arms(self) -> tuple[str, ...]:
        """Names of all treated arms."""
        return self.several or (self.treated,)

    @property
    def is_pooled(self) -> bool:
        """Whether all treated arms are taken as one."""
        return self.treated_arms == (self.pooled,)

    def comparing(self, arm: str | None, against: str | None) -> Study:
        """Return the study of one treated arm, or against another arm than the control; None leaves as it is."""
        control = against or self.control
        arms = (arm,) if arm is not None else tuple(each for each in self.treated_arms if each != control)
        return replace(self, treated=arms[0], control=control, several=arms)


@dataclass(frozen=True)
class Context:
    """What the numbers of an exhibit are computed from.

    Attributes
    ----------
    name
        The exhibit's name, which also seeds its random numbers.
    cohort
        The people of its sample, one row each.
    files
        The person-level files.
    study
        Arms, specifications and other definitions.
    """

    name: str
    cohort: pd.DataFrame
    files: PersonFiles
    study: Study


def pairs(cohort: pd.DataFrame, study: Study) -> Iterator[tuple[pd.DataFrame, Study]]:
    """Yield the people of each treated arm with those of the control arm, and the study of these two."""
    if len(study.treated_arms) == 1:
        yield cohort, study
        return
    for arm in study.treated_arms:
        people = cohort.loc[cohort["arm"].isin([arm, study.control])].reset_index(drop=True)
        yield people, replace(study, treated=arm, several=(arm,))


def of_arm(cohort: pd.DataFrame, arm: str, study: Study) -> np.ndarray:
    """Return who was assigned to an arm."""
    if len(study.treated_arms) > 1:
        return (cohort["arm"] == arm).to_numpy(dtype=bool)
    return (cohort["treated"] == int(arm == study.treated)).to_numpy(dtype=bool)


def cell(
    row: str,
    column: str,
    statistic: str,
    value: Any,
    n: int | None = None,
    *,
    panel: str = "",
    status: str = "",
    source: NumberSource | None = None,
) -> Row:
    """Return one number as a row of the tidy form; one that cannot be computed is missing with a status.

    `source` is where an estimate, its standard error or an F comes from, for verification, or the reason why no other program
    is asked for it. It is not written.
    """
    number = float(value)
    if not status and not np.isfinite(number):
        status = "not_estimable"
    return {
        "panel": panel,
        "row": row,
        "column": column,
        "statistic": statistic,
        "value": number if np.isfinite(number) else np.nan,
        "n_persons": n,
        "status": status,
        "source": source,
    }


def outcome_columns(columns: Mapping[str, str], cohort: pd.DataFrame, files: PersonFiles) -> pd.DataFrame:
    """Read outcomes for the cohort's people, in its order: one double column a key."""
    outcomes = {}
    for column, outcome in columns.items():
        values = read_outcome(files.outcomes[outcome])["value"].astype(float)
        outcomes[column] = values.reindex(cohort["person_id"]).to_numpy()
    return pd.DataFrame(outcomes)


def _encoded(terms: Iterable[d.ControlTerm]) -> list[est.ControlTerm]:
    """Return controls as the estimation room has them."""
    return [
        est.ControlTerm(
            name=term.covariate,
            encoding=term.encoding,
            bins=term.bins,
            edges=term.edges,
            missing=term.missing,
            degree=term.degree,
        )
        for term in terms
    ]


def controls_of(
    cohort: pd.DataFrame, specification: d.Specification, columns: Mapping[str, str] = _NONE
) -> est.ControlMatrix:
    """Encode the controls of a specification on a sample, those of the outcomes that are columns (key -> outcome) among them.

    Of several absorbed columns, all but the one with the most values come as a dummy for each value.
    """
    terms = _encoded(specification.terms_of(columns.values()))
    if specification.absorb:
        most = absorbed_column(cohort, specification)
        terms += [
            # Who lacks a value of an absorbed column has no fixed effect of it, and is in no regression.
            est.ControlTerm(name=name, encoding="categories", missing="drop")
            for name in specification.absorb
            if name != most
        ]
        present = cohort[most].notna().to_numpy()
        return replace(
            encoded := est.build_controls(cohort, terms, interact=specification.interact), rows=encoded.rows & present
        )
    return est.build_controls(cohort, terms, interact=specification.interact)


MOST_DUMMIES = 1_000
"""Values that an absorbed column may have where another has more: each is a column of the regression."""


def absorbed_column(cohort: pd.DataFrame, specification: d.Specification) -> str:
    """Return the absorbed column with the most values, whose fixed effects are taken out as deviations from means.

    Raises
    ------
    UserError
        When the cohort lacks a column, or another column has too many values for dummies.
    """
    for name in specification.absorb:
        if name not in cohort:
            raise UserError(
                f"absorb names '{name}', which the cohort does not have.{nearest(name, map(str, cohort.columns))}"
            )
    counts = {name: int(cohort[name].nunique()) for name in specification.absorb}
    most = max(counts, key=lambda name: counts[name])
    for name, count in counts.items():
        if name != most and count > MOST_DUMMIES:
            raise UserError(
                f"absorb: '{name}' has {count:,} values beside '{most}' with {counts[most]:,}; all columns but one may have "
                f"{MOST_DUMMIES:,} at most. Use coarser groups."
            )
    return most


def cells_of(people: pd.DataFrame, specification: d.Specification) -> pd.Series | None:
    """Return what is taken out as deviations from means: the cells, one of several absorbed columns, or nothing."""
    if specification.absorb:
        return people[absorbed_column(people, specification)].astype("str")
    return people["cell"] if specification.strata else None


def weighted(cohort: pd.DataFrame, specification: d.Specification) -> pd.DataFrame:
    """Return the people with a specification's own weights, without those who have none or 0; or with no weights at all.

    Weights for non-response depend on who has the outcomes: `response_weighted` multiplies these by them.
    """
    given = specification.given_weights
    if given is None:
        return cohort
    if given is False:
        return cohort.drop(columns="weight", errors="ignore")
    weights = cohort[given].astype(float)
    negative = int((weights < 0).sum())
    if negative:
        raise UserError(
            f"weights '{given}': negative for {negative:,} people. Weights must be zero or positive: correct them."
        )
    present = (weights > 0).to_numpy(dtype=bool)
    return cohort.assign(weight=weights).loc[present].reset_index(drop=True)


def response_weighted(cohort: pd.DataFrame, observed: np.ndarray, specification: d.Specification) -> pd.DataFrame:
    """Return everybody with the weights times those for non-response, where a specification has these; NaN for those not observed."""
    asked = specification.weights
    if not isinstance(asked, d.NonresponseWeights):
        return cohort
    covariates = est.build_controls(cohort, _encoded(asked.nonresponse))
    base = weights_of(cohort)
    response = est.nonresponse_weights(
        observed,
        cohort["arm"] if "arm" in cohort else cohort["treated"],
        controls=covariates.to_frame() if covariates.names else None,
        cells=cohort["cell"] if asked.strata else None,
        weights=base,
        by_arm=asked.by_arm,
        trim=asked.trim,
    )
    return cohort.assign(weight=response.weights if base is None else base * response.weights)


def weighting(cohort: pd.DataFrame, vcov: Vcov) -> dict[str, Any]:
    """Return weights, and the cluster when the covariance asks for it, as the evaluation names them."""
    options: dict[str, Any] = {}
    if "weight" in cohort:
        options["weights"] = cohort["weight"].to_numpy()
    if is_clustered(vcov):
        if "cluster" not in cohort:
            raise UserError(f"the covariance {vcov} needs a cluster, and the evaluation names none (`cluster`).")
        options["cluster"] = clusters_of(cohort)
    return options


def clusters_of(people: pd.DataFrame) -> pd.Series | pd.DataFrame:
    """Return the column of clusters, or both where they have two dimensions."""
    two = all(name in people for name in CLUSTER_COLUMNS)
    return people[list(CLUSTER_COLUMNS)] if two else people[CLUSTER_COLUMNS[0]]


def cluster_codes(people: pd.DataFrame) -> npt.NDArray[np.int64] | None:
    """Return codes of the clusters, shape (n,) or (n, 2); None without clusters."""
    named = [name for name in CLUSTER_COLUMNS if name in people]
    codes = [pd.factorize(people[name])[0].astype(np.int64) for name in named]
    return None if not codes else codes[0] if len(codes) == 1 else np.column_stack(codes)


def inputs_of(
    people: pd.DataFrame,
    specification: d.Specification,
    controls: pd.DataFrame | None = None,
    *,
    columns: Mapping[str, str] = _NONE,
    missing: Missing = "error",
) -> est.RegressionInputs:
    """Return the regression that a specification asks for on these people; `columns` are outcomes by key, as in `controls_of`."""
    return est.regression_inputs(
        people["treated"].to_numpy(),
        cells=cells_of(people, specification),
        controls=controls,
        vcov=specification.vcov,
        missing=missing,
        level=specification.level,
        interacted=specification.adjustment == "interacted",
        own_controls=own_controls(specification, controls, columns),
        absorbed=specification.absorb,
        **weighting(people, specification.vcov),
    )


def controls_for(
    column: str, controls: pd.DataFrame | None, specification: d.Specification, columns: Mapping[str, str]
) -> pd.DataFrame | None:
    """Return the controls of one outcome's regression: without those that other outcomes alone have."""
    own = own_controls(specification, controls, columns)
    others = {name for names in own.values() for name in names} - set(own.get(column, ()))
    return controls if controls is None else controls.drop(columns=list(others))


def own_controls(
    specification: d.Specification, controls: pd.DataFrame | None, columns: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """Return the encoded controls that only some outcomes have, by the outcome's key."""
    if controls is None or not specification.outcome_controls:
        return {}
    shared = {term.covariate for term in specification.controls}
    terms = {key: specification.outcome_controls.get(outcome, ()) for key, outcome in columns.items()}
    return {
        key: tuple(
            name
            for name in map(str, controls.columns)
            if est.control_term(name) in {term.covariate for term in own} - shared
        )
        for key, own in terms.items()
        if own
    }


def weights_of(people: pd.DataFrame) -> npt.NDArray[np.float64] | None:
    """Return the weights of these people, when they have any."""
    return people["weight"].to_numpy(dtype=np.float64) if "weight" in people else None
