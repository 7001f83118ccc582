"""One run of an evaluation at a time, and cleaning up after one that was killed.

A run that is killed outright (SIGKILL, a power cut) leaves three things behind: Snakemake's lock on its files, drafts
that were being written, and Snakemake's list of incomplete outputs. The list makes those outputs be made again; the other
two are dealt with here, once no process of such a run is alive.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from refino_eval.errors import UserError

LOCKS = Path(".snakemake") / "locks"


@contextmanager
def only_run(root: Path, evaluation: str, data: Path) -> Iterator[int | None]:
    """Lock an evaluation for one run, and clean up what a killed run of it has left.

    Parameters
    ----------
    root
        The project's root.
    evaluation
        Name of the evaluation.
    data
        Folder of its delivery; drafts of a synthetic one are next to it.

    Yields
    ------
    int or None
        An open file that Snakemake's process inherits: the evaluation stays locked until that process has ended too, even
        if its parent is killed. None where the system has no such locks.

    Raises
    ------
    UserError
        When another run of the evaluation is active.
    """
    if sys.platform == "win32":
        yield None
        return
    import fcntl

    path = root / ".snakemake" / "refino_eval" / f"{evaluation}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(
                f"The evaluation '{evaluation}' is being run by another process in this folder. Wait until it has finished."
            ) from None
        _clean_up(root, evaluation, data)
        yield handle.fileno()


def _clean_up(root: Path, evaluation: str, data: Path) -> None:
    """Remove stale locks and drafts, unless Snakemake has been started by hand here."""
    stale = [path for path in sorted((root / LOCKS).glob("*.lock")) if _is_about(path, evaluation)]
    drafts = list(_drafts(root, evaluation, data))
    if not stale and not drafts:
        return
    active = _snakemakes(root)
    if active is None or active:
        if stale:
            reason = (
                f"{len(active)} of its processes are active. Wait until they have finished."
                if active
                else "If none is active, a killed run left its lock: `snakemake --unlock` removes it."
            )
            raise UserError(f"Snakemake has locked the results of '{evaluation}' in this folder. {reason}")
        return
    for path in stale:
        path.unlink(missing_ok=True)
    for path in drafts:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _is_about(lock: Path, evaluation: str) -> bool:
    """Return whether a lock of Snakemake is on this evaluation's files: it lists their names, one per line."""
    with suppress(OSError, UnicodeDecodeError):
        lines = lock.read_text(encoding="utf-8").splitlines()
        # A process killed between creating the file and writing it leaves it empty: it locks nothing.
        return not lines or any(f"results/{evaluation}/" in line for line in lines)
    return False


def _drafts(root: Path, evaluation: str, data: Path) -> Iterator[Path]:
    """Yield what was being written: every draft is hidden, and no finished file is."""
    results = root / "results" / evaluation
    for folder, names, files in os.walk(results):
        hidden = [name for name in (*names, *files) if name.startswith(".")]
        yield from (Path(folder) / name for name in hidden)
        names[:] = [name for name in names if not name.startswith(".")]
    delivery = root / data
    yield from delivery.parent.glob(f".{delivery.name}.*.part")


def _snakemakes(root: Path) -> list[int] | None:
    """Return the Snakemake processes that are active in a folder, or None where that cannot be known."""
    processes = Path("/proc")
    if not (processes / "self" / "cwd").exists():
        return None
    active = []
    for process in processes.iterdir():
        if not process.name.isdigit() or int(process.name) == os.getpid():
            continue
        with suppress(OSError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            if any(b"snakemake" in word for word in words) and (process / "cwd").resolve() == root.resolve():
                active.append(int(process.name))
    return active
