"""Numbers of exhibits of kind `time_to_event`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
import pandas as pd

from refino_eval import estimation as est
from refino_eval.config.definitions import Specification
from refino_eval.covariances import is_clustered
from refino_eval.errors import UserError
from refino_eval.estimation.core.regression_inputs import Options
from refino_eval.estimation.verification.hazard_engine import ask_hazard
from refino_eval.exhibits.keys import ALL_ARMS, COEFFICIENTS
from refino_eval.exhibits.kinds.time_to_event.model import TimeToEventExhibit
from refino_eval.exhibits.numbers.number_sources import Refitted
from refino_eval.exhibits.numbers.person_columns import read_outcome
from refino_eval.exhibits.numbers.study import Context, PersonFiles, Row, cell, controls_of, of_arm, weighted
from refino_eval.exhibits.round_steps import round_step

ARM = "arm:"
"""Begins the names of the indicators of the other arms in a joint model."""
MOST_MOMENTS = 240
"""Times at which a curve is reported: more could not be seen in a figure."""


def numbers(exhibit: TimeToEventExhibit, context: Context) -> Iterator[Row]:
    """Share without the event by time (row) and arm (column), and the tests of the arms within cells."""
    cohort, files, study = context.cohort, context.files, context.study
    specification = study.specifications[exhibit.specification]
    cohort = weighted(cohort, specification)
    time, ended = _durations(exhibit, cohort, files)
    controls = controls_of(cohort, specification)
    rows = np.isfinite(time) & np.isfinite(ended) & controls.rows
    lost = int(np.count_nonzero(~rows))
    if not rows.any():
        raise UserError(
            f"nobody has a value of '{exhibit.outcome}'. Look at its window against the register's coverage."
        )
    # A month is a whole: who reached it in the first month at risk has been at risk for one. Parts of a period are exact times.
    is_whole = bool(np.all(time[rows] == np.round(time[rows])))
    shift = max(0.0, 1.0 - float(time[rows].min())) if is_whole else 0.0
    duration, event = time[rows] + shift, ended[rows]
    people = cohort.loc[rows].reset_index(drop=True)
    beside = controls.to_frame().loc[rows].reset_index(drop=True) if controls.names else None
    moments = _moments(float(duration.max()), is_whole=is_whole)
    for column in (*study.treated_arms, study.control):
        chosen = of_arm(people, column, study)
        estimated = est.survival_shares(duration[chosen], event[chosen], times=moments, level=specification.level)
        for k, moment in enumerate(moments):
            at_risk = int(estimated.at_risk[0, k])
            row = f"{moment - shift:.10g}"
            for statistic, value in (
                ("share", estimated.share), ("conf_low", estimated.conf_low), ("conf_high", estimated.conf_high)
            ):  # fmt: skip
                yield cell(row, column, statistic, value[0, k], at_risk)
            yield cell(row, column, "n", at_risk, at_risk)
        n = int(np.count_nonzero(chosen))
        yield cell("people", column, "count", n, n)
        yield cell("ended", column, "count", int(event[chosen].sum()), n)
        yield cell("median", column, "value", float(estimated.median[0]) - shift, n)
    several = len(study.treated_arms) > 1
    for arm in study.treated_arms:
        pair = of_arm(people, arm, study) | of_arm(people, study.control, study)
        compared = _Compared(duration, event, people, pair, beside)
        model = compared
        if several and exhibit.comparison == "joint":
            others = [other for other in study.treated_arms if other != arm]
            indicators = pd.DataFrame({f"{ARM}{other}": of_arm(people, other, study).astype(float) for other in others})
            everybody = people.assign(treated=of_arm(people, arm, study).astype(int))
            joint = indicators if beside is None else pd.concat((indicators, beside), axis=1)
            model = _Compared(duration, event, everybody, np.ones(len(people), dtype=bool), joint)
        for one in _comparison(exhibit, compared, model, specification):
            yield {**one, "panel": arm} if several else one
    if several and not is_clustered(specification.vcov):
        yield from _all_arms(duration, event, people, specification)
    if lost:
        yield cell("lost", "all", "count", lost, lost)


def _moments(longest: float, *, is_whole: bool) -> np.ndarray:
    """Return the times at which the curves are reported: every period, or, of long or fractional times, some hundred round ones."""
    step = round_step(longest, MOST_MOMENTS, smallest=1.0 if is_whole else 0.0)
    return step * np.arange(np.floor(longest / step + 1e-9) + 1)


def _durations(exhibit: TimeToEventExhibit, cohort: pd.DataFrame, files: PersonFiles) -> tuple[np.ndarray, np.ndarray]:
    """Read when it happened or was last looked for, and whether it happened."""
    estimated = read_outcome(files.outcomes[exhibit.outcome]).reindex(cohort["person_id"])
    time = estimated["value"].to_numpy(dtype=np.float64)
    if exhibit.event is not None:
        event = read_outcome(files.outcomes[exhibit.event])["value"]
        return time, event.reindex(cohort["person_id"]).to_numpy(dtype=np.float64)
    if "censored" not in estimated:
        raise UserError(
            f"reads the outcome '{exhibit.outcome}', which has no flag for who is censored. Use an outcome of kind first_month, "
            "or name the outcome that says who was seen to end (event)."
        )
    return time, 1.0 - estimated["censored"].to_numpy(dtype=np.float64)


@dataclass(frozen=True)
class _Compared:
    """Two arms of which one is treated, among everybody who has a duration: the chosen people, and controls of everybody."""

    duration: np.ndarray
    event: np.ndarray
    everybody: pd.DataFrame
    rows: np.ndarray
    all_controls: pd.DataFrame | None

    @property
    def times(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Durations, whether the end was observed, and treatment, of the chosen people."""
        return self.duration[self.rows], self.event[self.rows], self.everybody["treated"].to_numpy()[self.rows]

    @property
    def controls(self) -> pd.DataFrame | None:
        """The controls of the chosen people."""
        return None if self.all_controls is None else self.all_controls.loc[self.rows].reset_index(drop=True)

    def options(self, specification: Specification) -> Options:
        """Return the cells of the chosen people, unless the specification has none, and their clusters if it asks for them."""
        chosen = self.everybody.loc[self.rows].reset_index(drop=True)
        options: Options = {"vcov": specification.vcov, "level": specification.level}
        if specification.strata:
            options["cells"] = chosen["cell"]
        if is_clustered(specification.vcov):
            options["cluster"] = chosen["cluster"]
        return options


