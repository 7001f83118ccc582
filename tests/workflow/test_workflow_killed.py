"""Killed outright at random moments, a run finishes correctly when started again: the same bytes, nothing half taken for whole."""

import contextlib
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

from support.workflow import choose_exhibits, copy_project, refino_eval

pytestmark = pytest.mark.slow

KILLS = 20
SEED = 20180501
WINDOW = (0.10, 0.35)
"""Of the time that a whole run takes here and now: a run comes some jobs further in it, so kills fall into every stage."""

EXHIBITS = ("figure_flow", "table_2_3", "figure_8_1", "table_8_1")


def small_project(folder):
    copy_project(folder, people=200)
    choose_exhibits(folder, EXHIBITS)
    return folder


def digests(folder):
    """Digest every file that a run makes, but for times, versions and benchmarks."""
    results = folder / "results/refino"
    parts = ("aggregates", "person_level", "run/flow.csv", "run/quality.csv", "run/quality_rules.csv")
    paths = [path for part in parts for path in [results / part, *(results / part).rglob("*")] if path.is_file()]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def start(folder):
    command = [sys.executable, "-m", "refino_eval.cli.main", "run", "--until", "aggregates", "--cores", "2"]
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip


def test_killed_twenty_times_and_finished_with_the_same_bytes(tmp_path):
    whole = small_project(tmp_path / "whole")
    began = time.monotonic()
    done = refino_eval(whole, "run", "--until", "aggregates", "--cores", "2")
    takes = time.monotonic() - began
    assert done.returncode == 0, done.stdout + done.stderr
    expected = digests(whole)
    assert {f"results/refino/aggregates/{name}.csv" for name in EXHIBITS} <= set(expected)
    project = small_project(tmp_path / "killed")
    moments = random.Random(SEED)
    landed, ended, at_work = 0, 0, 0
    while landed < KILLS:
        process = start(project)
        try:
            _, said = process.communicate(timeout=takes * moments.uniform(*WINDOW))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            landed += 1
            at_work += any((project / ".snakemake/locks").glob("*.lock"))
            continue
        assert process.returncode == 0, said.decode()
        # It came to its end between two kills: begin anew, from the delivery or from the results.
        ended += 1
        assert digests(project) == expected
        shutil.rmtree(project / "results")
        if ended % 2:
            shutil.rmtree(project / "data/synthetic")
    done = refino_eval(project, "run", "--until", "aggregates", "--cores", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert digests(project) == expected
    assert at_work >= KILLS // 4, "kills before Snakemake is at work try nothing"
    left = [path for folder in ("results", "data") for path in (project / folder).rglob(".*")]
    assert left == [], "drafts of killed jobs are cleared up"
    assert not list((project / ".snakemake/locks").glob("*.lock"))


def test_a_second_run_at_the_same_time_is_told_to_wait(tmp_path):
    project = small_project(tmp_path / "project")
    first = start(project)
    try:
        time.sleep(4)
        assert first.poll() is None
        second = refino_eval(project, "run", "--until", "aggregates")
        assert second.returncode == 2
        assert "is being run by another process" in second.stderr
        # Its parent killed alone, Snakemake ends when it next speaks: until then it still holds the evaluation.
        os.kill(first.pid, signal.SIGKILL)
        third = refino_eval(project, "run", "--until", "aggregates")
        assert third.returncode in (0, 2), third.stderr
        assert "Traceback" not in third.stderr
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(first.pid, signal.SIGKILL)
        first.communicate()
    done = refino_eval(project, "run", "--until", "aggregates")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_flow_figure_shows_the_flow_and_nothing_else(small_run):
    flow = pd.read_csv(small_run / "results/refino/run/flow.csv", keep_default_na=False)
    numbers = pd.read_csv(small_run / "results/refino/aggregates/figure_flow.csv").set_index(["row", "column"])["value"]
    assert len(numbers) == 3 * len(flow)
    for line in flow.itertuples():
        row = f"{line.step}:{line.reason}" if line.reason else line.step
        assert [numbers[row, column] for column in ("all", "refino", "oppfolging")] == [
            line.persons, line.treated, line.control,
        ]  # fmt: skip
    for ending in ("nb.svg", "nb.png", "en.svg", "en.png"):
        assert (small_run / f"results/refino/release/figures/figure_flow.{ending}").stat().st_size > 5_000
