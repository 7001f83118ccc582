"""Checksums of what jobs read and wrote, so that a run vouches for a file only by its content.

Snakemake decides by times whether a job must run again, and a time can be kept while content changes, an intermediate
file can be deleted while what was made from it stays, and a failed job leaves the older results of others behind. So
every job that ends well leaves a record: the checksum of each file that it read and wrote. `unvouched` compares the
records with the files that are there.

A record is removed when its job begins and written when it ends, each at once, so that a job that was killed has none.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from refino_eval.errors import raise_problems

FOLDER = "run/checksums"
"""Where the records of an evaluation are, inside its results."""

CACHE = "cache.json"
CHUNK = 1 << 20


@dataclass(frozen=True)
class Checksum:
    """The content of a file, and what the file system said of it when the content was read.

    The time of the last change of status (`ctime`) is what reveals an edit whose modification time was put back: no program
    can set it. While size, times and inode are the same, the content is, and is not read again.
    """

    stat: tuple[int, int, int, int]
    sha256: str


@dataclass(frozen=True)
class JobRecord:
    """What one job read and wrote: path from the project's root -> checksum; and those outputs that Snakemake knows of."""

    rule: str
    inputs: dict[str, Checksum]
    outputs: dict[str, Checksum]
    stated: tuple[str, ...]

    @property
    def first_output(self) -> str:
        """The output that names the job."""
        return next(iter(self.outputs))


@dataclass(frozen=True)
class Unvouched:
    """A file that must be made again.

    Attributes
    ----------
    path
        The file to make, an output of its job.
    reason
        What differs, in words; empty for a file whose job never ended well.
    """

    path: str
    reason: str


@dataclass
class Checksums:
    """Checksums of files, each read once."""

    known: dict[str, Checksum] = field(default_factory=dict)

    def of(self, path: str, recorded: Checksum | None = None) -> Checksum | None:
        """Return the checksum of a file as it is now, or None if it is not there.

        What is `recorded` of the file, or known of it already, is returned where the file was not touched since.
        """
        try:
            stat = os.stat(path)
            now = (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)
            for earlier in (recorded, self.known.get(path)):
                if earlier is not None and earlier.stat == now:
                    return earlier
            self.known[path] = Checksum(now, _sha256(path))
        except (FileNotFoundError, NotADirectoryError):
            return None
        return self.known[path]


