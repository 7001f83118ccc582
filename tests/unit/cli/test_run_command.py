"""`refino-eval run`: what is made of Snakemake's output, and the environment that its jobs get."""

import io
import os

import pytest
from rich.console import Console

from refino_eval.cli.running.run_command import (
    _environment,
    _left,
    _machine_problems,
    _missing_inputs,
    _progress,
    _show_failure,
)
from refino_eval.workflow_job import PROBLEMS_VARIABLE, USER_PROBLEMS

MISSING = """\
Building DAG of jobs...
MissingInputException in rule read_person_table in file "workflow/rules/trial.smk", line 38:
Missing input files for rule read_person_table:
    output: results/toy/person_level/cohort.parquet
    wildcards: evaluation=toy
    affected files:
        data/one.dta
        data/two.csv
"""
KILLED = "Command 'python job.py' died with <Signals.SIGKILL: 9>.\nError in rule estimate_exhibits_1:\n"
FAILED = "Error in rule derive_panel:\n    log: logs/toy/panel.log (check log file(s) for error details)\n"


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "workflow.log"

    def write(text):
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_missing_input_files_are_named_one_by_one(log):
    assert [problem.split(":")[0] for problem in _missing_inputs(log(MISSING))] == ["data/one.dta", "data/two.csv"]
    assert _missing_inputs(log(FAILED)) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (KILLED, "memory"),
        ("Command returned non-zero exit status 137.\n", "memory"),
        ("OSError: [Errno 28] No space left on device\n", "disk is full"),
        (FAILED, None),
        ("Command returned non-zero exit status 1.\n", None),
    ],
)
def test_signs_of_the_machine_are_recognised(log, tmp_path, text, words):
    problems = _machine_problems(text.splitlines(), log(text), tmp_path)
    assert problems == [] if words is None else words in problems[0]


def test_failure_names_rule_log_and_last_lines(log, tmp_path):
    (tmp_path / "logs/toy").mkdir(parents=True)
    (tmp_path / "logs/toy/panel.log").write_text("Traceback\nKeyError: [red]x[/red]\n")
    out = io.StringIO()
    path = log(FAILED)
    _show_failure(path.read_text().splitlines(), path, tmp_path, Console(file=out, width=200))
    text = out.getvalue()
    for words in ("rule derive_panel", "KeyError: [red]x[/red]", "logs/toy/panel.log", "workflow.log"):
        assert words in text


def test_problems_of_jobs_are_reported_once(tmp_path):
    for name in ("ingest-1", "ingest-2"):
        (tmp_path / f"{name}{USER_PROBLEMS}").write_text("the same\nanother\n")
    (tmp_path / "ingest-3.machine.txt").write_text("not this\n")
    assert _left(tmp_path, USER_PROBLEMS) == ["the same", "another"]


def test_progress_counts_the_jobs_that_are_done():
    out = io.StringIO()
    lines = [
        "total      3",
        "Job 2: Reading [jobs]",
        "1 of 3 steps (33%) done",
        "Job 1: Linking",
        "2 of 3 steps (67%) done",
    ]
    assert _progress(lines, Console(file=out, width=80)) == 2
    assert out.getvalue().splitlines() == ["[0/3] Reading [jobs]", "[1/3] Linking"]


def test_home_that_cannot_be_written_is_replaced_by_the_project(tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("HOME", "/proc/1/none")
    environment = _environment(tmp_path, tmp_path / "problems")
    assert environment["XDG_CACHE_HOME"] == str(tmp_path / ".snakemake/cache")
    assert environment["XDG_CONFIG_HOME"] == str(tmp_path / ".snakemake/config")
    assert environment[PROBLEMS_VARIABLE] == str(tmp_path / "problems")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert "XDG_CACHE_HOME" not in _environment(tmp_path, tmp_path)
    assert os.listdir(tmp_path / "home/.cache") == []
