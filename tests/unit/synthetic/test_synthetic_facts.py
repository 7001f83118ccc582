"""Facts that a study published by arm, enrolments, and an assignment within areas."""

from pathlib import Path

import pandas as pd
import pytest

from refino_eval.synthetic import Recipe, generate, load_recipe
from refino_eval.synthetic.calibration import calibration_report
from refino_eval.synthetic.calibration_moments import read_register

RECIPE = Path(__file__).parents[3] / "config" / "synthetic" / "se_klar.yaml"


@pytest.fixture(scope="module")
def recipe():
    return load_recipe(RECIPE)


@pytest.fixture(scope="module")
def folder(recipe, tmp_path_factory):
    folder = tmp_path_factory.mktemp("facts") / "delivery"
    generate(recipe, folder)
    return folder


def counts(folder, recipe, register, column, code):
    arms = read_register(folder, recipe, "draws").set_index("person_id")["arm"]
    rows = read_register(folder, recipe, register).set_index("person_id")
    return (rows[column] == code).groupby(arms).sum().loc[["I", "K"]].tolist()


def test_published_shares_of_each_arm_are_hit_to_the_person(folder, recipe):
    assert counts(folder, recipe, "families", "civil_status", "2") == [34, 17]
    assert counts(folder, recipe, "families", "has_children", "1") == [73, 40]
    assert counts(folder, recipe, "attainment", "level", "4") == [78, 50]


def test_within_an_area_the_probability_is_the_same_in_all_months(recipe, tmp_path):
    generate(recipe, tmp_path / "large", people=20_000)
    draws = read_register(tmp_path / "large", recipe, "draws")
    share = (draws["arm"] == "I").groupby([draws["county"], draws["start"].dt.year]).mean().unstack()
    assert share.sub(share.mean(axis=1), axis=0).abs().to_numpy().max() < 0.04
    table = calibration_report(tmp_path / "large", recipe).set_index("moment")["verdict"]
    assert table["truth:mismatches"] == "within"
    assert table["estimate:employed_months_36"] == "within"


def test_enrolments_lie_inside_the_registers_and_have_the_levels_of_the_recipe(folder, recipe):
    rows = read_register(folder, recipe, "education")
    assert set(rows["level"]) <= {4, 6}
    assert (rows["start"] >= pd.Timestamp(recipe.first)).all()
    assert 0 < rows["person_id"].nunique() < 30


def test_effort_groups_follow_their_relative_frequencies(recipe, tmp_path):
    generate(recipe, tmp_path / "d", people=5_000, registers=["draws", "registrations"])
    rows = read_register(tmp_path / "d", recipe, "registrations")
    first = rows[rows["status"] == "NEDS"]["effort_group"].value_counts(normalize=True)
    assert first["BATT"] == pytest.approx(0.99, abs=0.004)


def test_shares_that_do_not_add_up_are_refused(recipe):
    given = recipe.model_dump()
    given["facts"]["attainment"]["level"]["4"] = (0.9, 0.9)
    with pytest.raises(ValueError, match=r"facts\.attainment\.level"):
        Recipe.model_validate(given)
