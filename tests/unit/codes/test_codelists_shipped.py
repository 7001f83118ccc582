"""The shipped code lists: every list loads, every row says its source, and the reforms they must know are there."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from refino_eval.codes.codelists import Codelist, load_codelist
from refino_eval.codes.prices import load_index

FOLDER = Path(__file__).parents[3] / "config" / "codelists"
INDICES = ("cpi",)
LISTS = sorted(path.stem for path in FOLDER.glob("*.csv") if path.stem not in INDICES)


def in_use(codes: Codelist, day: dt.date) -> set[str]:
    return {row.code for row in codes.rows if (row.valid_from or day) <= day <= (row.valid_to or day)}


def in_group(codes: Codelist, group: str) -> set[str]:
    return {row.code for row in codes.rows if row.group == group}


@pytest.mark.parametrize("name", LISTS)
def test_list_loads_and_every_row_has_a_source(name: str) -> None:
    found = load_codelist(name, FOLDER)
    assert found.rows
    for row in found.rows:
        assert len(row.source) > 20, row.code
        assert row.group, row.code
        assert row.label_nb != row.code, row.code
        assert row.label_en, row.code


@pytest.mark.parametrize("name", INDICES)
def test_index_covers_the_registers(name: str) -> None:
    assert load_index(name, FOLDER).factor(2015, 2023) == pytest.approx(1.296)


@pytest.mark.parametrize(
    ("day", "counties"),
    [
        ("2017-12-31", 19),
        ("2018-01-01", 18),
        ("2019-12-31", 18),
        ("2020-01-01", 11),
        ("2023-12-31", 11),
        ("2024-01-01", 15),
    ],
)
def test_county_reforms(day: str, counties: int) -> None:
    assert len(in_use(load_codelist("counties", FOLDER), dt.date.fromisoformat(day))) == counties


def test_a_county_keeps_its_group_through_the_reforms() -> None:
    counties = load_codelist("counties", FOLDER)
    assert in_group(counties, "viken") == {"01", "02", "06", "30", "31", "32", "33"}
    assert in_group(counties, "trondelag") == {"16", "17", "50"}
    assert in_group(counties, "vestfold_og_telemark") == {"07", "08", "38", "39", "40"}


@pytest.mark.parametrize("year", [2017, 2018, 2019, 2020, 2023, 2024])
def test_a_group_of_counties_is_the_same_area_before_and_after_each_reform(year: int) -> None:
    counties = load_codelist("counties", FOLDER)
    now = in_use(counties, dt.date(year, 6, 1))
    assert all(in_group(counties, row.group) & now for row in counties.rows)


def test_predecessors_are_in_the_group_of_what_replaced_them() -> None:
    programmes = load_codelist("programmes", FOLDER)
    group = {row.code: row.group for row in programmes.rows}
    pairs = {"PRAKSORD": "ARBTREN", "PRAKSKJERM": "ARBFORB", "LONNTIL": "MIDLONTIL", "TIDSUBLONN": "VARLONTIL"}
    in_2019 = in_use(programmes, dt.date(2019, 6, 1))
    assert all(group[old] == group[new] for old, new in pairs.items())
    assert not in_2019 & set(pairs)
    assert set(pairs.values()) <= in_2019
    assert group["ENKELAMO"] == group["GRUPPEAMO"] != group["HOYEREUTD"]


def test_country_groups() -> None:
    groups, countries = load_codelist("country_groups", FOLDER), load_codelist("countries", FOLDER)
    assert groups.codes == ("1", "2", "3", "4")
    assert len(in_group(countries, "2")) == 11
    assert {row.group for row in countries.rows} <= set(groups.codes)
    assert {"SE", "PL"} <= set(countries.codes)
    assert "SO" not in countries.codes


def test_levels_of_one_digit_are_complete() -> None:
    digits = tuple("0123456789")
    assert load_codelist("occupation_major_groups", FOLDER).codes == digits
    assert load_codelist("education_levels", FOLDER).codes == digits
