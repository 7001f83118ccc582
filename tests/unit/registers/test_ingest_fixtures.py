"""One tiny faulty delivery for each kind of fault, with exactly what is reported, or what becomes of each row.

`tests/fixtures/deliveries/source.yaml` describes the register; a kind's own `source.yaml` changes some of its keys.
`expected.txt` holds the paragraphs of the fault, or `clean <n>` and the rejects as `file row rule column`.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest
import yaml

from refino_eval.codes.codelists import Code, Codelist
from refino_eval.config.sources import Source
from refino_eval.errors import UserError
from refino_eval.registers.ingest import ingest

FOLDER = Path(__file__).parents[2] / "fixtures" / "deliveries"
KINDS = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())
AIDS = ("source.yaml", "expected.txt")
CODES = {
    "kinds": Codelist(
        "kinds", tuple(Code(code, code, code, "", None, None, "example") for code in ("fast", "midlertidig"))
    )
}


def outcome(kind: str, work: Path) -> str:
    """Ingest one kind's delivery and return what is reported of it."""
    data = yaml.safe_load((FOLDER / "source.yaml").read_text(encoding="utf-8"))
    own = FOLDER / kind / "source.yaml"
    if own.exists():
        changes = yaml.safe_load(own.read_text(encoding="utf-8"))
        for name, keys in changes.pop("change_columns", {}).items():
            data["columns"][name] = data["columns"].get(name, {}) | keys
        data |= changes
    delivery = work / "delivery"
    shutil.copytree(FOLDER / kind, delivery, ignore=shutil.ignore_patterns(*AIDS))
    clean, rejects = work / "clean.parquet", work / "rejects.parquet"
    try:
        report = ingest(
            Source.model_validate(data), delivery, codelists=CODES, clean_path=clean, rejects_path=rejects, threads=1
        )
    except UserError as fault:
        return str(fault).replace(str(delivery), "<folder>") + "\n"
    found = duckdb.sql(f"SELECT source_file, source_row, rule, rule_column FROM '{rejects}'").fetchall()
    repaired = [f"repaired {each.rule} {each.rows}" for each in report.repairs]
    lines = [f"clean {report.clean}", *repaired, *(" ".join(str(cell) for cell in row).rstrip() for row in found)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("kind", KINDS)
def test_kind_of_fault(tmp_path: Path, kind: str) -> None:
    assert outcome(kind, tmp_path) == (FOLDER / kind / "expected.txt").read_text(encoding="utf-8")


def test_there_are_enough_kinds() -> None:
    assert len(KINDS) >= 25