def _sha256(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def begin_job(folder: Path, outputs: Iterable[str]) -> None:
    """Remove every record of a job's outputs: until it ends well, nothing vouches for them.

    Another job made some of them before where the work was split into jobs in another way.
    """
    paths = list(outputs)
    wanted = set(paths)
    _record_path(folder, paths[0]).unlink(missing_ok=True)
    for record in read_records(folder):
        if not wanted.isdisjoint(record.outputs):
            _record_path(folder, record.first_output).unlink(missing_ok=True)


def end_job(
    folder: Path, rule: str, *, inputs: Iterable[str], outputs: Iterable[str], stated: Iterable[str] | None = None
) -> None:
    """Record what a job read and wrote.

    Parameters
    ----------
    folder
        The folder of records.
    rule
        Name of the rule.
    inputs, outputs
        Files, from the project's root; the first output names the job.
    stated
        The outputs that Snakemake knows of, and has records of; default: all.
    """
    # What another job wrote was read by that job's end: its checksum need not be computed again.
    checksums = Checksums({path: known for record in read_records(folder) for path, known in record.outputs.items()})
    read = {path: checksums.of(path) for path in inputs}
    written = {path: checksums.of(path) for path in outputs}
    record = {
        "rule": rule,
        "inputs": {path: _plain(checksum) for path, checksum in read.items() if checksum is not None},
        "outputs": {path: _plain(checksum) for path, checksum in written.items() if checksum is not None},
        "stated": list(written if stated is None else stated),
    }
    folder.mkdir(parents=True, exist_ok=True)
    _write(_record_path(folder, next(iter(written))), record)


def read_records(folder: Path) -> list[JobRecord]:
    """Return all records of an evaluation; one that cannot be read vouches for nothing."""
    records = []
    for path in sorted(folder.glob("*.json")):
        if path.name == CACHE:
            continue
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            inputs, outputs = (
                {name: _checksum(entry) for name, entry in data[key].items()} for key in ("inputs", "outputs")
            )
            if outputs:
                records.append(JobRecord(data["rule"], inputs, outputs, tuple(data.get("stated", outputs))))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    return records


def unvouched(folder: Path, planned: Iterable[str], stated: Iterable[str] = ()) -> list[Unvouched]:
    """Return the planned files that no job vouches for as they are now.

    Parameters
    ----------
    folder
        The folder of records.
    planned
        The files that a run is to make, from the project's root, which is the current folder.
    stated
        Those that Snakemake knows of. Without a record of one, it would not see a change of what it is made from.

    Returns
    -------
    list of Unvouched
        One for each file whose job never ended well or whose content is not what its job wrote; and one for each job that
        read something else than what is there now.
    """
    records = read_records(folder)
    checksums = Checksums(_read_cache(folder))
    owner = {path: record for record in records for path in record.outputs}
    found: list[Unvouched] = []
    compared: set[str] = set()
    for path in dict.fromkeys(planned):
        record = owner.get(path)
        if record is None:
            found.append(Unvouched(path, ""))
        elif record.first_output not in compared:
            compared.add(record.first_output)
            # A file that Snakemake knows of names the job; a planned one does where it can.
            names = path if path in record.stated else record.stated[0]
            found += [Unvouched(names, reason) for reason in _differences(record, owner, checksums)]
    for path in stated:
        if path in owner and path not in owner[path].stated:
            found.append(Unvouched(path, f"{path} was made next to another file, and Snakemake has no record of it"))
    _write_cache(folder, checksums)
    return found


def require_as_written(results: Path, *parts: str) -> None:
    """Raise a user error if files of results, of some parts of the folder, are not what their jobs wrote.

    For commands that read results without running anything. Files without a record are not judged.
    """
    checksums, beginnings = Checksums(), tuple(f"{results.as_posix()}/{part}" for part in parts)
    problems = []
    for record in read_records(results / FOLDER):
        for path, written in record.outputs.items():
            now = checksums.of(path, written) if path.startswith(beginnings) else written
            if now is None or now.sha256 != written.sha256:
                how = "was deleted" if now is None else "is not what its job wrote"
                problems.append(f"{path} {how}. Run again: refino-eval run --evaluation {results.name}")
    raise_problems(problems)


def _differences(record: JobRecord, owner: Mapping[str, JobRecord], checksums: Checksums) -> Iterator[str]:
    """Yield the outputs of a job that are not what they were, in words; if all are, the first such input."""
    as_written = True
    for path, written in record.outputs.items():
        now = checksums.of(path, written)
        if now is None or now.sha256 != written.sha256:
            as_written = False
            yield f"{path} was deleted" if now is None else f"{path} is not what its job wrote"
    for path, read in record.inputs.items():
        # A file of another job counts as that job left it: if it was touched since, that job is the one to run.
        now = owner[path].outputs[path] if path in owner else checksums.of(path, read)
        if as_written and now is not None and now.sha256 != read.sha256:
            yield f"{path} has changed since it was read"
            return


def _record_path(folder: Path, output: str) -> Path:
    return folder / f"{hashlib.sha256(output.encode()).hexdigest()[:20]}.json"


def _plain(checksum: Checksum) -> list[object]:
    return [*checksum.stat, checksum.sha256]


def _checksum(entry: list[object]) -> Checksum:
    size, modified, changed, inode, digest = entry
    return Checksum((int(str(size)), int(str(modified)), int(str(changed)), int(str(inode))), str(digest))


def _read_cache(folder: Path) -> dict[str, Checksum]:
    try:
        data = json.loads((folder / CACHE).read_text(encoding="utf-8"))
        return {path: _checksum(entry) for path, entry in data.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _write_cache(folder: Path, checksums: Checksums) -> None:
    if folder.is_dir():
        _write(folder / CACHE, {path: _plain(checksum) for path, checksum in sorted(checksums.known.items())})


def _write(path: Path, data: object) -> None:
    """Write a file whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(data, separators=(",", ":")), encoding="utf-8")
    os.replace(draft, path)
