"""Results that are kept from run to run, so that one job can make many of them and compute only those that changed.

Snakemake decides whether a job runs; it deletes the job's outputs first. Most jobs make many results: every outcome, the
numbers of many exhibits, all tables. Each result is therefore kept in a store of its own, with a record of what it was
computed from: definitions, code, and the content of the files that it read. A job restores a result whose record still
holds and whose files have the recorded content, and computes the others. Times of files are never consulted.

The store holds hard links, so that it takes no space next to the outputs; where the file system has none it holds copies.
Results about people are kept inside `person_level/`, closed to others, and all other results inside `run/`.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from refino_eval.checksums import Checksums
from refino_eval.errors import MachineError, UserError, machine_problem, masked
from refino_eval.workflow_job import PERSON_LEVEL, also_written, protect

STORE = "kept"
RECORD = "record.json"
PARTS = "parts.jsonl"
"""The parts of a result that is put together from many, next to its record."""


@dataclass(frozen=True)
class Result:
    """One of the results that a job makes.

    Attributes
    ----------
    name
        Names the result within its stage.
    made_from
        What it depends on other than files, as plain data: definitions, settings, the hash of its code.
    reads
        The files that it is computed from, from the project's root.
    writes
        Its files, from the project's root.
    """

    name: str
    made_from: Any
    reads: tuple[str, ...]
    writes: tuple[str, ...]


class Recorded(dict[str, Any]):
    """Params of a job that Snakemake compares by their hash.

    Snakemake stores the `repr` of a job's params next to each of its outputs. A job that makes hundreds of files from the
    definitions of all exhibits would store these hundreds of times.
    """

    def __repr__(self) -> str:
        """Return the hash of the params."""
        return f"sha256:{_hash(self)}"


class KeptParts:
    """The parts of one result that is put together from many, each kept under the hash of what it is made from.

    A part is plain data, as JSON holds it. The file begins with the hash of its other lines, so that nothing is taken from a
    damaged one.

    Parameters
    ----------
    path
        The file; None to make every part and to keep none.
    made_from
        What all parts depend on, as plain data.
    """

    def __init__(self, path: Path | None = None, made_from: Any = None) -> None:
        self._path, self._made_from = path, made_from
        self._earlier = _read_parts(path) if path is not None else {}
        self._parts: dict[str, str] = {}

    def of(self, made_from: Callable[[], Any], make: Callable[[], Any]) -> Any:
        """Return a part: as it was kept if it is made from the same, or else made now."""
        if self._path is None:
            return make()
        return self.of_each({"": made_from()}, lambda _: {"": make()})[""]

    def of_each(
        self, made_from: Mapping[str, Any], make: Callable[[Sequence[str]], Mapping[str, Any]]
    ) -> dict[str, Any]:
        """Return parts by name, each as `of`; those that are missing are made together, where that costs less than one by one."""
        keys = {name: _hash([self._made_from, data]) for name, data in made_from.items()}
        missing = [name for name, key in keys.items() if key not in self._earlier]
        made = make(missing) if missing else {}
        texts = {name: json.dumps(part, separators=(",", ":")) for name, part in made.items()}
        self._parts |= {key: texts[name] if name in texts else self._earlier[key] for name, key in keys.items()}
        return {name: made[name] if name in made else json.loads(self._earlier[key]) for name, key in keys.items()}

    def keep(self) -> None:
        """Keep the parts that were asked for, and no others."""
        if self._path is None or self._parts.keys() == self._earlier.keys():
            return
        text = "".join(f"{key} {part}\n" for key, part in self._parts.items())
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_name(f".{PARTS}.{os.getpid()}")
        draft.write_text(f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}", encoding="utf-8")
        os.replace(draft, self._path)


def _read_parts(path: Path) -> dict[str, str]:
    try:
        checksum, _, text = path.read_text(encoding="utf-8").partition("\n")
    except (OSError, ValueError):
        return {}
    if hashlib.sha256(text.encode()).hexdigest() != checksum:
        return {}
    return dict(line.split(" ", 1) for line in text.split("\n")[:-1])


class KeptResults:
    """The store of one stage of an evaluation.

    Parameters
    ----------
    results
        `results/<evaluation>`.
    stage
        Name of the stage. It does not depend on how the stage's work is split into jobs.
    """

    def __init__(self, results: Path, stage: str) -> None:
        self._results = results
        self._stage = stage
        self._checksums = Checksums()
        self._keys: dict[str, str] = {}

    def restore(self, result: Result) -> bool:
        """Put a kept result in place if it is what would be computed now; return whether it was.

        Notes
        -----
        The inputs are read here, before anything is computed from them: what `keep` records is what was there when the
        computation began.
        """
        also_written(map(Path, result.writes))
        self._keys[result.name] = key = self._key(result)
        folder = self._folder(result)
        try:
            record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
            written: dict[str, str] = record["files"]
            if record["key"] != key or set(written) != set(result.writes):
                return False
        except (OSError, ValueError, KeyError, TypeError):
            return False
        kept = {path: self._kept(result, path) for path in result.writes}
        if any(self._sha256(kept[path].as_posix()) != written[path] for path in result.writes):
            return False
        for path, source in kept.items():
            _link(source, Path(path))
            os.utime(path)  # Snakemake takes an output that is older than an input for out of date
        return True

    def keep(self, result: Result) -> None:
        """Record a result that was just computed. The record is written last: half a result is never restored."""
        folder = self._folder(result)
        (folder / RECORD).unlink(missing_ok=True)
        kept = {path: self._kept(result, path) for path in result.writes}
        for place in {target.parent for target in kept.values()}:
            for left in place.iterdir() if place.is_dir() else ():
                if left not in kept.values() and left.name != PARTS:
                    left.unlink()
        for path, target in kept.items():
            _link(Path(path), target)
        files = {path: self._sha256(path) for path in result.writes}
        draft = folder / f".{RECORD}.{os.getpid()}"
        draft.write_text(json.dumps({"key": self._keys[result.name], "files": files}), encoding="utf-8")
        os.replace(draft, folder / RECORD)
        protect([folder])

    def parts(self, result: Result, made_from: Any) -> KeptParts:
        """Return the kept parts of a result, all of which depend on `made_from`."""
        return KeptParts(self._folder(result) / PARTS, made_from)

    def make_each(self, results: Iterable[Result], make: Callable[[Result], None], logger: logging.Logger) -> None:
        """Restore each result, or make and keep it; what goes wrong with one does not stop the others.

        Raises
        ------
        UserError
            With the problems of all results.
        ExceptionGroup
            With the faults of the program in all results.
        MachineError, OSError
            At once: a full disk stops the others too.
        """
        problems: list[str] = []
        faults: list[Exception] = []
        for result in results:
            if self.restore(result):
                logger.info("%s: unchanged", result.name)
                continue
            try:
                for path in result.writes:  # Snakemake removed the outputs that it knows of
                    Path(path).unlink(missing_ok=True)
                make(result)
                self.keep(result)
            except UserError as error:
                problems += error.problems
            except Exception as error:
                if isinstance(error, MachineError) or machine_problem(error):
                    raise
                logger.error("%s\n%s", result.name, masked(traceback.format_exc()))
                faults.append(error)
        if faults:
            raise ExceptionGroup(f"{len(faults)} results could not be made", faults)
        if problems:
            raise UserError(*dict.fromkeys(problems))

    def _key(self, result: Result) -> str:
        content = {path: self._sha256(path) for path in result.reads}
        return _hash({"made_from": result.made_from, "reads": content, "writes": list(result.writes)})

    def _sha256(self, path: str) -> str | None:
        checksum = self._checksums.of(path)
        return checksum.sha256 if checksum is not None else None

    def _folder(self, result: Result) -> Path:
        return _store(self._results, result.writes) / self._stage / result.name

    def _kept(self, result: Result, path: str) -> Path:
        """Return where a file is kept: one that is not about people stays outside `person_level`, open as it was."""
        return _store(self._results, [path]) / self._stage / result.name / Path(path).name


def forget(results: Path, wanted: Callable[[Iterable[str]], bool]) -> None:
    """Remove kept results, so that they are computed again.

    Parameters
    ----------
    results
        `results/<evaluation>`.
    wanted
        Whether to remove a result, by the paths of its files.
    """
    tops = (results / PERSON_LEVEL / STORE, results / "run" / STORE)
    for top in tops:
        for path in top.glob(f"*/*/{RECORD}"):
            try:
                files = json.loads(path.read_text(encoding="utf-8"))["files"]
            except (OSError, ValueError, KeyError, TypeError):
                files = ()  # a damaged record restores nothing
            if wanted(files):
                for place in tops:
                    shutil.rmtree(place / path.parent.relative_to(top), ignore_errors=True)


def _store(results: Path, writes: Iterable[str]) -> Path:
    about_people = any(PERSON_LEVEL in Path(path).parts for path in writes)
    return results / (PERSON_LEVEL if about_people else "run") / STORE


def _link(source: Path, target: Path) -> None:
    """Give a file a second name, or copy it where the file system has no links; the target is replaced at once."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    draft.unlink(missing_ok=True)
    try:
        try:
            os.link(source, draft)
        except (OSError, NotImplementedError):
            shutil.copy2(source, draft)
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)  # renaming a file to another name of itself leaves both


def _hash(data: Any) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=str).encode()).hexdigest()
