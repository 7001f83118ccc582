"""Reading the configuration: what is right is read, and what is wrong is reported in one paragraph each."""

import shutil
from pathlib import Path
from typing import get_args

import pytest

from refino_eval.config.definitions import Definitions
from refino_eval.config.dependencies import needed_states, text_of, used_covariates, used_outcomes, used_states
from refino_eval.config.evaluation import FigureFormat, Formats, Project, TableFormat
from refino_eval.config.load import evaluation_names, expand, load_configuration
from refino_eval.config.model_errors import validate
from refino_eval.config.yaml_files import read_yaml
from refino_eval.errors import UserError
from refino_eval.exhibits.formats.write import TABLE_FORMS
from refino_eval.exhibits.layout.drawing import PICTURES

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def project(tmp_path):
    """A copy of the shipped configuration, to be broken."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    return tmp_path


def change(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{old!r} is not in {path.name}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def faults(project, evaluation="refino"):
    with pytest.raises(UserError) as caught:
        load_configuration(project, evaluation=evaluation)
    return caught.value.problems


@pytest.mark.parametrize("name", evaluation_names(ROOT))
def test_every_shipped_evaluation_is_sound(name):
    configuration = load_configuration(ROOT, evaluation=name)
    assert configuration.evaluation.name == name
    assert configuration.evaluation.exhibits


def test_the_default_evaluation_is_the_one_that_config_names():
    assert load_configuration(ROOT).evaluation.name == "refino"


def test_a_misspelt_key_is_named_with_file_and_nearest_key(project):
    change(project / "config/evaluations/refino/evaluation.yaml", "data_class:", "data_clas:")
    told = faults(project)
    assert any(
        "config/evaluations/refino/evaluation.yaml" in text and "'data_clas'" in text and "'data_class'" in text
        for text in told
    )


def test_a_misspelt_key_deep_inside_a_definition_gets_its_nearest_name(project):
    change(project / "config/definitions/outcomes/wages.yaml", "kind: value_at", "knid: value_at")
    told = faults(project)
    assert any("knid" in text and "'kind'" in text for text in told)


def test_a_misspelt_key_of_an_exhibit_gets_the_nearest_key_of_its_kind():
    exhibit = {"kind": "late", "title": {"nb": "x", "en": "x"}, "columns": ["work"], "participtaion": {}}
    with pytest.raises(UserError) as caught:
        validate({"exhibits": {"main": exhibit}}, Definitions, "exhibits.yaml")
    assert (
        "exhibits.yaml: the key 'exhibits.main.participtaion' is not known. Did you mean 'participation'?"
        in caught.value.problems
    )


def test_all_faults_come_at_once(project):
    change(project / "config/evaluations/refino/evaluation.yaml", "- table_8_1", "- table_8_l")
    change(project / "config/evaluations/refino/evaluation.yaml", "strata: [county,", "strata: [count,")
    told = faults(project)
    assert any("'table_8_l'" in text and "Did you mean 'table_8_" in text for text in told)
    assert any("'count'" in text and "'county'" in text for text in told)


def test_an_unknown_outcome_in_the_selection_is_reported(project):
    change(project / "config/evaluations/refino/exhibits.yaml", "wage: wage_month_12", "wage: wage_mont_12")
    assert any("'wage_mont_12'" in text and "'wage_month_12'" in text for text in faults(project))


def test_a_window_outside_the_clock_is_reported(project):
    change(
        project / "config/evaluations/refino/evaluation.yaml",
        "month: {first: -24, last: 24}",
        "month: {first: -24, last: 11}",
    )
    assert any("event month 12" in text and "-24 to 11" in text for text in faults(project))


def test_a_missing_evaluation_is_reported(project):
    assert faults(project, "refno") == ("There is no evaluation 'refno' in config/evaluations. Did you mean 'refino'?",)


def test_a_name_is_defined_once(project):
    change(project / "config/evaluations/job_corps.yaml", "    jc_employed:\n", "    wage:\n")
    change(project / "config/evaluations/job_corps.yaml", "state: jc_employed", "state: wage")
    assert any(
        "wage is defined in config/definitions/states/wages.yaml already" in text
        for text in faults(project, "job_corps")
    )


def test_a_key_given_twice_is_reported(project):
    path = project / "config/config.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "\nseed: 1\n", encoding="utf-8")
    assert any("'seed' is given twice" in text for text in faults(project))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[csv, md, html, tex, docx, xlsx]", "[csv, doc]", "formats.tables.1: must be one of"),
        ("[csv, md, html, tex, docx, xlsx]", "[csv, csv]", "formats.tables: a format is named twice"),
        ("[csv, md, html, tex, docx, xlsx]", "[]", "formats.tables: must have at least 1 entries"),
        ("[svg, png, pdf, csv]", "[png]", "formats.figures: svg must be among them"),
        ("stars: false", "stars: [5]", "stars.0: must be less than 1"),
    ],
)
def test_forms_that_cannot_be_are_reported(project, old, new, said):
    change(project / "config/config.yaml", old, new)
    assert any(text.startswith("config/config.yaml: ") and said in text for text in faults(project))


def test_every_form_that_can_be_named_can_be_written():
    assert get_args(TableFormat) == tuple(TABLE_FORMS)
    assert get_args(FigureFormat) == (*PICTURES, "csv")
    project = load_configuration(ROOT).project
    assert project.formats == Formats()
    assert project.stars == ()
    assert Project(evaluation="x", stars=True).stars == (0.1, 0.05, 0.01)


def test_a_file_that_multiplies_itself_is_refused(tmp_path):
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 20)]
    bomb = tmp_path / "bomb.yaml"
    bomb.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(UserError, match="too many aliases"):
        read_yaml(bomb, "bomb.yaml")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a: [1", "not valid YAML"),
        (b"a: \xff\xfe", "not UTF-8"),
        (b"a: !!python/object/apply:os.system [ls]", "not valid YAML"),
    ],
)
def test_a_broken_file_is_reported(tmp_path, content, said):
    path = tmp_path / "broken.yaml"
    path.write_bytes(content)
    with pytest.raises(UserError, match=said):
        read_yaml(path, "broken.yaml")


def test_an_environment_variable_has_a_default_or_is_asked_for(monkeypatch):
    monkeypatch.delenv("REFINO_EVAL_TEST_PLACE", raising=False)
    assert expand("${REFINO_EVAL_TEST_PLACE:-here}/x") == "here/x"
    with pytest.raises(UserError, match="REFINO_EVAL_TEST_PLACE is not set"):
        expand("${REFINO_EVAL_TEST_PLACE}/x")
    monkeypatch.setenv("REFINO_EVAL_TEST_PLACE", "there")
    assert expand("${REFINO_EVAL_TEST_PLACE:-here}/x") == "there/x"


def test_a_derived_state_pulls_in_what_it_is_computed_from():
    definitions = load_configuration(ROOT).definitions
    needed = needed_states(definitions, ["half_time"])
    assert needed[-1] == "half_time"
    assert "weekly_hours_main_job" in needed
    assert needed_states(definitions, ["wage"]) == ["wage"]


def test_what_is_used_follows_from_the_exhibits():
    configuration = load_configuration(ROOT, evaluation="job_corps")
    study, definitions = configuration.evaluation, configuration.definitions
    assert used_states(study, definitions, "week") == ["jc_employed"]
    assert "jc_months_year_4" in used_outcomes(study, definitions)
    assert "jc_age" in used_covariates(study, definitions)


def test_an_exhibits_words_hold_only_its_own_definitions():
    configuration = load_configuration(ROOT)
    words = text_of("table_8_1", configuration.definitions)
    assert set(words["outcomes"]) == set(configuration.definitions.exhibits["table_8_1"].columns.values())
    assert set(words["specifications"]) == {"main"}


def test_a_disclosure_profile_that_is_not_there_is_an_error(project):
    study = project / "config/evaluations/job_corps.yaml"
    text = study.read_text(encoding="utf-8")
    study.write_text(text + "\ndisclosure: {profile: strikt}\n", encoding="utf-8")
    assert any(
        said.startswith(f"config/evaluations/{study.name}: disclosure.profile: there")
        for said in faults(project, study.stem)
    )
    study.write_text(text + "\ndisclosure: {leave_out: {table_z: few people}}\n", encoding="utf-8")
    assert any("disclosure.leave_out: 'table_z' is not" in said for said in faults(project, study.stem))
    change(project / "config/config.yaml", "disclosure: null", "disclosure: {profile: strikt}")
    assert any("there is no profile 'strikt'" in said for said in faults(project))


def test_effects_of_the_first_page_that_are_not_there_are_errors(project):
    study = project / "config/evaluations/akm2011.yaml"
    change(study, "akm_table_5a: [dformal_06]", "akm_table_5a: [dformal_6]\n  akm_design: [share]\n  akm_table_9: [x]")
    said = " ".join(faults(project, study.stem))
    assert "first_page.akm_table_5a: the exhibit has no column 'dformal_6'. Did you mean 'dformal_06'" in said
    assert "first_page: the exhibit 'akm_design' has no single effect of each outcome" in said
    assert "first_page: 'akm_table_9' is not among the evaluation's exhibits" in said


def test_a_profile_without_protection_is_refused_for_confidential_data(project):
    folder = project / "config/disclosure"
    folder.mkdir(exist_ok=True)
    for name in ("none", "strict"):
        (folder / f"{name}.yaml").touch()
    study, machine = project / "config/evaluations/job_corps.yaml", project / "config/config.yaml"

    def chosen():
        return load_configuration(project, evaluation=study.stem).disclosure_profile

    assert chosen() == "none"
    change(machine, "disclosure: null", "disclosure: {profile: none}")
    assert chosen() == "none"
    change(study, "data_class: public", "data_class: confidential")
    assert any("protects nothing" in said for said in faults(project, study.stem))
    study.write_text(study.read_text(encoding="utf-8") + "\ndisclosure: {profile: strict}\n", encoding="utf-8")
    assert chosen() == "strict"
    change(machine, "disclosure: {profile: none}", "disclosure: null")
    change(study, "disclosure: {profile: strict}", "")
    assert chosen() is None


def test_braces_in_the_projects_path_are_reported(project):
    folder = project.parent / "pro {x}"
    shutil.copytree(project, folder)
    assert any("braces" in text for text in faults(folder))


@pytest.mark.parametrize(
    ("title", "said"),
    [('"a\\x0bb"', "U+000B"), ("x" * 256, "at most 255 characters"), ('"a\\nb"', None), ("x" * 255, None)],
)
def test_titles_fit_a_document(project, title, said):
    path = project / "config/evaluations/refino/exhibits.yaml"
    change(path, '"Table I. Balance"', title)
    if said is None:
        load_configuration(project)
        return
    assert any(said in text and "table_i" in text for text in faults(project))


def test_a_message_of_the_library_is_rewritten(project):
    change(project / "config/evaluations/refino/evaluation.yaml", "strata: [county, draw_month]", "strata: county")
    assert any("strata: must be a list, for instance [a, b] (given: 'county')" in text for text in faults(project))


def test_without_pictures_the_default_report_has_no_word_form():
    assert Formats.model_validate({"figures": ["svg"]}).report == ("html",)
    assert Formats.model_validate({}).report == ("html", "docx")
    with pytest.raises(ValueError, match="the report in Word shows figures as png"):
        Formats.model_validate({"figures": ["svg"], "report": ["html", "docx"]})
