"""The worked examples of docs/spell_rules.md, run as they are printed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import duckdb
import pytest
import yaml

from refino_eval.config import sources as model
from refino_eval.registers.ingest import ingest

PAGE = Path(__file__).parents[2] / "docs" / "spell_rules.md"
TYPES = {
    "person": ("person_id", "id"),
    "employer": ("employer", "id"),
    "start": ("start", "date"),
    "stop": ("stop", "date"),
    "hours": ("hours", "hundredths"),
    "percent": ("percent", "hundredths"),
    "kind": ("kind", "text"),
    "died": ("died", "date"),
}


@dataclass(frozen=True)
class Example:
    """One section: the rules as YAML, and the delivered rows with what becomes of each."""

    name: str
    rules: list[dict[str, Any]]
    rows: list[dict[str, str]]


def examples() -> list[Example]:
    found = []
    for section in re.split(r"^### ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        block = re.search(r"```yaml\n(.*?)```", section, re.DOTALL)
        table = [line for line in section.splitlines() if line.startswith("|")]
        if block is None or not table:
            continue
        head, _, *body = ([cell.strip() for cell in line.strip("|").split("|")] for line in table)
        rows = [dict(zip(head, row, strict=True)) for row in body]
        found.append(Example(section.splitlines()[0].strip(), yaml.safe_load(block[1]), rows))
    return found


EXAMPLES = examples()


def source(rules: list[dict[str, Any]]) -> model.Source:
    columns = {
        inside: {"from": name, "type": kind, "why": "a worked example"} for name, (inside, kind) in TYPES.items()
    }
    base = {"register": "example", "label": {"nb": "eksempel", "en": "example"}, "owner": "nobody", "decimal": ","}
    coverage = {"first": "2018-01-01", "last": "2018-12-31"}
    shape = {"temporality": "spell", "files": ["example_v*.csv"], "columns": columns, "coverage": coverage}
    return model.Source.model_validate(base | shape | {"rules": rules})


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.name)
def test_example(tmp_path: Path, example: Example) -> None:
    (tmp_path / "cohort.txt").write_text("id\n1\n2\n", encoding="utf-8")
    expected: dict[tuple[str, int], str] = {}
    lines: dict[str, list[str]] = {}
    for row in example.rows:
        file = f"example_v{row.get('file', '1')}.csv"
        delivered = lines.setdefault(file, [";".join(TYPES)])
        expected[file, len(delivered)] = row["becomes"]
        delivered.append(";".join(row.get(name, "") for name in TYPES))
    for file, text in lines.items():
        (tmp_path / file).write_text("\n".join(text) + "\n", encoding="utf-8")
    clean, rejects = tmp_path / "clean.parquet", tmp_path / "rejects.parquet"
    report = ingest(source(example.rules), tmp_path, codelists={}, clean_path=clean, rejects_path=rejects, threads=1)
    assert report.delivered == len(example.rows)
    fate = {(file, row): f"rejected {rule}" for file, row, rule in select(rejects, "source_file, source_row, rule")}
    shown = "source_file, source_row, CAST(stop - 1 AS DATE)::VARCHAR, hours"
    for file, row, stop, hours in select(clean, shown):
        fate[file, row] = "clean"
        parts = dict(part.split(" ", 1) for part in expected[file, row].split("; ")[1:])
        if parts:
            got = {"stop": stop, "hours": "" if hours is None else f"{hours / 100:.2f}".replace(".", ",")}
            fate[file, row] = "; ".join(["clean", *(f"{name} {got[name]}" for name in parts)])
    usual = example.name.split(":")[0]
    assert fate == {place: f"rejected {usual}" if told == "rejected" else told for place, told in expected.items()}
    repaired = sum("; " in told for told in expected.values())
    assert sum(repair.rows for repair in report.repairs) == repaired


def select(path: Path, columns: str) -> list[Any]:
    return duckdb.sql(f"SELECT {columns} FROM '{path}'").fetchall()


def test_every_rule_there_is_has_a_worked_example() -> None:
    shown = {rule["rule"] for example in EXAMPLES for rule in example.rules}
    there = {get_args(each.model_fields["rule"].annotation)[0] for each in get_args(get_args(model.Rule)[0])}
    assert shown == there
