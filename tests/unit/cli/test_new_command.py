"""`refino-eval new`: what it proposes from files is valid, shows nobody's values, and asks for what files cannot show."""

import re

import numpy as np
import pandas as pd
import pytest

from refino_eval.cli.check_command import check_evaluation
from refino_eval.cli.init_command import make_project
from refino_eval.cli.new_command import propose_evaluation
from refino_eval.config.load import load_configuration
from refino_eval.errors import UserError


@pytest.fixture
def project(tmp_path, monkeypatch):
    root = tmp_path / "project"
    list(make_project(root))
    monkeypatch.chdir(root)
    return root


def propose(root, name, kind, source, **options):
    said = "\n".join(propose_evaluation(root, name, kind, source, **options))
    written = {path: path.read_text(encoding="utf-8") for path in root.glob(f"config/*/{name}*.yaml")}
    return said, "\n".join(written.values())


def people(rng):
    n = 200
    return pd.DataFrame(
        {
            "caseid": [f"A{i:05d}" for i in range(n)], "Group": rng.choice(["new way", "usual"], n), "site": rng.integers(1, 5, n),
            "sex": rng.choice(["F", "M"], n), "age": rng.integers(18, 60, n), "weight": rng.uniform(0.5, 2, n).round(3),
            "enrolled": rng.integers(0, 2, n), "pay": rng.normal(20_000, 3_000, n).round(2), "employed": rng.integers(0, 2, n),
        }
    )  # fmt: skip


def test_a_person_table_is_proposed_by_looks_and_names(project):
    frame = people(np.random.default_rng(1))
    frame.to_csv(project / "data/trial.csv", index=False, sep=";", decimal=",", encoding="latin-1")
    said, text = propose(project, "mine", "person-table", project / "data/trial.csv")
    table = load_configuration(project, evaluation="mine").evaluation.person_table
    assert (table.person_id, table.treated, table.strata, table.weights, table.take_up) == (
        "caseid", "Group", ("site",), "weight", "enrolled",
    )  # fmt: skip
    assert (table.decimal, table.delimiter) == (",", ";")
    assert set(table.outcomes.values()) == {"pay", "employed"}
    assert set(table.covariates.values()) == {"age"}
    lines = list(check_evaluation(project, "mine"))
    assert "200 people" in lines[1]
    assert "Which columns were measured after assignment?" in said
    questions = re.findall(r"^  \d+\. (.*)$", said, re.MULTILINE)
    assert questions
    assert all(f"TODO: {question}" in text for question in questions)


def test_only_columns_called_like_measures_before_assignment_are_controls(project):
    rng = np.random.default_rng(5)
    frame = people(rng).assign(ad_id=rng.integers(0, 40, 200), age_of_youngest=rng.integers(0, 9, 200))
    for wave in range(12):
        frame[f"wave{wave}"] = rng.normal(size=200).round(3)
    frame.to_csv(project / "data/trial.csv", index=False)
    _, text = propose(project, "mine", "person-table", project / "data/trial.csv")
    table = load_configuration(project, evaluation="mine").evaluation.person_table
    assert set(table.covariates.values()) == {"age", "age_of_youngest"}
    assert len(table.outcomes) == 12
    left = re.search("# Not used: (.*)", text)
    assert left is not None
    assert set(left[1].split(", ")) >= {"ad_id", "wave11"}


def test_the_plainest_of_several_arms_is_taken_and_outcomes_with_gaps_keep_their_own_people(project):
    rng = np.random.default_rng(7)
    frame = people(rng).drop(columns="Group")
    frame.insert(0, "study", 1)
    frame.insert(0, "female", rng.integers(0, 2, 200))
    frame.insert(0, "satreat", rng.choice(["no", "yes"], 200))
    frame["treat"] = rng.choice(["no", "yes"], 200)
    frame.loc[:20, "pay"] = np.nan
    frame.to_csv(project / "data/trial.csv", index=False)
    said, text = propose(project, "mine", "person-table", project / "data/trial.csv")
    configuration = load_configuration(project, evaluation="mine")
    assert configuration.evaluation.person_table.treated == "treat"
    assert "Called like one as well: 'satreat'" in said
    assert 'treated: {name: treated, code: "yes", label: {nb: Tiltak, en: Treated}}' in text
    assert "missing: available" in text
    assert "study" not in configuration.evaluation.person_table.outcomes


