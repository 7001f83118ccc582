"""Verdicts: what counts as equal, as a digit apart, as sampling error, as a difference."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refino_eval.published.compare import compare, compare_files, round_as_printed
from refino_eval.published.values import parse_printed

KEYS = ("exhibit", "panel", "row", "column", "statistic")


def _published(
    printed: str, statistic: str = "estimate", qualifier: str = "", *, row: str = "r", column: str = "c"
) -> pd.DataFrame:
    return pd.DataFrame([{"exhibit": "t", "panel": "p", "row": row, "column": column, "statistic": statistic,
                          "printed": printed, "qualifier": qualifier, "source_line": 1}])  # fmt: skip


def _numbers(row: str = "r", column: str = "c", panel: str = "p", **statistics: float) -> list[dict[str, object]]:
    return [{"exhibit": "t", "panel": panel, "row": row, "column": column, "statistic": s, "value": v, "n_persons": None,
             "status": ""} for s, v in statistics.items()]  # fmt: skip


def _judge(
    published: pd.DataFrame, numbers: list[dict[str, object]], data_class: str = "confidential"
) -> dict[str, object]:
    return compare(published, pd.DataFrame(numbers), data_class=data_class).iloc[0].to_dict()


@pytest.mark.parametrize(
    ("obtained", "verdict"),
    [
        (-0.17, "equal"),
        (-0.1651, "equal"),
        (-0.175, "equal"),  # a tie: half up and half even disagree, so neither is wrong
        (-0.165, "equal"),
        (-0.17500001, "last_digit"),
        (-0.16, "last_digit"),
        (-0.185, "last_digit"),
        (-0.18500001, "differs"),
        (0.17, "differs"),
    ],
)
def test_boundaries(obtained: float, verdict: str) -> None:
    assert _judge(_published("-0.17"), _numbers(estimate=obtained))["verdict"] == verdict


@pytest.mark.parametrize(
    ("printed", "qualifier", "obtained", "verdict"),
    [
        ("30 %", "about", 0.2751, "equal"),
        ("30 %", "about", 0.2749, "differs"),
        ("7,5", "about", 7.74, "equal"),
        ("20 %", "just_under", 0.17, "equal"),
        ("20 %", "just_under", 0.20, "differs"),
        ("20 %", "just_under", 0.1499, "differs"),
        ("10 %", "just_over", 0.13, "equal"),
        ("10 %", "just_over", 0.099, "differs"),
    ],
)
def test_levels_in_words(printed: str, qualifier: str, obtained: float, verdict: str) -> None:
    assert _judge(_published(printed, "mean", qualifier), _numbers(mean=obtained))["verdict"] == verdict


def test_sampling_error_applies_to_synthetic_data_only() -> None:
    reach = 2.0 * 0.05
    for obtained, verdict in ((0.10 + reach - 1e-6, "within_sampling_error"), (0.10 + reach + 1e-6, "differs")):
        numbers = _numbers(estimate=obtained, std_error=0.05)
        assert _judge(_published("0.10"), numbers, "synthetic")["verdict"] == verdict
        assert _judge(_published("0.10"), numbers)["verdict"] == "differs"
    judged = _judge(_published("0.10"), _numbers(estimate=0.20, std_error=0.05))
    assert judged["distance_in_se"] == pytest.approx(0.1 / 0.05)


@pytest.mark.parametrize(
    ("statistic", "numbers", "error"),
    [
        ("mean", _numbers(mean=5.0, sd=2.0, n=400), 2.0 / 20),
        ("mean_control", _numbers(mean_control=5.0, sd_control=3.0, n_control=900), 3.0 / 30),
        ("sd", _numbers(sd=5.0, n=200), 5.0 / 20),
        ("std_error", _numbers(std_error=5.0, df=50, n=60), 5.0 / 10),
        ("share", _numbers(share=0.5, n=100), 0.05),
        ("r_squared", _numbers(r_squared=0.25, n=100), 2 * 0.5 * 0.75 / 10),
    ],
)
def test_standard_errors(statistic: str, numbers: list[dict[str, object]], error: float) -> None:
    judged = _judge(_published("1.00", statistic), numbers)
    value = next(n["value"] for n in numbers if n["statistic"] == statistic)
    assert judged["distance_in_se"] == pytest.approx(abs(value - 1.0) / error)


def test_control_mean_of_a_balance_table() -> None:
    numbers = [
        *_numbers(column="alone", panel="", mean_control=40.0),
        *_numbers(column="a", panel="differences", mean=39.0, sd=9.0, n=100),
        *_numbers(column="b", panel="differences", mean=40.0, sd=12.0, n=400),
    ]
    published = _published("41.00", "mean_control", column="alone").assign(panel="")
    assert _judge(published, numbers)["distance_in_se"] == pytest.approx(1.0 / 0.6)


def test_counts_have_no_sampling_error() -> None:
    assert _judge(_published("4898", "n"), _numbers(n=4850), "synthetic")["verdict"] == "differs"
    assert _judge(_published("4898", "n"), _numbers(n=4897), "synthetic")["verdict"] == "last_digit"


def test_pooled_level_of_both_arms() -> None:
    numbers = [
        *_numbers(row="0", column="a", mean=0.4, sd=0.5, n=100),
        *_numbers(row="0", column="b", mean=0.2, sd=0.4, n=300),
    ]
    judged = _judge(_published("25 %", "mean", row="0", column="all"), numbers)
    assert judged["obtained"] == pytest.approx(0.25)
    assert judged["verdict"] == "equal"
    far = _judge(_published("35 %", "mean", row="0", column="all"), numbers)
    error = math.sqrt(100 * 0.25 + 300 * 0.16) / 400
    assert far["distance_in_se"] == pytest.approx(0.10 / error)


def test_size_of_the_joint_regression_is_that_of_its_rows() -> None:
    numbers = [*_numbers(row="age", column="joint", n=4897), *_numbers(row="joint_test", column="joint", f_stat=1.9)]
    assert _judge(_published("4897", "n", row="joint_test", column="joint"), numbers)["verdict"] == "equal"


def test_missing_when_there_is_no_number_or_it_was_taken_out() -> None:
    assert _judge(_published("0.1"), _numbers(column="other", estimate=0.1))["verdict"] == "missing"
    assert _judge(_published("0.1"), _numbers(estimate=math.nan))["verdict"] == "missing"


def test_exhibits_restrict_the_comparison() -> None:
    assert compare(_published("0.1"), pd.DataFrame(_numbers(estimate=0.1)), exhibits=["other"]).empty


def test_files_in_and_out(tmp_path: Path) -> None:
    printed, tidy, out = tmp_path / "p.csv", tmp_path / "t.csv", tmp_path / "run" / "comparison.csv"
    _published("30 %", "share", column="c").to_csv(printed, index=False)
    tidy.write_text(
        "exhibit,panel,row,column,statistic,value,n_persons,status\nt,p,r,c,share,0.304,200,\nt,p,0,c,n,,,suppressed\n"
    )
    (tmp_path / "p.source.yaml").write_text('pages: {t: "93-"}\n')
    judged = compare_files([printed], [tidy], data_class="synthetic", out_path=out)
    assert judged["verdict"].tolist() == ["equal"]
    assert judged["pages"].tolist() == ["93-"]
    assert judged["distance_in_se"].notna().all()  # n_persons is used where there is no n
    first = out.read_bytes()
    compare_files([printed], [tidy], data_class="synthetic", out_path=out)
    assert out.read_bytes() == first
    assert compare_files([], [tidy], data_class="public", out_path=out).empty
    assert out.read_text().startswith("exhibit,panel,row")


@given(
    value=st.floats(-1e6, 1e6, allow_nan=False),
    decimals=st.integers(0, 6),
    comma=st.booleans(),
    wrap=st.sampled_from(["{}", "({})", "{}**", "{} %"]),
)
def test_number_rounded_as_published_is_equal(value: float, decimals: int, comma: bool, wrap: str) -> None:
    shown = value * 100 if "%" in wrap else value
    text = wrap.format(f"{shown:.{decimals}f}")
    printed = text.replace(".", ",") if comma else text
    judged = _judge(_published(printed), _numbers(estimate=value))
    # Multiplying by 100 rounds too: a hair's breadth from a tie the percentage may print the neighbour.
    assert judged["verdict"] == "equal" or (
        "%" in wrap and judged["verdict"] == "last_digit" and _near_tie(shown, decimals)
    )
    assert parse_printed(str(judged["obtained_rounded"])).decimals == parse_printed(printed).decimals


def _near_tie(value: float, decimals: int) -> bool:
    scaled = abs(value) * 10**decimals
    return abs(scaled - math.floor(scaled) - 0.5) < 1e-6


def test_never_a_negative_zero() -> None:
    assert round_as_printed(-0.0001, parse_printed("0.10")) == "0.00"
    assert round_as_printed(0.2949, parse_printed("30 %")) == "29 %"
