"""Covariates of the months before the start, and expressions over other covariates."""

import datetime as dt

import pandas as pd
import pytest

from refino_eval.config import definitions as d
from refino_eval.config.checks import cross_check
from refino_eval.config.load import load_configuration
from refino_eval.config.sources import Source
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
