"""A file of people and periods made elsewhere: the cohort and the panel that come of it, and everything that is refused."""

import numpy as np
import pandas as pd
import pytest

from refino_eval.config.definitions import Definitions
from refino_eval.config.evaluation import Arms, Clock, Panel, Sample
from refino_eval.errors import UserError
from refino_eval.months.panel_file import read_panel
from support.builders import LABEL

ARMS = Arms.model_validate(
    {"treated": {"name": "new", "code": 1, "label": LABEL}, "control": {"name": "old", "code": 0, "label": LABEL}}
)
LONG = {
    "file": "panel.csv",
    "person_id": "id",
    "period": "m",
    "treated": "z",
    "states": {"employed": "job", "pay": "pay"},
}


def rows(first=-1, last=2):
    """People 3, 1, 4, 2 (in this order) by month: employed from month 1 on if treated, pay 100 times the id."""
    return pd.DataFrame(
        [
            {
                "id": f"0{n}",
                "m": m,
                "z": n % 2,
                "area": "ab"[n > 2],
                "age": 20 + n,
                "job": int(n % 2 and m > 0),
                "pay": 100 * n,
            }
            for n in (3, 1, 4, 2)
            for m in range(first, last + 1)
        ]
    )


def read(
    folder, frame, *, clock=(-1, 2), unit="month", wanted=("employed", "pay"), states=None, covariates=(), **panel
):
    frame.to_csv(folder / "panel.csv", index=False)
    model = Panel.model_validate({**LONG, **panel, "covariates": list(covariates)})
    definitions = Definitions.model_validate({"states": states or {}})
    return read_panel(
        folder,
        panel=model,
        unit=unit,
        clock=Clock(first=clock[0], last=clock[1]),
        states=wanted,
        definitions=definitions.model_copy(update={"states": {**model.column_states, **definitions.states}}),
        samples={"analysed": Sample.model_validate({"label": LABEL})},
        arms=ARMS,
        covariates=model.column_covariates,
    )


def test_rows_become_a_cohort_and_a_whole_panel_sorted_by_person_and_period(tmp_path):
    data = read(tmp_path, rows().sample(frac=1, random_state=1), strata=["area"], covariates=["age"], cluster="area")
    cohort = data.cohort.frame
    assert cohort["person_id"].tolist() == ["01", "02", "03", "04"]
    assert cohort["treated"].tolist() == [1, 0, 1, 0]
    assert cohort["cell"].tolist() == cohort["cluster"].tolist() == ["a", "a", "b", "b"]
    assert cohort["age"].tolist() == [21, 22, 23, 24]
    panel = data.panel.to_pandas()
    assert panel["event_time"].tolist() == [-1, 0, 1, 2] * 4
    assert panel.loc[panel["person_id"] == "03", "employed"].tolist() == [0, 0, 1, 1]
    assert panel.loc[panel["person_id"] == "02", "pay"].tolist() == [200] * 4


def test_rows_outside_the_clock_are_counted_and_periods_without_rows_are_missing(tmp_path):
    data = read(tmp_path, rows(), clock=(0, 3))
    assert (data.report.delivered, data.report.clean, data.report.rejected) == (16, 12, 4)
    assert data.panel.to_pandas().groupby("event_time")["pay"].count().to_dict() == {0: 4, 1: 4, 2: 4, 3: 0}


def test_derived_states_are_computed_from_those_of_the_file(tmp_path):
    text = {"label": LABEL, "description": "x", "unit": LABEL}
    states = {"well_paid": {**text, "expression": "employed and pay >= 300"}}
    data = read(tmp_path, rows(), states=states, wanted=("well_paid",))
    assert data.panel.column_names == ["person_id", "event_time", "well_paid"]
    assert np.flatnonzero(data.panel["well_paid"].to_numpy()).tolist() == [10, 11]


