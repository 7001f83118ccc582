"""What is reported of jobs that Slurm ended, from its logs."""

import os
import time

import pytest

from refino_eval.cli.running.run_command import run_workflow
from refino_eval.cli.running.slurm_logs import LOGS, slurm_problems
from refino_eval.errors import UserError

MEMORY = {
    "measured": "slurmstepd-n1: error: StepId=3.batch exceeded memory limit (149852160 > 63963136), being killed\n",
    "control_group": "slurmstepd: error: Detected 1 oom_kill event in StepId=7.batch. Some of the step tasks have been OOM Killed.\n",
}


def write_log(root, rule, text, *, seconds_ago=0):
    path = root / LOGS / f"rule_{rule}" / "refino" / "3.log"
    path.parent.mkdir(parents=True)
    path.write_text(f"Building DAG of jobs...\n{text}")
    then = time.time() - seconds_ago
    os.utime(path, (then, then))
    return path.relative_to(root).as_posix()


@pytest.mark.parametrize("text", MEMORY.values(), ids=MEMORY)
def test_a_job_beyond_its_memory_is_named_with_the_setting_to_change(tmp_path, text):
    log = write_log(tmp_path, "estimate_exhibits", text)
    assert slurm_problems(tmp_path, time.time() - 60) == [
        "Slurm ended a job of the rule estimate_exhibits, which used more memory than it had asked for. Ask for more in "
        f"the profile, for instance `set-resources: {{estimate_exhibits: {{mem_mb: 8000}}}}`. Log: {log}"
    ]


def test_a_job_beyond_its_time_is_not_taken_for_a_cancelled_one(tmp_path):
    write_log(tmp_path, "derive_panel_part", "*** JOB 5 ON n1 CANCELLED AT 2026-11-28T12:00:00 DUE TO TIME LIMIT ***\n")
    (problem,) = slurm_problems(tmp_path, time.time() - 60)
    assert "took longer than it had asked for" in problem
    assert "{derive_panel_part: {runtime: 240}}`, or split the panel into more parts" in problem


def test_a_cancelled_job_is_said_to_be_repeated_by_the_next_run(tmp_path):
    write_log(tmp_path, "derive_panel", "*** JOB 5 ON n1 CANCELLED AT 2026-11-28T12:00:00 ***\n")
    (problem,) = slurm_problems(tmp_path, time.time() - 60)
    assert "which was cancelled. Run again: finished jobs are kept." in problem


def test_other_failures_and_logs_of_earlier_runs_are_left_to_the_usual_report(tmp_path):
    write_log(tmp_path, "derive_panel", "KeyError: 'x'\n")
    write_log(tmp_path, "verify_numbers", MEMORY["measured"], seconds_ago=600)
    assert slurm_problems(tmp_path, time.time() - 60) == []
    assert slurm_problems(tmp_path / "elsewhere", 0) == []


def test_an_unknown_profile_is_refused_with_those_that_exist(project):
    with pytest.raises(UserError, match=r"no profile 'slrum' in workflow/profiles; there are: laptop, slurm\..*slurm"):
        run_workflow(evaluation=None, cores=None, until=None, force=False, profile="slrum")
