"""What `check` knows before anything runs: options, windows, names given twice."""

from pathlib import Path

import pytest

from refino_eval.config import load_configuration
from refino_eval.config.checking.checks import cross_check
from refino_eval.config.evaluation import Evaluation

ROOT = Path(__file__).resolve().parents[3]
CONFIGURATION = load_configuration(ROOT, evaluation="refino")
TABLE = load_configuration(ROOT, evaluation="iwws_employment")
TRIAL = load_configuration(ROOT, evaluation="reference_trial")


def problems(configuration, *, study=None, definitions=None, sources=None):
    """Check a configuration in which some parts were replaced."""
    evaluation = Evaluation.model_validate({**written(configuration), **study}) if study else configuration.evaluation
    entries = configuration.definitions
    for kind, replaced in (definitions or {}).items():
        there = dict(getattr(entries, kind))
        for name, parts in replaced.items():
            there[name] = type(there[name]).model_validate({**dumped(there[name]), **parts})
        entries = entries.model_copy(update={kind: there})
    return cross_check(evaluation, entries, {**configuration.sources, **(sources or {})}, file="study.yaml")


def dumped(model):
    return model.model_dump(mode="json", by_alias=True, exclude_unset=True)


def written(configuration):
    return dumped(configuration.evaluation)


@pytest.mark.parametrize("configuration", [CONFIGURATION, TABLE, TRIAL], ids=lambda one: one.evaluation.name)
def test_shipped_evaluations_have_no_problem(configuration):
    assert problems(configuration) == []


@pytest.mark.parametrize(
    ("study", "said"),
    [
        ({"strata": ["county", "draw_month", "county"]}, "strata: 'county' is named twice"),
        ({"exhibits": ["table_i", "table_i"]}, "exhibits: 'table_i' is named twice"),
        ({"sources": [*CONFIGURATION.evaluation.sources, "jobs"]}, "sources: 'jobs' is named twice"),
        ({"exhibits": ["table_1"]}, "there is no exhibit 'table_1'"),
        ({"strata": ["conty"]}, "has no column 'conty'. Did you mean 'county'?"),
        ({"synthetic": None}, "its class cannot be synthetic"),
        ({"clocks": {"week": {"first": 0, "last": 1}}}, "no clock by month"),
    ],
)
def test_what_the_study_says_wrongly_is_reported(study, said):
    found = problems(CONFIGURATION, study=study)
    assert any(said in problem and problem.startswith("study.yaml: ") for problem in found), found


def test_a_reason_is_given_to_one_step():
    steps = [*written(CONFIGURATION)["population"]["steps"]] * 2
    found = problems(CONFIGURATION, study={"population": {**written(CONFIGURATION)["population"], "steps": steps}})
    assert any("two steps have the reason 'repeated_draw'" in problem for problem in found)


@pytest.mark.parametrize(
    ("kind", "name", "parts", "said"),
    [
        ("exhibits", "table_8_1", {"sample": "analysd"}, "uses the sample 'analysd'"),
        ("exhibits", "table_tests", {"specification": "mian"}, "uses the specification 'mian', which does not exist. Did you mean 'main'?"),
        ("exhibits", "figure_8_1", {"first": 3, "last": 1}, "before it begins"),
        ("exhibits", "figure_8_1", {"last": 30}, "outside the evaluation's clock"),
        ("exhibits", "figure_8_4", {"by": ["under_30"]}, "at least two subgroups"),
        ("exhibits", "figure_8_4", {"by": ["under_30", "under_30"]}, "at least two subgroups"),
        ("specifications", "main", {"vcov": "CRV1"}, "the evaluation names no clusters"),
        ("specifications", "main", {"vcov": "CRV1_nested", "strata": False}, "there are no fixed effects. Choose CRV1."),
        ("specifications", "main", {"controls": [{"covariate": "age"}, {"covariate": "age"}]}, "the control 'age' twice"),
        ("specifications", "none", {"weights": "age"}, "takes no weights"),
        ("specifications", "linear", {"weights": "age", "vcov": "iid"}, "does not offer the covariance iid with weights"),
        ("specifications", "main", {"weights": {"nonresponse": ["agee"]}}, "the covariate (of nonresponse) 'agee'"),
        ("specifications", "main", {"weights": {"nonresponse": ["age"]}}, "does not offer weights for non-response"),
        ("exhibits", "table_binary_models", {"model": "probit", "show_ratio": True}, "whose coefficients are no log odds"),
        ("outcomes", "wage_month_12", {"at": 30}, "outside the evaluation's clock"),
    ],
)  # fmt: skip
def test_what_a_definition_says_wrongly_is_reported(kind, name, parts, said):
    found = problems(CONFIGURATION, definitions={kind: {name: parts}})
    assert any(said in problem for problem in found), found


