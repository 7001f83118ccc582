"""How a number is written for a reader: decimals by kind of statistic, marks by language.

Standard errors keep two significant digits; their estimate and its interval limits have as many decimals (the rule of the Guide
to the Expression of Uncertainty in Measurement, section 7.2.6), and without a standard error two significant digits. Means have
three significant digits and at most two decimals, counts none. Where a number would need more than `PLAIN_DECIMALS`, it is
written with a power of ten. Rounding is half up on the shortest decimal text of the number, so 0.125 gives 0.13 on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Self

LARGEST_IN_FULL = 1e15
"""From here on a number is written with a power of ten: its digits are beyond what a double holds and a reader reads."""
PLAIN_DECIMALS = 5
"""Zeros behind the decimal sign cannot be counted at a glance: with more decimals than these a power of ten is written."""
RAISED_DIGITS = str.maketrans("-0123456789", "\N{SUPERSCRIPT MINUS}⁰¹²³⁴⁵⁶⁷⁸⁹")
MOST_DECIMALS = 12
"""More decimals than any reader uses."""

MEASURED = frozenset(
    {
        "estimate", "std_error", "conf_low", "conf_high", "band_low", "band_high", "ar_low", "ar_high", "mean", "mean_treated",
        "mean_control", "mean_control_std_error", "sd", "sd_treated", "sd_control", "mde", "margin", "rejected_below",
        "rejected_above", "bound_low", "bound_high", "bound_low_std_error", "bound_high_std_error",
    }
)  # fmt: skip
"""Statistics in the unit of the outcome, whose decimals a table may set."""


@dataclass(frozen=True)
class NumberStyle:
    """The marks of one language and one medium.

    Attributes
    ----------
    decimal
        Decimal sign.
    thousands
        Between groups of three digits, from 1 000 on.
    minus
        Minus sign.
    machine
        Whether a spreadsheet reads it, which takes ``(0.016)`` for a negative number.
    stars
        Levels of p, one star each; empty: no stars.
    decimals
        Decimals of effects, standard errors, interval limits, means and standard deviations; None: by the house rule.
    """

    decimal: str
    thousands: str
    minus: str = "\N{MINUS SIGN}"
    machine: bool = False
    stars: tuple[float, ...] = ()
    decimals: int | None = None

    @classmethod
    def of(cls, language: str, *, machine: bool = False, stars: Iterable[float] = ()) -> Self:
        """Return the style of a language; `machine` for spreadsheets, which read neither U+2212 nor grouping."""
        decimal, thousands = (",", "\N{NARROW NO-BREAK SPACE}") if language == "nb" else (".", ",")
        minus = "-" if machine else "\N{MINUS SIGN}"
        return cls(decimal, "" if machine else thousands, minus, machine, tuple(sorted(stars, reverse=True)))

    def fixed(self, value: float, decimals: int) -> str:
        """Write a number with so many decimals; never a negative zero."""
        if not math.isfinite(value):
            return ""
        if abs(value) >= LARGEST_IN_FULL:
            return self.of_text(f"{value:.3g}")
        number = _round(value, decimals)
        sign = self.minus if number < 0 else ""
        whole, _, fraction = f"{abs(number):f}".partition(".")
        groups = f"{int(whole):,}".replace(",", self.thousands)
        return sign + groups + (self.decimal + fraction if fraction else "")

    def rounded(self, value: float, decimals: int) -> str:
        """Write a number rounded to so many decimals: with a power of ten where they are more than `PLAIN_DECIMALS`."""
        if decimals <= PLAIN_DECIMALS or not math.isfinite(value):
            return self.fixed(value, decimals)
        if not (number := _round(value, decimals)):
            return "0"
        exponent = number.adjusted()
        mantissa = self.fixed(float(number.scaleb(-exponent)), decimals + exponent)
        if self.machine:
            return f"{mantissa}E{exponent:+03d}"
        return f"{mantissa}\N{NO-BREAK SPACE}\N{MULTIPLICATION SIGN}\N{NO-BREAK SPACE}10{str(exponent).translate(RAISED_DIGITS)}"

    def of_text(self, text: str) -> str:
        """Write a number given as text, with the decimals that it has."""
        return text.replace(".", self.decimal).replace("-", self.minus)

    def significant(self, value: float, digits: int, *, most: int = MOST_DECIMALS) -> str:
        """Write a number with so many significant digits, at most `most` decimals."""
        return self.rounded(value, decimals_for(value, digits, most=most))

    @property
    def beneath(self) -> str:
        """Pattern of a number that belongs to the one above or before it: in parentheses."""
        return "{}" if self.machine else "({})"

    def amount(self, value: float) -> str:
        """Write a characteristic's mean: two decimals, fewer from a hundred on."""
        if self.decimals is not None:
            return self.fixed(value, self.decimals)
        return self.fixed(value, decimals_for(value, 4, most=2))

    def integer(self, value: float) -> str:
        """Write a count."""
        return self.fixed(value, 0)

    def percent(self, share: float, decimals: int = 1) -> str:
        """Write a share as a percentage, with the space that both languages' style guides want in Norwegian only."""
        gap = "\N{NO-BREAK SPACE}" if self.decimal == "," else ""
        return self.fixed(share * 100.0, decimals) + gap + "%" if math.isfinite(share) else ""

    def starred(self, p_value: float) -> str:
        """Return a star for every level that a p-value is below; none without a p-value."""
        return "*" * sum(p_value < level for level in self.stars) if math.isfinite(p_value) else ""

    def p_value(self, value: float) -> str:
        """Write a p-value with three decimals, and ``<0.001`` below that."""
        if not math.isfinite(value):
            return ""
        return f"<{self.fixed(0.001, 3)}" if value < 0.001 else self.fixed(value, 3)


