"""Results that stay in memory while a process runs: what the exhibits of one job compute from the same data is computed once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np

Result = TypeVar("Result")


@dataclass(eq=False, repr=False)
class RecentResults(Generic[Result]):
    """The latest results of one computation, by the content of what they were computed from.

    Attributes
    ----------
    most
        Bytes that are kept; the results that were asked for longest ago are forgotten first. At the scale of a whole country one
        result is larger, and none is kept.
    """

    most: int
    _results: dict[object, tuple[Result, int]] = field(default_factory=dict)
    _size: int = 0

    def of(self, key: object, make: Callable[[], Result], size: Callable[[Result], int]) -> Result:
        """Return the result of a key, made now if it is not known; `size` gives its bytes."""
        if key in self._results:
            self._results[key] = found = self._results.pop(key)  # the latest comes last
            return found[0]
        result = make()
        bytes_of = size(result)
        if bytes_of <= self.most:
            self._results[key] = result, bytes_of
            self._size += bytes_of
        while self._size > self.most:
            self._size -= self._results.pop(next(iter(self._results)))[1]
        return result


def content_of(*parts: object) -> bytes:
    """Return a hash of arrays by their kind, shape and bytes, and of other values by how they are written."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(repr((part.dtype.str, part.shape)).encode())
            digest.update(np.ascontiguousarray(part).data.cast("B") if part.size else b"")
        else:
            digest.update(repr(part).encode())
        digest.update(b"|")
    return digest.digest()


def version_of(path: Path | str) -> tuple[object, ...]:
    """Return what changes when a file is written anew; the path alone for one that is not there."""
    try:
        stat = os.stat(path)
    except OSError:
        return (str(path),)
    return str(path), stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino
