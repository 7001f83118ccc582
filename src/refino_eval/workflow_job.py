"""What every workflow script does first: pin the numerical libraries, start the log, and report errors by their family.

Import this before anything that imports numpy.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")  # the same bytes on any number of cores

PROBLEMS_VARIABLE = "REFINO_EVAL_PROBLEMS"
"""Environment variable: the folder in which jobs leave the problems that the command line reports."""

USER_PROBLEMS, MACHINE_PROBLEMS = ".user.txt", ".machine.txt"
"""Endings of the files that a job leaves there, by the family of the error."""

SERVER_VARIABLE = "REFINO_EVAL_JOB_SERVER"
NO_SERVER = "off"
"""Environment variable: the socket of the run's job server, or `off` for none; see `cli.running.job_server`."""

USAGE = ".usage.json"
"""Ending of the file in which a job leaves the processor time and memory that it used."""

FAILED = "run/FAILED.txt"
"""In an evaluation's results: left by a run that failed, and removed by the next one that ends well."""

PERSON_LEVEL = "person_level"
"""The folder of each evaluation whose contents are about people; only its owner may enter."""

PRIVATE = (PERSON_LEVEL, "internal")
"""Folders that only their owner may enter: rows of people, and the unprotected report of confidential data."""


@contextmanager
def job(snakemake: Any) -> Iterator[logging.Logger]:
    """Run the body of a workflow script.

    Parameters
    ----------
    snakemake
        The script's `snakemake` object.

    Yields
    ------
    logging.Logger
        Writes to the rule's log file.

    Notes
    -----
    A `UserError`, or an error of the machine, is written to the log as paragraphs, left for the command line, and ends
    the job with exit code 2 or 3. Any other exception leaves its traceback in the log, with exit code 1. Long numbers are
    masked in all of these, since an exception of a library can quote a value of the data, and a value can be an id.
    """
    from refino_eval.errors import MACHINE_ERROR, USER_ERROR, MachineError, UserError, machine_problem, masked

    logger = logging.getLogger("refino_eval")
    handler: logging.Handler = logging.NullHandler()
    try:
        path = Path(snakemake.log[0])
        path.parent.mkdir(parents=True, exist_ok=True)
        logger.setLevel(logging.INFO)
        handler = logging.FileHandler(path, mode="w", encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        logger.addHandler(handler)
        outputs = [Path(output) for output in snakemake.output]
        protect(outputs)
        with _recorded(snakemake):
            yield logger
            protect([*outputs, *map(Path, _also_written)])
    except UserError as error:
        _leave(logger, snakemake.rule, [masked(problem) for problem in error.problems], USER_PROBLEMS)
        sys.exit(USER_ERROR)
    except Exception as error:
        trace = masked(traceback.format_exc())
        logger.error(trace)
        problem = machine_problem(error)
        problems = error.problems if isinstance(error, MachineError) else (problem,) if problem else ()
        if not problems:
            print(trace, file=sys.stderr)
            sys.exit(1)
        _leave(logger, snakemake.rule, problems, MACHINE_PROBLEMS)
        sys.exit(MACHINE_ERROR)
    finally:
        _leave_usage(snakemake)
        with suppress(OSError):  # closing writes what is buffered, which a full disk refuses
            handler.close()
        logger.removeHandler(handler)


def results_of(snakemake: Any) -> Path:
    """Return the folder of results of a job's evaluation."""
    return Path("results") / Path(snakemake.log[0]).parts[1]


_also_read: list[str] = []
_also_written: list[str] = []


def also_read(paths: Iterable[Path]) -> None:
    """Name files that the job reads and the rule does not name, so that a change of them is noticed."""
    _also_read.extend(path.as_posix() for path in paths)


def also_written(paths: Iterable[Path]) -> None:
    """Name files that the job writes and the rule does not name."""
    _also_written.extend(path.as_posix() for path in paths)


@contextmanager
def _recorded(snakemake: Any) -> Iterator[None]:
    """Leave a record of what the job read and wrote, if it ends well."""
    from refino_eval.checksums import FOLDER, begin_job, end_job

    folder = results_of(snakemake) / FOLDER
    outputs = [str(path) for path in snakemake.output]
    begin_job(folder, outputs)
    _also_read.clear()
    _also_written.clear()
    yield
    inputs = [*(str(path) for path in snakemake.input), *_also_read]
    written = dict.fromkeys([*outputs, *_also_written])
    end_job(folder, snakemake.rule, inputs=dict.fromkeys(inputs), outputs=written, stated=outputs)


def person_level_folder(results: Path) -> Path:
    """Return the `person_level` folder of an evaluation's results, made and closed to others where needed."""
    folder = results / PERSON_LEVEL
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


def protect(paths: Iterable[Path]) -> None:
    """Close what lies in a private folder (`PRIVATE`) to everybody but its owner: folders 0700, files 0600.

    The folder itself is closed as well, so that drafts inside it are never readable to others either.
    """
    for path in paths:
        private = next((place for place, part in enumerate(path.parts) if part in PRIVATE), None)
        if private is None:
            continue
        top = Path(*path.parts[: private + 1])
        inside = [part for part in (path, *path.parents) if top in (part, *part.parents)]
        for found in [*inside, *(path.rglob("*") if path.is_dir() and not path.is_symlink() else ())]:
            if found.exists() and not found.is_symlink():
                found.chmod(0o700 if found.is_dir() else 0o600)


def _leave_usage(snakemake: Any) -> None:
    """Leave what the job used, for the benchmark: of a job that a server runs, Snakemake measures the waiting client."""
    folder = os.environ.get(PROBLEMS_VARIABLE)
    if not folder or os.environ.get(SERVER_VARIABLE, NO_SERVER) == NO_SERVER:
        return
    import resource

    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    # Logs and benchmarks have the same names, a folder of the one being a part of the other's name.
    name = ".".join(Path(snakemake.log[0]).with_suffix("").parts[2:])
    usage = {
        "cpu_time": sum(each.ru_utime + each.ru_stime for each in used),
        "max_rss": used[0].ru_maxrss / 1024,
    }
    with suppress(OSError):
        (Path(folder) / f"{name}{USAGE}").write_text(json.dumps(usage), encoding="utf-8")


def _leave(logger: logging.Logger, rule: str, problems: Sequence[str], ending: str) -> None:
    """Write problems to the log, to standard error and to the folder that the command line reads."""
    for problem in problems:
        logger.error(problem)
    text = "\n".join(problems) + "\n"
    print(text, file=sys.stderr, end="")
    folder = os.environ.get(PROBLEMS_VARIABLE)
    if folder:
        with suppress(OSError):
            (Path(folder) / f"{rule}-{os.getpid()}{ending}").write_text(text, encoding="utf-8")
