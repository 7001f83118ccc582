"""Groups of codes in conditions are replaced by the codes of the column's code list, or refused."""

import csv
import shutil
from pathlib import Path

import pytest

from refino_eval.config.load import load_configuration
from refino_eval.errors import UserError
from refino_eval.sql.conditions import comparisons

ROOT = Path(__file__).resolve().parents[3]
STATES = "config/definitions/states/programmes.yaml"


@pytest.fixture
def project(tmp_path):
    """A copy of the shipped configuration, to be changed."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    return tmp_path


def replace(project, file, old, new):
    text = (project / file).read_text(encoding="utf-8")
    assert old in text
    (project / file).write_text(text.replace(old, new), encoding="utf-8")


def condition_of(project, state):
    return load_configuration(project, evaluation="refino").definitions.states[state].where[0]


def problems(project):
    with pytest.raises(UserError) as caught:
        load_configuration(project, evaluation="refino")
    return caught.value.problems


def listed(group, column="group"):
    with (ROOT / "config/codelists/programmes.csv").open(encoding="utf-8") as stream:
        return [row["code"] for row in csv.DictReader(stream) if row[column] == group]


def test_a_group_stands_for_its_codes(project):
    condition = condition_of(project, "in_training")
    assert comparisons(condition) == [("IN", tuple(listed("labour_market_training")))]
    assert len(condition.is_in) > 5


def test_codes_named_beside_a_group_are_added_to_it(project):
    replace(project, STATES, "in_groups: [clarification]", "in_groups: [clarification], in: [MENTOR]")
    condition = condition_of(project, "in_clarification")
    assert set(condition.is_in) == {"MENTOR", *listed("clarification")}


def test_a_code_that_joins_a_group_is_noticed(project):
    before = condition_of(project, "in_training").is_in
    with (project / "config/codelists/programmes.csv").open("a", encoding="utf-8") as stream:
        stream.write("NEWCODE,Ny,New,labour_market_training,,,Made up\n")
    assert condition_of(project, "in_training").is_in == (*before, "NEWCODE")


def test_a_scheme_groups_the_same_codes_otherwise(project):
    file = project / "config/codelists/programmes.csv"
    rows = list(csv.reader(file.open(encoding="utf-8")))
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(
            [[*rows[0], "group_report"], *([*row, "any" if row[0] == "MENTOR" else ""] for row in rows[1:])]
        )
    replace(project, STATES, "in_groups: [clarification]", "in_groups: [any], scheme: report")
    assert condition_of(project, "in_clarification").is_in == ("MENTOR",)
    replace(project, STATES, "scheme: report", "scheme: other")
    (text,) = problems(project)
    assert "'group_other'" in text
    assert "states.in_clarification" in text


def test_an_unknown_group_is_refused_with_the_nearest(project):
    replace(project, STATES, "in_groups: [clarification]", "in_groups: [clarifcation]")
    (text,) = problems(project)
    assert STATES in text
    assert "'clarifcation'" in text
    assert "'clarification'" in text


def test_groups_on_a_column_without_a_code_list_are_refused(project):
    replace(
        project, STATES, "column: programme, in_groups: [clarification]", "column: start, in_groups: [clarification]"
    )
    (text,) = problems(project)
    assert "'start'" in text
    assert "code list" in text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("exclude: [{column: county, in: [Vestfold]}]", "exclude: [{column: county, in_groups: [oslo]}]"),
        ("        complete: [female, immigrant, age]\n", "        exclude: [{column: female, in_groups: [female]}]\n"),
    ],
)
def test_groups_in_steps_of_the_population_and_of_samples_are_refused_where_no_code_list_is(project, old, new):
    replace(project, "config/evaluations/refino/evaluation.yaml", old, new)
    (text,) = problems(project)
    assert "names groups of codes" in text
    assert "code list" in text


def test_groups_among_the_rows_of_a_person_table_are_refused(project):
    file = "config/evaluations/reference_trial.yaml"
    replace(project, file, "person_table:\n", "person_table:\n  keep: [{column: x1, in_groups: [a]}]\n")
    with pytest.raises(UserError, match="code list"):
        load_configuration(project, evaluation="reference_trial")


def test_a_scheme_without_groups_is_refused(project):
    replace(project, STATES, "in_groups: [clarification]", "in: [AVKLARAG], scheme: report")
    (text,) = problems(project)
    assert "scheme" in text


def test_conditions_without_groups_are_left_as_written(project):
    definitions = load_configuration(project, evaluation="refino").definitions
    assert "is_in" not in definitions.states["in_programme"].model_fields_set
    assert definitions.states["in_refino"].where[0].is_in == ("REFINO",)


def test_every_programme_of_the_code_list_has_a_group_and_labels_in_two_languages():
    with (ROOT / "config/codelists/programmes.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) > 100
    assert all(row["group"] and row["label_nb"] and row["label_en"] for row in rows)