def _comparison(
    exhibit: TimeToEventExhibit, pair: _Compared, model: _Compared, specification: Specification
) -> Iterator[Row]:
    """Compare two arms within cells: log-rank test and Cox model; neither where no cell compares them."""
    n, n_model = int(np.count_nonzero(pair.rows)), int(np.count_nonzero(model.rows))
    of_model = model.options(specification)
    if model.controls is not None:
        of_model["controls"] = model.controls
    try:
        rank = est.log_rank(*pair.times, **pair.options(specification))
        hazard = est.cox(*model.times, **of_model)
    except UserError:
        yield cell("log_rank", "difference", "p_value", np.nan, n, status="not_estimable")
        yield cell("cox", "hazard_ratio", "estimate", np.nan, n, status="not_estimable")
        return
    yield cell("log_rank", "difference", "chi2", rank.chi2, n)
    yield cell("log_rank", "difference", "df", 1, n)
    yield cell("log_rank", "difference", "p_value", rank.p_value, n)
    yield from _hazard_rows(exhibit, hazard, n_model)


def _hazard_rows(exhibit: TimeToEventExhibit, hazard: est.HazardRatio, n: int) -> Iterator[Row]:
    """Return the hazard ratio, its log and those of controls; the score written out is asked for them when they are verified."""

    @cache
    def ask() -> tuple[np.ndarray, np.ndarray]:
        assert hazard.fitted is not None
        return ask_hazard(hazard.fitted)

    ratio = Refitted("textbook", lambda: float(np.exp(ask()[0][0])), hazard.hazard_ratio * hazard.std_error)
    for statistic, value in (
        ("estimate", hazard.hazard_ratio), ("conf_low", hazard.conf_low), ("conf_high", hazard.conf_high),
        ("p_value", hazard.p_value), ("n", hazard.n_informative),
    ):  # fmt: skip
        yield cell("cox", "hazard_ratio", statistic, value, n, source=ratio if statistic == "estimate" else None)
    rows = [("cox", hazard.log_ratio, hazard.std_error)]
    rows += [(f"{COEFFICIENTS}:{control.name}", control.estimate, control.std_error) for control in hazard.coefficients]
    for k, (row, estimate, error) in enumerate(rows):
        if row != "cox" and (not exhibit.show_controls or row.startswith(f"{COEFFICIENTS}:{ARM}")):
            continue
        for place, (statistic, value) in enumerate((("estimate", estimate), ("std_error", error))):
            source = Refitted("textbook", partial(lambda k, place: float(ask()[place][k]), k, place), error)
            yield cell(row, "log_hazard_ratio", statistic, value, n, source=source)


def _all_arms(
    duration: np.ndarray, event: np.ndarray, people: pd.DataFrame, specification: Specification
) -> Iterator[Row]:
    """Test that no two arms differ: the log-rank test of all of them, within cells; none with clusters, which it does not allow for."""
    from statsmodels.duration.survfunc import survdiff

    arms = pd.factorize(people["arm"])[0]
    cells = pd.factorize(people["cell"])[0] if specification.strata else None
    n = len(people)
    try:
        with np.errstate(all="ignore"):
            chi2, p_value = survdiff(duration, event, arms, strata=cells)
    except np.linalg.LinAlgError:
        chi2 = p_value = np.nan
    for statistic, value in (("chi2", chi2), ("df", arms.max()), ("p_value", p_value)):
        yield cell("log_rank", ALL_ARMS, statistic, value, n)
