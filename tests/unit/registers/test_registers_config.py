"""The sources and code lists that the project ships: complete, coherent, and fit for the delivery they describe."""

from __future__ import annotations

import csv
import datetime as dt
import os
from pathlib import Path

import duckdb
import pytest
import yaml

from refino_eval.codes.codelists import load_codelist, load_codelists
from refino_eval.config.sources import Source
from refino_eval.registers.ingest import ingest
from refino_eval.registers.rules import rule_problems
from refino_eval.registers.variables import variable_list

ROOT = Path(__file__).parents[3]
SOURCES = sorted((ROOT / "config" / "sources").glob("*.yaml"))
FOLDER = ROOT / "config" / "codelists"
SHARED = Path(os.environ.get("REFINO_EVAL_SHARED", ROOT.parent / "shared"))
ORIGIN = dt.date(1994, 12, 26)

DELIVERY = {
    "draws": "person_id start county office arm",
    "persons": "person_id sex birth_date immigrant_category municipality",
    "jobs": "person_id job_id employer_id occupation contract weekly_hours position_percent start stop",
    "wages": "person_id employer_id period amount",
    "incomes": "person_id period occupational_income pensionable_income",
    "aap": "person_id start stop decision",
    "sickness": "person_id start stop grade",
    "unemployment": "person_id start stop benefit",
    "disability": "person_id start stop grade",
    "programmes": "person_id programme start stop status",
    "registrations": "person_id start stop status effort_group",
    "diagnoses": "person_id start diagnosis",
}


def load(path: Path) -> Source:
    return Source.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def codelists_of(source: Source) -> dict[str, object]:
    return dict(load_codelists([c.codelist for c in source.columns.values() if c.codelist], FOLDER))


def test_every_register_of_the_delivery_has_its_source() -> None:
    sources = {path.stem: load(path) for path in SOURCES}
    assert {name: set(columns.split()) for name, columns in DELIVERY.items()} == {
        name: set(sources[name].columns) for name in DELIVERY
    }


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_source_can_be_carried_out(path: Path) -> None:
    source = load(path)
    assert source.register_name == path.stem
    assert rule_problems(source, codelists_of(source), ORIGIN) == []
    reasons = [column.why for column in source.columns.values()]
    assert all(reason[0].isupper() and reason.endswith(".") for reason in reasons)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.csv")), ids=lambda path: path.stem)
def test_code_list_reads(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as handle:
        header = next(csv.reader(handle))
    if header[0] == "code":
        assert load_codelist(path.stem, FOLDER).codes


def test_variable_list_names_every_column_once_in_both_languages() -> None:
    sources = [load(path) for path in SOURCES]
    norwegian, english = (variable_list(sources, language) for language in ("nb", "en"))
    assert len(english) == sum(len(source.columns) for source in sources)
    first = next(row for row in english if (row.register, row.column) == ("jobs", "weekly_hours"))
    assert (first.register_label, first.source_column, first.type) == (
        "Jobs",
        "timer_uke",
        "decimal number (hundredths)",
    )
    assert norwegian[0].type == "identifikator"
    assert "outcome" in first.why


def job_corps() -> Path:
    folder = SHARED / "data" / "jobcorps_lee2009"
    if not folder.is_dir():
        pytest.skip("the public Job Corps files are not here: set REFINO_EVAL_SHARED to the folder that has data/")
    return folder


def test_job_corps_spells_hold_the_weeks_of_the_file(tmp_path: Path) -> None:
    folder = job_corps()
    source = load(ROOT / "config" / "sources" / "job_corps_jobs.yaml")
    clean = tmp_path / "clean.parquet"
    report = ingest(source, folder, codelists={}, clean_path=clean, rejects_path=tmp_path / "r.parquet", origin=ORIGIN)
    assert (report.delivered, report.rejected) == (23_884, 0)
    # Back to weeks by plain subtraction, and from ids to the numbers of the file.
    back = duckdb.sql(
        f"SELECT CAST(person_id AS BIGINT) AS id, (start - DATE '1994-12-26') // 7 AS start_week, "
        f"(stop - DATE '1994-12-26') // 7 - 1 AS end_week FROM '{clean}' ORDER BY ALL"
    ).fetchall()
    assert back == duckdb.sql(f"SELECT * FROM '{folder}/employment_spells.parquet' ORDER BY ALL").fetchall()
    bounds = duckdb.sql(f"SELECT min(start), max(stop) FROM '{clean}'").fetchall()[0]
    assert bounds == (dt.date(1995, 1, 2), dt.date(1998, 12, 28))


def test_job_corps_baseline_keeps_ids_and_missing_values(tmp_path: Path) -> None:
    folder = job_corps()
    source = load(ROOT / "config" / "sources" / "job_corps_baseline.yaml")
    clean = tmp_path / "clean.parquet"
    report = ingest(source, folder, codelists={}, clean_path=clean, rejects_path=tmp_path / "r.parquet")
    assert (report.clean, report.rejected, report.people) == (9_145, 0, 9_145)
    for name, column in source.columns.items():
        inside, delivered = (
            duckdb.sql(f"SELECT CAST(\"{shown}\" AS DOUBLE) AS x FROM '{path}' ORDER BY ALL NULLS LAST").fetchall()
            for shown, path in ((name, clean), (column.source, folder / "baseline.parquet"))
        )
        assert inside == delivered, name
    arms = duckdb.sql(f"SELECT arm, count(*) FROM '{clean}' GROUP BY arm ORDER BY arm").fetchall()
    assert arms == [(0, 3_599), (1, 5_546)]
