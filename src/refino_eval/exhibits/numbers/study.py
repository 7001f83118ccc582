"""From people to numbers, for exhibits of who took part in what: take-up, stays, the fall-back mix, effects of taking part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval import estimation as est
from refino_eval.config import definitions as d
from refino_eval.config.costs import Costs
from refino_eval.config.evaluation import Arms
from refino_eval.config.payments import PaymentRules
from refino_eval.covariances import Vcov, is_clustered
from refino_eval.errors import UserError
from refino_eval.estimation.core.arrays import Missing
from refino_eval.estimation.core.recording import Source

Row = dict[str, object]


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
        cohort: str,
        outcomes: Iterable[str],
        panels: Iterable[str],
        flow: Iterable[str] = (),
        aggregates: Iterable[str] = (),
        clean: Iterable[str] = (),
        published: Iterable[str] = (),
    ) -> PersonFiles:
        """Tell the files of a job's inputs by their names: `<outcome>.parquet`, `panel_<unit>.parquet`, `<exhibit>.csv`."""
        return cls(
            cohort=Path(cohort),
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
    called. `costs` and `payments` are definitions of those names, for the exhibits that read them. `all_arms` are the people of
    the sample in all arms, where an exhibit compares some of the arms.
    """

    treated: str
    control: str
    specifications: Mapping[str, d.Specification]
    seed: int
    several: tuple[str, ...] = ()
    subgroups: Mapping[str, d.Subgroup] = field(default_factory=dict)
    pooled: str | None = None
    costs: Mapping[str, Costs] = field(default_factory=dict)
    payments: Mapping[str, PaymentRules] = field(default_factory=dict)
    all_arms: pd.DataFrame | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls, definitions: d.Definitions, arms: Arms, seed: int) -> Study:
        """Return the study of an evaluation's arms, with the definitions that its exhibits use."""
        return cls(
            treated=arms.treated.name,
            control=arms.control.name,
            several=tuple(arm.name for arm in arms.treated_arms),
            pooled=arms.pooled.name if arms.pooled else None,
            specifications=definitions.specifications,
            subgroups=definitions.subgroups,
            costs=definitions.costs,
            payments=definitions.payments,
            seed=seed,
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
    """Give the people of each treated arm with those of the control arm, and the study of these two."""
    if len(study.treated_arms) == 1:
        yield cohort, study
        return
    for arm in study.treated_arms:
        people = cohort.loc[cohort["arm"].isin([arm, study.control])].reset_index(drop=True)
        yield people, replace(study, treated=arm, several=(arm,))


def of_arm(cohort: pd.DataFrame, arm: str, study: Study) -> np.ndarray:
    """Tell who was drawn to an arm."""
    if len(study.treated_arms) > 1:
        return (cohort["arm"] == arm).to_numpy(dtype=bool)
    return (cohort["treated"] == int(arm == study.treated)).to_numpy(dtype=bool)


class CopyOf(NamedTuple):
    """A number of another exhibit, by its keys without the statistic."""

    exhibit: str
    panel: str
    row: str
    column: str


def cell(
    row: str,
    column: str,
    statistic: str,
    value: Any,
    n: int | None = None,
    *,
    panel: str = "",
    status: str = "",
    source: Source | CopyOf | None = None,
) -> Row:
    """Return one number as a row of the tidy form; one that cannot be computed is missing with a status.

    `source` is where an estimate, its standard error or an F comes from, for verification: a regression, or a number of
    another exhibit. It is not written.
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
    found = {}
    for column, outcome in columns.items():
        values = pd.read_parquet(files.outcomes[outcome]).set_index("person_id")["value"].astype(float)
        found[column] = values.reindex(cohort["person_id"]).to_numpy()
    return pd.DataFrame(found)


def controls_of(cohort: pd.DataFrame, specification: d.Specification) -> est.ControlMatrix:
    """Encode the controls of a specification on a sample."""
    terms = [
        est.ControlTerm(
            name=term.covariate, encoding=term.encoding, bins=term.bins, edges=term.edges, missing=term.missing
        )
        for term in specification.controls
    ]
    return est.build_controls(cohort, terms)


def weighted(cohort: pd.DataFrame, specification: d.Specification) -> pd.DataFrame:
    """Return the people with a specification's own weights, without those who have none or 0; or with no weights at all."""
    if specification.weights is None:
        return cohort
    if specification.weights is False:
        return cohort.drop(columns="weight", errors="ignore")
    weights = cohort[specification.weights].astype(float)
    negative = int((weights < 0).sum())
    if negative:
        raise UserError(
            f"weights '{specification.weights}': negative for {negative:,} people. Weights must be zero or positive: correct them."
        )
    known = (weights > 0).to_numpy(dtype=bool)
    return cohort.assign(weight=weights).loc[known].reset_index(drop=True)


def weighting(cohort: pd.DataFrame, vcov: Vcov) -> dict[str, Any]:
    """Return weights, and the cluster when the covariance asks for it, as the evaluation names them."""
    found: dict[str, Any] = {}
    if "weight" in cohort:
        found["weights"] = cohort["weight"].to_numpy()
    if is_clustered(vcov):
        if "cluster" not in cohort:
            raise UserError(f"the covariance {vcov} needs a cluster, and the evaluation names none (`cluster`).")
        found["cluster"] = cohort["cluster"]
    return found


def inputs_of(
    people: pd.DataFrame,
    specification: d.Specification,
    controls: pd.DataFrame | None = None,
    *,
    missing: Missing = "error",
) -> est.RegressionInputs:
    """Return the regression that a specification asks for on these people."""
    return est.regression_inputs(
        people["treated"].to_numpy(),
        cells=people["cell"] if specification.strata else None,
        controls=controls,
        vcov=specification.vcov,
        missing=missing,
        level=specification.level,
        **weighting(people, specification.vcov),
    )


def weights_of(people: pd.DataFrame) -> npt.NDArray[np.float64] | None:
    """Return the weights of these people, when they have any."""
    return people["weight"].to_numpy(dtype=np.float64) if "weight" in people else None
