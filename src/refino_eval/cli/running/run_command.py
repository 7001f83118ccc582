"""`refino-eval run`: the workflow, with readable progress and errors.

Snakemake does the work in a process of its own. Its output goes to a log file; here each job is shown by its message, and
the problems that jobs leave are reported as paragraphs.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from refino_eval.cli.output import check_option
from refino_eval.cli.pdf_command import pdf_after_run
from refino_eval.cli.published_files import require_published
from refino_eval.cli.running import job_client
from refino_eval.cli.running.failed_run import end_failure, lift_notices, note_failure
from refino_eval.cli.running.job_server import job_server
from refino_eval.cli.running.locks import only_run
from refino_eval.cli.running.slurm_logs import slurm_problems
from refino_eval.cli.running.stage_times import enter_usage, stage_times, time_lines
from refino_eval.cli.running.up_to_date import fingerprint, is_up_to_date, record_finished
from refino_eval.config import Configuration, load_configuration
from refino_eval.config.across.forests import load_forests
from refino_eval.config.load import project_root
from refino_eval.errors import NO_MEMORY, USER_ERROR, MachineError, UserError, nearest, raise_problems, reason_in
from refino_eval.workflow.result_files import ResultFiles
from refino_eval.workflow.shipped_files import shipped_folder
from refino_eval.workflow_job import (
    MACHINE_PROBLEMS,
    NO_SERVER,
    PROBLEMS_VARIABLE,
    SERVER_VARIABLE,
    USER_PROBLEMS,
    person_level_folder,
)

TARGETS = ("all", "outcomes", "aggregates")
REASONS_SHOWN = 10
BENCHMARKS = "run/benchmarks"
STUDY_PAGE = "index.en.html"
PROFILES = "workflow/profiles"
LAPTOP, LAPTOP_CORES = "laptop", 2

_MESSAGE = re.compile(r"^Job (\d+): (.+)$")
_STEPS = re.compile(r"^(\d+) of (\d+) steps")
_TOTAL = re.compile(r"^total\s+(\d+)$")
_FAILED = re.compile(r"^Error in rule (\w+)")
_LOG = re.compile(r"^\s+log: (\S+)")
_KILLED = re.compile(r"SIGKILL|exit (?:code|status) (?:-9|137)\b")
LAST_LINES = 15


def run_workflow(
    *, evaluation: str | None, cores: int | None, until: str | None, force: bool, profile: str = LAPTOP
) -> int:
    """Run an evaluation and report its progress.

    Parameters
    ----------
    evaluation
        The evaluation; None for the one that `config/config.yaml` names.
    cores
        Number of processes; None for two on one machine, and for what each rule asks for on a cluster.
    profile
        Folder of `workflow/profiles` that says where jobs run.
    until
        A target to stop at; None for everything.
    force
        Whether to repeat everything.

    Returns
    -------
    int
        0, or 1 for a fault of the program.

    Raises
    ------
    UserError
        For a problem in the configuration, or one that a job found.
    MachineError
        When the disk, the memory or permissions stopped the run.
    """
    root = project_root()
    os.chdir(root)  # paths in the configuration, and in messages, are relative to the project's root
    if until is not None:
        check_option("--until", until, TARGETS)
    place = _profile(profile)
    if place.name == LAPTOP:
        cores = cores or LAPTOP_CORES
    configuration = load_configuration(root, evaluation=evaluation)
    study = configuration.evaluation
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"Evaluation [bold]{study.name}[/]: ", end="")
    console.print(study.label.en, markup=False)
    if not study.releasable:
        console.print(
            "The data are confidential: tables, figures and report are unprotected, watermarked, and written to internal/, which "
            "must not leave the secure zone. `refino-eval release` makes the protected ones."
        )
    attempt = _Attempt(configuration, place, cores, until, force, console)
    with only_run(root, study.name, configuration.data_folder) as held:
        try:
            jobs = attempt.run(held)
        except (UserError, MachineError) as error:
            raise type(error)(*error.problems, *attempt.noted(error.problems)) from None
        except KeyboardInterrupt:
            attempt.noted(("It was interrupted.",))
            raise
        if jobs is None:
            for line in attempt.noted(("The program has a fault; see the log.",)):
                console.print(line, markup=False)
            return 1
        return attempt.finish(jobs)


@dataclass
class _Attempt:
    """One run of an evaluation, whose lock is held: what it does, and what it leaves when it fails or ends well."""

    configuration: Configuration
    place: Path
    cores: int | None
    until: str | None
    force: bool
    console: Console
    start: float = field(default_factory=time.perf_counter)
    since: float = field(default_factory=time.time)

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.configuration.root

    @property
    def log(self) -> Path:
        """The file that Snakemake's output goes to."""
        return self.root / "logs" / self.configuration.evaluation.name / "workflow.log"

    @property
    def is_whole(self) -> bool:
        """Whether everything is asked for."""
        return self.until in (None, "all")

    def run(self, held: int | None) -> int | None:
        """Run Snakemake where anything is to be done; return the number of jobs, or None for a fault of the program."""
        configuration, root, until = self.configuration, self.root, self.until
        load_forests(root)  # an invalid file stops the run here, rather than at its end
        require_published(configuration)
        _require_inputs(configuration)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        person_level_folder(root / configuration.results_folder)
        made_from = fingerprint(configuration, until)
        if self.is_whole:
            lift_notices(configuration)
        if not self.force and is_up_to_date(configuration, until, made_from):
            return 0
        name = configuration.evaluation.name
        folder = _empty_folder(root / ".snakemake" / "refino_eval" / f"{name}.problems")
        environment = _environment(root, folder)
        first = not (configuration.results_folder / BENCHMARKS).is_dir()
        with (
            job_server(environment, everything=first or self.force)
            if self.place.name == LAPTOP
            else nullcontext(environment) as found
        ):
            again = _to_make_again(configuration, until, self.console)
            command = [*_python(found), *_snakemake(name, self.place, self.cores, until, self.force, again)]
            last, jobs = _follow(command, root, found, self.log, self.console, held)
            if last is None and jobs and self.is_whole:
                end_failure(configuration)  # the page shows it
                _write_study_page(root, found, self.console)
        enter_usage(configuration.results_folder / BENCHMARKS, folder)
        raise_problems(_left(folder, USER_PROBLEMS))
        if last is None:
            record_finished(configuration, until, made_from)
            return jobs
        machine_problems = _left(folder, MACHINE_PROBLEMS) or slurm_problems(root, self.since)
        if machine_problems := machine_problems or _machine_problems(last, self.log, root):
            raise MachineError(*machine_problems)
        raise_problems(_missing_inputs(self.log))
        _show_failure(last, self.log, root, self.console)
        return None

    def noted(self, problems: Sequence[str]) -> tuple[str, ...]:
        """Leave a note of a failure where results of an earlier run are, and return what to say of them."""
        lines = note_failure(self.configuration, self.since, self.log, problems)
        if lines:
            _write_study_page(self.root, os.environ, self.console)
        return lines

    def finish(self, jobs: int) -> int:
        """Report what a run that ended well did, and what it could not make."""
        configuration, console = self.configuration, self.console
        seconds = time.perf_counter() - self.start
        _show_success(configuration, self.until, jobs, seconds, console)
        times = stage_times(configuration.results_folder / BENCHMARKS, self.since)
        for line in time_lines(times, seconds=seconds, cores=self.cores):
            console.print(line, markup=False)
        failed_before = self.is_whole and end_failure(configuration)
        # Where nothing changed, the page of all studies is as the run of the latest of them left it.
        if self.is_whole and (failed_before or not (self.root / "results" / STUDY_PAGE).is_file()):
            _write_study_page(self.root, os.environ, console)
        if self.is_whole:
            for line in pdf_after_run(configuration):
                console.print(line, markup=False)
        if self.until != "outcomes":
            raise_problems(list(ResultFiles(configuration).not_made()))
        return 0


