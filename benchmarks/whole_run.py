"""Cost of a whole run, of a run after one outcome changed, and of a run with nothing to do, beside another checkout.

Each checkout's configuration is copied to a temporary project and run with the checkout's own code. Processor seconds of all
processes are the main figure, since other programs on the machine disturb them least; peak memory is that of the whole tree
of processes, by the share of each process in shared pages (PSS), sampled.

    python benchmarks/whole_run.py --other ../older_checkout
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil

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
    for path in sorted((folder / "config" / "definitions").rglob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        if (start := text.find(f"\n{name}:")) >= 0 and ".examples" not in path.name:
            path.write_text(text[:start] + text[start:].replace(old, new, 1), encoding="utf-8")
            return
    raise SystemExit(f"{folder}: no definition of the outcome '{name}'")


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


WORKS = ("whole run", "one outcome's month changed", "nothing changed")


def measure(checkout: Path, cores: int) -> dict[str, dict[str, Any]]:
    """Return what each work costs with a checkout."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "project"
        copy_project(checkout, folder)
        found = {WORKS[0]: measured_run(checkout, folder, cores)}
        found[WORKS[2]] = measured_run(checkout, folder, cores)
        change_outcome(folder)
        found[WORKS[1]] = measured_run(checkout, folder, cores)
        return found


def run(other: Path | None = None, *, cores: int = 2) -> list[dict[str, Any]]:
    """Measure this checkout, and another one in the same hour where it is named, and return rows for a table."""
    if other is None and (named := os.environ.get(OTHER_VARIABLE)):
        other = Path(named)
    ours = measure(ROOT, cores)
    theirs = measure(other.resolve(), cores) if other is not None else {}
    rows = []
    for work in WORKS:
        row = {"work": work, **ours[work]}
        if work in theirs:
            row |= {f"other_{name}": value for name, value in theirs[work].items()}
            for name in ("processor_seconds", "seconds"):
                row[f"ratio_{name}"] = ours[work][name] / theirs[work][name]
        rows.append(row)
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--other", type=Path, help="Another checkout of this repository to compare with.")
    parser.add_argument("--cores", type=int, default=2)
    chosen = parser.parse_args()
    for line in run(chosen.other, cores=chosen.cores):
        print({name: round(value, 3) if isinstance(value, float) else value for name, value in line.items()})
