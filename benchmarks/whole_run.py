"""Cost of a whole run, of a run after one outcome changed, and of a run with nothing to do, beside another checkout.

Each checkout's configuration is copied to a temporary project and run with the checkout's own code. Processor seconds of all
processes are the main figure, since other programs on the machine disturb them least; peak memory is that of the whole tree
of processes, by the share of each process in shared pages (PSS), sampled.

    python benchmarks/whole_run.py --other ../older_checkout

Where the other checkout has fewer exhibits, this one's whole run is measured with these alone as well. The change of an outcome is
also measured where `--watch` waits for it.
"""

from __future__ import annotations

import argparse
import datetime
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import yaml

ROOT = Path(__file__).resolve().parents[1]
OTHER_VARIABLE = "REFINO_EVAL_OTHER_CHECKOUT"
EVALUATION = "refino"
CHANGED = ("half_time_all_jobs_month_12", "at: 12", "at: 11")
"""An outcome that one table shows, and the change of its month."""

EVERY = 0.25
"""Seconds between samples of memory."""


def copy_project(checkout: Path, folder: Path) -> None:
    """Copy what a run needs from a checkout."""
    for name in ("config", "workflow", "requirements", "data/published"):
        shutil.copytree(checkout / name, folder / name)
    shutil.copy(checkout / "Snakefile", folder / "Snakefile")