def test_a_window_that_no_register_covers_is_impossible():
    wages = CONFIGURATION.sources["wages"]
    short = type(wages).model_validate({**dumped(wages), "coverage": {"first": "2015-01-01", "last": "2018-12-31"}})
    found = problems(CONFIGURATION, sources={"wages": short})
    assert any(
        "'wage_month_12' reads event month 12 to 12" in problem and "2018-05-01 to 2021-12-31" in problem
        for problem in found
    )
    # One month later the first people assigned have a value.
    longer = type(wages).model_validate({**dumped(wages), "coverage": {"first": "2015-01-01", "last": "2019-05-31"}})
    assert not any("'wage_month_12'" in problem for problem in problems(CONFIGURATION, sources={"wages": longer}))


def test_a_window_that_needs_one_month_is_possible_when_one_is_covered():
    wages = CONFIGURATION.sources["wages"]
    short = type(wages).model_validate({**dumped(wages), "coverage": {"first": "2015-01-01", "last": "2018-12-31"}})
    one_is_enough = {"outcomes": {"wage_sum_12": {"missing": "all"}}}
    found = problems(CONFIGURATION, definitions=one_is_enough, sources={"wages": short})
    assert not any("'wage_sum_12'" in problem for problem in found)


def test_problems_name_the_file_of_the_definition(tmp_path):
    import shutil

    shutil.copytree(ROOT / "config", tmp_path / "config")
    path = tmp_path / "config/evaluations/refino/exhibits.yaml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("wage: wage_month_12", "wage: wage_mont_12", 1), encoding="utf-8"
    )
    with pytest.raises(Exception, match=r"config/evaluations/refino/exhibits\.yaml: The exhibit .*'wage_mont_12'"):
        load_configuration(tmp_path)


@pytest.mark.parametrize(
    ("name", "parts", "problem"),
    [
        ("weekly_hours_at_draw", {"column": "contract"}, "cannot be added up"),
        ("weekly_hours_at_draw", {"register": "incomes", "column": "pensionable_income"}, "needs a register of spells"),
        ("employed_at_draw", {"register": "persons"}, "needs a register of spells"),
        ("unassessed_at_draw", {"register": "draws", "where": []}, "needs a register of spells"),
        ("weekly_hours_at_draw", {"column": "weekly_hours"}, None),
        ("employed_at_draw", {"kind": "ever_before_draw", "register": "draws"}, None),
    ],
)
def test_covariates_of_the_day_of_the_draw_need_spells_and_amounts(name, parts, problem):
    found = problems(load_configuration(ROOT, evaluation="se_klar"), definitions={"covariates": {name: parts}})
    assert len(found) == (0 if problem is None else 1)
    assert problem is None or problem in found[0]


OBSERVATIONAL = {"design": "observational"}


def test_kinds_that_rest_on_random_assignment_are_refused_without_it():
    found = problems(CONFIGURATION, study=OBSERVATIONAL)
    refused = {
        name
        for name in CONFIGURATION.evaluation.exhibits
        if any(f"'{name}' (kind" in text and "rests on random" in text for text in found)
    }
    kinds = {CONFIGURATION.definitions.exhibits[name].kind for name in refused}
    assert {"tests", "null_card", "late", "compliers", "attrition"} <= kinds
    assert not kinds & {"itt", "balance", "paths", "effects"}


def test_texts_that_speak_of_effects_are_refused_without_random_assignment():
    title = {"nb": "Effekten av et tiltak, med faste effekter", "en": "What random assignment did, with fixed effects"}
    found = problems(CONFIGURATION, study=OBSERVATIONAL, definitions={"exhibits": {"table_8_1": {"title": title}}})
    assert any("'table_8_1': title (nb) says 'Effekt'" in text for text in found), found
    assert any("'table_8_1': title (en) says 'random'" in text for text in found), found
    plain = {"nb": "Forskjeller, med faste effekter", "en": "Differences, with fixed effects"}
    found = problems(CONFIGURATION, study=OBSERVATIONAL, definitions={"exhibits": {"table_8_1": {"title": plain}}})
    assert not any("'table_8_1': title" in text for text in found)


def test_permutations_in_groups_are_refused_without_random_assignment():
    name = next(
        name
        for name in CONFIGURATION.evaluation.exhibits
        if CONFIGURATION.definitions.exhibits[name].kind == "subgroups"
    )
    found = problems(CONFIGURATION, study=OBSERVATIONAL, definitions={"exhibits": {name: {"draws": 199}}})
    assert any(f"'{name}' re-randomises people" in text for text in found), found
