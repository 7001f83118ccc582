"""A run that was killed, or that the machine stopped, finishes correctly when started again: the same bytes, nothing incomplete."""

import contextlib
import hashlib
import os
import random
import shlex
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
WINDOW = (0.25, 0.75)
"""Fractions of the time of a whole run: each run gets some jobs further within it, so kills fall into every stage."""

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


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run without disturbance: the digests of its files, and the seconds it took."""
    project = small_project(tmp_path_factory.mktemp("whole") / "project")
    start_time = time.monotonic()
    done = refino_eval(project, "run", "--until", "aggregates", "--cores", "2")
    seconds = time.monotonic() - start_time
    assert done.returncode == 0, done.stdout + done.stderr
    expected = digests(project)
    assert {f"results/refino/aggregates/{name}.csv" for name in EXHIBITS} <= set(expected)
    people = project / "results/refino/person_level"
    assert [path for path in (people, *people.rglob("*")) if path.stat().st_mode & 0o077] == [], "open to others"
    return expected, seconds


def damage(project, chance):
    """Cut, change or delete one intermediate file, with its time kept, as a full disk, an editor or a careless hand does.

    What is only kept to save work is made anew when it is needed next, and not before: the name of such a file is returned.
    """
    files = [
        path
        for part in ("person_level", "aggregates", "run")
        for path in (project / "results/refino" / part).rglob("*")
    ]
    files = sorted(path for path in files if path.is_file() and path.stat().st_size and not path.name.startswith("."))
    if not files:
        return ""
    path = chance.choice(files)
    name = path.relative_to(project).as_posix() if "kept" in path.parts else ""
    times, content = path.stat(), path.read_bytes()
    how = chance.choice(("delete", "cut", "change"))
    if how == "delete":
        path.unlink()
        return name
    middle = len(content) // 2
    path.write_bytes(
        content[:middle] if how == "cut" else content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    )
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    return name


def test_killed_twenty_times_and_finished_with_the_same_bytes(tmp_path, whole):
    """Between the kills, intermediate files are damaged as well."""
    expected, takes = whole
    project = small_project(tmp_path / "killed")
    moments = random.Random(SEED)
    landed, ended, at_work = 0, 0, 0
    spoilt = set()

    def as_expected():
        found = digests(project)
        return {name: value for name, value in found.items() if name not in spoilt} == {
            name: value for name, value in expected.items() if name not in spoilt
        }

    while landed < KILLS:
        process = start(project)
        try:
            _, output = process.communicate(timeout=takes * moments.uniform(*WINDOW))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            landed += 1
            at_work += any((project / ".snakemake/locks").glob("*.lock"))
            spoilt.add(damage(project, moments))
            continue
        assert process.returncode == 0, output.decode()
        # The run finished between two kills: start again, from the delivery or from the results.
        ended += 1
        assert as_expected()
        shutil.rmtree(project / "results")
        spoilt.clear()
        if ended % 2:
            shutil.rmtree(project / "data/synthetic")
    done = refino_eval(project, "run", "--until", "aggregates", "--cores", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert as_expected()
    assert at_work >= KILLS // 4, "kills before Snakemake is at work test nothing"
    left = [path for folder in ("results", "data") for path in (project / folder).rglob(".*")]
    assert left == [], "drafts of killed jobs are removed"
    assert not list((project / ".snakemake/locks").glob("*.lock"))


IN_FULL_RESULTS = "unshare -rm sh -c 'mount -t tmpfs -o size=150k tmpfs results && exec \"$@\"' --"
"""Run a command where the folder of results is a file system of 150 kB."""


def test_full_disk_is_reported_and_the_next_run_has_the_same_bytes(tmp_path, whole):
    project = small_project(tmp_path / "full")
    (project / "results").mkdir()
    wrap = shlex.split(IN_FULL_RESULTS)
    if subprocess.run([*wrap, "true"], cwd=project, capture_output=True, check=False).returncode:
        wrap = ["bash", "-c", 'ulimit -f 40; exec "$@"', "--"]  # no file larger than 40 kB
    done = refino_eval(project, "run", "--until", "aggregates", "--cores", "2", wrap=wrap)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "disk is full" in done.stderr or "largest size allowed" in done.stderr
    done = refino_eval(
        project,
        "run",
        "--until",
        "aggregates",
        "--cores",
        "2",
        wrap=["env", "-u", "XDG_CACHE_HOME", "HOME=/proc/1/none"],
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert digests(project) == whole[0]
    assert (project / ".snakemake/cache").is_dir(), "a home that cannot be written is replaced by the project"


@pytest.mark.parametrize("folder", ["results", "logs", ".snakemake"])
def test_read_only_folder_is_reported(tmp_path, folder):
    project = small_project(tmp_path / "project")
    (project / folder).mkdir()
    wrap = shlex.split(IN_FULL_RESULTS.replace("size=150k tmpfs results", f"ro,size=150k tmpfs {folder}"))
    if subprocess.run([*wrap, "true"], cwd=project, capture_output=True, check=False).returncode:
        pytest.skip("no name space of its own for file systems")
    done = refino_eval(project, "run", "--until", "aggregates", wrap=wrap)
    assert done.returncode == 3, done.stdout + done.stderr
    assert f"{folder}/" in done.stderr
    assert "read-only" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_second_run_at_the_same_time_is_refused(tmp_path):
    project = small_project(tmp_path / "project")
    first = start(project)
    try:
        time.sleep(4)
        assert first.poll() is None
        second = refino_eval(project, "run", "--until", "aggregates")
        assert second.returncode == 2
        assert "is being run by another process" in second.stderr
        # If only its parent is killed, Snakemake ends when it next writes: until then the evaluation is locked.
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


def test_flow_figure_shows_exactly_the_flow(small_run):
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
