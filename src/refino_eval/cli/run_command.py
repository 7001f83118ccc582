"""`refino-eval run`: the workflow with a friendlier face.

Snakemake does the work in a process of its own. Its talk goes to a log file; here each job is told by its message,
and a user's fault in a job comes out as the paragraph that the job left.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from refino_eval.cli.locks import only_run
from refino_eval.config import Configuration, load_configuration
from refino_eval.config.load import project_root
from refino_eval.errors import UserError, nearest
from refino_eval.workflow_job import FAULTS_VARIABLE

TARGETS = ("all", "outcomes", "aggregates")
PROFILE = "workflow/profiles/laptop"

_MESSAGE = re.compile(r"^Job (\d+): (.+)$")
_STEPS = re.compile(r"^(\d+) of (\d+) steps")
_TOTAL = re.compile(r"^total\s+(\d+)$")
_FAILED = re.compile(r"^Error in rule (\w+)")
_LOG = re.compile(r"^\s+log: (\S+)")


def run_workflow(*, evaluation: str | None, cores: int, until: str | None, force: bool) -> int:
    """Run an evaluation and tell how it goes.

    Parameters
    ----------
    evaluation
        Which one; None for the one that `config/config.yaml` names.
    cores
        Processes at a time.
    until
        A target to stop at; None for everything.
    force
        Do everything again.

    Returns
    -------
    int
        0, or 1 for a fault of the program.

    Raises
    ------
    UserError
        For a fault in the configuration, or one that a job found.
    """
    root = project_root()
    os.chdir(root)  # paths in the configuration, and in messages, are from the project's root
    if until is not None and until not in TARGETS:
        raise UserError(f"There is no target '{until}' to stop at.{nearest(until, TARGETS)}")
    configuration = load_configuration(root, evaluation=evaluation)
    study = configuration.evaluation
    if study.synthetic is None and study.entry == "spells":
        _delivery_is_there(configuration)
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"Evaluation [bold]{study.name}[/]: {study.label.en}")
    if not study.releasable:
        console.print(
            "The data are confidential and there is no disclosure control yet: no release/ is written, neither tables nor "
            "figures nor report. The numbers stand in aggregates/, which stay in the zone."
        )
    log = root / "logs" / study.name / "workflow.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    with only_run(root, study.name, configuration.data_folder) as held, tempfile.TemporaryDirectory() as faults:
        command = _command(study.name, cores, until, force)
        failed, jobs = _follow(command, root, log, Path(faults), console, held)
        left = [line for path in sorted(Path(faults).glob("*.txt")) for line in path.read_text("utf-8").splitlines()]
    if left:
        raise UserError(*dict.fromkeys(left))
    if failed is not None:
        _tell_failure(failed, log, root, console)
        return 1
    _tell_success(configuration, jobs, time.perf_counter() - began, console)
    return 0


def _delivery_is_there(configuration: Configuration) -> None:
    from refino_eval.registers.register_files import find_files

    faults: list[str] = []
    for source in configuration.sources.values():
        try:
            find_files(source, configuration.data_folder)
        except UserError as fault:
            faults += fault.problems
    if faults:
        raise UserError(*faults)


def _command(evaluation: str, cores: int, until: str | None, force: bool) -> list[str]:
    command = [sys.executable, "-m", "snakemake", "--workflow-profile", PROFILE, "--cores", str(cores), "--nocolor"]
    command += [until] if until is not None else []
    command += ["--forceall"] if force else []
    return [*command, "--config", f"evaluation={evaluation}"]


def _follow(
    command: list[str], root: Path, log: Path, faults: Path, console: Console, held: int | None
) -> tuple[deque[str] | None, int]:
    """Run Snakemake, log what it says, and show its jobs; return its last words when it failed, and the jobs done."""
    environment = {**os.environ, FAULTS_VARIABLE: str(faults), "PYTHONUNBUFFERED": "1"}
    last: deque[str] = deque(maxlen=60)
    done = 0
    with (
        log.open("w", encoding="utf-8") as written,
        subprocess.Popen(
            command,
            cwd=root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            bufsize=1,
            pass_fds=() if held is None else (held,),
        ) as process,
    ):
        assert process.stdout is not None
        try:
            done = _progress(_tee(process.stdout, written, last), console)
        except KeyboardInterrupt:
            process.terminate()
            process.wait()
            raise
    return (None if process.returncode == 0 else last), done


def _tee(lines: Iterable[str], written: TextIO, last: deque[str]) -> Iterator[str]:
    for line in lines:
        written.write(line)
        last.append(line.rstrip("\n"))
        yield line.rstrip("\n")


def _progress(lines: Iterable[str], console: Console) -> int:
    """Show jobs as they start, a bar on a terminal and a line each elsewhere, and return the number of jobs done."""
    columns = (BarColumn(24), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    done, total = 0, 0
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("planning", total=None)
        for line in lines:
            if found := _TOTAL.match(line):
                total = int(found[1])
                bar.update(task, total=total)
            elif found := _STEPS.match(line):
                done, total = int(found[1]), int(found[2])
                bar.update(task, completed=done, total=total)
            elif found := _MESSAGE.match(line):
                bar.update(task, description=found[2])
                if not console.is_terminal:
                    console.print(f"[{done}/{total}] {found[2]}", markup=False)
    return done


def _tell_failure(last: deque[str], log: Path, root: Path, console: Console) -> None:
    """Say which rules failed and where their story stands; show the end of the first one's log."""
    text = log.read_text("utf-8").splitlines()
    rules = list(dict.fromkeys(found[1] for line in text if (found := _FAILED.match(line))))
    named = [found[1] for line in text if (found := _LOG.match(line))]
    logs = [root / path for path in dict.fromkeys(named) if (root / path).is_file()]
    what = f" in the rule {', '.join(rules)}" if rules else ""
    console.print(f"The run stopped{what}, by a fault of the program and not of yours. Its last words:", style="red")
    words = logs[0].read_text("utf-8").splitlines()[-15:] if logs else list(last)[-15:]
    for line in words:
        console.print(f"  {line}", markup=False)
    for path in [*logs, log]:
        console.print(f"The whole story: {path.relative_to(root).as_posix()}")


def _tell_success(configuration: Configuration, jobs: int, seconds: float, console: Console) -> None:
    results = configuration.results_folder
    if jobs:
        console.print(f"{jobs} jobs done in {seconds:.0f} s.")
    else:
        console.print("Everything is up to date.")
    if configuration.evaluation.releasable:
        for language in configuration.project.languages:
            console.print(f"Report ({language}): {results / 'release' / f'report.{language}.html'}")
    console.print(f"Numbers: {results / 'aggregates'}   Flow, quality, comparison: {results / 'run'}")
