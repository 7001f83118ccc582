"""`refino-eval new`: propose an evaluation from delivered files, as commented YAML that is valid."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from refino_eval.cli.proposals.column_profiles import profile_file
from refino_eval.cli.proposals.from_person_table import propose_panel, propose_person_table
from refino_eval.cli.proposals.from_registers import propose_registers
from refino_eval.cli.proposals.proposal import Proposal
from refino_eval.config.base import Unit
from refino_eval.config.load import load_configuration
from refino_eval.errors import UserError

Kind = Literal["registers", "person-table", "panel"]
LONGEST_NAME = 24
"""Names of exhibits and definitions begin with that of the evaluation."""


def propose_evaluation(
    root: Path, name: str, kind: Kind, source: Path, *, arm: str | None = None, unit: Unit | None = None
) -> Iterator[str]:
    """Write a proposal and yield lines to print.

    Parameters
    ----------
    root
        The project's root.
    name
        The new evaluation.
    kind
        What the files are.
    source
        A folder of registers, or a file.
    arm
        The column of the arm, if it is known.
    unit
        The clock of registers and panels; if it is not given, the one that a panel's column of periods is called after, or months.

    Raises
    ------
    UserError
        For a name that is taken or none, files that cannot be read, and files in which no assignment is to be found.
    """
    if not re.fullmatch(rf"[a-z][a-z0-9_]{{0,{LONGEST_NAME - 1}}}", name):
        raise UserError(
            f"'{name[:60]}' cannot be the name of an evaluation. Use at most {LONGEST_NAME} lower-case letters, digits and underscores, "
            "beginning with a letter."
        )
    if kind == "registers" and not source.is_dir():
        raise UserError(f"{source}: no such folder. Name the folder of the delivery.")
    if kind != "registers" and not source.is_file():
        raise UserError(f"{source}: no such file. Name the file, with its ending.")
    data = _data_folder(root, source if kind == "registers" else source.parent)
    if kind == "registers":
        proposal = propose_registers(name, data, source, arm=arm, unit=unit or "month")
    else:
        profile = profile_file(source.parent, source.name)
        proposal = (
            propose_person_table(name, data, profile, arm=arm)
            if kind == "person-table"
            else propose_panel(name, data, profile, arm=arm, unit=unit)
        )
    _write(root, name, proposal)
    yield "Written:"
    yield from (f"  {path}" for path in proposal.files)
    yield ""
    yield "What the files do not show (TODO in the files):"
    yield from (f"  {number}. {question}" for number, question in enumerate(proposal.questions, start=1))
    yield ""
    yield f"The proposal is valid. Answer the questions, then: refino-eval check --evaluation {name}"


def _data_folder(root: Path, folder: Path) -> str:
    """Return a folder as an evaluation names it: from the project's root, if it is in the project."""
    absolute, base = folder.resolve(), root.resolve()
    return absolute.relative_to(base).as_posix() if absolute.is_relative_to(base) else absolute.as_posix()


def _write(root: Path, name: str, proposal: Proposal) -> None:
    """Write the files, none of which may exist; a proposal that is not valid is a fault of the program, and leaves nothing."""
    there = [path for path in proposal.files if (root / path).exists()]
    if (root / "config" / "evaluations" / name).exists():
        there.append(f"config/evaluations/{name}")
    if there:
        raise UserError(
            f"{', '.join(there)}: there already, and nothing is overwritten. Choose another name, or remove what you no longer need."
        )
    written: list[Path] = []
    try:
        for path, text in proposal.files.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            written.append(target)
            target.write_text(text, encoding="utf-8")
        load_configuration(root, evaluation=name)
    except BaseException:
        for target in written:
            target.unlink(missing_ok=True)
        raise
