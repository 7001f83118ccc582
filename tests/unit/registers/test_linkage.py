"""Linkage of registers to the people drawn: who is found, which ids occur only there, and when a run stops."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from refino_eval.config.sources import LinkageExpectation
from refino_eval.csv_output import frame_csv
from refino_eval.registers.linkage import (
    Linkage,
    count_linkage,
    linkage_frame,
    linkage_problems,
    linkage_warnings,
    read_linkage,
)
from refino_eval.registers.receipt_problems import linkage_problems as receipt_linkage_problems

PEOPLE = pd.DataFrame({"person_id": [f"{n:04d}" for n in range(40)], "treated": [n % 2 for n in range(40)]})
EXCLUDED = "0999"


def link(folder: Path, ids: list[str], **stated: float) -> Linkage:
    """Link a register with some ids to forty people, of whom one more was drawn and excluded."""
    draws = pd.DataFrame({"person_id": [*PEOPLE["person_id"], EXCLUDED]})
    draws.to_parquet(folder / "draws.parquet")
    pd.DataFrame({"person_id": ids}).to_parquet(folder / "jobs.parquet")
    expectation = LinkageExpectation(**stated) if stated else None
    paths = {"jobs": folder / "jobs.parquet"}
    (linkage,) = count_linkage(PEOPLE, folder / "draws.parquet", paths, {"jobs": expectation})
    return linkage


def test_people_are_counted_by_arm_and_other_ids_apart(tmp_path: Path) -> None:
    linkage = link(tmp_path, ["0000", "0000", "0002", "0003", EXCLUDED, "8001", "8002"])
    assert (linkage.people, linkage.found) == (40, 3)
    assert (linkage.treated, linkage.treated_found) == (20, 1)
    assert (linkage.control, linkage.control_found) == (20, 2)
    assert (linkage.ids_only_there, linkage.alike) == (2, 0)
    assert linkage_problems([linkage]) == []
    assert linkage_frame([linkage]).loc[0, "found"] == 3


@pytest.mark.parametrize(
    "write", [lambda i: i.lstrip("0"), lambda i: f"\xa0{i}", lambda i: f"{i}.0", lambda i: f"{i[:2]}-{i[2:]}"]
)
def test_ids_written_in_another_way_stop_a_run(tmp_path: Path, write) -> None:
    ids = [write(i) if n % 5 == 1 else i for n, i in enumerate(PEOPLE["person_id"])]
    linkage = link(tmp_path, ids, expected=0.5)
    assert linkage.alike == linkage.ids_only_there == 8
    (problem,) = linkage_problems([linkage])
    assert "config/sources/jobs.yaml" in problem
    assert "8 of these ids differ" in problem


def test_an_id_of_somebody_else_is_not_taken_for_one_that_is_found(tmp_path: Path) -> None:
    # 12 is another person than 0012, who is found.
    assert link(tmp_path, [*PEOPLE["person_id"], "12"]).alike == 0


@pytest.mark.parametrize(
    ("found", "stated", "stops"),
    [
        (0, {}, True),
        (1, {}, False),
        (0, {"expected": 0.9}, True),
        (0, {"expected": 0.05}, False),
        (0, {"expected": 0.0, "at_least": 0.0}, False),
        (30, {"expected": 0.9}, False),
        (5, {"expected": 0.9}, True),
        (19, {"at_least": 0.5}, True),
        (20, {"at_least": 0.5}, False),
    ],
)
def test_a_run_stops_below_the_floor(tmp_path: Path, found: int, stated: dict[str, float], stops: bool) -> None:
    linkage = link(tmp_path, [*PEOPLE["person_id"][:found], "8001"], **stated)
    problems = linkage_problems([linkage])
    assert bool(problems) == stops
    assert all(f"{found} of 40 people" in problem and "0001" not in problem for problem in problems)


def test_nobody_is_no_problem_of_linkage(tmp_path: Path) -> None:
    nobody = Linkage("jobs", 0, 0, 0, 0, 0, 0, 3, 0, 0.9, 0.45)
    assert linkage_problems([nobody]) == []


@pytest.mark.parametrize(
    ("found", "expected", "warns"),
    [(30, 0.95, True), (38, 0.95, False), (36, 0.95, False), (20, 0.5, False), (5, None, False)],
)
def test_fewer_people_than_expected_is_a_warning_where_chance_does_not_explain_it(tmp_path, found, expected, warns):
    stated = {} if expected is None else {"expected": expected}
    linkage = link(tmp_path, list(PEOPLE["person_id"][:found]), **stated)
    assert linkage_problems([linkage]) == []
    warnings = linkage_warnings([linkage])
    assert bool(warnings) == warns
    assert not warns or warnings == ["jobs: 30 of 40 people are found (75%), and 95% are expected."]


def test_a_difference_between_the_arms_is_a_warning(tmp_path):
    linkage = link(tmp_path, [i for n, i in enumerate(PEOPLE["person_id"]) if n % 2 or n < 4])
    assert linkage_warnings([linkage]) == ["jobs: 20 of 20 treated and 2 of 20 controls are found in the register."]
    problems = {problem.rule: problem.severity for problem in receipt_linkage_problems([linkage])}
    assert problems == {"linkage_by_arm": "warning"}


def test_linkage_is_read_as_it_was_written(tmp_path):
    linkages = [link(tmp_path, ["0000"], expected=0.03), link(tmp_path, ["0001"])]
    (tmp_path / "linkage.csv").write_text(frame_csv(linkage_frame(linkages)), encoding="utf-8")
    assert list(read_linkage(tmp_path / "linkage.csv")) == linkages
