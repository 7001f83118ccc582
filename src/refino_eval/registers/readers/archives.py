"""Open a delivered text file as bytes: as it is, gzipped, or the only member of a zip archive."""

from __future__ import annotations

import codecs
import contextlib
import gzip
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

PACKED = (".gz", ".zip")

_DAMAGED = (EOFError, zlib.error, zipfile.BadZipFile, gzip.BadGzipFile)
READ_ERRORS = (OSError, UnicodeError, *_DAMAGED)
"""What reading a file that is cut off, damaged or not accessible may raise."""

_UNPACKED_FREELY = 256 << 20
_LARGEST_RATIO = 100
"""Deflate reaches 1:1000 on a file made to fill a disk; tables of registers stay far below this."""

_MOST_ROWS_A_BYTE = 100
_ROWS_FREELY = 50_000_000

_ONE_BYTE = ("latin-1", "ascii", "iso8859", "cp125", "koi8", "mac", "utf-8")


class UnreadableFile(Exception):
    """A file that cannot be read on; its text is a sentence for the user."""


def reading_problem(error: BaseException) -> str:
    """Return what an error in reading a file means to the user, as a sentence."""
    if isinstance(error, UnreadableFile):
        return str(error)
    if isinstance(error, PermissionError):
        return "permission to read it is denied."
    if isinstance(error, UnicodeError):
        return f"it is not written in the encoding that is stated ({error.encoding if hasattr(error, 'encoding') else ''})."
    if isinstance(error, _DAMAGED):
        return "the archive is damaged or cut off."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror.lower()}."
    return str(error) or "it ends too early."


@contextlib.contextmanager
def open_bytes(path: Path, encoding: str = "utf-8") -> Iterator[BinaryIO]:
    """Open a file for reading bytes, unpacked; text in an encoding of several bytes a character comes as UTF-8.

    Raises
    ------
    UnreadableFile
        When the encoding is unknown, or an archive is no archive, is encrypted, has not exactly one file in it, or
        unpacks to far more than tables do.
    """
    with contextlib.ExitStack() as stack:
        suffix = path.suffix.lower()
        stream = cast(BinaryIO, stack.enter_context(_OPENERS.get(suffix, Path.open)(path, "rb")))
        if suffix in PACKED:
            stream = cast(BinaryIO, _Limited(stream, path.stat().st_size))
        if bytes_encoding(encoding) != encoding:
            stream = cast(BinaryIO, codecs.EncodedFile(stream, "utf-8", encoding))
        yield stream


def check_row_count(rows: int, path: Path, unpacked: int = 0) -> None:
    """Refuse a file of typed columns that promises more than a file of its size can hold of people's data."""
    size = path.stat().st_size
    if rows > max(_ROWS_FREELY, _MOST_ROWS_A_BYTE * size) or unpacked > max(_UNPACKED_FREELY, _LARGEST_RATIO * size):
        raise UnreadableFile(
            f"it promises {rows:,} rows of {unpacked:,} bytes in a file of {size:,} bytes, as no table does."
        )


def bytes_encoding(encoding: str) -> str:
    """Return the encoding in which `open_bytes` gives a text of some encoding: its own, or UTF-8.

    Lines are cut at the byte of a line feed, which is only safe where every ASCII character is one byte of its own.
    """
    try:
        name = codecs.lookup(encoding).name
    except LookupError:
        raise UnreadableFile(f"the encoding '{encoding}' is unknown: state one like utf-8 or latin-1.") from None
    return encoding if name.startswith(_ONE_BYTE) and name != "utf-8-sig" else "utf-8"


class _Limited:
    """A stream of unpacked bytes that stops a file made to fill the disk."""

    def __init__(self, stream: BinaryIO, packed: int) -> None:
        self._stream, self._left = stream, max(_UNPACKED_FREELY, packed * _LARGEST_RATIO)

    def read(self, size: int = -1) -> bytes:
        """Read bytes as the stream does, and count them."""
        return self._counted(self._stream.read(size))

    def readline(self, limit: int = -1) -> bytes:
        """Read a line as the stream does, and count its bytes."""
        return self._counted(self._stream.readline(limit))

    def _counted(self, content: bytes) -> bytes:
        self._left -= len(content)
        if self._left < 0:
            raise UnreadableFile(
                f"it unpacks to more than {_LARGEST_RATIO} times its size, as no table does: deliver it unpacked."
            )
        return content


@contextlib.contextmanager
def _only_member(path: Path, _: str) -> Iterator[BinaryIO]:
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise UnreadableFile("it is not a zip archive that can be read, perhaps cut off.") from error
    with archive:
        members = [
            member
            for member in archive.infolist()
            if not member.is_dir() and not member.filename.startswith("__MACOSX/")
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


_OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".zip": _only_member}
