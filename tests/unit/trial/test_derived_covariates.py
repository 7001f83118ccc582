"""Covariates of the months before the start, and expressions over other covariates."""

import datetime as dt

import pandas as pd
import pytest

from refino_eval.config import definitions as d
from refino_eval.config.checking.checks import cross_check
from refino_eval.config.load import load_configuration
from refino_eval.config.sources import Source
from refino_eval.errors import UserError
from refino_eval.trial.covariates import derive_covariates
from support.workflow import ROOT

WORD = {"nb": "ord", "en": "word"}
JOBS = Source.model_validate(
    {
        "register": "jobs", "label": WORD, "owner": "x", "temporality": "spell", "files": ["j.csv"], "rules": [],
        "columns": {name: {"from": name, "type": kind, "why": "of a test alone"} for name, kind in
                    (("person_id", "id"), ("weekly_hours", "hundredths"), ("start", "date"), ("stop", "date"))},
    }
)  # fmt: skip
LONG = {"column": "weekly_hours", "at_least": 4}


def covariate(**given):
    return d.Definitions.model_validate({"covariates": {"c": {"label": WORD, **given}}}).covariates["c"]


COVARIATES = {
    "months": covariate(kind="months_before_draw", register="jobs", months=24, where=[LONG]),
    "job": covariate(kind="spell_at_draw", register="jobs", where=[LONG]),
    "long": covariate(kind="expression", expression="months >= 12 and not job"),
}


def derived(folder, *spells):
    rows = [("p", hours, dt.date.fromisoformat(a), b and dt.date.fromisoformat(b)) for hours, a, b in spells]
    pd.DataFrame(rows, columns=["person_id", "weekly_hours", "start", "stop"]).to_parquet(folder / "jobs.parquet")
    people = pd.DataFrame({"person_id": ["p", "nobody"], "draw_date": [pd.Timestamp("2018-05-01")] * 2})
    made = derive_covariates(people, COVARIATES, {"jobs": JOBS}, {"jobs": folder / "jobs.parquet"}, {})
    assert list(made.columns) == list(COVARIATES)
    assert made.loc["nobody"].tolist() == [0, 0, 0]
    return made.loc["p"].tolist()


@pytest.mark.parametrize(
    ("spells", "expected"),
    [
        ([(2000, "2018-04-30", "2018-05-01")], [1, 0, 0]),  # one day of the month before; `stop` is the day after
        ([(2000, "2018-05-01", None)], [0, 1, 0]),  # the start month is not before
        ([(2000, "2010-01-01", None)], [24, 1, 0]),
        ([(2000, "2010-01-01", "2018-05-01")], [24, 0, 1]),
        ([(2000, "2016-04-01", "2016-05-01")], [0, 0, 0]),  # the 25th month before
        ([(2000, "2016-05-31", "2016-06-01")], [1, 0, 0]),
        ([(2000, "2018-01-01", "2018-02-10"), (400, "2018-02-20", "2018-03-02")], [3, 0, 0]),  # two jobs in one month
        ([(399, "2010-01-01", None)], [0, 0, 0]),
    ],
)
def test_months_before_and_expressions_over_covariates(tmp_path, spells, expected):
    assert derived(tmp_path, *spells) == expected


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("no_such_covariate > 1", "'no_such_covariate', which is no covariate"),
        ("under_30", "'under_30', which is no covariate, or is an expression itself"),
        ("age >", "cannot be read"),
        ("1 > 0", "names no covariate"),
    ],
)
def test_wrong_expressions_are_reported_before_the_run(expression, said):
    configuration = load_configuration(ROOT, evaluation="oppfolging_2020")
    entries = dict(configuration.definitions.covariates)
    entries["age_to_24"] = entries["age_to_24"].model_copy(update={"expression": expression})
    definitions = configuration.definitions.model_copy(update={"covariates": entries})
    found = cross_check(configuration.evaluation, definitions, configuration.sources)
    assert any(said in text for text in found), found


SERIES = Source.model_validate(
    {
        "register": "rates", "label": WORD, "owner": "x", "temporality": "series", "files": ["r.csv"], "rules": [],
        "columns": {name: {"from": name, "type": kind, "why": "of a test alone"} for name, kind in
                    (("unit", "id"), ("period", "month"), ("rate", "hundredths"))},
    }
)  # fmt: skip
PERSONS = Source.model_validate(
    {
        "register": "persons", "label": WORD, "owner": "x", "temporality": "fixed", "files": ["p.csv"], "rules": [],
        "columns": {name: {"from": name, "type": kind, "why": "of a test alone"} for name, kind in (("person_id", "id"), ("town", "code"))},
    }
)  # fmt: skip
RATE = covariate(
    kind="series", register="rates", column="rate", place={"register": "persons", "column": "town"}, months_after=12
)


def rates(folder, *numbers):
    months = pd.PeriodIndex([month for _, month, _ in numbers], freq="M")
    columns = {
        "person_id": [unit for unit, _, _ in numbers],
        "start": months.start_time.date,
        "stop": (months + 1).start_time.date,
        "rate": [rate for _, _, rate in numbers],
    }
    pd.DataFrame(columns).to_parquet(folder / "rates.parquet")
    towns = pd.DataFrame({"person_id": ["a", "b", "c"], "town": ["0301", "0301", "1103"]})
    towns.to_parquet(folder / "persons.parquet")
    people = pd.DataFrame(
        {
            "person_id": ["a", "b", "c", "d"],
            "draw_date": pd.to_datetime(["2017-05-01", "2017-06-30", "2017-05-01", "2017-05-01"]),
        }
    )
    clean = {name: folder / f"{name}.parquet" for name in ("rates", "persons")}
    return derive_covariates(people, {"rate": RATE}, {"rates": SERIES, "persons": PERSONS}, clean, {})["rate"]


def test_number_of_the_place_is_that_of_the_month_so_long_after(tmp_path):
    made = rates(
        tmp_path, ("0301", "2018-05", 245), ("0301", "2018-06", 250), ("0301", "2017-05", 999), ("1103", "2018-04", 300)
    )
    assert made[["a", "b"]].tolist() == [2.45, 2.5]
    assert made[["c", "d"]].isna().all()  # no number of that month, and no place


def test_two_numbers_for_a_place_and_month_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"'rates' has several numbers for 1 pairs of unit and period"):
        rates(tmp_path, ("0301", "2018-05", 245), ("0301", "2018-05", 246))


def test_series_needs_its_unit_and_period():
    given = SERIES.model_dump(mode="json", by_alias=True)
    with pytest.raises(ValueError, match="temporality series needs the columns unit"):
        Source.model_validate({**given, "columns": {"period": given["columns"]["period"]}})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"register_name": "jobs", "column": "weekly_hours"},
            "needs a register of temporality series, and 'jobs' is spell",
        ),
        ({"place": RATE.place}, "`place` names the column 'town', which the register 'persons' does not have"),
        ({"place": RATE.place.model_copy(update={"register_name": "jobs"})}, "has not one row a person"),
        ({"column": "unit"}, "uses the column 'unit', which the register 'municipal_unemployment' does not have"),
    ],
)
def test_wrong_series_are_reported_before_the_run(changed, said):
    configuration = load_configuration(ROOT, evaluation="oppfolging_2020")
    entries = dict(configuration.definitions.covariates)
    entries["unemployment_after_12"] = entries["unemployment_after_12"].model_copy(update=changed)
    definitions = configuration.definitions.model_copy(update={"covariates": entries})
    found = cross_check(configuration.evaluation, definitions, configuration.sources)
    assert any(said in text for text in found), found


DRAWS = Source.model_validate(
    {
        "register": "draws", "label": WORD, "owner": "x", "temporality": "event", "files": ["d.csv"], "rules": [],
        "columns": {name: {"from": name, "type": kind, "why": "of a test alone"} for name, kind in
                    (("person_id", "id"), ("start", "date"), ("county", "text"))},
    }
)  # fmt: skip


def test_who_was_assigned_after_a_change_that_concerns_them(tmp_path):
    rows = [
        ("day_before", "2019-06-30", "A"), ("same_day", "2019-07-01", "A"), ("elsewhere", "2019-07-01", "B"),
        ("later_change", "2020-01-15", "B"), ("again", "2019-01-01", "A"), ("again", "2021-01-01", "A"),
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["person_id", "start", "county"])
    frame["start"] = pd.to_datetime(frame["start"])
    frame.to_parquet(tmp_path / "draws.parquet")
    # Of a person assigned twice the first assignment counts, and so does its day.
    people = frame.drop_duplicates("person_id").rename(columns={"start": "draw_date"})[["person_id", "draw_date"]]
    where = [[{"column": "county", "in": [county]}] for county in ("A", "B")]
    changes = [{"from": "2019-07-01", "where": where[0]}, {"from": "2020-01-01", "where": where[1]}]
    entry = covariate(kind="after_change", register="draws", changes=changes)
    made = derive_covariates(people, {"changed": entry}, {"draws": DRAWS}, {"draws": tmp_path / "draws.parquet"}, {})
    expected = {"day_before": 0, "same_day": 1, "elsewhere": 0, "later_change": 1, "again": 0}
    assert made["changed"].to_dict() == expected


def test_a_change_in_another_register_is_refused():
    configuration = load_configuration(ROOT, evaluation="refino")
    changed = configuration.definitions.covariates["control_provider_changed"].model_copy(
        update={"register_name": "jobs"}
    )
    entries = {**configuration.definitions.covariates, "control_provider_changed": changed}
    definitions = configuration.definitions.model_copy(update={"covariates": entries})
    problems = cross_check(configuration.evaluation, definitions, configuration.sources)
    assert any("reads the register of random assignments, and 'jobs' is not" in problem for problem in problems)