def _write_study_page(root: Path, environment: Mapping[str, str], console: Console) -> None:
    """Write the page of all studies; what is wrong with its comparisons is no fault of this evaluation.

    It takes libraries that the job server has and this process needs for nothing else.
    """
    command = [*_python(environment), "-m", "refino_eval.report.studies.study_page"]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if done.returncode == USER_ERROR:
        for problem in done.stdout.splitlines():
            console.print(f"The page of all studies was not made: {problem}", markup=False)
    elif done.returncode:
        if reason := reason_in(done.stderr):
            raise MachineError(f"The page of all studies was not made: {reason}")
        raise RuntimeError(f"The page of all studies was not made:\n{done.stderr}")


def _require_inputs(configuration: Configuration) -> None:
    """Raise a user error if delivered files are missing: Snakemake would only name them."""
    from refino_eval.registers.register_files import find_files

    study = configuration.evaluation
    if study.synthetic is not None:
        return
    if study.table is not None:
        from refino_eval.trial.joined_files import open_files

        open_files(configuration.root / configuration.data_folder, study.table)
    problems: list[str] = []
    for source in configuration.sources.values() if study.entry == "spells" else ():
        try:
            find_files(source, configuration.data_folder)
        except UserError as error:
            problems += error.problems
    raise_problems(problems)


