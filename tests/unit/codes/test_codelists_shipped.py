"""The shipped code lists: every list loads, every row says its source, and the reforms they must know are there."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from refino_eval.codes.codelists import load_codelist
from refino_eval.codes.prices import load_index

FOLDER = Path(__file__).parents[3] / "config" / "codelists"
INDICES = ("cpi",)
LISTS = sorted(path.stem for path in FOLDER.glob("*.csv") if path.stem not in INDICES)


@pytest.mark.parametrize("name", LISTS)
def test_list_loads_and_every_row_has_a_source(name: str) -> None:
    found = load_codelist(name, FOLDER)
    assert found.rows
    for row in found.rows:
        assert len(row.source) > 20, row.code
        assert row.group, row.code
        assert row.label_nb != row.code, row.code
        assert row.label_en, row.code
    assert all(found.in_group(group) for group in found.groups)


@pytest.mark.parametrize("name", INDICES)
def test_index_covers_the_registers(name: str) -> None:
    assert load_index(name, FOLDER).factor(2015, 2023) == pytest.approx(1.296)


@pytest.mark.parametrize(
    ("day", "counties"), [("2017-12-31", 19), ("2018-01-01", 18), ("2020-01-01", 11), ("2024-01-01", 15)]
)
def test_county_reforms(day: str, counties: int) -> None:
    assert len(load_codelist("counties", FOLDER).valid_on(dt.date.fromisoformat(day))) == counties


def test_a_county_keeps_its_group_through_the_reforms() -> None:
    counties = load_codelist("counties", FOLDER)
    assert set(counties.in_group("viken")) == {"01", "02", "06", "30", "31", "32", "33"}
    assert set(counties.in_group("trondelag")) == {"16", "17", "50"}
    assert set(counties.in_group("vestfold_og_telemark")) == {"07", "08", "38", "39", "40"}


def test_predecessors_are_in_the_group_of_what_replaced_them() -> None:
    programmes = load_codelist("programmes", FOLDER)
    pairs = {"PRAKSORD": "ARBTREN", "PRAKSKJERM": "ARBFORB", "LONNTIL": "MIDLONTIL", "TIDSUBLONN": "VARLONTIL"}
    for old, new in pairs.items():
        assert programmes.group_of(old) == programmes.group_of(new)
        assert old in programmes.unknown([old], dt.date(2019, 6, 1))
        assert not programmes.unknown([new], dt.date(2019, 6, 1))
    assert programmes.group_of("ENKELAMO") == programmes.group_of("GRUPPEAMO") != programmes.group_of("HOYEREUTD")


def test_country_groups() -> None:
    groups, countries = load_codelist("country_groups", FOLDER), load_codelist("countries", FOLDER)
    assert groups.codes == ("1", "2", "3", "4")
    assert len(countries.in_group("2")) == 11
    assert set(countries.groups) <= set(groups.codes)
    assert countries.unknown(["SE", "PL", "SO"]) == ("SO",)


def test_levels_of_one_digit_are_complete() -> None:
    digits = tuple("0123456789")
    assert load_codelist("occupation_major_groups", FOLDER).codes == digits
    assert load_codelist("education_levels", FOLDER).codes == digits
