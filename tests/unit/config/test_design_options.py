"""Options of designs that cannot be honoured are refused before the run, with what to do; formulas say what is estimated."""

import pytest

from refino_eval.config.checking.exhibit_checks import exhibit_problems
from refino_eval.config.definitions import Definitions
from refino_eval.config.evaluation import Evaluation
from refino_eval.config.model_errors import validate
from refino_eval.errors import UserError
from refino_eval.exhibits.kinds.late.text import formula
from refino_eval.exhibits.wording.formulas import regression
from refino_eval.exhibits.wording.labels import LabelBook
from support.builders import LABEL

SPEC = {"label": LABEL, "description": "x", "controls": [{"covariate": "age"}]}
OWN = {"covariate": "before"}
SPECIFICATIONS = {
    "main": SPEC,
    "lin": {**SPEC, "adjustment": "interacted"},
    "two_way": {**SPEC, "absorb": ["office", "month"]},
    "own": {**SPEC, "outcome_controls": {"y": [OWN]}},
    "twice": {**SPEC, "outcome_controls": {"y": [{"covariate": "age"}]}},
    "forms": {**SPEC, "outcome_controls": {"y": [OWN], "x": [{**OWN, "encoding": "categories"}]}},
    "both": {**SPEC, "absorb": ["age", "office"]},
    "lost": {**SPEC, "outcome_controls": {"yy": [{"covariate": "befor"}]}, "absorb": ["ofice"]},
}
Y = {"columns": {"y": "y"}}


def definitions(exhibit):
    covariates = {name: {"kind": "column", "column": name, "label": LABEL} for name in ("age", "before", "month")}
    return Definitions.model_validate(
        {"covariates": covariates, "specifications": SPECIFICATIONS, "exhibits": {"e": {"title": LABEL, **exhibit}}}
    )


def study(*arms):
    treated = [{"name": name, "label": LABEL} for name in arms or ("t",)]
    table = {"file": "a.csv", "treated": "arm", "outcomes": ["y", "x"], "strata": ["office"]}
    return Evaluation.model_validate(
        {"name": "s", "label": LABEL, "data_class": "public", "entry": "person_table", "data": "d", "person_table": table,
         "arms": {"treated": treated, "control": {"name": "c", "label": LABEL}}, "exhibits": ["e"]}
    )  # fmt: skip


def problems(exhibit, *arms):
    entries = definitions(exhibit)
    return " ".join(exhibit_problems("e", entries.exhibits["e"], study(*arms), entries))


@pytest.mark.parametrize(
    ("exhibit", "said"),
    [
        ({"kind": "itt", **Y, "specifications": ["two_way", "own", "lin"]}, None),
        ({"kind": "tests", **Y, "specification": "two_way"}, "needs the cells of random assignment"),
        ({"kind": "estimands", **Y, "specification": "lin"}, "Choose a specification with `adjustment: additive`"),
        ({"kind": "interactions", "outcome": "y", "moderators": ["age"], "specification": "own"}, "controls of one outcome"),
        ({"kind": "itt", **Y, "specifications": ["twice"]}, "has the control 'age' twice"),
        ({"kind": "itt", **Y, "specifications": ["both"]}, "has 'age' as a control and absorbs it"),
        ({"kind": "itt", **Y, "specifications": ["forms"]}, "encodes the control 'before' in two ways"),
        ({"kind": "itt", **Y, "specifications": ["lost"]}, "'yy', which does not exist"),
        ({"kind": "itt", **Y, "specifications": ["lost"]}, "'befor', which does not exist. Did you mean 'before'?"),
        ({"kind": "itt", **Y, "specifications": ["lost"]}, "'ofice', which is no covariate, no stratum and no column that the cohort keeps. Did you mean 'office'?"),
        ({"kind": "itt", **Y, "specifications": ["main", "lin"], "show_controls": True}, "Of its specifications, 'lin' is interacted"),
        ({"kind": "subgroups", **Y, "groups": ["office"], "specification": "two_way", "draws": 99}, "Leave `draws` or `absorb`"),
        ({"kind": "specification_curve", **Y, "specifications": ["main"], "decimal_places": 2}, "`decimal_places` are of tables"),
        ({"kind": "tests", **Y, "between_arms": True}, "Add `comparison: joint`"),
        ({"kind": "tests", **Y, "comparison": "joint", "scheme": "bernoulli"}, "Choose `scheme: complete`"),
    ],
)  # fmt: skip
def test_an_option_that_cannot_be_honoured_is_refused(exhibit, said):
    text = problems(exhibit)
    assert text == "" if said is None else said in text


def test_coefficients_of_controls_of_several_arms_need_one_regression():
    exhibit = {"kind": "itt", **Y, "specifications": ["main"], "show_controls": True}
    assert "Add `comparison: joint`" in problems(exhibit, "a", "b")
    assert problems({**exhibit, "comparison": "joint"}, "a", "b") == problems({**exhibit, "arm": "a"}, "a", "b") == ""


@pytest.mark.parametrize(("model", "key"), [("covariates", "in"), ("subgroups", "in")])
def test_a_key_of_a_condition_points_to_the_one_of_a_covariate(model, key):
    entry = {"covariates": {"kind": "column", "column": "age"}, "subgroups": {"covariate": "age"}}[model]
    with pytest.raises(UserError, match="Did you mean 'equals'"):
        validate({model: {"a": {"label": LABEL, **entry, key: [1]}}}, Definitions, "x.yaml")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"strata": False}, "takes the place of the cells"),
        ({"adjustment": "interacted"}, "does not go with `absorb`"),
        ({"absorb": ["a", "a"]}, "names a column twice"),
    ],
)
def test_a_specification_that_contradicts_itself_is_refused(change, said):
    with pytest.raises((UserError, ValueError), match=said):
        Definitions.model_validate({"specifications": {"s": {**SPEC, "absorb": ["a"], **change}}})


def test_formulas_show_controls_interactions_and_fixed_effects():
    entries = definitions({"kind": "late", **Y, "take_up": "d"})
    labels = LabelBook(definitions=entries, treated="t", control="c", arms={}, strata=("office",))
    specs = entries.specifications
    assert regression("y", specs["own"], labels) == "y ~ t + age + before | office"
    assert regression("x", specs["own"], labels) == "x ~ t + age | office"
    assert regression("y", specs["lin"], labels) == "y ~ t + t * centred(age) | office"
    assert regression("y", specs["two_way"], labels) == "y ~ t + age | office + month"
    key = ("own", "take_up", "y", "estimate")
    assert formula(entries.exhibits["e"], key, "y", specs["own"], labels) == "y ~ age + before | office | d ~ t"
