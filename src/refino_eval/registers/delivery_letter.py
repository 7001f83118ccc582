"""Read the delivery letter, a small YAML file with the files that were sent, and compare the delivery with it."""

from __future__ import annotations

import datetime as dt
import fnmatch
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from refino_eval.config.base import Strict
from refino_eval.config.model_errors import validate
from refino_eval.config.yaml_files import read_yaml
from refino_eval.registers.readers.file_search import existing_file
from refino_eval.registers.receipt_problems import ERROR, WARNING, Problem

LETTER = "delivery.yaml"
"""The letter's name in the delivery's folder, unless the evaluation names another."""

Checksum = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{64}$")]


class LetterFile(Strict):
    """One file that was sent."""

    file: str = Field(min_length=1, description="Base name.")
    rows: int | None = Field(default=None, ge=0, description="Data rows, the header not counted.")
    sha256: Checksum | None = Field(default=None, description="SHA-256 of the file as it was sent.")


class Letter(Strict):
    """A delivery letter."""

    sent: dt.date | None = Field(default=None, description="Day on which the delivery was sent.")
    sender: str = Field(default="", description="Who sent it.")
    files: tuple[LetterFile, ...] = Field(min_length=1, description="Every file of data that was sent.")
    besides: tuple[str, ...] = Field(
        default=(),
        description="Names or patterns of further files that are not registers (a readme, a code book).",
    )

    @model_validator(mode="after")
    def _once(self) -> Letter:
        names = [entry.file for entry in self.files]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"lists {twice[0]} twice")
        return self


def find_letter(folder: Path, named: str | None) -> Path | None:
    """Return the path of the letter: the file that the evaluation names, else `delivery.yaml` in the folder if it exists.

    Raises
    ------
    UserError
        When the evaluation names a letter that does not exist, or one outside the folder.
    """
    if named is not None:
        return existing_file(folder, named, where="`letter` of the evaluation (the delivery letter)")
    path = folder / LETTER
    return path if path.is_file() else None


def read_letter(path: Path) -> Letter:
    """Read a letter; whatever is wrong with it is a user error."""
    return validate(read_yaml(path, path.name), Letter, path.name)


def checksum(path: Path) -> str:
    """Return a file's SHA-256, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def letter_problems(
    letter: Letter,
    letter_path: Path,
    folder: Path,
    *,
    read: Mapping[str, str],
    rows: Mapping[str, int],
    sums: Mapping[str, str],
) -> tuple[Problem, ...]:
    """Compare a delivery with its letter.

    Parameters
    ----------
    folder
        The delivery's folder.
    read
        Base name of each file that the evaluation reads -> its register.
    rows
        Base name -> rows counted, for the files that could be read.
    sums
        Base name -> SHA-256, for files already summed; others are summed here.

    Returns
    -------
    tuple of Problem
        A file that is missing, that the letter does not list, or whose rows or checksum differ.
    """
    there = {path.name: path for path in sorted(folder.rglob("*")) if path.is_file() and not _hidden(path, folder)}
    problems: list[Problem] = []
    for entry in letter.files:
        path = there.get(entry.file)
        if path is None:
            problems.append(_missing(entry.file, read))
            continue
        problems += _checksum_problems(entry, path, read, sums)
        counted = rows.get(entry.file, entry.rows)
        if entry.rows is not None and counted is not None and counted != entry.rows:
            problems.append(_rows_differ(entry.file, read, entry.rows, counted))
    listed = {entry.file for entry in letter.files} | {letter_path.name}
    for name in there:
        if name not in listed and not any(fnmatch.fnmatchcase(name, pattern) for pattern in letter.besides):
            problems.append(_unlisted(name, read, letter_path.name))
    return tuple(problems)


def _checksum_problems(
    entry: LetterFile, path: Path, read: Mapping[str, str], sums: Mapping[str, str]
) -> list[Problem]:
    if entry.sha256 is None:
        return []
    try:
        actual = sums.get(entry.file) or checksum(path)
    except OSError as error:
        return [_not_readable(entry.file, read, error.strerror or "an error of the disk")]
    return [] if actual == entry.sha256.lower() else [_differs(entry.file, read, actual)]


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def _missing(file: str, read: Mapping[str, str]) -> Problem:
    return Problem(
        ERROR, read.get(file, ""), file, "", "letter_file_missing", 0, (),
        "The letter lists this file, but it is not in the delivery.",
        "Send the file, or a letter without it.",
    )  # fmt: skip


def _differs(file: str, read: Mapping[str, str], actual: str) -> Problem:
    return Problem(
        ERROR, read.get(file, ""), file, "", "letter_checksum_differs", 0, (),
        f"The file is not the one that was sent: its SHA-256 begins {actual[:12]}, unlike the letter's.",
        "Copy the file again and compare; if it was changed on purpose, send a new letter.",
    )  # fmt: skip


def _not_readable(file: str, read: Mapping[str, str], why: str) -> Problem:
    return Problem(
        ERROR, read.get(file, ""), file, "", "letter_file_not_readable", 0, (),
        f"The letter lists this file, but it cannot be read: {why.lower()}.", "Ask for read access to it.",
    )  # fmt: skip


def _rows_differ(file: str, read: Mapping[str, str], stated: int, counted: int) -> Problem:
    return Problem(
        ERROR, read.get(file, ""), file, "", "letter_rows_differ", abs(stated - counted), (),
        f"The letter states {stated:,} rows, the file has {counted:,}.",
        "Copy the file again; if the count stays the same, ask the sender which of the two is right.",
    )  # fmt: skip


def _unlisted(file: str, read: Mapping[str, str], letter: str) -> Problem:
    used = file in read
    return Problem(
        ERROR if used else WARNING, read.get(file, ""), file, "", "letter_file_unlisted", 0, (),
        "The letter does not list this file" + (", and the evaluation would read it." if used else "."),
        f"Send a letter that lists it, remove it from the folder, or name it under `besides` in {letter}.",
    )  # fmt: skip
