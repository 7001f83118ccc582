"""Write the cohort and outcomes as parquet with fixed types: whole or not at all, the same bytes every time."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def write_cohort(frame: pd.DataFrame, path: Path) -> None:
    """Write `cohort.parquet`.

    Parameters
    ----------
    frame
        As `Cohort.frame`.
    path
        The file to write.
    """
    arrays = {name: _typed(name, frame[name]) for name in frame.columns}
    _write(pa.table(arrays), path)


def write_outcome(outcomes: pd.DataFrame, name: str, path: Path) -> None:
    """Write one outcome as `person_id, value`.

    Parameters
    ----------
    outcomes
        `person_id` and a column for each outcome.
    name
        The column's name.
    path
        The file to write.
    """
    columns = {
        "person_id": pa.array(outcomes["person_id"].astype(str).tolist(), pa.string()),
        "value": pa.array(outcomes[name].tolist(), pa.float64(), from_pandas=True),
    }
    _write(pa.table(columns), path)


def _typed(name: str, values: pd.Series) -> pa.Array:
    if name == "treated":
        return pa.array(values.tolist(), pa.int32())
    if name == "draw_date":
        return pa.array(pd.to_datetime(values).dt.date.tolist(), pa.date32())
    if name.startswith("sample_"):
        return pa.array(values.tolist(), pa.bool_())
    if pd.api.types.is_float_dtype(values):
        return pa.array(values.tolist(), pa.float64(), from_pandas=True)
    shown = str if name == "person_id" else _visible
    return pa.array([None if pd.isna(value) else shown(value) for value in values], pa.string())


def _visible(value: object) -> str:
    r"""Return a stratum, a cluster or another text with visible control characters, such as \x0b.

    Groups are called by these texts in tables, figures and pages, which cannot hold such characters. Two texts that differ
    stay different.
    """
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", str(value))


def _write(table: pa.Table, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        pq.write_table(table, part, compression="zstd")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
