"""Every engine is isolated: one function opens it, with files, memory and settings locked."""

from pathlib import Path

import duckdb
import pytest

from refino_eval.sql.isolated_engine import isolated_engine

PACKAGE = Path(__file__).resolve().parents[3] / "src" / "refino_eval"


def test_an_engine_reads_nothing_else_and_cannot_be_unlocked(tmp_path):
    other = tmp_path / "other.csv"
    other.write_text("a\n1\n")
    (tmp_path / "own").mkdir()
    with isolated_engine([tmp_path / "own"], settable=["threads"]) as engine:
        for statement in (
            f"SELECT * FROM read_csv('{other}')",
            f"COPY (SELECT 1) TO '{tmp_path / 'out.csv'}'",
            "SET memory_limit = '90GB'",
            "SET enable_external_access = true",
            "INSTALL httpfs",
        ):
            with pytest.raises(duckdb.Error):
                engine.execute(statement)
        engine.execute("SET threads = 1")
    assert not (tmp_path / "out.csv").exists()


def test_no_other_module_opens_an_engine():
    opening = [path.name for path in PACKAGE.rglob("*.py") if "duckdb.connect(" in path.read_text(encoding="utf-8")]
    assert opening == ["isolated_engine.py"]
