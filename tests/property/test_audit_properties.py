"""The audit on random tables: silent on whatever is only rounded, and not on planted errors above rounding.

A table is made from true numbers that belong together (people, counts, amounts, estimates with their errors), and printed with
any number of decimals, ties to even or upwards. Then one print is spoiled: exchanged, turned, moved by ten, or changed in
one digit.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from refino_eval.published.audit import Finding, audit
from refino_eval.published.relations import Relation
from refino_eval.published.values import COLUMNS

SEEDS = st.integers(0, 2**32 - 1)
PRINTED = tuple[str, str, str, str, str]
STARS = Relation.model_validate(
    {"kind": "stars", "why": "Noted.", "of": ["*/*/*/*/*"], "levels": ["0.1", "0.05", "0.01"], "df": 100_000}
)


def print_of(value: float, decimals: int, even: bool = False) -> str:
    rounding = ROUND_HALF_EVEN if even else ROUND_HALF_UP
    return f"{Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-decimals), rounding=rounding):f}"


def people(rng: np.random.Generator, decimals: int, even: bool) -> dict[PRINTED, str]:
    """Two arms and all: yes/no rows with deviations, an amount, shares of a category, and differences."""
    sizes = {"a": int(rng.integers(40, 1500)), "b": int(rng.integers(40, 1500))}
    cells: dict[PRINTED, str] = {}
    columns = {"a": slice(0, sizes["a"]), "b": slice(sizes["a"], None), "all": slice(None)}
    total = sum(sizes.values())
    for name, part in columns.items():
        cells["people", "", "all", name, "n"] = str(len(range(total)[part]))
    for row in range(5):
        values = (rng.random(total) < rng.uniform(0.02, 0.98)).astype(float) if row < 3 else rng.gamma(2.0, 2.0, total)
        means = {}
        for name, part in columns.items():
            means[name] = values[part].mean()
            cells["people", "", f"r{row}", name, "mean"] = print_of(means[name], decimals, even)
            cells["people", "", f"r{row}", name, "sd"] = print_of(values[part].std(ddof=1), decimals, even)
        cells["people", "", f"r{row}", "gap", "mean"] = print_of(means["b"] - means["a"], decimals, even)
    kinds = rng.integers(0, 4, total)
    for name, part in columns.items():
        cells["kinds", "", "all", name, "n"] = str(len(kinds[part]))
        for kind in range(4):
            share = 100 * float(np.mean(kinds[part] == kind))
            cells["kinds", "kind", f"k{kind}", name, "share"] = print_of(share, min(decimals, 2), even)
            cells["years", "", f"y{kind}", name, "count"] = str(int(np.sum(kinds[part] == kind)))
        cells["years", "", "all", name, "count"] = str(len(kinds[part]))
    return cells


def effects(rng: np.random.Generator, digits: int, even: bool) -> dict[PRINTED, str]:
    """Four outcomes of different scales under three specifications, with everything that follows from the estimate."""
    cells: dict[PRINTED, str] = {}
    for column, scale in enumerate((0.006, 0.016, 0.75, 0.2)):
        decimals = digits - math.floor(math.log10(scale)) - 1
        base = rng.normal(0.0, 1.5)
        for panel in ("main", "none", "linear"):
            error = scale * rng.uniform(0.97, 1.03)
            estimate = error * (base + rng.normal(0.0, 0.2))
            t = estimate / error
            p = 2 * norm.sf(abs(t))
            stars = "*" * sum(p < level for level in (0.1, 0.05, 0.01))
            key = ("effects", panel, "treated", f"o{column}")
            cells[*key, "estimate"] = print_of(estimate, decimals, even) + stars
            cells[*key, "std_error"] = f"({print_of(error, decimals, even)})"
            cells[*key, "t_stat"] = print_of(t, 2, even)
            cells[*key, "p_value"] = print_of(p, 3, even)
            cells[*key, "conf_low"] = print_of(estimate - 1.959964 * error, decimals, even)
            cells[*key, "conf_high"] = print_of(estimate + 1.959964 * error, decimals, even)
            cells[*key, "n"] = "4 898"
    return cells


def regressions(rng: np.random.Generator, even: bool) -> dict[PRINTED, str]:
    """Five models of six regressors with stars alone, and more regressors from model to model."""
    cells: dict[PRINTED, str] = {}
    errors = 10.0 ** rng.uniform(-4, -1, 6)
    base = errors * rng.normal(0.0, 4.0, 6)
    for model in range(5):
        for row in range(4 + (model > 1) + (model > 3)):
            error = errors[row] * rng.uniform(0.97, 1.03)
            value = base[row] + 0.2 * errors[row] * rng.normal()
            p = 2 * norm.sf(abs(value / error))
            decimals = max(0, 2 - math.floor(math.log10(abs(value) + 1e-12)))
            stars = "*" * sum(p < level for level in (0.1, 0.05, 0.01))
            cells["models", "", f"x{row}", f"m{model}", "estimate"] = print_of(value, decimals, even) + stars
        cells["models", "", "all", f"m{model}", "r_squared"] = print_of(0.1 + 0.02 * model, 3, even)
        cells["models", "", "all", f"m{model}", "mean"] = "0.299"
        cells["models", "", "all", f"m{model}", "n"] = "26 294"
    return cells


def found(cells: dict[PRINTED, str]) -> tuple[Finding, ...]:
    rows = [(*key, printed, "", str(line)) for line, (key, printed) in enumerate(cells.items(), start=1)]
    return audit(pd.DataFrame(rows, columns=list(COLUMNS)), (STARS,))


def told(findings: tuple[Finding, ...]) -> str:
    return "\n".join(f"{finding.rule}: {finding.explanation.en}" for finding in findings)


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, decimals=st.integers(0, 5), even=st.booleans())
def test_people_that_are_only_rounded_are_not_complained_about(seed: int, decimals: int, even: bool) -> None:
    findings = found(people(np.random.default_rng(seed), decimals, even))
    assert not findings, told(findings)


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, digits=st.integers(1, 4), even=st.booleans())
def test_models_that_are_only_rounded_are_not_complained_about(seed: int, digits: int, even: bool) -> None:
    rng = np.random.default_rng(seed)
    findings = found({**effects(rng, digits, even), **regressions(rng, even)})
    assert not findings, told(findings)


@settings(max_examples=15, deadline=None)
@given(
    seed=SEEDS,
    columns=st.lists(st.sampled_from(["o0", "o1", "o2", "o3"]), min_size=2, max_size=2, unique=True),
    panel=st.sampled_from(["main", "none", "linear"]),
)
def test_errors_in_each_others_columns_are_found(seed: int, columns: list[str], panel: str) -> None:
    cells = effects(np.random.default_rng(seed), 2, False)
    cells = {key: printed for key, printed in cells.items() if key[4] in ("estimate", "std_error", "n")}
    a, b = (("effects", panel, "treated", column, "std_error") for column in columns)
    cells[a], cells[b] = cells[b], cells[a]
    swaps = [finding for finding in found(cells) if finding.rule == "swap"]
    assert len(swaps) == 1
    assert {a, b} <= set(swaps[0].cells)


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS, row=st.integers(0, 4), digit=st.integers(3, 9))
def test_a_wrong_digit_in_a_mean_is_found(seed: int, row: int, digit: int) -> None:
    cells = people(np.random.default_rng(seed), 3, False)
    key = ("people", "", f"r{row}", "all", "mean")
    cells[key] = print_of(float(cells[key]) + digit / 100, 3)  # far above what rounding leaves open
    findings = found(cells)
    assert any(finding.row == f"r{row}" for finding in findings), cells[key]
    assert all(finding.row == f"r{row}" for finding in findings), told(findings)


@settings(max_examples=15, deadline=None)
@given(
    seed=SEEDS, row=st.integers(0, 4), power=st.sampled_from([-1, 1]), panel=st.sampled_from(["main", "none", "linear"])
)
def test_a_moved_decimal_sign_and_a_turned_sign_are_found(seed: int, row: int, power: int, panel: str) -> None:
    rng = np.random.default_rng(seed)
    cells = {
        key: printed for key, printed in effects(rng, 3, False).items() if key[4] in ("estimate", "std_error", "n")
    }
    error = ("effects", panel, "treated", f"o{row % 4}", "std_error")
    moved = Decimal(cells[error].strip("()")).scaleb(power)
    findings = found({**cells, error: f"({moved:f})"})
    assert any(finding.rule == "magnitude" and error in finding.cells for finding in findings), told(findings)

    gap = ("people", "", f"r{row}", "gap", "mean")
    arms = people(rng, 3, False)
    telling = [row for row in range(5) if abs(float(arms["people", "", f"r{row}", "gap", "mean"])) > 0.01]
    if row in telling and len(telling) >= 4:  # three others are what a column of differences is learned from
        arms[gap] = f"{-Decimal(arms[gap]):f}"
        findings = found(arms)
        assert [finding.rule for finding in findings] == ["differences"], told(findings)


@settings(max_examples=10, deadline=None)
@given(
    seed=SEEDS, row=st.integers(0, 3), column=st.sampled_from(["a", "b"]), by=st.sampled_from([-90, -9, 9, 10, 99, 900])
)
def test_a_wrong_count_is_one_finding(seed: int, row: int, column: str, by: int) -> None:
    cells = people(np.random.default_rng(seed), 1, False)
    key = ("years", "", f"y{row}", column, "count")
    cells[key] = str(int(cells[key]) + by)
    findings = [finding for finding in found(cells) if finding.exhibit == "years"]
    assert any(finding.cells[0] == key and finding.rule in ("sums", "impossible") for finding in findings), told(
        findings
    )
