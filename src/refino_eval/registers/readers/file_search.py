"""Find the files of a delivery, and say their names in messages."""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path, PurePosixPath

from refino_eval.errors import UserError, masked, raise_problems

_LONGEST_NAME, _LONGEST_PATH = 255, 3_000
"""Bytes of a name and characters of a path, beyond which file systems raise errors."""


def shown_name(name: str) -> str:
    """Return a file's name as messages show it: a long number that is no date may be a person's id, and is masked."""
    return masked(name.encode("utf-8", "replace").decode())


def inside_problem(name: str) -> str:
    """Return what is wrong with a file name or pattern that must stay inside its folder; nothing if it does."""
    if not name.strip():
        return "is empty"
    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or "\0" in name:
        return "leads out of the folder"
    if len(name) > _LONGEST_PATH or any(len(part.encode()) > _LONGEST_NAME for part in PurePosixPath(name).parts):
        return "is longer than a file name can be"
    return "has '**' next to other characters" if any("**" in p and p != "**" for p in name.split("/")) else ""


def existing_file(folder: Path, name: str, *, where: str, similar: tuple[str, ...] = ()) -> Path:
    """Return the path of a file that must be inside a folder.

    Parameters
    ----------
    where
        The key of the configuration that names the file.
    similar
        Suffixes of the files that are listed if there is none of that name; all if empty.

    Raises
    ------
    UserError
        When the name leads out of the folder, or there is no such file.
    """
    if problem := inside_problem(name):
        raise UserError(f"{where}: the file name '{shown_name(name)}' {problem}. Name a file inside the data folder.")
    path = folder / name
    if not path.is_file():
        raise UserError(
            f"{where}: no file '{shown_name(name)}' in {folder}.{similar_names(path.name, path.parent, similar)} Put it there, or correct "
            "its name or the folder."
        )
    return path


def find_files(register: str, patterns: tuple[str, ...], folder: Path) -> tuple[Path, ...]:
    """Find a register's files in a delivery folder, in name order with numbers in their order (v2 before v10).

    Raises
    ------
    UserError
        When the folder is missing or cannot be read, a pattern is invalid or finds nothing, or two files have the same
        base name or one that is not UTF-8.
    """
    if not folder.is_dir():
        raise UserError(
            f"The delivery folder {folder} does not exist. Put the delivery there, or correct the evaluation's `data`."
        )
    if not os.access(folder, os.R_OK | os.X_OK):
        raise UserError(
            f"The delivery folder {folder} cannot be read: permission is denied. Ask for read access to it."
        )
    where = f"`files` in config/sources/{register}.yaml"
    problems: list[str] = []
    paths: set[Path] = set()
    for pattern in patterns:
        if problem := inside_problem(pattern):
            problems.append(f"{where}: the pattern '{shown_name(pattern)}' {problem}. Name files inside the delivery.")
            continue
        hits = {path for path in folder.glob(pattern) if path.is_file()}
        if not hits:
            problems.append(
                f"The register '{register}' is missing from the delivery: no file matches '{pattern}' in {folder}."
                f"{similar_names(pattern, folder)} Put the file there, or correct {where}."
            )
        paths |= hits
    ordered = tuple(sorted(paths, key=lambda path: (_natural(path.name), path.as_posix())))
    names = [path.name for path in ordered]
    problems += [
        f"The register '{register}' has two files called {shown_name(name)} under {folder}. Keep one, or rename one."
        for name in sorted({name for name in names if names.count(name) > 1})
    ]
    problems += [
        f"The register '{register}' has a file whose name is not UTF-8 ({shown_name(name)}) in {folder}. Rename it."
        for name in names
        if any("\ud800" <= character <= "\udfff" for character in name)
    ]
    raise_problems(problems)
    return ordered


def similar_names(wanted: str, folder: Path, suffixes: tuple[str, ...] = ()) -> str:
    """Return a hint with the names of files in a folder that resemble a name or pattern."""
    if not folder.is_dir():
        return " There is no such folder."
    names = sorted(p.name for p in folder.iterdir() if p.is_file() and (not suffixes or p.suffix.lower() in suffixes))
    if not names:
        return " The folder has no files."
    close = difflib.get_close_matches(wanted, names, n=3, cutoff=0.4)
    if not close:
        return f" No file there has a similar name ({len(names)} files)."
    return f" Similar files there: {', '.join(shown_name(name) for name in close)}."


def _natural(name: str) -> tuple[tuple[int, int, str], ...]:
    parts = re.split(r"([0-9]+)", name)
    return tuple((0, int(part), part) if part.isdigit() and part.isascii() else (1, 0, part) for part in parts)
