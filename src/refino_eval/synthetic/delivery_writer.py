"""Writing a delivery: files that grow block by block, checksums, and a folder that appears whole or not at all."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from refino_eval.errors import UserError
from refino_eval.synthetic.recipe import RegisterFile

MARK = "SYNTHETIC.txt"
"""A folder is replaced only if it has this file: a real delivery is never overwritten."""


class DeliveryFile:
    """One file of a delivery, written block by block."""

    def __init__(self, path: Path, form: RegisterFile) -> None:
        self.path = path
        self.rows = 0
        self._form = form
        self._text: BinaryIO | None = None
        self._parquet: Any = None
        self._held: list[pa.Table] = []

    def write(self, table: pa.Table) -> None:
        """Append rows; the first block brings the header or the schema."""
        self.rows += table.num_rows
        if self._form.format in ("dta", "sav"):
            self._held.append(table)
            return
        if self._form.format == "parquet":
            if self._parquet is None:
                self._parquet = pq.ParquetWriter(self.path, table.schema, compression="zstd")
            if table.num_rows:
                self._parquet.write_table(table)
            return
        header = self._text is None
        if self._text is None:
            self._text = self.path.open("wb")
        options = pa_csv.WriteOptions(
            include_header=header,
            delimiter=self._form.delimiter,
            quoting_style="none",
            quoting_header="none",
            batch_size=65_536,
        )
        buffer = io.BytesIO()
        pa_csv.write_csv(table, buffer, options)
        written = buffer.getvalue()
        self._text.write(written if self._form.encoding == "utf-8" else written.decode("utf-8").encode("latin-1"))

    def write_lines(self, lines: list[str]) -> None:
        """Append lines of text that the library would not write."""
        self.rows += len(lines)
        if self._text is not None:
            text = "".join(f"{line}\n" for line in lines)
            self._text.write(text.encode("utf-8" if self._form.encoding == "utf-8" else "latin-1"))

    def close(self) -> None:
        """Finish the file; a file of a statistics program is written here, in one piece."""
        if self._held:
            write_statistics(pa.concat_tables(self._held), self.path)
            self._held = []
        if self._text is not None:
            self._text.close()
        if self._parquet is not None:
            self._parquet.close()


def write_statistics(table: pa.Table, path: Path) -> None:
    """Write a table for Stata (.dta) or SPSS (.sav), the same bytes each time: both formats have the time of writing."""
    import pandas as pd

    frame = pd.DataFrame({name: _plain(column) for name, column in zip(table.column_names, table.columns, strict=True)})
    if path.suffix == ".dta":
        dates: Any = {name: "td" for name in frame if pd.api.types.is_datetime64_any_dtype(frame[name])}
        frame.to_stata(path, write_index=False, convert_dates=dates, version=118, time_stamp=dt.datetime(2000, 1, 1))
        return
    import pyreadstat

    for name in frame:
        if pd.api.types.is_datetime64_any_dtype(frame[name]):
            frame[name] = frame[name].dt.date
    pyreadstat.write_sav(frame, str(path))
    with path.open("r+b") as stream:  # day and time of writing are in the header, bytes 92 to 108
        stream.seek(92)
        stream.write(b"01 Jan 0000:00:00")


def _plain(column: pa.ChunkedArray) -> Any:
    import pandas as pd

    if pa.types.is_date(column.type):
        return pd.to_datetime(pd.Series(column.to_pylist(), dtype="object"))
    if pa.types.is_decimal(column.type):
        return column.cast(pa.float64()).to_numpy()
    if pa.types.is_string(column.type):
        return pd.Series(["" if value is None else value for value in column.to_pylist()], dtype="object")
    return column.to_numpy()


def checksum(path: Path) -> str:
    """Return a file's SHA-256, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder next to the target, and rename it to the target when everything is written.

    Parameters
    ----------
    folder
        Folder of the delivery; an earlier synthetic delivery there is replaced.

    Raises
    ------
    UserError
        When the folder has files that are not a synthetic delivery.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).is_file():
        raise UserError(
            f"{folder.name}: this folder has files that are not a synthetic delivery (no {MARK} in it), so nothing was "
            "written. Choose another folder, or empty this one."
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    # A unique name, so that two processes that make the same delivery do not write into each other's files.
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent))
    draft.chmod(0o755)
    try:
        yield draft
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    # The old delivery is renamed first: a process killed while deleting it would leave an incomplete delivery in its place.
    if folder.exists():
        old = draft.with_name(f"{draft.name.removesuffix('.part')}.old.part")
        folder.rename(old)
        draft.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    else:
        draft.rename(folder)