def test_nobodys_values_are_shown_and_nothing_is_overwritten(project):
    frame = people(np.random.default_rng(2))
    frame.to_csv(project / "data/trial.csv", index=False)
    said, text = propose(project, "mine", "person-table", project / "data/trial.csv")
    values = {*frame["caseid"], *frame["pay"].astype(str), *frame["weight"].astype(str)}
    assert not {word for word in re.split(r"[^\w.]+", said + text)} & values
    with pytest.raises(UserError, match=r"config/evaluations/mine\.yaml: there already, and nothing is overwritten"):
        propose(project, "mine", "person-table", project / "data/trial.csv")
    assert (project / "config/evaluations/mine.yaml").read_text(encoding="utf-8") in text


def test_an_arm_with_gaps_is_proposed_with_the_people_who_have_one_and_asked_about(project):
    frame = people(np.random.default_rng(3)).drop(columns=["enrolled"])
    frame["Group"] = frame["Group"].where(np.arange(200) < 150)
    extra = {f"y{i}": np.random.default_rng(i).normal(size=200).round(3) for i in range(8)}
    frame.assign(**extra).to_csv(project / "data/trial.csv", index=False)
    said, _ = propose(project, "mine", "person-table", project / "data/trial.csv")
    evaluation = load_configuration(project, evaluation="mine").evaluation
    assert evaluation.person_table.treated == "Group"
    assert evaluation.person_table.keep[0].is_in == ("new way", "usual")
    assert "Some rows have no value of 'Group'" in said
    assert "50 people: not kept" in "\n".join(check_evaluation(project, "mine"))
    table = evaluation.definitions.exhibits["mine_effects"]
    assert set(table.columns) == set(evaluation.person_table.outcomes), "every outcome is in the table"


def test_whole_numbers_written_with_a_decimal_are_codes(project):
    """Many programs write 0 and 1 as 0.0 and 1.0 where the column has gaps."""
    frame = people(np.random.default_rng(4))[["caseid", "age", "employed"]]
    frame["offered"] = (np.arange(200) % 2).astype(float)
    frame.loc[:9, "offered"] = np.nan
    frame.to_csv(project / "data/trial.csv", index=False)
    propose(project, "mine", "person-table", project / "data/trial.csv", arm="offered")
    evaluation = load_configuration(project, evaluation="mine").evaluation
    assert evaluation.person_table.treated == "offered"
    assert evaluation.person_table.keep[0].is_in == ("0", "1")
    assert "10 people: not kept" in "\n".join(check_evaluation(project, "mine"))


def test_registers_are_linked_typed_and_checked(project):
    said, text = propose(project, "schools", "registers", project / "data/example", unit="week")
    configuration = load_configuration(project, evaluation="schools")
    study = configuration.evaluation
    assert (study.population.cluster, study.population.arm, study.strata) == ("school", "group", ("district",))
    assert (study.delivery.encoding, study.delivery.decimal, study.delivery.date_format) == ("latin-1", ",", "%d/%m/%Y")
    jobs = configuration.sources["schools_jobs"]
    assert (jobs.temporality, jobs.columns["stop"].source, jobs.columns["hours"].type) == ("spell", "to", "hundredths")
    assert "week" in study.clocks
    assert any(
        "one arm alone" in line or "School" in line or "3 files of 3 registers" in line
        for line in check_evaluation(project, "schools")
    )
    ids = {
        line.split(";")[0] for line in (project / "data/example/assignments.csv").read_text("latin-1").splitlines()[1:]
    }
    assert len(ids) > 400
    assert not set(re.split(r"\W+", said + text)) & ids
    assert "Which code of 'group' is the control arm?" in said


