"""Printed strings and the numbers they say."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from refino_eval.errors import UserError
from refino_eval.published.relations import load_relations
from refino_eval.published.values import load_published, parse_printed
from support.relation_checks import check_relations

DATA = Path(__file__).parents[3] / "data" / "published"


@pytest.mark.parametrize(
    ("text", "value", "decimals", "stars"),
    [
        ("-0.00088", "-0.00088", 5, 0),
        ("(0.0059)", "0.0059", 4, 0),
        ("0.0011**", "0.0011", 4, 2),
        ("0.070***", "0.070", 3, 3),
        ("4898", "4898", 0, 0),
        ("4 898", "4898", 0, 0),
        ("1\u00a0234\u202f567,8", "1234567.8", 1, 0),
        ("7,5", "7.5", 1, 0),
        ("\N{MINUS SIGN}0,17", "-0.17", 2, 0),
        ("30 %", "0.30", 2, 0),
        ("12,5%", "0.125", 3, 0),
        (".34", "0.34", 2, 0),
        ("(11.84)", "11.84", 2, 0),
        ("23 %*", "0.23", 2, 1),
        ("Sju", "7", 0, 0),
        ("twelve", "12", 0, 0),
        ("-1 42 000", "-142000", 0, 0),
    ],
)
def test_reads_a_published_number(text: str, value: str, decimals: int, stars: int) -> None:
    printed = parse_printed(text)
    assert (printed.value, printed.decimals, printed.stars) == (Decimal(value), decimals, stars)
    assert -printed.value.as_tuple().exponent == decimals  # the precision of the print is kept, trailing zeros too


def test_reads_misgrouped_digits_and_units() -> None:
    assert parse_printed("-1 42 000").misgrouped
    assert not any(parse_printed(text).misgrouped for text in ("4898", "4 898", "1 234 567,8", ".34"))
    told = parse_printed("4,5", unit="percent")
    assert (told.value, told.decimals, told.percent) == (Decimal("0.045"), 3, True)
    assert parse_printed("4,5 %", unit="percent") == parse_printed("4,5 %")
    assert parse_printed("4,5", unit="months").value == Decimal("4.5")


@pytest.mark.parametrize("text", ["", "-", "(0.5", "0.5)", "1.2.3", "12 34", "n.a.", "0.5 (0.1)", "****"])
def test_refuses_what_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match="published number"):
        parse_printed(text)


def _write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "report.csv"
    path.write_text("exhibit,panel,row,column,statistic,printed,qualifier,source_line\n" + text, encoding="utf-8")
    return path


def test_all_faults_of_a_file_at_once(tmp_path: Path) -> None:
    path = _write(
        tmp_path, "t,,a,b,mean,abc,,1\nt,,a,c,mean,0.1,abot,2\nt,,a,d,mean,0.1,,\nt,,e,e,n,1,,5\nt,,e,e,n,2,,6\n"
    )
    with pytest.raises(UserError) as caught:
        load_published(path)
    told = caught.value.problems
    assert len(told) == 4
    assert "line 2" in told[0]
    assert "'abc'" in told[0]
    assert "Did you mean 'about'?" in told[1]
    assert "line 4" in told[2]
    assert "lines 5, 6" in told[3]


def test_missing_file_and_column(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"gone\.csv"):
        load_published(tmp_path / "gone.csv")
    bare = tmp_path / "bare.csv"
    bare.write_text("exhibit,row\na,b\n", encoding="utf-8")
    with pytest.raises(UserError, match="missing columns panel, column, statistic, printed, source_line"):
        load_published(bare)


@pytest.fixture(scope="module")
def refino() -> pd.DataFrame:
    return load_published(DATA / "refino_2023.csv")


def test_the_refino_report_is_transcribed_whole(refino: pd.DataFrame) -> None:
    counts = refino.groupby("exhibit").size().to_dict()
    # 6 covariates x 6 numbers + 3 N; 6 x (2 x (b, se) + mean, N, R2) + 2; 5 x 4; 10 x (3 x 2 + 2); 9 x (8 x 2 + 2)
    expected = {"table_2_3": 39, "table_i": 44, "table_8_1": 20, "table_8_2": 20, "table_ii": 80, "table_iii": 162}
    # 6 areas; 3 years; 6 years x 3 + 2 durations + 3; three lines of 2, two of 3.
    others = {"table_2_1": 6, "table_2_2": 3, "table_8_3": 23, "table_8_4": 12}
    assert {name: n for name, n in counts.items() if name.startswith("table")} == {**expected, **others}


def test_reads_numbers_of_the_documents(refino: pd.DataFrame) -> None:
    prints = refino.set_index(["exhibit", "panel", "row", "column", "statistic"])["printed"]
    assert prints["table_8_1", "main", "refino", "wage", "estimate"] == "-0.00088"
    assert prints["table_8_2", "main", "refino", "half_time", "std_error"] == "(0.13)"
    assert prints["table_i", "", "occupational_income", "alone", "estimate"] == "0.0068**"
    # Kept as printed although the two cells stand in each other's columns.
    assert prints["table_ii", "linear", "refino", "wage", "estimate"] == "-0.010"
    assert prints["table_ii", "linear", "refino", "any_wage", "std_error"] == "(0.0061)"


def test_published_arithmetic_holds(refino: pd.DataFrame) -> None:
    checked = check_relations(load_relations(DATA / "refino_2023.relations.yaml"), refino)
    assert len(checked) > 90
    # 0.00088 of 100 000 kroner are 88: the one conversion of the text that is off.
    assert checked.loc[~checked["holds"], "is"].tolist() == ["text_8_1//wage/refino/value"]


def test_relations_find_a_wrong_digit(refino: pd.DataFrame) -> None:
    relations = load_relations(DATA / "refino_2023.relations.yaml")
    for key, wrong in (
        ("table_2_3,,all,refino,n", "1837"),
        ("table_2_3,,age,all,mean", "39.80"),
        ("table_8_1,main,refino,wage,estimate", "-0.0088"),
    ):
        broken = refino.copy()
        here = (broken[["exhibit", "panel", "row", "column", "statistic"]].agg(",".join, axis=1)) == key
        assert here.sum() == 1
        broken.loc[here, "printed"] = wrong
        assert (~check_relations(relations, broken)["holds"]).sum() > 1, key
