"""What the commands share: how errors become messages and exit codes, and how tables and files are written."""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from refino_eval.errors import MACHINE_ERROR, USER_ERROR, MachineError, UserError, machine_problem, nearest


def _not_empty(value: str | None) -> str | None:
    """Refuse an empty name, as an unset shell variable gives it: it must not mean the default."""
    if value is not None and not value.strip():
        raise typer.BadParameter("the name is empty")
    return value


EvaluationName = Annotated[
    str | None,
    typer.Option(
        "--evaluation",
        "-e",
        callback=_not_empty,
        help="An evaluation of config/evaluations. [default: the one that config/config.yaml names]",
    ),
]
TRACEBACK_VARIABLE = "REFINO_EVAL_TRACEBACK"
"""Environment variable that shows the traceback of an error of the machine in place of its message."""


class Commands(TyperGroup):
    """The group of all commands: the one place where exceptions become messages and exit codes."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]  # typer copies click: its own class is private
        """Run a command and report its errors."""
        with reporting_errors():
            return super().invoke(ctx)


@contextmanager
def reporting_errors() -> Iterator[None]:
    """Report user errors (exit code 2) and errors of the machine (3) in paragraphs; let anything else through."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a letter that the terminal lacks must not stop a command
    try:
        yield
    except UserError as error:
        report(error.problems)
        raise typer.Exit(USER_ERROR) from None
    except MachineError as error:
        report(error.problems)
        raise typer.Exit(MACHINE_ERROR) from None
    except Exception as error:
        problem = machine_problem(error)
        if problem is None or os.environ.get(TRACEBACK_VARIABLE):
            raise
        report((f"{problem} ({TRACEBACK_VARIABLE}=1 shows the details.)",))
        raise typer.Exit(MACHINE_ERROR) from None


def report(problems: Sequence[str]) -> None:
    """Print problems on standard error, one paragraph each."""
    if len(problems) > 1:
        print(f"{len(problems)} problems found:", file=sys.stderr)
    for problem in problems:
        print(f"- {problem}" if len(problems) > 1 else problem, file=sys.stderr)


def check_option(option: str, value: str, valid: Sequence[str]) -> None:
    """Raise a user error for a value that an option does not have."""
    if value not in valid:
        raise UserError(f"{option}: unknown value '{value[:80]}'.{nearest(value[:80], valid)}")


def write_output(text: str, out: Path | None) -> None:
    """Print a text, or write it to the file that `--out` names."""
    if out is None:
        print(text, end="")
        return
    from refino_eval.exhibits.tidy import write_text

    make_for("--out", out, out.parent)
    with _path_errors("--out", out):
        if out.is_dir():
            raise UserError(f"--out {_shown(out)}: this is a folder. Name a file in it.")
        write_text(out, text)


def make_for(option: str, path: Path, folder: Path) -> None:
    """Make the folder that an option's path needs; what the user named wrongly is a user error."""
    with _path_errors(option, path):
        for part in (folder, *folder.parents):
            if part.exists():
                if not part.is_dir():
                    raise UserError(
                        f"{option} {_shown(path)}: {_shown(part)} is a file, not a folder. Name another place."
                    )
                break
        folder.mkdir(parents=True, exist_ok=True)


@contextmanager
def _path_errors(option: str, path: Path) -> Iterator[None]:
    """Report a path that cannot be used as a user error, since the user chose it; a full disk is the machine's."""
    try:
        yield
    except ValueError as error:  # a null character in the path
        raise UserError(f"{option} {_shown(path)}: {error}. Name another place.") from None
    except OSError as error:
        problem = machine_problem(error) or ""
        if "disk is full" in problem:
            raise
        reason = error.strerror or type(error).__name__
        raise UserError(f"{option} {_shown(path)}: {reason.lower()}. Name a place that can be written.") from None


def _shown(path: Path) -> str:
    text = str(path).replace("\0", "?")
    return text if len(text) <= 120 else text[:117] + "..."


def width() -> int | None:
    """Return how many characters a line may have: the width of the terminal, or None without one."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def drawable(text: str) -> bool:
    """Return whether the output can show the characters of a text."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def table_lines(head: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> Iterator[str]:
    """Yield the lines of a table; the last column is cut where the terminal ends."""
    grid = [list(head), *(list(row) for row in rows)]
    widths = [max(len(row[k]) for row in grid) for k in range(len(head))]
    limit = width()
    for row in grid:
        cells = [cell.rjust(widths[k]) if k in right else cell.ljust(widths[k]) for k, cell in enumerate(row)]
        line = "  ".join(cells).rstrip()
        yield line if limit is None or len(line) <= limit else line[: limit - 1] + ("…" if drawable("…") else ".")
