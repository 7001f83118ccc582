"""What a run that fails leaves for its readers: why it failed, and which results are of an earlier run.

A run that fails leaves the tables and pages of the run before. Nothing on them shows that the configuration, or the data, has
changed since. So `run/FAILED.txt` says why the run stopped and what is of an earlier run, each page of the report says it at its
head, and so does the page of all evaluations. The next run that ends well removes all of it.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import get_args

from refino_eval.checksums import FOLDER, read_records
from refino_eval.config import Configuration
from refino_eval.config.base import Language
from refino_eval.errors import UserError
from refino_eval.text import say
from refino_eval.workflow.result_files import ResultFiles
from refino_eval.workflow_job import FAILED

LISTED = 12
"""Exhibits that a message names; the marker names all."""

_BEGIN, _END = "<!-- the latest run failed -->", "<!-- end of notice -->"
_NOTICE = re.compile(re.escape(_BEGIN) + ".*?" + re.escape(_END), re.DOTALL)
_HEAD = "</header>"


@dataclass(frozen=True)
class Earlier:
    """What is of an earlier run: pages of the report, by path, and exhibits, by name."""

    pages: tuple[str, ...]
    exhibits: tuple[str, ...]

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.pages or self.exhibits)


def note_failure(configuration: Configuration, since: float, log: Path, problems: Sequence[str]) -> tuple[str, ...]:
    """Leave the marker and the notices of a run that failed, and return a paragraph that says so, if an earlier run left results.

    Parameters
    ----------
    configuration
        The evaluation's.
    since
        When the run began.
    log
        Snakemake's output, whose plan says which jobs were to run; where the run stopped before, all were.
    problems
        Why it failed.
    """
    results = configuration.results_folder
    if not (results / "run").is_dir():
        return ()
    earlier = _earlier(configuration, since, _planned_rules(log, since))
    began = dt.datetime.fromtimestamp(since).isoformat(" ", "minutes")
    with suppress(OSError):  # a full disk is what may have stopped the run
        (results / FAILED).write_text("\n".join(_marker_lines(began, problems, earlier)) + "\n", encoding="utf-8")
        for page in earlier.pages:
            _put_notice(Path(page), began, earlier)
    if not earlier:
        return ()
    listed = ", ".join(earlier.exhibits[:LISTED]) + (", ..." if len(earlier.exhibits) > LISTED else "")
    return (
        f"Results of an earlier run are still in {results.as_posix()}, and may differ from what the configuration and the data now say: "
        f"{'the report' if earlier.pages else 'no report'}"
        + (f", and the exhibits {listed}" if listed else "")
        + f". {(results / FAILED).as_posix()} lists them; the next run that ends well makes them again.",
    )


def lift_notices(configuration: Configuration) -> None:
    """Put pages back as their jobs left them, so that a run judges them by their content."""
    if not (configuration.results_folder / FAILED).is_file():
        return
    for page in ResultFiles(configuration).reports():
        path = Path(page)
        if path.suffix == ".html" and path.is_file():
            text = path.read_text(encoding="utf-8")
            if _BEGIN in text:
                _replace(path, _NOTICE.sub("", text, count=1))


def end_failure(configuration: Configuration) -> bool:
    """Remove the marker of an earlier failure, and return whether there was one."""
    path = configuration.results_folder / FAILED
    found = path.is_file()
    path.unlink(missing_ok=True)
    return found


def refuse_after_failure(configuration: Configuration) -> None:
    """Raise a user error if the latest run failed: what is made of its results would be of an earlier run."""
    path = configuration.results_folder / FAILED
    if path.is_file():
        name = configuration.evaluation.name
        raise UserError(
            f"The latest run of '{name}' failed, so that its results are of an earlier run ({path.as_posix()} says which, and why). Run "
            f"again: refino-eval run --evaluation {name}"
        )


def _earlier(configuration: Configuration, since: float, rules: set[str]) -> Earlier:
    """Return what was to be made again and was not: older than the run, and of a job that was to run."""
    files = ResultFiles(configuration)
    made_by = {
        path: record.rule for record in read_records(configuration.results_folder / FOLDER) for path in record.outputs
    }

    def is_earlier(path: str) -> bool:
        with suppress(OSError):
            return os.stat(path).st_mtime < since and (not rules or made_by.get(path, "") in {"", *rules})
        return False

    return Earlier(
        pages=tuple(path for path in files.reports() if is_earlier(path)),
        exhibits=tuple(
            name for name in configuration.evaluation.exhibits if any(map(is_earlier, files.release_of(name)))
        ),
    )


def _planned_rules(log: Path, since: float) -> set[str]:
    """Return the rules of the jobs that Snakemake planned in this run; none if it planned nothing."""
    try:
        if log.stat().st_mtime < since:
            return set()
        lines = iter(log.read_text("utf-8", errors="replace").splitlines())
    except OSError:
        return set()
    rules = set[str]()
    for line in lines:
        if line.startswith("Job stats:"):
            next(lines, "")
            next(lines, "")
            for row in lines:
                if not row.strip():
                    return rules
                rules.add(row.split()[0])
    return rules


def _marker_lines(began: str, problems: Iterable[str], earlier: Earlier) -> Iterator[str]:
    yield f"The run that began {began} failed:"
    yield from (f"  {problem}" for problem in problems)
    yield ""
    if not earlier:
        yield "No table or page of an earlier run was to be made again."
        return
    yield "These are of an earlier run, and may differ from what the configuration and the data now say:"
    yield from (f"  {page}" for page in earlier.pages)
    yield from (f"  exhibit {name}" for name in earlier.exhibits)
    yield ""
    yield "The next run that ends well makes them again and removes this file."


def _put_notice(page: Path, began: str, earlier: Earlier) -> None:
    language = next((name for name in get_args(Language) if page.name.endswith(f".{name}.html")), None)
    if language is None:
        return
    text = _NOTICE.sub("", page.read_text(encoding="utf-8"))
    head, notice = say("failed_run.head", language), say("failed_run.notice", language, began=began)
    if earlier.exhibits:
        notice += " " + say("failed_run.exhibits", language, listed=", ".join(earlier.exhibits))
    banner = f'<div class="banner" role="note"><strong>{escape(head)}</strong> {escape(notice)}</div>'
    _replace(page, text.replace(_HEAD, f"{_BEGIN}{banner}{_END}{_HEAD}", 1))


def _replace(path: Path, text: str) -> None:
    """Replace a file's content and keep its mode and times: the store of kept results may share the file itself."""
    draft = path.with_name(f".{path.name}.part")
    draft.write_text(text, encoding="utf-8", newline="")
    shutil.copystat(path, draft)
    os.replace(draft, path)
