"""What was run: the whole configuration, the versions of the software, and checksums of the input files."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from refino_eval.config.yaml_files import yaml_text
from refino_eval.sql.spark_server import server_facts

PACKAGES = ("refino-eval", "snakemake", "duckdb", "numpy", "pandas", "pyarrow", "scipy", "matplotlib", "pydantic")
LOCK = "requirements/run.txt"
PACKAGE = Path(__file__).resolve().parents[1]
INPUTS = ("config/codelists", "data/published")
"""Folders of inputs that no data owner delivers."""
OWN_FOLDERS = ("config", "logs", "results", "workflow")
"""Folders of a project that it makes and defines itself."""


def record_run(
    configuration: Mapping[str, Any],
    *,
    data_folder: Path,
    files: Sequence[str] | None,
    root: Path,
    provenance_path: Path,
    configuration_path: Path,
    source_digests: Mapping[str, str] | None = None,
) -> None:
    """Write `run/provenance.json` and `run/run_config.yaml`.

    Parameters
    ----------
    configuration
        Everything that was configured, as plain data.
    data_folder, files
        The delivery, as in `delivered_files`; each file is listed with size and checksum.
    root
        The project's root, for the lock file and the state of the code.
    provenance_path, configuration_path
        Where the two files go.
    source_digests
        Hash of the library code behind each rule that makes numbers (see `refino_eval.digest`).

    Notes
    -----
    No time of day is recorded: the same delivery, configuration and code give the same bytes.
    """
    # The checksum is that of the text in `run_config.yaml`, so that anybody can compute it again.
    text = yaml_text(configuration)
    record = {
        "evaluation": configuration["evaluation"]["name"],
        "configuration_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "seed": configuration["project"].get("seed"),
        "code": _code(root),
        "source_digests": dict(source_digests or {}),
        "package_sha256": _folder_sha256(PACKAGE),
        "inputs": _listed([path for name in INPUTS for path in _files_in(root / name)], root=root),
        "lock_sha256": _sha256(root / LOCK) if (root / LOCK).is_file() else None,
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "engine": _engine(configuration["project"].get("engine", "duckdb")),
        "delivery": _listed(delivered_files(data_folder, files, root=root), root=data_folder),
    }
    configuration_path.write_text(text, encoding="utf-8")
    provenance_path.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _engine(name: str) -> dict[str, Any]:
    """Return what computed panels and outcomes; the version of DuckDB is among the packages."""
    return {"name": name, **server_facts()} if name == "spark" else {"name": name}


def delivered_files(folder: Path, files: Sequence[str] | None, *, root: Path) -> list[Path]:
    """Return the files of a delivery.

    Parameters
    ----------
    folder
        The delivery's folder.
    files
        Paths in it, of a person table or a panel; None for registers, whose delivery is everything in the folder.
    root
        The project's root. Where it is the folder or lies in it, what the project itself makes and defines is no delivery.
    """
    if files is not None:
        return sorted(path for name in files if (path := folder / name).is_file())
    own = [root.resolve() / name for name in OWN_FOLDERS]
    return [path for path in _files_in(folder) if not any(path.resolve().is_relative_to(each) for each in own)]


def _files_in(folder: Path) -> list[Path]:
    """Return all files in a folder, in order, but hidden ones and those in hidden folders."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts))


def _listed(files: Iterable[Path], *, root: Path) -> list[dict[str, Any]]:
    """Return size and checksum of each file, by its path from a root."""
    return [
        {"file": path.relative_to(root).as_posix(), "bytes": path.stat().st_size, "sha256": _sha256(path)}
        for path in files
    ]


def _folder_sha256(folder: Path) -> str:
    """Return one checksum of the names and contents of a folder's files, without what Python compiles."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        digest.update(f"{path.relative_to(folder).as_posix()} {_sha256(path)}\n".encode())
    return digest.hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _code(root: Path) -> dict[str, Any]:
    """Return the commit and whether the files differ from it; nothing where the project is not under version control."""
    commit = _git(root, "rev-parse", "HEAD")
    if commit is None:
        return {"commit": None, "modified": None}
    return {"commit": commit, "modified": bool(_git(root, "status", "--porcelain", "--untracked-files=no"))}


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True, timeout=20
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
