"""The workflow on a real Slurm: it finishes, resources arrive as asked, a killed job is repeated, and memory is respected."""

import contextlib
import hashlib
import subprocess
import sys
import time

import pytest

from support.slurm_cluster import slurm_cluster, why_not
from support.workflow import change, choose_exhibits, copy_project, refino_eval

pytestmark = [pytest.mark.slow, pytest.mark.slurm, pytest.mark.skipif(bool(why_not()), reason=why_not())]

PARTS, EXHIBIT = 2, "table_8_1"
SECONDS = 240
PANEL = "results/refino/person_level/panel_month.parquet"
NUMBERS = f"results/refino/aggregates/{EXHIBIT}.csv"
PROFILE = "workflow/profiles/slurm/config.v9+.yaml"


@contextlib.contextmanager
def run_on(cluster, project):
    """Start the workflow on a cluster, and end it with the block if it is not done."""
    command = [sys.executable, "-m", "refino_eval.cli.main", "run", "--until", "aggregates", "--profile", "slurm"]
    with subprocess.Popen(
        command, cwd=project, env=cluster.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def parts_among(jobs):
    return {number: job for number, job in jobs.items() if job["Comment"].startswith("rule_derive_panel_part")}


def hashes(project):
    return [hashlib.sha256((project / path).read_bytes()).hexdigest() for path in (PANEL, NUMBERS)]


@pytest.fixture(scope="module")
def cluster():
    with slurm_cluster() as running:
        yield running


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A finished run of one table on this machine, in a project whose next run splits the panel."""
    folder = copy_project(tmp_path_factory.mktemp("slurm") / "project", people=150)
    choose_exhibits(folder, [EXHIBIT])
    done = refino_eval(folder, "run", "--until", "aggregates")
    assert done.returncode == 0, done.stdout + done.stderr
    change(folder / "config/config.yaml", "panel_parts: null ", f"panel_parts: {PARTS} ")
    # This cluster has no accounting database, and its jobs take seconds.
    change(folder / PROFILE, "checks: 20", "checks: 1\nslurm-status-command: squeue")
    change(folder / PROFILE, "latency-wait: 30", "latency-wait: 5")
    return folder


@pytest.fixture(scope="module")
def finished(cluster, project):
    """The same run on the cluster, where one part of the panel is killed: hashes before and after, and all jobs."""
    before = hashes(project)
    killed = None
    with run_on(cluster, project) as run:
        while killed is None and run.poll() is None:
            # The last of the array: the executor lets every job of it wait for the files of the first, so that killing the
            # first makes the others fail too.
            running = [
                job
                for job in parts_among(cluster.jobs()).values()
                if job["JobState"] == "RUNNING" and job.get("ArrayTaskId") == str(PARTS)
            ]
            if running:
                killed = running[0]["JobId"]
                cluster.run("scancel", f"{running[0]['ArrayJobId']}_{running[0]['ArrayTaskId']}")
            time.sleep(0.2)
        output, _ = run.communicate(timeout=SECONDS)
    jobs = cluster.jobs()
    assert run.returncode == 0, f"{output}\n{cluster.logs()}"
    return before, hashes(project), killed, jobs


def test_an_evaluation_on_a_cluster_gives_the_bytes_of_one_machine(finished):
    before, after, _, jobs = finished
    assert after == before
    assert sum(job["JobState"] == "COMPLETED" for job in jobs.values()) > PARTS


def test_parts_are_one_array_and_a_killed_one_is_submitted_again(finished):
    _, _, killed, jobs = finished
    parts = parts_among(jobs)
    array = [job for job in parts.values() if "ArrayJobId" in job]
    assert len(array) == PARTS
    assert len({job["ArrayJobId"] for job in array}) == 1
    assert jobs[killed]["JobState"] == "CANCELLED"
    (again,) = [job for job in parts.values() if "ArrayJobId" not in job]
    assert again["JobState"] == "COMPLETED"


def test_memory_cores_and_time_arrive_as_the_rules_ask(finished):
    *_, jobs = finished
    parts = parts_among(jobs)
    # Snakemake adds a megabyte for the list of an array's jobs; a second attempt asks for twice as much.
    asked = {(job["CPUs/Task"], job["MinMemoryNode"], job["TimeLimit"]) for job in parts.values()}
    assert asked == {("2", "2001M", "00:30:00"), ("2", "4000M", "01:00:00")}
    merged = [job for job in jobs.values() if job["Comment"].startswith("rule_derive_panel_wildcards")]
    assert [(job["CPUs/Task"], job["MinMemoryNode"]) for job in merged] == [("2", "2000M")]
    others = [job for job in jobs.values() if "derive_panel" not in job["Comment"]]
    assert {(job["MinMemoryNode"], job["TimeLimit"]) for job in others} == {("1500M", "00:30:00")}


def test_a_job_beyond_its_memory_is_reported_with_what_to_do(finished, cluster, project):
    change(project / "config/config.yaml", f"panel_parts: {PARTS} ", "panel_parts: 3 ")
    change(project / PROFILE, "retries: 1", "retries: 0\nset-resources: {derive_panel_part: {mem_mb: 40}}")
    with run_on(cluster, project) as run:
        output, _ = run.communicate(timeout=SECONDS)
    assert run.returncode == 3, output
    text = " ".join(output.split())
    assert "Slurm ended a job of the rule derive_panel_part, which used more memory than it had asked for" in text
    assert "set-resources: {derive_panel_part: {mem_mb: 8000}}" in text
