"""How the command line tells faults and tables."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated

import typer

from refino_eval.errors import UserError

EvaluationName = Annotated[
    str | None,
    typer.Option(
        "--evaluation", "-e", help="A file of config/evaluations. [default: the one config/config.yaml names]"
    ),
]


@contextmanager
def telling_faults() -> Iterator[None]:
    """Tell a user's fault in plain paragraphs and end with exit code 2; let anything else through."""
    try:
        yield
    except UserError as fault:
        tell(fault.problems)
        raise typer.Exit(2) from None


def tell(faults: tuple[str, ...]) -> None:
    """Print faults on standard error, one paragraph each."""
    mark = "- " if len(faults) > 1 else ""
    if mark:
        print(f"{len(faults)} things must be mended:", file=sys.stderr)
    for fault in faults:
        print(f"{mark}{fault}", file=sys.stderr)


def width() -> int | None:
    """Return how many characters a line may have: the terminal's, or None where there is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def drawn(text: str, plain: str) -> str:
    """Return a text with drawing characters, or its plain form where the output cannot write them."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return plain
    return text


def lines_of(head: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> Iterator[str]:
    """Yield a table's lines, columns side by side; the last column is cut where the terminal ends."""
    grid = [list(head), *(list(row) for row in rows)]
    widths = [max(len(row[k]) for row in grid) for k in range(len(head))]
    limit = width()
    for row in grid:
        cells = [cell.rjust(widths[k]) if k in right else cell.ljust(widths[k]) for k, cell in enumerate(row)]
        line = "  ".join(cells).rstrip()
        yield line if limit is None or len(line) <= limit else line[: limit - 1] + drawn("…", ".")
