"""The manifest of a release: the checksum of every file, signed where there is a key.

Without a key, the manifest shows that the files are those that it lists; whoever can change a file can also write another
manifest, so compare the manifest's own checksum, which `verify` returns, through another channel. With a key (HMAC-SHA256, RFC
2104), nobody without it can make a manifest that passes; everybody with it can.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from refino_eval.errors import UserError
from refino_eval.exhibits.formats.reproducible_zip import FIRST_ZIP_DAY

MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
SHORTEST_KEY = 32
"""Bytes that a key has at least: those of a SHA-256 hash, as RFC 2104 advises."""

SCHEME = "hmac-sha256"


@dataclass(frozen=True)
class Verified:
    """What a manifest says of the files next to it.

    Attributes
    ----------
    manifest
        The manifest.
    sha256
        Its own checksum.
    changes
        What differs from it, a line for each file; none if the files are those that were released.
    signed
        Whether there is a signature; `authentic` whether a key confirms it, None if no key was given.
    """

    manifest: dict[str, Any]
    sha256: str
    changes: tuple[str, ...]
    signed: bool
    authentic: bool | None


def write_manifest(folder: Path, facts: Mapping[str, Any], *, key: bytes | None = None) -> None:
    """Write the manifest of a folder, and its signature if there is a key.

    Parameters
    ----------
    folder
        Every file in it is listed with size and SHA-256.
    facts
        What else the manifest states: evaluation, version, profile, provenance.
    key
        Secret of whoever releases.
    """
    files = {name: _entry(content) for name, content in sorted(_files(folder).items()) if name not in _OWN}
    text = json.dumps({**facts, "files": files}, indent=1, ensure_ascii=False) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    if key is not None:
        (folder / SIGNATURE).write_text(f"{SCHEME} {_signature(text.encode(), key)}\n", encoding="utf-8")


def verify(place: Path, *, key: bytes | None = None) -> Verified:
    """Compare a release, as a folder or a .zip file, with its manifest.

    Raises
    ------
    UserError
        If there is no manifest that can be read.
    """
    files = _files(place)
    if MANIFEST not in files:
        raise UserError(f"{place}: there is no {MANIFEST}, so this is no release. Name its folder, or its .zip file.")
    try:
        manifest = json.loads(files[MANIFEST])
        listed: dict[str, Any] = manifest["files"]
        changes = tuple(_changes(listed, {name: content for name, content in files.items() if name not in _OWN}))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(f"{place}: {MANIFEST} is damaged and cannot be read. Ask for the release again.") from None
    signature = files.get(SIGNATURE, b"").decode("utf-8", "replace").split()
    authentic = None
    if key is not None:
        expected = _signature(files[MANIFEST], key)
        authentic = len(signature) == 2 and signature[0] == SCHEME and hmac.compare_digest(signature[1], expected)
    return Verified(manifest, hashlib.sha256(files[MANIFEST]).hexdigest(), changes, bool(signature), authentic)


def read_key(path: Path) -> bytes:
    """Read a key from a file.

    Raises
    ------
    UserError
        If the file cannot be read or is too short to keep a secret.
    """
    try:
        key = path.read_bytes().strip()
    except OSError:
        raise UserError(f"--key: the file {path} cannot be read. Make a key: openssl rand -hex 32 > FILE") from None
    if len(key) < SHORTEST_KEY:
        raise UserError(
            f"--key: the file {path} holds {len(key)} bytes; a key has at least {SHORTEST_KEY}, so that nobody can guess it. "
            "Make one: openssl rand -hex 32 > FILE"
        )
    return key


def write_zip(folder: Path, path: Path, *, inside: str) -> None:
    """Write a folder as a .zip file whose bytes depend on nothing but names and contents.

    Parameters
    ----------
    folder
        What to write.
    path
        The file, written at once or not at all.
    inside
        Name of the top folder in the archive.
    """
    draft = path.with_name(f".{path.name}.part")
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(_paths(folder)):
            entry = zipfile.ZipInfo(f"{inside}/{name}", FIRST_ZIP_DAY)
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            archive.writestr(entry, (folder / name).read_bytes())
    draft.replace(path)


_OWN = (MANIFEST, SIGNATURE)


def _entry(content: bytes) -> dict[str, Any]:
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _signature(content: bytes, key: bytes) -> str:
    return hmac.new(key, content, "sha256").hexdigest()


def _changes(listed: Mapping[str, Any], files: Mapping[str, bytes]) -> Iterator[str]:
    for name, entry in listed.items():
        if name not in files:
            yield f"{name} was removed"
        elif _entry(files[name]) != entry:
            yield f"{name} was changed"
    yield from (f"{name} was added" for name in files if name not in listed)


def _paths(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]


def _files(place: Path) -> dict[str, bytes]:
    """Return the content of each file of a folder, or of an archive with one top folder."""
    if place.is_dir():
        return {name: (place / name).read_bytes() for name in _paths(place)}
    try:
        with zipfile.ZipFile(place) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            return {PurePosixPath(*PurePosixPath(name).parts[1:]).as_posix(): archive.read(name) for name in names}
    except (OSError, zipfile.BadZipFile):
        raise UserError(f"{place} is neither a folder nor a .zip file that can be read.") from None
