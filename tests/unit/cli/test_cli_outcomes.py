"""`refino-eval outcomes`: what it prints, what it writes, and what it refuses."""

import re
import subprocess

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from typer.testing import CliRunner

from refino_eval.cli.main import app
from refino_eval.cli.outcomes.ascii_plots import chart, window_picture
from refino_eval.cli.outcomes.try_outcome import Guard, hidden_cells
from refino_eval.config import load_configuration

OUTCOMES = "config/definitions/outcomes.yaml"


def run(*arguments):
    return CliRunner().invoke(app, ["outcomes", *arguments])


def change(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def git(folder, *arguments):
    command = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def repository(project):
    git(project, "init", "-q")
    git(project, "add", "config")
    git(project, "commit", "-q", "-m", "The first definitions")
    return project


def test_list_shows_role_window_and_exhibits(project):
    lines = run("list").stdout.splitlines()
    row = next(line for line in lines if line.startswith("half_time_month_12"))
    assert row.split() == ["half_time_month_12", "primary", "value_at", "month", "12", "Half", "time", "table_a"]
    assert "month 7..12" in next(line for line in lines if line.startswith("half_time_months_7_12"))
    assert next(line for line in lines if line.startswith("hours_month_12")).endswith("-")
    assert any(line.startswith("own_outcome") for line in lines)


def test_show_prints_definitions_window_and_examples(project):
    text = run("show", "half_time_month_12").stdout
    assert "en  Half time, month 12 after the draw month." in text
    assert "nb  Halvtid, måned 12 etter trekkmåneden." in text
    assert re.search("\n  ─{6}┼─{35}●─{6}\n", text)  # three characters a month
    assert "hours >= 19" in text
    assert "Hours are an outcome here." in text
    assert "✓ 1: Exactly at the limit." in text
    assert "Version 2, changed 2024-01-31: The limit was 20 hours." in text
    assert f"{OUTCOMES}, lines 3 to 22" in text


def test_show_marks_an_example_that_does_not_come_out(project):
    change(project / "config/definitions/states.yaml", "hours >= 19", "hours >= 20")
    text = run("show", "half_time_month_12").stdout
    assert "✗ 1: Exactly at the limit." in text
    assert "✓ 0: No job." in text
    assert "example 1 (Exactly at the limit): expected 1" in text


def test_show_marks_examples_of_missing_registers_as_not_run(project):
    change(
        project / OUTCOMES,
        "state: abroad\n  at: 1",
        "state: abroad\n  at: 1\n  examples: [{why: x, draw: 2018-05-14, spells: {}, expect: 0}]",
    )
    text = run("show", "abroad_month_1").stdout
    assert "not run" in text
    assert "✓" not in text


@pytest.mark.parametrize("command", [("show",), ("try",)])
def test_an_unknown_name_is_one_paragraph_with_the_nearest(project, command):
    done = run(*command, "half_time_mont_12")
    assert done.exit_code == 2
    assert done.stderr == "No outcome 'half_time_mont_12'. Did you mean 'half_time_month_12'?\n"
    assert done.stdout == ""


# --- new -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("final", ["", "\n", "\n\n"])
def test_new_leaves_every_byte_before_it(project, newline, final):
    path = project / OUTCOMES
    before = (path.read_text(encoding="utf-8") + final).replace("\n", newline).encode()
    path.write_bytes(before)
    done = run("new", "half_time_month_6", "--like", "half_time_month_12")
    assert done.exit_code == 0, done.stderr
    after = path.read_bytes()
    assert after.startswith(before)
    assert (b"\r\n" in after) == (newline == "\r\n")
    assert after.count(b"\n") == after.count(newline.encode())
    read = yaml.safe_load(after)
    assert read["half_time_month_6"] == read["half_time_month_12"]
    # The copy's own comments come along; the next entry's do not.
    added = after[len(before) :].decode()
    assert "half_time_month_6:   # and so does this one" in added
    assert "belongs to the next" not in added
    assert "'Half time'" in added
    for word in ("examples", "role", "label"):
        assert word in done.stdout


def test_new_copies_the_evaluations_own_outcome(project):
    assert run("new", "shared_outcome", "--like", "own_outcome").exit_code == 0
    configuration = load_configuration(project)
    own, shared = (configuration.definitions.outcomes[name] for name in ("own_outcome", "shared_outcome"))
    assert own == shared
    assert "\nshared_outcome:\n  label:" in (project / OUTCOMES).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "like", "told"),
    [
        ("hours_month_12", "half_time_month_12", "The outcome 'hours_month_12' exists already"),
        ("own_outcome", "half_time_month_12", "The outcome 'own_outcome' exists already"),
        ("Half-Time", "half_time_month_12", "is not a valid name"),
        ("x: y", "half_time_month_12", "is not a valid name"),
        ("a" * 41, "half_time_month_12", "is not a valid name"),
        ("another", "half_time_mnth_12", "Did you mean 'half_time_month_12'?"),
    ],
)
def test_new_refuses_and_writes_nothing(project, name, like, told):
    before = (project / OUTCOMES).read_bytes()
    done = run("new", name, "--like", like)
    assert done.exit_code == 2
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
    assert (project / OUTCOMES).read_bytes() == before
    assert sorted(path.name for path in (project / "config/definitions").iterdir()) == [
        "covariates.yaml", "exhibits.yaml", "outcomes.yaml", "specifications.yaml", "states.yaml", "subgroups.yaml"
    ]  # fmt: skip


