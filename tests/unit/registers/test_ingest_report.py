"""Counts of an ingestion: they add up, survive JSON, and become the two quality tables."""

from __future__ import annotations

import pandas as pd
import pytest

from refino_eval.registers.ingest_report import FileCount, IngestReport, RuleCount, quality_tables


def make(register: str = "jobs", **changes: int) -> IngestReport:
    counts = {"delivered": 10, "clean": 7, "rejected": 3, "people": 4} | changes
    rules = (RuleCount("duplicate_row", 1, 1), RuleCount("unreadable_line", 2, 0))
    return IngestReport(register=register, **counts, rules=rules, files=(FileCount("a_v1.csv", 10),))


@pytest.mark.parametrize("changes", [{"delivered": 11}, {"clean": 8}, {"clean": 6, "rejected": 4}])
def test_counts_must_add_up(changes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="add up"):
        make(**changes)


def test_json_round_trip() -> None:
    report = make()
    assert IngestReport.from_json(report.to_json()) == report


def linked(*registers: str) -> pd.DataFrame:
    return pd.DataFrame({"register": pd.Series(registers, dtype=str), "found": 3, "ids_only_there": 1})


def test_quality_tables_have_the_fixed_columns_and_order() -> None:
    quality, rules = quality_tables([make("wages"), make("jobs")], linked("jobs", "wages"))
    assert quality.to_csv(index=False).splitlines() == [
        "register,delivered,clean,rejected,people,found,ids_only_there",
        "jobs,10,7,3,4,3,1",
        "wages,10,7,3,4,3,1",
    ]
    assert rules.to_csv(index=False).splitlines()[:3] == [
        "register,rule,rows,people",
        "jobs,duplicate_row,1,1",
        "jobs,unreadable_line,2,0",
    ]


def test_quality_tables_of_nothing_keep_their_columns() -> None:
    quality, rules = quality_tables([], linked())
    assert list(quality) == ["register", "delivered", "clean", "rejected", "people", "found", "ids_only_there"]
    assert list(rules) == ["register", "rule", "rows", "people"]


def test_repairs_are_rows_of_their_own_and_reject_nothing() -> None:
    repairs = (RuleCount("hours_from_percent", 5, 4),)
    rules = (RuleCount("value_range", 1, 1), RuleCount("bad_value", 1, 1))
    report = IngestReport("jobs", 10, 8, 2, 7, rules, (FileCount("jobs.csv", 10),), repairs)
    assert IngestReport.from_json(report.to_json()) == report
    quality, by_rule = quality_tables([report], linked("jobs"))
    assert quality.loc[0, ["clean", "rejected"]].tolist() == [8, 2]
    assert by_rule.to_numpy().tolist() == [
        ["jobs", "bad_value", 1, 1],
        ["jobs", "repaired:hours_from_percent", 5, 4],
        ["jobs", "value_range", 1, 1],
    ]
    # A report that was written before there were repairs can still be read.
    assert IngestReport.from_json(
        report.to_json().replace('"repairs"', '"unknown"').split(',\n  "unknown"')[0] + "\n}\n"
    )