def test_a_panel_is_recognised_by_its_keys(project):
    rng = np.random.default_rng(3)
    base = people(rng)[["caseid", "Group", "site", "age"]].head(60)
    frame = base.loc[base.index.repeat(9)].assign(month=np.tile(range(-2, 7), 60), job=rng.integers(0, 2, 540))
    frame.to_csv(project / "data/panel.csv", index=False)
    propose(project, "months", "panel", project / "data/panel.csv")
    study = load_configuration(project, evaluation="months").evaluation
    assert (study.panel.person_id, study.panel.period, study.panel.states) == ("caseid", "month", {"job": "job"})
    assert (study.clocks["month"].first, study.clocks["month"].last) == (-2, 6)
    assert "540 rows of 60 people" in list(check_evaluation(project, "months"))[1]


def test_a_column_called_like_a_period_is_one_and_a_figure_shows_one_of_several_arms(project):
    rng = np.random.default_rng(4)
    base = pd.DataFrame(
        {
            "centre": range(1, 13),
            "group": np.tile(["small fine", "large fine", "control"], 4),
            "children": rng.integers(20, 40, 12),
        }
    )
    frame = base.loc[base.index.repeat(20)].assign(week=np.tile(range(20), 12), late=rng.integers(0, 15, 240))
    frame["study_period"] = frame["week"].map(lambda week: "before" if week < 4 else "after")
    frame.to_csv(project / "data/panel.csv", index=False)
    propose(project, "fines", "panel", project / "data/panel.csv")
    study = load_configuration(project, evaluation="fines")
    assert (study.evaluation.panel.person_id, study.evaluation.panel.period, study.evaluation.panel.treated) == (
        "centre",
        "week",
        "group",
    )
    assert list(study.evaluation.clocks) == ["week"]
    assert study.definitions.exhibits["fines_over_time"].arm in {"small_fine", "large_fine"}


def test_dates_of_which_day_and_month_cannot_be_told_apart_are_asked_for(project):
    folder = project / "data/days"
    folder.mkdir()
    ids = [f"{i:03d}" for i in range(40)]
    arms = pd.DataFrame({"pid": ids, "arm": ["T", "C"] * 20, "day": "03/04/2021"})
    arms.to_csv(folder / "draws.csv", index=False)
    pd.DataFrame({"who": ids, "start": "05/06/2021", "end": "07/08/2021"}).to_csv(folder / "stays.csv", index=False)
    pd.DataFrame({"who": ["x", "y"], "n": [1, 2]}).to_csv(folder / "other.csv", index=False)
    said, text = propose(project, "days", "registers", folder)
    assert "Does the day or the month come first in the dates of stays.csv?" in said
    assert "Which column of other.csv has the person's id?" in said
    assert 'control: {name: control, code: "C"' in text


@pytest.mark.parametrize(
    ("kind", "source", "options", "problem"),
    [
        ("person-table", "data/none.csv", {}, "no such file"),
        ("registers", "data/example/jobs.csv", {}, "no such folder"),
        ("person-table", "data/example/jobs.csv", {}, "no column can be the arm"),
        ("person-table", "data/example/assignments.csv", {"arm": "grup"}, "has no column 'grup'.*'group'"),
        (
            "person-table",
            "data/example/assignments.csv",
            {"arm": "grade"},
            "cannot be the arm: it has [0-9]+ different values",
        ),
        ("panel", "data/example/assignments.csv", {}, "no two columns identify the rows"),
    ],
)
def test_what_cannot_be_proposed_is_refused_and_leaves_no_file(project, kind, source, options, problem):
    before = sorted(project.rglob("*.yaml"))
    with pytest.raises(UserError, match=problem):
        propose(project, "mine", kind, project / source, **options)
    assert sorted(project.rglob("*.yaml")) == before
    with pytest.raises(UserError, match="cannot be the name of an evaluation"):
        propose(project, "My study", kind, project / source)
