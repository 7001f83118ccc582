"""Whether a run has anything to do, decided without Snakemake where nothing at all has changed since it found nothing left to do.

Snakemake takes seconds to find out that everything is up to date. A run that ends well therefore leaves a fingerprint of
everything that it was made from, taken when it began. Where the fingerprint is the same, and every file is what its job wrote
and read (`checksums.unvouched`), the next run does nothing. In any other case Snakemake decides.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from refino_eval.checksums import FOLDER, unvouched
from refino_eval.config import Configuration
from refino_eval.digest import PACKAGE
from refino_eval.workflow import Workflow
from refino_eval.workflow.shipped_files import shipped_folder

READ_WHOLE = ("config", "workflow", "Snakefile", "data/published")
"""What is compared by content: definitions, rules and scripts, published values. Delivered files are compared by their jobs."""


def fingerprint(configuration: Configuration, until: str | None) -> str:
    """Return a hash of what a run is made from: configuration, rules, code, installed packages, and the list of delivered files."""
    root, shipped = configuration.root, shipped_folder()
    digest = hashlib.sha256(json.dumps([configuration.evaluation.name, until, sys.version]).encode())
    for name in sorted(_installed()):
        digest.update(name.encode())
    # The evaluation's resolved paths and settings, also where an environment variable decides them.
    digest.update(repr(configuration.project).encode())
    for top in (*(root / name for name in READ_WHOLE), *(shipped / name for name in READ_WHOLE[:3]), PACKAGE):
        for path in _files(top):
            digest.update(f"{top.name}/{path.relative_to(top)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    # A new file can be one that a register's pattern names; a synthetic delivery is a result of the run.
    delivered = root / configuration.data_folder
    for path in _files(delivered) if configuration.evaluation.synthetic is None else ():
        digest.update(f"{path.relative_to(delivered)}\0{path.stat().st_size}".encode())
    return digest.hexdigest()


def is_up_to_date(configuration: Configuration, until: str | None, now: str) -> bool:
    """Return whether nothing changed since a run left the fingerprint `now`, and all its files are as their jobs left them."""
    with suppress(OSError):
        if _record(configuration, until).read_text(encoding="utf-8") == now:
            planned = Workflow(configuration).files.planned(until)
            return not unvouched(configuration.results_folder / FOLDER, planned)
    return False


def record_finished(configuration: Configuration, until: str | None, fingerprint_at_start: str) -> None:
    """Record that a run ended well."""
    path = _record(configuration, until)
    with suppress(OSError):  # the next run asks Snakemake
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(fingerprint_at_start, encoding="utf-8")


def _record(configuration: Configuration, until: str | None) -> Path:
    folder = configuration.root / ".snakemake" / "refino_eval"
    return folder / f"{configuration.evaluation.name}.{until or 'all'}.finished"


def _files(top: Path) -> Iterator[Path]:
    """Yield a file, or the files of a folder in order, without what Python and editors leave."""
    if top.is_file():
        yield top
    for folder, names, files in os.walk(top):
        names[:] = sorted(name for name in names if name != "__pycache__")
        yield from (Path(folder) / name for name in sorted(files) if not name.startswith("."))


def _installed() -> Iterator[str]:
    """Yield the names, with versions, of installed packages."""
    for place in sys.path:
        with suppress(OSError):
            yield from (name for name in os.listdir(place or ".") if name.endswith((".dist-info", ".egg-info")))
