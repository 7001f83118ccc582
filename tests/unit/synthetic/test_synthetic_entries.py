"""Registers of people who entered without assignment: numbers, stays, traits by arm, and a trait that no register holds."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from refino_eval.synthetic import Recipe, generate
from refino_eval.synthetic.recipe import load_recipe

RECIPE = load_recipe(Path(__file__).parents[3] / "config" / "synthetic" / "oppfolging_2020.yaml")
PEOPLE = 8000


def programmes(folder):
    form = RECIPE.registers["programmes"]
    frame = pd.read_csv(folder / form.file, sep=";", encoding=form.encoding, dtype=str)
    frame = frame.rename(columns={column.name: name for name, column in form.columns.items()})
    for name in ("start", "stop"):
        frame[name] = pd.to_datetime(frame[name], format="%d.%m.%Y")
    return frame.dropna(subset=["start"])


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    made = {}
    for effects in ("published", "confounded"):
        made[effects] = tmp_path_factory.mktemp(effects) / "delivery"
        generate(RECIPE, made[effects], people=PEOPLE, effects=effects, registers=["programmes", "persons"])
    return made


def test_as_many_enter_in_each_period_and_arm_as_the_recipe_says(folders):
    truth = pq.read_table(folders["published"] / "truth.parquet").to_pandas()
    scale = PEOPLE / RECIPE.people
    assert truth["treated"].sum() == sum(round(cohort.treated * scale) for cohort in RECIPE.entries.cohorts)
    assert len(truth) == sum(round(c.treated * scale) + round(c.control * scale) for c in RECIPE.entries.cohorts)


def test_stays_follow_the_curve(folders):
    rows = programmes(folders["published"])
    rows = rows[rows["programme"].eq("UTVAOONAV") & rows["start"].lt("2018-09-01") & rows["start"].ge("2017-01-01")]
    first = rows.sort_values("start").drop_duplicates("person_id")
    stop = first["stop"].fillna(pd.Timestamp("2019-09-30"))
    months = (stop.dt.year - first["start"].dt.year) * 12 + stop.dt.month - first["start"].dt.month
    assert months.min() >= 1
    for month, share in ((6, 0.74), (12, 0.45)):
        assert (months >= month).mean() == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / len(first)))


def test_hidden_trait_raises_work_in_one_arm_without_any_effect(folders):
    hidden, planted = (
        pq.read_table(folders[name] / "truth.parquet").to_pandas() for name in ("confounded", "published")
    )
    outcome = "at_least_4h_month_12"
    assert hidden[f"{outcome}_y0"].equals(hidden[f"{outcome}_y1"])
    means = {name: frame.groupby("treated")[f"{outcome}_y0"].mean() for name, frame in (("h", hidden), ("p", planted))}
    # .9 sd of a trait that is .03 of the variance of the propensity to work: some three points more.
    assert means["h"][1] - means["p"][1] > 0.015
    assert means["h"][0] == means["p"][0]


def test_effects_differ_by_the_trait_that_the_recipe_names(folders):
    truth = pq.read_table(folders["published"] / "truth.parquet").to_pandas().dropna()
    gain = (truth["at_least_4h_month_12_y1"] - truth["at_least_4h_month_12_y0"]).mean()
    assert gain == pytest.approx(RECIPE.effects["published"].states["at_least_4h"][12], abs=0.01)


def test_cohorts_must_add_up_to_the_people_of_the_recipe():
    given = RECIPE.model_dump(mode="json")
    given["entries"]["cohorts"][0]["treated"] += 1
    with pytest.raises(ValueError, match=r"entries.cohorts add up to 37778 people, 7266 treated"):
        Recipe.model_validate(given)
