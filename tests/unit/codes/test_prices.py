"""Price indices: exact factors, and a plain word about a year that is not there."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from refino_eval.codes.prices import load_index
from refino_eval.errors import UserError

CONFIG = Path(__file__).parents[3] / "config" / "codelists"


def write(folder: Path, *rows: str) -> Path:
    (folder / "index.csv").write_text("year,value,source\n" + "".join(row + "\n" for row in rows), encoding="utf-8")
    return folder


def test_consumer_price_index_as_published() -> None:
    cpi = load_index("cpi", CONFIG)
    assert cpi.factor(2015, 2015) == 1.0
    assert cpi.factor(2018, 2023) == float(Fraction(1296, 1084))
    assert cpi.factor(2023, 2018) == float(Fraction(1084, 1296))
    published = [95.9, 97.9, 100.0, 103.6, 105.5, 108.4, 110.8, 112.2, 116.1, 122.8, 129.6]
    assert [float(cpi.value(year)) for year in range(2013, 2024)] == published


def test_year_outside_the_index_reports_its_range() -> None:
    with pytest.raises(UserError, match="no value for 2012; it covers 2013-2023"):
        load_index("cpi", CONFIG).factor(2012, 2023)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (("2015,100,s", "2015,101,s"), "year 2015 is repeated"),
        (("2015,100,s", "2017,101,s"), "year 2016 is missing"),
        (("2015,\"100,0\",s",), "not a positive number"),
        (("2015,0,s",), "not a positive number"),
        (("15,100,s",), "not a year of four digits"),
        (("2015,100,",), "source is empty"),
        ((), "has no rows"),
    ],
)  # fmt: skip
def test_faulty_index(tmp_path: Path, rows: tuple[str, ...], told: str) -> None:
    with pytest.raises(UserError, match=told):
        load_index("index", write(tmp_path, *rows))


def test_missing_index(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no file index\.csv"):
        load_index("index", tmp_path)