# --- try -------------------------------------------------------------------------------------------------------------


def test_try_counts_the_analysed_people_by_arm_and_year(with_panel):
    done = run("try", "half_time_month_12")
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "Values from results/toy/person_level/panel_month.parquet." in lines
    assert "Examples: 2 of 2 give the expected value." in lines
    # Of the 59 analysed, numbers 0 and 1 modulo 4 have at least 19 hours; number 1 is not analysed.
    treated = [n for n in range(60) if n % 3 == 0]
    control = [n for n in range(60) if n % 3 and n != 1]
    for label, people in (("New", treated), ("Old", control), ("Everybody", treated + control)):
        row = next(line for line in lines if line.startswith(label)).split()
        share = np.mean([n % 4 in (0, 1) for n in people])
        assert row[1:4] == [str(len(people)), "0", f"{share:.4f}"]
    assert next(line for line in lines if line.startswith("2019")).split()[1] == "2"  # numbers 54 and 57
    assert "Most similar outcome: half_time_months_7_12" in done.stdout
    assert "correlation 1.000; one is zero and the other is not for 0.0% of 59 people" in done.stdout
    assert "● New   ○ Old" in done.stdout


def test_try_computes_a_state_that_the_panel_lacks(with_panel):
    change(with_panel / OUTCOMES, "state: hours\n", "state: ordinary\n")
    before = sorted(path.name for path in (with_panel / "results/toy/person_level").iterdir())
    done = run("try", "hours_month_12")
    assert done.exit_code == 0, done.stderr
    assert "it lacks ordinary" in done.stdout
    assert "0.7458" in done.stdout  # 44 of 59 have a job of at least 4 hours
    assert sorted(path.name for path in (with_panel / "results/toy/person_level").iterdir()) == before


def test_try_does_not_trust_a_panel_of_other_definitions(with_panel):
    assert "0.4915" in run("try", "half_time_month_12").stdout
    change(with_panel / "config/definitions/states.yaml", "hours >= 19", "hours >= 18")
    done = run("try", "half_time_month_12")
    assert "have changed since it was made" in done.stdout
    assert "0.7458" in done.stdout


def test_try_works_on_an_expression(with_panel):
    change(
        with_panel / OUTCOMES,
        "kind: sum_over\n  state: half_time",
        "kind: months_in\n  expression: half_time and hours < 37",
    )
    done = run("try", "half_time_months_7_12")
    assert done.exit_code == 0, done.stderr
    assert "half_time and hours < 37 by event month; the outcome reads month 7..12" in done.stdout


def test_try_reports_missing_results(project):
    done = run("try", "abroad_month_1")
    assert done.exit_code == 2
    assert "which is not in results" in done.stderr
    (project / "results/toy/person_level/cohort.parquet").unlink()
    done = run("try", "half_time_month_12")
    assert done.exit_code == 2
    assert "refino-eval run --evaluation toy --until outcomes" in done.stderr
    change(project / OUTCOMES, "  at: 12\n  unit: {nb: timer", "  at: 99\n  unit: {nb: timer")