def _to_make_again(configuration: Configuration, until: str | None, console: Console) -> list[str]:
    """Return the files that no job vouches for any more, and say which of them differ from what the last run left."""
    from refino_eval.checksums import FOLDER, unvouched
    from refino_eval.workflow import Workflow

    files = Workflow(configuration).files
    planned, whole = files.planned(until), until in (None, "all")
    if not any(Path(path).exists() for path in planned):
        return []
    found = unvouched(configuration.results_folder / FOLDER, planned, files.stated_release() if whole else ())
    reasons = list(dict.fromkeys(file.reason for file in found if file.reason))
    if reasons:
        console.print("Not as the last run left it, so made again:", markup=False)
        for reason in reasons[:REASONS_SHOWN]:
            console.print(f"  {reason}", markup=False)
        if len(reasons) > REASONS_SHOWN:
            console.print(f"  and {len(reasons) - REASONS_SHOWN} more", markup=False)
    return [file.path for file in found]


def _profile(name: str) -> Path:
    """Return the folder of a profile: the project's, or the one that came with the program."""
    places = [Path(PROFILES), shipped_folder() / PROFILES]
    for place in places:
        if (place / name).is_dir():
            return place / name
    there = sorted({folder.name for place in places if place.is_dir() for folder in place.iterdir() if folder.is_dir()})
    raise UserError(f"There is no profile '{name}' in {PROFILES}; there are: {', '.join(there)}.{nearest(name, there)}")


def _snakemake(
    evaluation: str, profile: Path, cores: int | None, until: str | None, force: bool, again: Sequence[str]
) -> list[str]:
    command = ["-m", "snakemake", "--workflow-profile", str(profile), "--nocolor"]
    command += ["--cores", str(cores)] if cores is not None else []
    command += [until] if until is not None else []
    command += ["--forceall"] if force else []
    command += ["--forcerun", *again] if again else []
    return [*command, "--config", f"evaluation={evaluation}"]


def _python(environment: Mapping[str, str]) -> list[str]:
    """Return how to start Python: in a fork of the job server, which has Snakemake imported, where there is one."""
    plain = [sys.executable]
    with_server = environment.get(SERVER_VARIABLE, NO_SERVER) != NO_SERVER
    return [sys.executable, "-I", "-S", job_client.__file__, *plain] if with_server else plain


def _environment(root: Path, problems: Path) -> dict[str, str]:
    """Return the environment of Snakemake and its jobs.

    Snakemake and matplotlib keep caches in the home folder. Where it cannot be written, as in secure zones and containers,
    the caches are kept in the project.
    """
    environment = {**os.environ, PROBLEMS_VARIABLE: str(problems), "PYTHONUNBUFFERED": "1"}
    for variable, usual in (("XDG_CACHE_HOME", ".cache"), ("XDG_CONFIG_HOME", ".config")):
        if variable not in environment and not _can_write(Path(os.path.expanduser("~")) / usual):
            environment[variable] = str(root / ".snakemake" / usual.removeprefix("."))
    return environment


