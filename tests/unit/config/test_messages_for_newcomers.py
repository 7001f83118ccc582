"""What somebody used to another program writes wrongly: each message says what, where, and what to write in its place."""

import pytest
import yaml

from refino_eval.config.checking.exhibit_checks import exhibit_problems
from refino_eval.config.definitions import Definitions
from refino_eval.config.evaluation import Evaluation
from refino_eval.config.load import merged_definitions
from refino_eval.config.model_errors import validate
from refino_eval.config.yaml_files import read_yaml
from refino_eval.errors import UserError

WRITTEN = """
name: t
label: {nb: Prøve, en: Trial}
data_class: public
entry: person_table
data: data/t
person_table: {file: t.csv, treated: treat, strata: [year], outcomes: {y: y}, covariates: {age: age}}
arms: {treated: {name: t, label: {nb: T, en: T}}, control: {name: c, label: {nb: K, en: C}}}
exhibits: [effects]
definitions:
  specifications:
    main: {label: {nb: H, en: M}, description: x, controls: [{covariate: age}], vcov: HC1}
  exhibits:
    effects: {kind: itt, title: {nb: E, en: E}, columns: {y: y}, specifications: [main]}
"""


def changed(place, **change):
    data = yaml.safe_load(WRITTEN)
    here = data
    for part in place.split("."):
        here = here[part]
    for key, value in change.items():
        here.pop(key, None)
        if value is not None:
            here[key] = value
    return data


def problems(place, **change):
    data = changed(place, **change)
    with pytest.raises(UserError) as raised:
        validate(data, Evaluation, "t.yaml")
    return [problem.removeprefix("t.yaml: ") for problem in raised.value.problems]


EXHIBIT, SPECIFICATION = "definitions.exhibits.effects", "definitions.specifications.main"


@pytest.mark.parametrize(
    ("place", "change", "said"),
    [
        (EXHIBIT, {"columns": None, "outcomes": {"y": "y"}},
         f"the key '{EXHIBIT}.outcomes' is not known, and 'columns' is missing in its place. Write `columns`."),
        (EXHIBIT, {"columns": ["y"]}, f"{EXHIBIT}.columns: must be a mapping of keys to values (given: a list). Write {{y: y}}."),
        (EXHIBIT, {"specifications": "main"},
         f"{EXHIBIT}.specifications: must be a list, for instance [a, b] (given: 'main'). Write [main]."),
        (EXHIBIT, {"title": "Effekter"},
         f"{EXHIBIT}.title: must be a mapping of keys to values (given: 'Effekter'). Write {{nb: Effekter, en: Effekter}}."),
        (SPECIFICATION, {"controls": "age"},
         f"{SPECIFICATION}.controls: must be a list, for instance [a, b] (given: 'age'). Write [{{covariate: age}}]."),
        (SPECIFICATION, {"controls": ["age"]},
         f"{SPECIFICATION}.controls.0: must be a mapping of keys to values (given: 'age'). Write {{covariate: age}}."),
        (SPECIFICATION, {"fixed_effects": ["year"]},
         f"the key '{SPECIFICATION}.fixed_effects' is not known. Fixed effects are those of the strata (`strata: true`), or of the "
         "columns under `absorb`."),
        (SPECIFICATION, {"level": 95}, f"{SPECIFICATION}.level: must be less than 1.0 (given: 95). Shares are written from 0 to 1: 0.95."),
        ("person_table", {"treated": ["treat"]}, "person_table.treated: must be text or a mapping of keys to values (given: a list)."),
        ("person_table", {"cluster": 5}, "person_table.cluster: must be text or a list (given: 5)."),
        ("person_table", {"covariates": {"år_født": "age"}},
         "person_table.covariates.år_født: 'år_født' is not a valid name: lower-case letters without accents, digits and underscores, a "
         "letter first, at most 40 characters. Write 'ar_fodt'."),
    ],
)  # fmt: skip
def test_the_message_says_what_to_write(place, change, said):
    assert problems(place, **change) == [said]


@pytest.mark.parametrize(
    ("given", "meant"),
    [("robust", "HC1"), ("hc2", "HC2"), ("cluster", "CRV1"), ("ols", "iid"), ("CRV1_nestd", "CRV1_nested")],
)
def test_a_covariance_of_another_program_has_the_name_of_ours(given, meant):
    (said,) = problems(SPECIFICATION, vcov=given)
    assert said.endswith(f"(given: '{given}'). Did you mean '{meant}'?")


@pytest.mark.parametrize(
    ("place", "change", "said"),
    [
        (SPECIFICATION, {"absorb": ["firm"]},
         "The specification 'main' absorbs 'firm', which is no covariate, no stratum and no column that the cohort keeps. Valid names: age, "
         "year. If it is a column of t.csv, name it under person_table.covariates (`covariates: {firm: firm}`)."),
        (SPECIFICATION, {"controls": [{"covariate": "firm"}]},
         "The specification 'main' uses the covariate 'firm', which does not exist. Valid names: age. If it is a column of t.csv, name it "
         "under person_table.covariates (`covariates: {firm: firm}`)."),
        (EXHIBIT, {"columns": {"y": "wage"}},
         "The exhibit 'effects' uses the outcome of the person table 'wage', which does not exist. Valid names: y. If it is a column of "
         "t.csv, name it under person_table.outcomes (`outcomes: {wage: wage}`)."),
        (SPECIFICATION, {"absorb": ["yaer"]},
         "The specification 'main' absorbs 'yaer', which is no covariate, no stratum and no column that the cohort keeps. Did you mean "
         "'year'?"),
    ],
)  # fmt: skip
def test_a_column_of_the_file_that_has_no_name_yet_is_said_where_to_name(place, change, said):
    study = validate(changed(place, **change), Evaluation, "t.yaml")
    definitions = merged_definitions(study, Definitions())
    assert list(exhibit_problems("effects", definitions.exhibits["effects"], study, definitions)) == [said]


@pytest.mark.parametrize(
    ("text", "said"),
    [("a: 1\n\tb: 2", "replace the tabulator"), ("a:\n   b: 1\n  c: 2", "keys of one level begin in the same column")],
)
def test_a_problem_of_indentation_is_said_to_be_one(tmp_path, text, said):
    (tmp_path / "t.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=said):
        read_yaml(tmp_path / "t.yaml", "t.yaml")


def test_clusters_of_a_specification_are_said_to_be_of_the_evaluation():
    (said,) = problems(SPECIFICATION, cluster="firm")
    assert "Clusters are of the evaluation (`cluster` under person_table, panel or population)" in said