def test_try_shows_no_small_group_on_confidential_data(with_panel):
    change(with_panel / "config/evaluations/toy.yaml", "data_class: public", "data_class: confidential")
    done = run("try", "half_time_month_12")
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    # Both arms drew fewer than ten people in 2019; with two years the other would follow from the arm's total.
    for year in ("2018", "2019"):
        assert next(line for line in lines if line.startswith(year)).split()[1:] == ["·"] * 4
    assert "of 59 people" in done.stdout or "fewer than 10 people" in done.stdout
    # An arm in which fewer than ten have the one value gets no share, and then everybody's is not told either.
    change(with_panel / "config/definitions/states.yaml", "hours >= 19", "hours >= 37")
    lines = run("try", "half_time_month_12").stdout.splitlines()
    for label in ("Everybody", "New"):
        assert next(line for line in lines if line.startswith(label)).split()[-2:] == ["·", "·"]


def test_person_level_values_are_written_only_in_their_folder(with_panel):
    inside = with_panel / "results/toy/person_level/tried.parquet"
    assert run("try", "half_time_month_12", "--person-file", str(inside)).exit_code == 0
    table = pq.read_table(inside)
    assert table.column_names == ["person_id", "value"]
    assert table.num_rows == 60
    change(with_panel / "config/evaluations/toy.yaml", "data_class: public", "data_class: confidential")
    outside = with_panel / "tried.parquet"
    done = run("try", "half_time_month_12", "--person-file", str(outside))
    assert done.exit_code == 2
    assert "only be written in results/toy/person_level" in done.stderr
    assert not outside.exists()
    assert run("try", "half_time_month_12", "--person-file", str(inside)).exit_code == 0


def test_a_lone_small_cell_takes_the_next_smallest_with_it():
    ones = {"few": 3, "some": 20, "many": 50}
    groups = {(k, "arm"): np.arange(float(count)) for k, count in enumerate(ones.values())}
    assert hidden_cells(groups, [0, 1, 2], ["arm"], Guard(True)) == {(0, "arm"), (1, "arm")}
    assert hidden_cells(groups, [0, 1, 2], ["arm"], Guard(False)) == set()


def test_share_of_few_people_is_as_disclosive_as_a_small_group():
    guard = Guard(True)
    assert guard.hides(np.array([1.0] * 3 + [0.0] * 97))
    assert guard.hides(np.array([0.0] * 3 + [1.0] * 97))
    assert not guard.hides(np.array([0.0] * 50 + [1.0] * 50))
    assert not guard.hides(np.arange(10.0))
    assert guard.count(9) == "<10"
    assert guard.count(0) == "0"
    assert not Guard(False).hides(np.array([1.0]))


# --- diff ------------------------------------------------------------------------------------------------------------


def test_diff_names_fields_values_and_exhibits(repository):
    change(repository / "config/definitions/states.yaml", "hours >= 19", "hours >= 20")
    change(
        repository / OUTCOMES, "{nb: Timer, en: Hours}\n  description", "{nb: Timer, en: Weekly hours}\n  description"
    )
    change(repository / OUTCOMES, "window: [7, 12]", "window: [6, 12]")
    change(repository / "config/evaluations/toy.yaml", "own_outcome:", "new_outcome:")
    text = run("diff", "HEAD").stdout
    assert "changed states.half_time\n          expression: hours >= 19 -> hours >= 20" in text
    assert "label.en: Hours -> Weekly hours" in text
    assert "window: [7, 12] -> [6, 12]" in text
    assert "added   outcomes.new_outcome" in text
    assert "removed outcomes.own_outcome" in text
    affected = {line.split()[0]: line for line in text.split("Exhibits affected:")[1].splitlines() if line.strip()}
    assert "numbers" in affected["table_a"]
    assert "text only" in affected["table_b"]
    assert "not part of toy" in affected["table_b"]


def test_diff_without_changes(repository):
    assert run("diff", "HEAD").stdout == "The definitions are the same as at HEAD.\n"