def _can_write(folder: Path) -> bool:
    """Return whether files can be made in a folder; tried, since permissions alone do not tell."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _follow(
    command: list[str], root: Path, environment: dict[str, str], log: Path, console: Console, held: int | None
) -> tuple[deque[str] | None, int]:
    """Run Snakemake, log its output and show its jobs; return its last lines if it failed, and the number of jobs."""
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
            encoding="utf-8",
            errors="replace",
            bufsize=1,
            pass_fds=() if held is None else (held,),
        ) as process,
    ):
        assert process.stdout is not None
        try:
            done = _progress(_tee(process.stdout, written, last), console)
        except BaseException:  # also Ctrl-C and a full disk: no workflow may go on without its log
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
    """Show jobs as they start, as a bar on a terminal and as lines elsewhere, and return the number of jobs done."""
    columns = (BarColumn(24), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
    done, total = 0, 0
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("planning", total=None)
        for line in lines:
            if match := _TOTAL.match(line):
                total = int(match[1])
                bar.update(task, total=total)
            elif match := _STEPS.match(line):
                done, total = int(match[1]), int(match[2])
                bar.update(task, completed=done, total=total)
            elif match := _MESSAGE.match(line):
                bar.update(task, description=match[2])
                if not console.is_terminal:
                    console.print(f"[{done}/{total}] {match[2]}", markup=False)
    return done


def _empty_folder(folder: Path) -> Path:
    """Return a folder without files: a run that was killed leaves its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    return folder


def _left(folder: Path, ending: str) -> list[str]:
    """Return the different problems that jobs have left, in the order of their rules."""
    files = sorted(folder.glob(f"*{ending}"))
    return list(dict.fromkeys(line for path in files for line in path.read_text("utf-8").splitlines()))


def _machine_problems(last: Iterable[str], log: Path, root: Path) -> list[str]:
    """Return what Snakemake's own output says about the machine: it also writes files, and jobs can be killed."""
    text = "\n".join(last)
    if reason := reason_in(text):
        return [f"The run stopped: {reason} Details: {log.relative_to(root).as_posix()}"]
    if _KILLED.search(text):
        return [
            f"The run stopped: a job was killed from outside, which is mostly a sign of {NO_MEMORY} "
            f"Details: {log.relative_to(root).as_posix()}"
        ]
    return []


def _missing_inputs(log: Path) -> list[str]:
    """Return the input files that Snakemake misses, if that is why it stopped."""
    lines = iter(log.read_text("utf-8", errors="replace").splitlines())
    for line in lines:
        if line.startswith("Missing input files for rule"):
            block = []
            for following in lines:
                if not following.startswith(" "):
                    break
                block.append(following.strip())
            files = block[block.index("affected files:") + 1 :] if "affected files:" in block else block
            return [f"{file}: no such file. Put it there, or correct the configuration." for file in files]
    return []


def _show_failure(last: deque[str], log: Path, root: Path, console: Console) -> None:
    """Name the rules that failed and their logs, and show the end of the first one's log."""
    text = log.read_text("utf-8", errors="replace").splitlines()
    rules = list(dict.fromkeys(match[1] for line in text if (match := _FAILED.match(line))))
    named = [match[1] for line in text if (match := _LOG.match(line))]
    logs = [root / path for path in dict.fromkeys(named) if (root / path).is_file()]
    where = f" in rule {', '.join(rules)}" if rules else ""
    console.print(f"The run stopped{where} because of a fault in the program. The last lines of the log:", style="red")
    tail = logs[0].read_text("utf-8", errors="replace").splitlines()[-LAST_LINES:] if logs else list(last)[-LAST_LINES:]
    for line in tail:
        console.print(f"  {line}", markup=False)
    for path in [*logs, log]:
        console.print(f"Full log: {path.relative_to(root).as_posix()}", markup=False)


def _linkage_warnings(path: Path) -> list[str]:
    """Return what is remarkable about how the registers link to the draws, also if an earlier run counted it."""
    if not path.is_file():
        return []
    from refino_eval.registers.linkage import linkage_warnings, read_linkage

    return linkage_warnings(read_linkage(path))


def _show_success(configuration: Configuration, until: str | None, jobs: int, seconds: float, console: Console) -> None:
    results = configuration.results_folder
    for warning in _linkage_warnings(results / "run" / "linkage.csv"):
        console.print(f"Warning: {warning}", markup=False, style="yellow")
    console.print(f"{jobs} jobs done in {seconds:.0f} s." if jobs else "Everything is up to date.")
    if until == "outcomes":
        console.print(f"Outcomes: {results / 'person_level'}", markup=False)
        return
    if until != "aggregates":
        folder = results / configuration.evaluation.pages_folder
        for language in configuration.project.languages:
            console.print(f"Report ({language}): {folder / f'report.{language}.html'}", markup=False)
    console.print(f"Numbers: {results / 'aggregates'}   Flow, quality, comparison: {results / 'run'}", markup=False)
