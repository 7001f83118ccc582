"""The calibration report: every moment that a recipe targets, compared with the files that were written.

Forms of a moment's name (parts joined by a colon; arms by their names in the recipe, or `all`):

    people:<all | an arm | with_demography | with_controls>
    mean | sd:<covariate>:<arm>             state:<state>:<event month>:<arm>       sum:<state>:<first>:<last>:<arm>
    r_squared:cells                         coefficient:<outcome>:<covariate>       itt_se:<none | linear>:<outcome>
    started:<arm>  crossed:<arm>            takes_part:<arm>:<event month>          duration:<arm>
    leaves:<arm>:<month>                    takes_up_by_capacity:<arm>
    truth:mismatches                        estimate:<outcome>

A moment is within tolerance if it is as far from its target as what the published number leaves open (by default half a unit
of its last digit) plus `z` standard errors. `z` is chosen so that a delivery made by a correct recipe has any moment outside
with probability `FALSE_ALARM` at most, whatever its seed (Bonferroni over the moments).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pandas as pd

from refino_eval.errors import UserError, nearest
from refino_eval.synthetic.assignment import sizes
from refino_eval.synthetic.calibration_moments import (
    Delivery,
    Moment,
    fit_within_cells,
    load_delivery,
    mean_moment,
    outcome,
    sd_moment,
)
from refino_eval.synthetic.recipe import ArmRecipe, Recipe, Target

FALSE_ALARM = 0.01
"""Largest probability that a delivery of a correct recipe has any moment outside its tolerance."""

COLUMNS = ("moment", "source", "target", "obtained", "difference", "tolerance", "verdict", "why")
CONTROLS = ("female", "immigrant", "age", "experience", "occupational_income", "pensionable_income")


def calibration_report(folder: Path, recipe: Recipe) -> pd.DataFrame:
    """Judge a delivery by the recipe's targets and by its own truth.

    Parameters
    ----------
    folder
        A synthetic delivery; nothing is written to it.
    recipe
        The recipe that it was made by.

    Returns
    -------
    pandas.DataFrame
        Columns moment, source, target, obtained, difference, tolerance, verdict ("within", "outside" or "too few people"), why.

    Raises
    ------
    UserError
        When a target names a moment that cannot be computed.
    """
    folder = Path(folder)
    if "draws" not in recipe.registers:
        # Moments are of people who were drawn; who enters by rule is found by the evaluation alone.
        return pd.DataFrame(columns=COLUMNS)
    judge = _Judge(load_delivery(folder, recipe), recipe, folder)
    targets = [*recipe.targets, *judge.truth_targets()]
    # Bonferroni: two-sided, over all targets together.
    z = NormalDist().inv_cdf(1 - FALSE_ALARM / (2 * len(targets)))
    return pd.DataFrame([judge.row(target, z) for target in targets])


def write_calibration(table: pd.DataFrame, csv_path: Path) -> None:
    """Write a calibration report as CSV, and as Markdown next to it."""
    table.to_csv(csv_path, index=False, lineterminator="\n", float_format="%.6g")
    csv_path.with_suffix(".md").write_text(_markdown(table), encoding="utf-8")


class _Judge:
    """Computes moments of one delivery by name."""

    def __init__(self, delivery: Delivery, recipe: Recipe, folder: Path) -> None:
        self.delivery, self.recipe, self.folder = delivery, recipe, folder
        self.cohort = delivery.cohort
        self.arms = {arm.name: arm for arm in (recipe.arms.treated, recipe.arms.control)}
        self.kinds: dict[str, Callable[..., Moment]] = {
            "people": self._people,
            "mean": lambda name, arm: mean_moment(self._of(self._covariate(name), arm)),
            "sd": lambda name, arm: sd_moment(self._of(self._covariate(name), arm)),
            "state": lambda name, at, arm: mean_moment(self._of(self.delivery.states[name][int(at)], arm)),
            "sum": lambda name, first, last, arm: mean_moment(
                self._of(outcome(delivery, name, (int(first), int(last))), arm)
            ),
            "r_squared": self._r_squared,
            "coefficient": self._coefficient,
            "itt_se": self._itt_error,
            "started": lambda arm: self._share(self._participants(self.arms[arm], self.arms[arm]), arm),
            "crossed": lambda arm: self._share(self._participants(self.arms[arm], self._other(arm)), arm),
            "takes_part": self._takes_part,
            "duration": self._duration,
            "leaves": self._leaves,
            "takes_up_by_capacity": self._by_capacity,
            "truth": self._mismatches,
            "estimate": lambda name: self._itt(name, linear=True),
        }

    def row(self, target: Target, z: float) -> dict[str, object]:
        """Compute one line of the report; `z` standard errors count as sampling error."""
        obtained = self.moment(target.moment)
        value = self._scaled(target)
        allowed = (target.unit / 2 if target.tolerance is None else target.tolerance) + z * obtained.std_error
        difference = obtained.value - value
        return {
            "moment": target.moment,
            "source": target.source,
            "target": value,
            "obtained": obtained.value,
            "difference": difference,
            "tolerance": allowed,
            "verdict": _verdict(difference, allowed),
            "why": target.why or ("rounding and sampling error" if target.unit else "exact"),
        }

    def moment(self, name: str) -> Moment:
        """Compute a moment by its name."""
        kind, *rest = name.split(":")
        if kind not in self.kinds:
            raise UserError(f"Recipe '{self.recipe.name}': unknown kind of moment '{kind}'.{nearest(kind, self.kinds)}")
        try:
            return self.kinds[kind](*rest)
        except (KeyError, TypeError, ValueError):
            raise UserError(
                f"Recipe '{self.recipe.name}': the moment '{name}' cannot be computed. The forms are listed in the module "
                "refino_eval.synthetic.calibration."
            ) from None

    def truth_targets(self) -> list[Target]:
        """Return the targets that every delivery has: its own truth."""
        truth = pd.read_csv(self.folder / "truth_effects.csv").set_index("outcome")["cell_weighted"]
        made = [Target(moment="truth:mismatches", source="truth.parquet", value=0.0)]
        for name, value in truth.dropna().items():
            moment = f"estimate:{name}"
            made.append(Target(moment=moment, source="truth_effects.csv", value=float(value), why="sampling error"))
        return made

    def _scaled(self, target: Target) -> float:
        kind, *rest = target.moment.split(":")
        if kind != "people":
            return target.value
        size = sizes(self.recipe, int(self.moment("people:all").value))
        treated, control = self.arms
        described = size.analysed - size.no_demography
        return {
            "all": target.value if size.analysed == self.recipe.people else size.analysed,
            treated: size.treated,
            control: size.analysed - size.treated,
            "with_demography": described,
            "with_controls": described - size.no_income_row,
        }[rest[0]]

    def _of(self, values: pd.Series, arm: str) -> pd.Series:
        return values if arm == "all" else values[self.cohort["arm"] == self.arms[arm].code]

    def _covariate(self, name: str) -> pd.Series:
        column: pd.Series = self.cohort[name]
        return column

    def _other(self, arm: str) -> ArmRecipe:
        return next(other for name, other in self.arms.items() if name != arm)

    def _people(self, which: str) -> Moment:
        controls = list(CONTROLS)
        counts = {
            "all": len(self.cohort),
            "with_demography": int(self.cohort["sex"].notna().sum()),
            "with_controls": int(self.cohort[controls].notna().all(axis=1).sum()),
        }
        return Moment(float(counts[which] if which in counts else len(self._of(self.cohort["arm"], which))))

    def _r_squared(self, what: str) -> Moment:
        if what != "cells":
            raise ValueError(what)
        treated, cell = self.cohort["treated"], self.cohort["cell"]
        within = treated - treated.groupby(cell).transform("mean")
        total = float(treated.var(ddof=0))
        return Moment(1 - float(within.var(ddof=0)) / total if total > 0 else float("nan"))

    def _value(self, name: str) -> pd.Series:
        spec = self.recipe.truth[name]
        return outcome(self.delivery, spec.state, spec.window)

    def _coefficient(self, name: str, covariate: str) -> Moment:
        fit = fit_within_cells(self._value(name), self.cohort[["treated", *CONTROLS]], self.cohort["cell"])
        # The published coefficient was not planted: it is an estimate from as many people as the recipe has.
        published_error = fit.std_errors[covariate] * np.sqrt(len(self.cohort) / self.recipe.people)
        return Moment(fit.coefficients[covariate], float(np.hypot(fit.std_errors[covariate], published_error)))

    def _itt(self, name: str, *, linear: bool) -> Moment:
        columns = ["treated", *(CONTROLS if linear else ())]
        fit = fit_within_cells(self._value(name), self.cohort[columns], self.cohort["cell"])
        return Moment(fit.coefficients["treated"], fit.std_errors["treated"])

    def _itt_error(self, controls: str, name: str) -> Moment:
        error = self._itt(name, linear={"linear": True, "none": False}[controls]).std_error
        # A standard deviation of normal values has the standard error sd / sqrt(2 n).
        return Moment(error, error / float(np.sqrt(2 * len(self.cohort))))

    def _participants(self, arm: ArmRecipe, programme: ArmRecipe) -> pd.DataFrame:
        rows = self.delivery.programmes
        drawn = rows["treated"] == float(arm is self.recipe.arms.treated)
        return rows[drawn & (rows["programme"] == programme.programme)]

    def _share(self, rows: pd.DataFrame, arm: str) -> Moment:
        first_year = rows[rows["start"] <= rows["draw"] + pd.DateOffset(years=1)]
        people = self._of(self.cohort["arm"], arm).index
        return mean_moment(pd.Series(people.isin(first_year["person_id"]).astype(float)))

    def _takes_part(self, arm: str, month: str) -> Moment:
        rows = self._participants(self.arms[arm], self.arms[arm])
        there = rows[(rows["begin"] <= int(month)) & (rows["end"] >= int(month))]
        people = self._of(self.cohort["arm"], arm).index
        return mean_moment(pd.Series(people.isin(there["person_id"]).astype(float)))

    def _duration(self, arm: str) -> Moment:
        return mean_moment(self._participants(self.arms[arm], self.arms[arm])["length"])

    def _leaves(self, arm: str, month: str) -> Moment:
        """Share of those still there who leave between this month and the next."""
        rows = self._participants(self.arms[arm], self.arms[arm])
        still = rows[rows["length"] > int(month)]
        return mean_moment(((still["length"] <= int(month) + 1) & ~still["open"]).astype(float))

    def _by_capacity(self, arm: str) -> Moment:
        """Share starting their own programme with reduced capacity, less the share without."""
        people = self._of(self.cohort["reduced_capacity"], arm)
        started = people.index.isin(self._participants(self.arms[arm], self.arms[arm])["person_id"]).astype(float)
        one, zero = (mean_moment(pd.Series(started[people.to_numpy() == value])) for value in (1.0, 0.0))
        return Moment(one.value - zero.value, float(np.hypot(one.std_error, zero.std_error)))

    def _mismatches(self, what: str) -> Moment:
        """Count people and outcomes for which the files give another value than the truth's observed arm."""
        if what != "mismatches":
            raise ValueError(what)
        truth = pd.read_parquet(self.folder / "truth.parquet").set_index("person_id").reindex(self.cohort.index)
        wrong = 0
        for name in self.recipe.truth:
            observed = truth[f"{name}_y1"].where(truth["treated"] == 1, truth[f"{name}_y0"])
            wrong += int(((self._value(name) - observed).abs() > 1e-6).sum()) + int(observed.isna().sum())
        return Moment(float(wrong))


def _verdict(difference: float, allowed: float) -> str:
    if np.isnan(difference) or np.isnan(allowed):
        return "too few people"
    return "within" if abs(difference) <= allowed + 1e-9 else "outside"


def _markdown(table: pd.DataFrame) -> str:
    outside = int((table["verdict"] == "outside").sum())
    lines = [
        "# Calibration of the synthetic delivery",
        "",
        f"{len(table)} moments, {outside} outside their tolerance. Computed from the files alone.",
        f"Tolerances allow for rounding and sampling error: a correct recipe has a moment outside in {FALSE_ALARM:.0%} of "
        "deliveries at most.",
        "",
        "| moment | source | target | obtained | tolerance | verdict |",
        "|---|---|---|---|---|---|",
    ]
    for row in table.to_dict("records"):
        lines.append(
            f"| {row['moment']} | {row['source']} | {row['target']:.6g} | {row['obtained']:.6g} "
            f"| {row['tolerance']:.3g} | {row['verdict']} |"
        )
    return "\n".join(lines) + "\n"
