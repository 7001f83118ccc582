"""Definitions by theme and by study, examples next to them, and outcomes over several windows."""

import shutil
from pathlib import Path

import pytest

from refino_eval.config import load_configuration
from refino_eval.config.entry_files import entry_files, study_files
from refino_eval.config.load import evaluation_names
from refino_eval.config.windows import expanded
from refino_eval.errors import UserError

ROOT = Path(__file__).resolve().parents[3]
OUTCOME = """
%s:
  label: { nb: x, en: x }
  description: x
  kind: value_at
  state: %s
  at: 3
  unit: { nb: x, en: x }
"""


@pytest.fixture
def project(tmp_path):
    shutil.copytree(ROOT / "config", tmp_path / "config")
    return tmp_path


def problems(project, evaluation="refino"):
    with pytest.raises(UserError) as caught:
        load_configuration(project, evaluation=evaluation)
    return caught.value.problems


def write(project, path, text):
    (project / path).parent.mkdir(parents=True, exist_ok=True)
    with (project / path).open("a", encoding="utf-8") as stream:
        stream.write(text)


def test_a_study_is_one_file_or_a_folder():
    paths = ["config/evaluations/b/evaluation.yaml", "config/evaluations/a.yaml", "config/evaluations/b/exhibits.yaml"]
    assert study_files(paths) == {"a": "config/evaluations/a.yaml", "b": "config/evaluations/b/evaluation.yaml"}


def test_an_evaluation_reads_the_shared_files_and_its_own(project):
    files, unknown = entry_files(
        [
            "config/definitions/outcomes.yaml", "config/definitions/outcomes/work.yaml", "config/definitions/states/work.examples.yaml",
            "config/evaluations/a.yaml", "config/evaluations/b/exhibits.yaml", "config/evaluations/b/evaluation.yaml",
        ],
        "b",
    )  # fmt: skip
    assert unknown == []
    assert {(file.path, file.kind) for file in files if not file.keys} == {
        ("config/definitions/outcomes.yaml", "outcomes"),
        ("config/definitions/outcomes/work.yaml", "outcomes"),
        ("config/definitions/states/work.examples.yaml", "states"),
        ("config/evaluations/b/exhibits.yaml", "exhibits"),
    }
    assert {file.path for file in files if file.keys} == {"config/evaluations/b/evaluation.yaml"}


def test_a_study_moves_between_a_file_and_a_folder_without_a_change(project):
    before = load_configuration(project, evaluation="iwws_races")
    (project / "config/evaluations/iwws_races").mkdir()
    shutil.move(
        project / "config/evaluations/iwws_races.yaml", project / "config/evaluations/iwws_races/evaluation.yaml"
    )
    assert load_configuration(project, evaluation="iwws_races").evaluation == before.evaluation
    assert evaluation_names(project) == evaluation_names(ROOT)


def test_a_new_file_of_a_theme_is_read(project):
    write(project, "config/definitions/outcomes/mine/more.yaml", OUTCOME % ("mine", "wage"))
    assert load_configuration(project).definitions.outcomes["mine"].at == 3


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("config/definitions/outcome.yaml", "x: 1", "nothing called 'outcome' can be defined. Did you mean 'outcomes'?"),
        ("config/definitions/outcomes/work.yml", "x: 1", "Its name must end with .yaml"),
        ("config/definitions/exhibits.examples.yaml", "x: 1", "nothing called 'exhibits' has worked examples"),
        ("config/evaluations/refino.yaml", "name: refino", "the evaluation has the folder config/evaluations/refino too"),
        ("config/definitions/outcomes/your.yaml", OUTCOME % ("wage_month_12", "wage"), "defined in config/definitions/outcomes/"),
        ("config/evaluations/refino/outcomes.yaml", OUTCOME % ("wage_month_12", "wage"), "defined in config/definitions/outcomes/"),
        ("config/definitions/states/wages.examples.yaml", "wge: []\n", "there is no 'wge' in config/definitions/states/wages.yaml"),
        ("config/definitions/outcomes/mine.yaml", OUTCOME % ("mine", "wage") + "  knid: x\n", "outcomes.mine.knid"),
        ("config/definitions/outcomes/mine.yaml", "- x\n", "must be a mapping of names to entries"),
        ("config/evaluations/refino/outcomes.yaml", OUTCOME % ("mine", "wage") + "  knid: x\n", "outcomes.mine.knid"),
        ("config/definitions/outcomes/mine.yaml", "mine: {windows: []}\n", "mine.windows must be a mapping"),
        ("config/definitions/outcomes/mine.yaml", "mine: {windows: {mine_1: {at: 1}}, label: {nb: '{window}'}}\n", "'mine_1' says {window}"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_reported_with_the_file(project, path, text, said):
    write(project, path, text)
    found = problems(project)
    assert any(said in problem and problem.startswith(f"{path}: ") for problem in found), found


def test_a_wrong_example_is_reported_in_the_file_of_the_examples(project):
    path = project / "config/definitions/states/wages.examples.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("expect: 0\n", "expcet: 0\n", 1), encoding="utf-8")
    assert any(
        problem.startswith("config/definitions/states/wages.examples.yaml: ") and "expcet" in problem
        for problem in problems(project)
    )


def test_examples_are_in_one_place(project):
    write(project, "config/definitions/outcomes/mine.yaml", OUTCOME % ("mine", "wage") + "  examples: []\n")
    write(project, "config/definitions/outcomes/mine.examples.yaml", "mine: []\n")
    assert any("has examples in its own file too" in problem for problem in problems(project))


def test_a_window_replaces_what_the_entry_says_and_fills_in_its_text():
    entry = {
        "label": {"nb": "Lønn {window}", "en": "Wage {window}"},
        "description": "Over {window}.",
        "role": "primary",
        "windows": {
            "a": {"at": 1, "text": {"nb": "en", "en": "one"}},
            "b": {"at": 2, "role": "secondary", "label": {"nb": "B", "en": "B"}, "text": {"nb": "to", "en": "two"}},
        },
    }
    outcomes, said = expanded({"x": entry}, "f.yaml")
    assert said == []
    assert outcomes == {
        "a": {"label": {"nb": "Lønn en", "en": "Wage one"}, "description": "Over one.", "role": "primary", "at": 1},
        "b": {"label": {"nb": "B", "en": "B"}, "description": "Over two.", "role": "secondary", "at": 2},
    }
    assert expanded({"a": {}, "x": entry}, "f.yaml")[1] == [
        "f.yaml: the outcome 'a' is defined twice. Give one of them another name."
    ]
