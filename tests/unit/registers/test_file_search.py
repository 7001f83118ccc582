"""Files of a delivery are found inside it, whatever a pattern or a name looks like, and names show no ids."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from refino_eval.errors import UserError
from refino_eval.registers.readers.file_search import existing_file, find_files


def problem(folder: Path, *patterns: str) -> str:
    with pytest.raises(UserError) as caught:
        find_files("jobs", patterns, folder)
    return str(caught.value)


@pytest.mark.parametrize(
    "pattern",
    ["../x*", "/etc/*", "a/../../x.csv", "", " ", "a**b", "x" * 300, "x/" * 2_000, "a\0b", "[", "*/" * 3 + "../y"],
)
def test_patterns_that_are_none_or_lead_out_of_the_delivery_are_refused(tmp_path: Path, pattern: str) -> None:
    (tmp_path / "x1.csv").write_text("a\n")
    (tmp_path / "inside").mkdir()
    text = problem(tmp_path / "inside", pattern)
    assert "`files` in config/sources/jobs.yaml" in text
    assert "x1.csv" not in text


@pytest.mark.parametrize("pattern", ["x*.csv", "**/x*.csv", "a/x?.csv", "./a/x1.csv"])
def test_patterns_inside_the_delivery_are_searched(tmp_path: Path, pattern: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / ("x1.csv" if pattern == "x*.csv" else "a/x1.csv")).write_text("a\n")
    assert [path.name for path in find_files("jobs", (pattern,), tmp_path)] == ["x1.csv"]


def test_a_name_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    os.close(os.open(os.fsencode(str(tmp_path)) + b"/x\xff.csv", os.O_CREAT | os.O_WRONLY))
    text = problem(tmp_path, "x*.csv")
    assert "not UTF-8" in text
    text.encode("utf-8")


def test_ids_in_names_of_files_are_masked_and_dates_are_shown(tmp_path: Path) -> None:
    for name in ("aap_31129912345_v1.csv", "aap_20180501_v1.csv"):
        (tmp_path / name).write_text("a\n")
    text = problem(tmp_path, "aap_v*.csv")
    assert "31129912345" not in text
    assert "aap_20180501_v1.csv" in text


@pytest.mark.parametrize("name", ["../secret.csv", "/etc/passwd", "sub/../../secret.csv", ""])
def test_a_named_file_outside_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.csv").write_text("a\n")
    (tmp_path / "inside/sub").mkdir(parents=True)
    with pytest.raises(UserError, match="Name a file inside the data folder"):
        existing_file(tmp_path / "inside", name, where="letter")