def change_outcome(folder: Path) -> None:
    """Change the month of one outcome, in whichever file defines it."""
    name, old, new = CHANGED
    for path in sorted((folder / "config").rglob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        if (start := text.find(f"\n{name}:")) >= 0 and ".examples" not in path.name:
            path.write_text(text[:start] + text[start:].replace(old, new, 1), encoding="utf-8")
            return
    raise SystemExit(f"{folder}: no definition of the outcome '{name}'")


def study_file(folder: Path) -> Path:
    """Return the file of the evaluation, which has a folder in some checkouts."""
    single = folder / "config" / "evaluations" / f"{EVALUATION}.yaml"
    return single if single.is_file() else single.with_suffix("") / "evaluation.yaml"


def exhibits_of(folder: Path) -> list[str]:
    """Return the exhibits that the evaluation makes."""
    return list(yaml.safe_load(study_file(folder).read_text(encoding="utf-8"))["exhibits"])


def choose_exhibits(folder: Path, names: list[str]) -> None:
    """Let the evaluation make some exhibits only."""
    path = study_file(folder)
    head, rest = path.read_text(encoding="utf-8").split("\nexhibits:", 1)
    after = re.search(r"^[a-z]", rest, flags=re.MULTILINE)
    path.write_text(
        f"{head}\nexhibits: [{', '.join(names)}]\n{rest[after.start() :] if after else ''}", encoding="utf-8"
    )


def memory_of_tree(process: psutil.Process) -> int:
    """Return the bytes that a process and all its descendants hold."""
    total = 0
    for each in [process, *process.children(recursive=True)]:
        try:
            total += each.memory_full_info().pss
        except (psutil.Error, AttributeError):
            continue
    return total


def measured_run(checkout: Path, folder: Path, cores: int) -> dict[str, Any]:
    """Run the evaluation once and return what it cost."""
    environment = {**os.environ, "PYTHONPATH": str(checkout / "src"), "PYTHONDONTWRITEBYTECODE": ""}
    command = [sys.executable, "-m", "refino_eval.cli.main", "run", "--evaluation", EVALUATION, "--cores", str(cores)]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    peak, ended = 0, threading.Event()

    def sample() -> None:
        nonlocal peak
        while not ended.wait(EVERY):
            try:
                peak = max(peak, memory_of_tree(psutil.Process(process.pid)))
            except psutil.Error:
                return

    thread = threading.Thread(target=sample)
    thread.start()
    said, _ = process.communicate()
    ended.set()
    thread.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise SystemExit(f"{checkout}: the run failed.\n{said[-3000:]}")
    jobs = re.search(r"^(\d+) jobs done", said, flags=re.MULTILINE)
    return {
        "processor_seconds": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "seconds": time.perf_counter() - start,
        "jobs": int(jobs[1]) if jobs else 0,
        "peak_mb": peak / 1e6,
    }


def measured_watch(checkout: Path, folder: Path, cores: int) -> dict[str, Any]:
    """Change the outcome where `run --watch` waits for a change, and return what it cost until the report is new."""
    environment = {**os.environ, "PYTHONPATH": str(checkout / "src"), "PYTHONDONTWRITEBYTECODE": ""}
    command = [sys.executable, "-m", "refino_eval.cli.main", "run", "--evaluation", EVALUATION, "--cores", str(cores)]
    with subprocess.Popen(
        [*command, "--watch"], cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None

        def wait() -> str:
            said = ""
            for line in process.stdout or ():
                said += line
                if line.startswith("Waiting"):
                    return said
            raise SystemExit(f"{checkout}: --watch ended.\n{said[-3000:]}")

        def used() -> float:
            tree = psutil.Process(process.pid)
            times = [each.cpu_times() for each in (tree, *tree.children(recursive=True))]
            return sum(each.user + each.system + each.children_user + each.children_system for each in times)

        wait()
        time.sleep(SETTLED)
        before, start = used(), time.perf_counter()
        change_outcome(folder)
        jobs = re.search(r"^(\d+) jobs done", wait(), flags=re.MULTILINE)
        found = {
            "processor_seconds": used() - before,
            "seconds": time.perf_counter() - start,
            "jobs": int(jobs[1]) if jobs else 0,
        }
        process.send_signal(signal.SIGINT)
        return found


SETTLED = 10
"""Seconds until the libraries of the process that waits are imported."""

WORKS = ("whole run", "one outcome's month changed", "nothing changed")
WATCHED = "one outcome's month changed, with --watch"
SAME = "whole run, exhibits of the other"


def measure_some(checkout: Path, names: list[str], cores: int) -> dict[str, Any]:
    """Return what a whole run costs with some exhibits."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "project"
        copy_project(checkout, folder)
        choose_exhibits(folder, names)
        return measured_run(checkout, folder, cores)


def measure(checkout: Path, cores: int, *, watch: bool = False) -> dict[str, dict[str, Any]]:
    """Return what each work costs with a checkout."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "project"
        copy_project(checkout, folder)
        found = {WORKS[0]: measured_run(checkout, folder, cores)}
        found[WORKS[2]] = measured_run(checkout, folder, cores)
        if watch:
            shutil.copytree(folder, folder.with_name("watched"))
            found[WATCHED] = measured_watch(checkout, folder.with_name("watched"), cores)
        change_outcome(folder)
        found[WORKS[1]] = measured_run(checkout, folder, cores)
        return found


def about() -> str:
    """Return what the table compares, for the file of results."""
    named = os.environ.get(OTHER_VARIABLE)
    if named is None:
        return f"Evaluation `{EVALUATION}`, {len(exhibits_of(ROOT))} exhibits."
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=named, capture_output=True, text=True).stdout
    return (
        f"Evaluation `{EVALUATION}`: {len(exhibits_of(ROOT))} exhibits here, {len(exhibits_of(Path(named)))} in the other "
        f"checkout, commit {commit.strip() or 'not stated'}, on {datetime.date.today():%d %B %Y}. Processor seconds are those of "
        "all processes, memory that of the tree of processes."
    )


def run(other: Path | None = None, *, cores: int = 2) -> list[dict[str, Any]]:
    """Measure this checkout, and another one in the same hour where it is named, and return rows for a table."""
    if other is None and (named := os.environ.get(OTHER_VARIABLE)):
        other = Path(named)
    ours = measure(ROOT, cores, watch=True)
    theirs = measure(other.resolve(), cores) if other is not None else {}
    compared_with = {**dict(zip(WORKS, WORKS, strict=True)), WATCHED: WORKS[1], SAME: WORKS[0]}
    if other is not None and (both := [name for name in exhibits_of(other) if name in exhibits_of(ROOT)]):
        ours[SAME] = measure_some(ROOT, both, cores)
    rows = []
    for work, same in compared_with.items():
        if work not in ours:
            continue
        row = {"work": work, **ours[work]}
        if same in theirs:
            row |= {f"other_{name}": value for name, value in theirs[same].items()}
            for name in ("processor_seconds", "seconds"):
                row[f"ratio_{name}"] = ours[work][name] / theirs[same][name]
        rows.append(row)
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--other", type=Path, help="Another checkout of this repository to compare with.")
    parser.add_argument("--cores", type=int, default=2)
    chosen = parser.parse_args()
    for line in run(chosen.other, cores=chosen.cores):
        print({name: round(value, 3) if isinstance(value, float) else value for name, value in line.items()})
