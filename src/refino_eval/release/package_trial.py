"""Run a replication package as a stranger would: unpacked in an empty folder, without a network, its numbers compared byte for byte."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

from refino_eval.errors import UserError

NO_NETWORK = ("unshare", "--map-root-user", "--net")
"""Runs a command in a network namespace of its own, which has no interface up (util-linux)."""

HOURS = 6


@dataclass(frozen=True)
class Trial:
    """What running a package gave.

    Attributes
    ----------
    files
        Files of numbers that were compared.
    different
        Those that differ, or that one side lacks.
    seconds
        Run time.
    offline
        Whether the network was cut off.
    environment
        Where it ran: the present environment, or a new one.
    """

    files: int
    different: tuple[str, ...]
    seconds: float
    offline: bool
    environment: str

    @property
    def in_words(self) -> str:
        """The result as a sentence."""
        network = "with the network cut off" if self.offline else "on a machine where the network could not be cut off"
        return (
            f"Archive A was unpacked in an empty folder and run {network}, in {self.environment}: all {self.files} files of numbers "
            "have the same bytes as in `expected/`."
        )


def try_package(archive: Path, folder: Path, evaluation: str, *, wheelhouse: Path | None = None) -> Trial:
    """Unpack an archive, run it, and compare its numbers with `expected/`.

    Parameters
    ----------
    archive
        Archive A.
    folder
        Where to unpack it; emptied first.
    evaluation
        What to run.
    wheelhouse
        A folder of wheels for a new environment; by default the present one is used, with the code of the archive.

    Raises
    ------
    UserError
        If the environment cannot be made or the run fails.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with zipfile.ZipFile(archive) as package:
        package.extractall(folder)
    root = folder / f"{evaluation}_A"
    # What git would say of the repository around the folder is not about the package.
    environment = {
        **os.environ,
        "PYTHONPATH": str((root / "src").resolve()),
        "GIT_CEILING_DIRECTORIES": str(folder.resolve()),
    }
    python = sys.executable if wheelhouse is None else _new_environment(root, folder / "venv", wheelhouse)
    prefix = NO_NETWORK if _can_cut_network() else ()
    started = time.perf_counter()
    _run([*prefix, python, "-m", "refino_eval.cli.main", "run", "--evaluation", evaluation], root, environment)
    seconds = time.perf_counter() - started
    ours, expected = (_numbers(path) for path in (root / "results" / evaluation / "aggregates", root / "expected"))
    different = tuple(name for name in sorted(ours.keys() | expected.keys()) if ours.get(name) != expected.get(name))
    where = "the present environment" if wheelhouse is None else "a new environment made from local wheels"
    return Trial(len(expected), different, seconds, bool(prefix), where)


def _numbers(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.csv")}


def _can_cut_network() -> bool:
    if shutil.which(NO_NETWORK[0]) is None:
        return False
    return subprocess.run([*NO_NETWORK, "true"], capture_output=True, check=False).returncode == 0


def _new_environment(root: Path, folder: Path, wheelhouse: Path) -> str:
    """Make an environment from wheels alone and return its Python."""
    _run([sys.executable, "-m", "venv", str(folder.resolve())], root, dict(os.environ))
    python = str(folder.resolve() / "bin" / "python")
    offline = ["--no-index", "--find-links", str(wheelhouse.resolve()), "--require-hashes"]
    _run([python, "-m", "pip", "install", "-q", *offline, "-r", "requirements/run.txt"], root, dict(os.environ))
    return python


def _run(command: list[str], root: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, timeout=HOURS * 3600, check=False
    )
    if done.returncode:
        last = " ".join((done.stderr or done.stdout).strip().splitlines()[-3:])
        raise UserError(
            f"The package was written, but it does not run: {last or 'no message'} Correct what is missing, and make it again."
        )
