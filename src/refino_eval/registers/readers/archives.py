"""Open a delivered text file as bytes: as it is, gzipped, or the only member of a zip archive."""

from __future__ import annotations

import contextlib
import gzip
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

PACKED = (".gz", ".zip")

READ_ERRORS = (OSError, EOFError, zlib.error, zipfile.BadZipFile)
"""What reading a cut or damaged file may raise."""


_CUT_OFF = (EOFError, zlib.error, zipfile.BadZipFile, gzip.BadGzipFile)


def told(error: BaseException) -> str:
    """Return what a fault in reading means to the user, as a sentence."""
    return "the archive is damaged or cut off." if isinstance(error, _CUT_OFF) else str(error) or "it ends too early."


class UnreadableFile(Exception):
    """A file that cannot be read on; its text is a paragraph for the user."""


@contextlib.contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading bytes, unpacked.

    Raises
    ------
    UnreadableFile
        When an archive has not exactly one file in it, is encrypted, or is no archive.
    """
    suffix = path.suffix.lower()
    if suffix == ".gz":
        with gzip.open(path, "rb") as handle:
            yield cast(BinaryIO, handle)
    elif suffix == ".zip":
        with _only_member(path) as handle:
            yield handle
    else:
        with path.open("rb") as handle:
            yield handle


@contextlib.contextmanager
def _only_member(path: Path) -> Iterator[BinaryIO]:
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise UnreadableFile("it is not a zip archive that can be read, perhaps cut off.") from error
    with archive:
        members = [
            each for each in archive.infolist() if not each.is_dir() and not each.filename.startswith("__MACOSX/")
        ]
        if len(members) != 1:
            raise UnreadableFile(f"the archive holds {len(members)} files: deliver one file in each archive.")
        try:
            handle = archive.open(members[0])
        except (RuntimeError, NotImplementedError) as error:
            raise UnreadableFile(
                "the archive is encrypted or packed in a way that cannot be read: unpack it."
            ) from error
        with handle:
            yield cast(BinaryIO, handle)
