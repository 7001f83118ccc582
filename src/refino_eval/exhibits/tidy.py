"""Tidy numbers: the one form in which every exhibit is stored.

Long form, one number a row: `exhibit, panel, row, column, statistic, value, n_persons, status`. `panel` is empty when an
exhibit has none; `n_persons` is the unweighted number of people behind the number, where one applies; `status` is empty
unless something does (for instance `suppressed`), and a value may be missing only when `status` says why.

The order of rows is the exhibit's own and carries over into its table. Files are written atomically, with the shortest
text that reads back as the same number: the same numbers give the same bytes.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval.csv_output import csv_text, frame_as_written
from refino_eval.errors import UserError
from refino_eval.statistic_names import STATISTICS

KEYS = ("exhibit", "panel", "row", "column", "statistic")
COLUMNS = (*KEYS, "value", "n_persons", "status")
NUMBERS = ("value", "n_persons")

Key = tuple[str, str, str, str]
"""Panel, row, column and statistic of a number within its exhibit."""


def tidy_frame(rows: Iterable[dict[str, object]]) -> pd.DataFrame:
    """Make a checked tidy frame of rows that may leave out `panel`, `n_persons` and `status`.

    Parameters
    ----------
    rows
        Mappings with `exhibit, row, column, statistic, value` and, when they apply, the others.

    Returns
    -------
    pandas.DataFrame
        As `validate` returns it.
    """
    frame = pd.DataFrame([{"panel": "", "n_persons": None, "status": "", **row} for row in rows], columns=list(COLUMNS))
    return validate(frame)


def validate(frame: pd.DataFrame) -> pd.DataFrame:
    """Check a tidy frame and give it its types.

    Parameters
    ----------
    frame
        A frame with the columns `COLUMNS`, in any order.

    Returns
    -------
    pandas.DataFrame
        The columns in order: strings, `value` float64, `n_persons` Int64; rows as they came.

    Raises
    ------
    ValueError
        When a column is missing or unknown, a key is repeated or not lower case, a statistic is not in the list, or a
        value is missing without a status.
    """
    if set(frame.columns) != set(COLUMNS):
        missing, unknown = sorted(set(COLUMNS) - set(frame.columns)), sorted(set(frame.columns) - set(COLUMNS))
        raise ValueError(f"tidy numbers have the columns {', '.join(COLUMNS)}; missing {missing}, unknown {unknown}")
    texts = {
        name: [text if isinstance(text, str) else "" if pd.isna(text) else str(text) for text in frame[name].tolist()]
        for name in COLUMNS
        if name not in NUMBERS
    }
    value = pd.to_numeric(frame["value"]).to_numpy(dtype=np.float64)
    for fault in _faults(texts, value):
        raise ValueError(fault)
    checked = {"value": value, "n_persons": pd.to_numeric(frame["n_persons"]).astype("Int64").array}
    checked |= {name: pd.array(column, dtype="str") for name, column in texts.items()}
    return pd.DataFrame({name: checked[name] for name in COLUMNS})


def _faults(texts: Mapping[str, list[str]], value: npt.NDArray[np.float64]) -> Iterator[str]:
    """Yield what is wrong; on lists, since pandas takes ten times as long for a few hundred rows."""
    unknown = sorted(set(texts["statistic"]) - STATISTICS)
    if unknown:
        yield f"unknown statistics: {', '.join(unknown)}; the closed list is in statistic_names.py"
    for name in ("exhibit", "panel", "column"):
        upper = sorted(text for text in set(texts[name]) if text != text.lower())
        if upper:
            yield f"`{name}` is not lower case: {upper[:5]}"
    keys = list(zip(*(texts[name] for name in KEYS), strict=True))
    if len(set(keys)) < len(keys):
        first = next(key for key, times in Counter(keys).items() if times > 1)
        yield f"{len(keys) - len(set(keys))} repeated keys, first: {dict(zip(KEYS, first, strict=True))}"
    silent = [k for k in np.flatnonzero(~np.isfinite(value)).tolist() if not texts["status"][k]]
    if silent:
        first = keys[silent[0]]
        yield (
            f"{len(silent)} values are missing or infinite without a status, first: {dict(zip(KEYS, first, strict=True))}"
        )


NOT_MADE = "not_made"
"""Statistic of the one row of an exhibit that could not be computed; its status holds the reason."""


def not_made(exhibit: str, problems: Iterable[str]) -> pd.DataFrame:
    """Return the numbers of an exhibit that could not be computed: none, and the reason."""
    reason = " ".join(" ".join(problems).split())
    row = {"exhibit": exhibit, "row": "", "column": "", "statistic": NOT_MADE, "value": math.nan, "status": reason}
    return tidy_frame([row])


def reason_not_made(frame: pd.DataFrame) -> str | None:
    """Return why an exhibit could not be computed; None if it was."""
    return str(frame["status"].iloc[0]) if len(frame) == 1 and frame["statistic"].iloc[0] == NOT_MADE else None


def statistics_at(frame: pd.DataFrame, panel: str, row: str, column: str) -> dict[str, float]:
    """Return the finite numbers of one panel, row and column by statistic."""
    part = frame[(frame["panel"] == panel) & (frame["row"] == row) & (frame["column"] == column)]
    pairs = zip(part["statistic"], part["value"].astype(float), strict=True)
    return {statistic: value for statistic, value in pairs if math.isfinite(value)}


def number_text(value: float) -> str:
    """Return the shortest text that reads back as the same number; whole numbers without a decimal point."""
    if not math.isfinite(value):
        return ""
    if value == int(value) and abs(value) < 2**53:
        return str(int(value))
    return repr(float(value))


def tidy_text(frame: pd.DataFrame) -> str:
    """Return checked tidy numbers as the text of a .csv file."""
    columns = {name: frame[name].tolist() for name in COLUMNS}
    columns["value"] = [number_text(value) for value in columns["value"]]
    columns["n_persons"] = ["" if n is pd.NA else str(n) for n in columns["n_persons"]]
    return csv_text([COLUMNS, *zip(*columns.values(), strict=True)])


def write_tidy(frame: pd.DataFrame, csv_path: Path | str) -> list[Path]:
    """Write tidy numbers as `<name>.csv` and `<name>.parquet`, each at once or not at all.

    Parameters
    ----------
    frame
        Checked by `validate` first.
    csv_path
        The .csv file; the .parquet file lies beside it.

    Returns
    -------
    list of Path
        The two files.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    frame = validate(frame)
    csv_path = Path(csv_path)
    write_text(csv_path, tidy_text(frame))

    kinds = {"value": pa.float64(), "n_persons": pa.int64()}
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in COLUMNS])
    table = pa.Table.from_pydict(
        {
            name: [None if pd.isna(item) else item for item in frame[name].tolist()]
            if name in kinds
            else frame[name].tolist()
            for name in COLUMNS
        },
        schema=schema,
    )
    parquet = csv_path.with_suffix(".parquet")
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    write_bytes(parquet, sink.getvalue().to_pybytes())
    return [csv_path, parquet]


def read_tidy(path: Path | str) -> pd.DataFrame:
    """Read tidy numbers from a .csv or .parquet file and check them."""
    path = Path(path)
    if path.suffix == ".parquet":
        return validate(pd.read_parquet(path))
    return validate(
        frame_as_written(pd.read_csv(path, dtype={name: str for name in COLUMNS}, keep_default_na=False)).assign(
            value=lambda frame: [float(text) if text else math.nan for text in frame["value"].tolist()],
            n_persons=lambda frame: frame["n_persons"].map(lambda text: int(text) if text else None),
        )
    )


def read_made(path: Path | str) -> pd.DataFrame:
    """Read the tidy numbers of an exhibit that another one is computed from.

    Raises
    ------
    UserError
        If that exhibit could not be computed.
    """
    frame = read_tidy(path)
    reason = reason_not_made(frame)
    if reason is not None:
        raise UserError(f"it is computed from the exhibit '{Path(path).stem}', which could not be made: {reason}")
    return frame


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file at once or not at all."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file at once or not at all: a reader never meets half of it, and a failed job leaves the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        draft.write_bytes(content)
        os.replace(draft, path)
    finally:
        with suppress(FileNotFoundError):
            draft.unlink()