def test_event_time_is_counted_in_calendar_periods_from_the_date_of_assignment(tmp_path):
    frame = rows(first=0, last=2)
    frame["drawn"] = "2020-01-31"
    frame["m"] = frame["m"].map({0: "2020-01-01", 1: "2020-02-29", 2: "2020-03-15"})
    data = read(tmp_path, frame, clock=(0, 2), draw_date="drawn")
    assert data.panel.to_pandas()["pay"].notna().all()
    assert data.cohort.frame["draw_month"].unique().tolist() == ["2020-01"]
    frame["m"] = frame["m"].map({"2020-01-01": "2020-02-02", "2020-02-29": "2020-02-03", "2020-03-15": "2020-02-10"})
    weeks = read(tmp_path, frame, clock=(0, 2), unit="week", draw_date="drawn")  # Friday 31 January: Sunday is week 0
    assert weeks.panel.to_pandas()["pay"].notna().all()


def test_a_wide_file_has_a_column_for_each_period(tmp_path):
    wide = rows().pivot(index=["id", "z"], columns="m", values="job").add_prefix("job_").reset_index()
    wide.to_csv(tmp_path / "panel.csv", index=False)
    panel = Panel.model_validate({**LONG, "period": None, "states": {"employed": "job_{period}"}})
    data = read_panel(
        tmp_path, panel=panel, unit="month", clock=Clock(first=-1, last=2), states=["employed"],
        definitions=Definitions.model_construct(None, states=panel.column_states), arms=ARMS, covariates={},
        samples={"analysed": Sample.model_validate({"label": LABEL})},
    )  # fmt: skip
    assert (
        data.panel["employed"].to_pylist() == read(tmp_path, rows(), wanted=("employed",)).panel["employed"].to_pylist()
    )


def test_the_covariates_of_one_period_are_taken_when_they_change(tmp_path):
    frame = rows()
    frame["age"] += frame["m"]
    data = read(tmp_path, frame, covariates=["age"], baseline=-1)
    assert data.cohort.frame["age"].tolist() == [20, 21, 22, 23]
    with pytest.raises(
        UserError, match=r"the column 'age' \(a covariate\) changes between the rows of 4 people.*baseline"
    ):
        read(tmp_path, frame, covariates=["age"])


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda f: pd.concat([f, f.iloc[:3]]), "3 rows repeat a person and month, of 1 people"),
        (lambda f: f[~((f["id"] == "01") & (f["m"] == 1))], r"1 people lack 1 months between.*whole: false"),
        (
            lambda f: f.assign(z=(f["m"] > 0).astype(int)),
            r"the column 'z' \(treated\) changes between the rows of 4 people",
        ),
        (lambda f: f.assign(m=f["m"] + 0.5), "must hold whole months since assignment, and 16 rows"),
        (lambda f: f.assign(id=f["id"].where(f["m"] != 0)), "4 rows have no id"),
        (lambda f: f.drop(columns="pay"), "panel: states.pay names the column 'pay', which is not in panel.csv"),
        (lambda f: f.assign(pay="much"), "the column 'pay' must hold numbers, and 16 rows"),
        (lambda f: f.assign(z=2), r"must be '1' \(new\) or '0' \(old\) in every row"),
        (lambda f: f.assign(m="2020-01-01"), "holds dates, from which event time is counted.*draw_date"),
    ],
)
def test_a_file_that_is_no_panel_is_refused_with_counts_and_without_ids(tmp_path, spoil, problem):
    with pytest.raises(UserError, match=problem) as caught:
        read(tmp_path, spoil(rows()))
    assert "'01'" not in str(caught.value)


def test_values_outside_the_range_of_a_state_and_gaps_that_are_allowed(tmp_path):
    states = {"employed": {"label": LABEL, "description": "x", "unit": LABEL, "column": "job", "range": [0, 0.5]}}
    with pytest.raises(UserError, match=r"the state 'employed' has 4 person-months outside its range 0 to 0\.5"):
        read(tmp_path, rows(), states=states)
    frame = rows()
    gap = read(tmp_path, frame[~((frame["id"] == "01") & (frame["m"] == 1))], whole=False)
    assert gap.panel["pay"].null_count == 1
