"""Tidy numbers: what is refused, and files that read back as they were."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refino_eval.exhibits.tidy import COLUMNS, number_text, read_tidy, tidy_frame, validate, write_bytes, write_tidy

ROW = {"exhibit": "t", "row": "Oslo x 2018-05", "column": "c", "statistic": "estimate", "value": 0.1}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"statistic": "guess"}, "unknown statistics: guess"),
        ({"column": "Refino"}, "not lower case"),
        ({"value": math.nan}, "without a status"),
        ({"value": math.inf}, "without a status"),
    ],
)
def test_refuses(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tidy_frame([{**ROW, **change}])


def test_refuses_repeated_keys_and_wrong_columns() -> None:
    with pytest.raises(ValueError, match="1 repeated keys"):
        tidy_frame([ROW, {**ROW, "value": 0.2}])
    with pytest.raises(ValueError, match=r"missing \['status'\]"):
        validate(tidy_frame([ROW]).drop(columns="status"))


def test_a_status_explains_a_missing_value() -> None:
    frame = tidy_frame([{**ROW, "value": math.nan, "status": "suppressed"}])
    assert frame["status"].tolist() == ["suppressed"]
    assert frame["panel"].tolist() == [""]


def test_files_read_back_the_same(tmp_path: Path) -> None:
    rows = [ROW, {**ROW, "statistic": "n", "value": 4898, "n_persons": 4898},
            {**ROW, "column": "d", "value": None, "status": "suppressed"},
            {**ROW, "column": "e", "value": 0.1 + 0.2}]  # fmt: skip
    frame = tidy_frame(rows)
    paths = write_tidy(frame, tmp_path / "deep" / "t.csv")
    assert [path.name for path in paths] == ["t.csv", "t.parquet"]
    for path in paths:
        pd.testing.assert_frame_equal(read_tidy(path), frame)
    before = [path.read_bytes() for path in paths]
    write_tidy(frame[list(reversed(COLUMNS))], tmp_path / "deep" / "t.csv")
    assert [path.read_bytes() for path in paths] == before
    text = paths[0].read_text()
    assert "estimate,0.1,," in text
    assert "n,4898,4898," in text
    assert "0.30000000000000004" in text


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_bytes(path, b"old")
    with pytest.raises(TypeError):
        write_bytes(path, "text")  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_stops_halfway_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    write_bytes(path, b"old")

    def stop(*_: object) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr("refino_eval.exhibits.tidy.os.replace", stop)
    with pytest.raises(OSError, match="the disk is gone"):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_number_text_reads_back(value: float) -> None:
    assert float(number_text(value)) == value