def test_diff_of_an_unknown_revision_or_without_a_repository_is_a_fault(repository, tmp_path):
    for revision in ("no_such_tag", "--output=x"):
        done = run("diff", "--", revision)
        assert done.exit_code == 2
        assert f"git has no revision '{revision}'" in done.stderr
    for path in sorted((repository / ".git").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (repository / ".git").rmdir()
    done = run("diff", "HEAD")
    assert done.exit_code == 2
    assert "not in a git repository" in done.stderr


def test_show_lists_the_commits_of_the_entry(repository):
    change(repository / OUTCOMES, "window: [7, 12]", "window: [6, 12]")
    git(repository, "commit", "-q", "-a", "-m", "A longer window")
    assert "A longer window" in run("show", "half_time_months_7_12").stdout
    other = run("show", "half_time_month_12").stdout
    assert "A longer window" not in other
    assert "The first definitions" in other
    run("new", "fresh", "--like", "hours_month_12")
    assert "not committed yet" in run("show", "fresh").stdout


# --- pictures --------------------------------------------------------------------------------------------------------


def test_window_is_drawn_at_its_periods():
    axis, labels = window_picture(range(1, 5), -2, 6, width=9)
    assert axis == "──┼━━━━──"
    assert labels.split() == ["-2", "0", "4", "6"] or "4" in labels
    assert window_picture([3], 0, 4, width=5, plain=True)[0] == "+--o-"
    assert window_picture([0], 0, 4, width=5)[0] == "●────"
    assert len(window_picture([200], 0, 208, width=40)[0]) <= 41


def test_the_chart_puts_high_above_low():
    rows = chart({"a": {0: 1.0, 1: 0.0}, "b": {0: 0.0, 1: 1.0}}, width=20, height=3)
    assert rows[0].endswith("│●○")
    assert rows[2].endswith("│○●")
    assert all(len(row) <= 30 for row in rows)
    assert chart({"a": {}}) == []
    assert all(row.isascii() for row in chart({"a": {0: 1.0, 5: 2.0}}, plain=True))


# --- Definitions by theme, over several windows, with examples next to them ------------------------------------------


WORK = """\
over_time:
  label: { nb: "Halvtid, {window}", en: "Half time, {window}" }   # one entry, two outcomes
  description: Number of months at half time.
  kind: months_in
  state: half_time
  unit: { nb: måneder, en: months }
  windows:
    over_time_3: { window: [1, 3], text: { nb: "tre", en: "three" } }
    over_time_6: { window: [1, 6], text: { nb: "seks", en: "six" } }
"""
WORK_EXAMPLES = """\
over_time_3:
  - { why: No job., draw: 2018-05-14, spells: {}, expect: 0 }
"""


@pytest.fixture
def by_theme(project):
    folder = project / "config/definitions/outcomes"
    folder.mkdir()
    (folder / "work.yaml").write_text(WORK, encoding="utf-8")
    (folder / "work.examples.yaml").write_text(WORK_EXAMPLES, encoding="utf-8")
    return project


def test_show_finds_an_outcome_among_its_windows_and_its_examples(by_theme):
    text = run("show", "over_time_3").stdout
    assert "config/definitions/outcomes/work.yaml, lines 8 to 8" in text
    assert "✓ 0: No job." in text
    assert "Half time, three" in text


def test_new_writes_a_window_out_and_copies_its_examples(by_theme):
    folder = by_theme / "config/definitions/outcomes"
    done = run("new", "over_time_9", "--like", "over_time_3")
    assert done.exit_code == 0, done.stderr
    assert (folder / "work.yaml").read_text(encoding="utf-8").startswith(WORK)
    assert (folder / "work.examples.yaml").read_text(encoding="utf-8").startswith(WORK_EXAMPLES)
    outcomes = load_configuration(by_theme).definitions.outcomes
    assert outcomes["over_time_9"] == outcomes["over_time_3"]
    assert len(outcomes["over_time_9"].examples) == 1
    assert "config/definitions/outcomes/work.yaml, lines 12 to 24" in done.stdout


def test_diff_does_not_report_a_definition_that_moved_to_another_file(repository):
    text = (repository / OUTCOMES).read_text(encoding="utf-8")
    (repository / OUTCOMES).unlink()
    (repository / "config/definitions/outcomes").mkdir()
    (repository / "config/definitions/outcomes/work.yaml").write_text(text + "\n" + WORK, encoding="utf-8")
    done = run("diff", "HEAD")
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.startswith(("added", "removed", "changed"))] == [
        "added   outcomes.over_time_3",
        "added   outcomes.over_time_6",
    ]