def decimals_for(value: float, digits: int, *, most: int = MOST_DECIMALS) -> int:
    """Return how many decimals show so many significant digits of a number, after rounding.

    Parameters
    ----------
    value
        The number; zero and what is not finite get `digits` decimals.
    digits
        Significant digits wanted.
    most
        No more decimals than this.
    """
    if not math.isfinite(value) or value == 0.0:
        return min(digits, most)
    if abs(value) >= LARGEST_IN_FULL:
        return 0
    number = abs(Decimal(repr(float(value))))
    decimals = digits - 1 - number.adjusted()
    # 0.0996 rounds to 0.10, which has the digit more that rounding carried over.
    if _round(float(number), max(decimals, 0)).adjusted() > number.adjusted():
        decimals -= 1
    return min(max(decimals, 0), most)


def _round(value: float, decimals: int) -> Decimal:
    return Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


def format_statistic(style: NumberStyle, statistic: str, value: float, *, std_error: float | None = None) -> str:
    """Write a number by the house rule for its statistic.

    Parameters
    ----------
    style
        Language and medium.
    statistic
        One of `tidy.STATISTICS`.
    value
        The number; NaN gives an empty text.
    std_error
        Standard error of the estimate that interval limits belong to: they get its decimals.
    """
    if not math.isfinite(value):
        return ""
    if statistic.startswith("p_value") or statistic == "q_value":
        return style.p_value(value)
    if statistic in ("n", "n_treated", "n_control", "n_cells", "n_clusters", "n_left_out", "count"):
        return style.integer(value)
    if style.decimals is not None and statistic in MEASURED:
        return style.fixed(value, style.decimals)
    if statistic in ("conf_low", "conf_high", "band_low", "band_high") and std_error:
        return style.rounded(value, decimals_for(std_error, 2))
    if statistic in ("mean", "mean_treated", "mean_control", "sd", "sd_control", "value"):
        return style.fixed(value, decimals_for(value, 3, most=2))
    if statistic in ("df", "df_residual"):
        return style.fixed(value, 0 if float(value).is_integer() else 1)
    if statistic in ("share", "r_squared", "f_stat", "t_stat", "normalised_difference", "weight", "chi2"):
        return style.fixed(value, 3 if statistic in ("normalised_difference", "weight") else 2)
    if statistic == "percent_of_control":
        return style.percent(value / 100.0)
    return style.significant(value, 2)
