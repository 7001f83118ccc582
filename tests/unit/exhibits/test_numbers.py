"""How numbers are written in both languages."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refino_eval.exhibits.wording.number_format import NumberStyle, decimals_for, format_statistic

NB, EN = NumberStyle.of("nb"), NumberStyle.of("en")
SHEET = NumberStyle.of("nb", machine=True)


@pytest.mark.parametrize(
    ("statistic", "value", "nb", "en"),
    [
        ("estimate", -0.00088, "−0,00088", "−0.00088"),
        ("estimate", 0.2, "0,20", "0.20"),
        ("estimate", 0.0996, "0,10", "0.10"),
        ("estimate", 0.00996, "0,010", "0.010"),
        ("estimate", 9.96, "10", "10"),
        ("estimate", 1234.5, "1 235", "1,235"),
        ("estimate", 8.1e-7, "8,1~×~10⁻⁷", "8.1~×~10⁻⁷"),
        ("estimate", -1e-15, "0", "0"),
        ("std_error", 0.0059, "0,0059", "0.0059"),
        ("mean", 15.58, "15,6", "15.6"),
        ("mean", 4.862, "4,86", "4.86"),
        ("mean_control", 0.4712, "0,47", "0.47"),
        ("n", 4898, "4 898", "4,898"),
        ("n", 4898000, "4 898 000", "4,898,000"),
        ("p_value", 0.00049, "<0,001", "<0.001"),
        ("p_value", 0.0815, "0,082", "0.082"),
        ("r_squared", 0.2134, "0,21", "0.21"),
        ("mean", math.nan, "", ""),
        ("mean", 0.125, "0,13", "0.13"),
    ],
)
def test_house_rules(statistic: str, value: float, nb: str, en: str) -> None:
    assert format_statistic(NB, statistic, value) == nb.replace(" ", "\N{NARROW NO-BREAK SPACE}").replace(
        "~", "\N{NO-BREAK SPACE}"
    )
    assert format_statistic(EN, statistic, value) == en.replace("~", "\N{NO-BREAK SPACE}")


def test_interval_limits_take_the_decimals_of_the_standard_error() -> None:
    assert format_statistic(NB, "conf_low", -0.04096, std_error=0.016) == "−0,041"
    assert format_statistic(EN, "conf_high", 1.2608, std_error=0.73) == "1.26"


def test_spreadsheets_get_plain_marks() -> None:
    assert format_statistic(SHEET, "n", 4898) == "4898"
    assert format_statistic(SHEET, "estimate", -0.17) == "-0,17"
    assert SHEET.beneath == "{}"  # (0,016) would be read as a negative number
    assert NB.beneath == "({})"


def test_percent() -> None:
    assert NB.percent(0.3049) == "30,5\N{NO-BREAK SPACE}%"
    assert EN.percent(0.3049, 0) == "30%"


@given(st.floats(-1e9, 1e9), st.integers(0, 6))
def test_fixed_is_within_half_a_unit_and_never_a_negative_zero(value: float, decimals: int) -> None:
    text = EN.fixed(value, decimals)
    number = float(text.replace(",", "").replace("−", "-"))
    assert abs(number - value) <= 0.5 * 10.0**-decimals * (1 + 1e-9) + abs(value) * 1e-15
    assert not (text.startswith("−") and number == 0.0)


@given(st.floats(1e-4, 1e4), st.integers(2, 4))
def test_significant_digits(value: float, digits: int) -> None:
    shown = (
        EN.significant(value, digits, most=12)
        .split("\N{NO-BREAK SPACE}")[0]
        .replace(",", "")
        .replace(".", "")
        .lstrip("0")
    )
    whole = len(str(int(value)))
    assert len(shown) == max(digits, whole) or len(shown) == max(digits, len(str(round(value))))


def test_a_number_of_many_zeros_is_written_with_a_power_of_ten() -> None:
    texts = [
        EN.rounded(value, 9).replace("\N{NO-BREAK SPACE}", " ") for value in (3.7e-8, -4.4e-9, 9.96e-8, 0.5, 1e-12)
    ]
    assert texts == ["3.7 × 10⁻⁸", "−4 × 10⁻⁹", "1.00 × 10⁻⁷", "5.00000000 × 10⁻¹", "0"]
    assert SHEET.rounded(3.7e-8, 9) == "3,7E-08"
    assert EN.rounded(0.000012, 5) == "0.00001"
    assert format_statistic(EN, "conf_low", -1.4e-7, std_error=9.2e-8) == "−1.40 × 10⁻⁷".replace(
        " ", "\N{NO-BREAK SPACE}"
    )


def test_most_decimals_holds() -> None:
    assert decimals_for(1e-15, 2) == 12
    assert decimals_for(0.0, 2) == 2


@pytest.mark.parametrize("value", [1e300, -1.5e20, 1e15])
def test_enormous_numbers_are_written_with_a_power_of_ten(value: float) -> None:
    for statistic in ("estimate", "mean", "n", "percent_of_control", "conf_low"):
        text = format_statistic(NumberStyle.of("en"), statistic, value, std_error=abs(value))
        assert "e+" in text
        assert len(text) < 14
