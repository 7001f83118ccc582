"""Generated tables for the benchmark of the audit: true numbers, rounded as they are published.

`DEVELOPMENT` holds the families that were at hand while the rules were written. `HELD_OUT` holds families that were written
before the rules and measured after them: other exhibits, other layouts, Norwegian names, totals without names. Faults that they showed
were corrected, so `HELD_OUT_LATER` holds families that were written after that and measured once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from scipy import stats

Row = tuple[str, str, str, str]
"""Row, column, statistic and printed number."""


def regression(rng: np.random.Generator) -> Iterator[Row]:
    """Estimates of several outcomes with standard errors, and p-values, intervals or t in some tables."""
    n, digits = int(rng.integers(300, 5000)), int(rng.integers(2, 5))
    extra = rng.choice(["p_value", "interval", "t_stat", "none"])
    for outcome in range(int(rng.integers(3, 8))):
        size = 10.0 ** rng.integers(-1, 2)
        error = round(size * rng.uniform(0.05, 0.2), digits + 1)
        estimate = rng.normal(0, 2) * error
        for column in range(int(rng.integers(1, 4))):
            b, se = estimate + rng.normal(0, 0.2) * error, error * rng.uniform(0.97, 1.03)
            place = f"outcome_{outcome}", f"model_{column}"
            yield *place, "estimate", f"{b:.{digits}f}"
            yield *place, "std_error", f"{se:.{digits}f}"
            if extra == "p_value":
                yield *place, "p_value", f"{2 * stats.t.sf(abs(b / se), n - 20):.3f}"
            if extra == "t_stat":
                yield *place, "t_stat", f"{b / se:.2f}"
            if extra == "interval":
                yield *place, "conf_low", f"{b - 1.96 * se:.{digits}f}"
                yield *place, "conf_high", f"{b + 1.96 * se:.{digits}f}"
            yield *place, "n", str(n)


def baseline(rng: np.random.Generator) -> Iterator[Row]:
    """Shares and means by arm with sizes, the column for all, differences and p-values of shares."""
    sizes = {"treated": int(rng.integers(80, 3000)), "control": int(rng.integers(80, 3000))}
    n = sum(sizes.values())
    for trait in range(int(rng.integers(4, 10))):
        counts = {arm: int(rng.binomial(size, rng.uniform(0.1, 0.9))) for arm, size in sizes.items()}
        for arm, size in sizes.items():
            yield f"trait_{trait}", arm, "share", f"{100 * counts[arm] / size:.1f}"
        yield f"trait_{trait}", "all", "share", f"{100 * sum(counts.values()) / n:.1f}"
        pooled = sum(counts.values()) / n
        gap = counts["treated"] / sizes["treated"] - counts["control"] / sizes["control"]
        yield f"trait_{trait}", "difference", "share", f"{100 * gap:.1f}"
        z = gap / math.sqrt(pooled * (1 - pooled) * sum(1 / size for size in sizes.values()))
        yield f"trait_{trait}", "difference", "p_value", f"{2 * stats.norm.sf(abs(z)):.2f}"
    for arm, size in {**sizes, "all": n}.items():
        yield "people", arm, "n", str(size)


def binary(rng: np.random.Generator) -> Iterator[Row]:
    """Means and standard deviations of yes/no variables by arm, with sizes."""
    for arm in ("treated", "control"):
        size = int(rng.integers(100, 2000))
        for trait in range(5):
            share = int(rng.binomial(size, 0.15 + 0.15 * trait)) / size
            yield f"trait_{trait}", arm, "mean", f"{share:.3f}"
            yield f"trait_{trait}", arm, "sd", f"{math.sqrt(share * (1 - share) * size / (size - 1)):.3f}"
        yield "people", arm, "n", str(size)


def counts(rng: np.random.Generator) -> Iterator[Row]:
    """Return counts by place and year with sums whose names may say so."""
    places, years = int(rng.integers(3, 7)), int(rng.integers(3, 6))
    table = rng.integers(5, 900, (places, years))
    name = rng.choice(["all", "total", "whole_country", "both"])
    for year in range(years):
        for place in range(places):
            yield f"place_{place}", str(2015 + year), "count", str(table[place, year])
        yield str(name), str(2015 + year), "count", str(table[:, year].sum())


def shares(rng: np.random.Generator) -> Iterator[Row]:
    """Shares of groups that add up to a hundred in each column."""
    groups, columns = int(rng.integers(3, 7)), int(rng.integers(2, 5))
    for column in range(columns):
        parts = rng.dirichlet(np.full(groups, 4.0)) * 100
        for group in range(groups):
            yield f"group_{group}", f"column_{column}", "share", f"{parts[group]:.1f}"


def costs(rng: np.random.Generator) -> Iterator[Row]:
    """Months, price and cost, which is their product, and the difference from another programme's cost."""
    for programme in range(int(rng.integers(4, 9))):
        months, price = rng.uniform(3, 18), rng.uniform(5000, 30000)
        row = f"programme_{programme}"
        yield row, "months", "value", f"{months:.1f}"
        yield row, "price", "value", f"{price:.0f}"
        yield row, "cost", "value", f"{round(months, 1) * round(price):.0f}"
        other = rng.uniform(20000, 300000)
        yield row, "other", "value", f"{other:.0f}"
        yield row, "saved", "value", f"{round(other) - round(months, 1) * round(price):.0f}"


def comparison(rng: np.random.Generator) -> Iterator[Row]:
    """Means and standard deviations of two arms with their difference, Welch t and p-value, and the sizes."""
    sizes = [int(rng.integers(30, 900)) for _ in range(2)]
    digits = int(rng.integers(1, 3))
    for trait in range(int(rng.integers(5, 10))):
        scale = 10.0 ** rng.integers(0, 4)
        drawn = [rng.normal(3 * scale, scale * rng.uniform(0.8, 1.2), size) for size in sizes]
        for arm, values in zip(("treated", "control"), drawn, strict=True):
            yield f"trait_{trait}", arm, "mean", f"{values.mean():.{digits}f}"
            yield f"trait_{trait}", arm, "sd", f"{values.std(ddof=1):.{digits}f}"
        test = stats.ttest_ind(*drawn, equal_var=False)
        yield f"trait_{trait}", "difference", "difference", f"{drawn[0].mean() - drawn[1].mean():.{digits}f}"
        yield f"trait_{trait}", "difference", "t_stat", f"{test.statistic:.2f}"
        yield f"trait_{trait}", "difference", "p_value", f"{test.pvalue:.3f}"
    for arm, size in zip(("treated", "control"), sizes, strict=True):
        yield "people", arm, "n", str(size)


def cross_table(rng: np.random.Generator) -> Iterator[Row]:
    """Return counts by group and place with a total column, a total row and, in some tables, two subtotals."""
    rows, columns, split = int(rng.integers(4, 8)), int(rng.integers(3, 6)), bool(rng.integers(2))
    table = rng.integers(3, 2500, (rows, columns))
    lines = [(f"group_{row}", table[row]) for row in range(rows)]
    if split:
        half = rows // 2
        lines[half:half] = [("first_part", table[:half].sum(axis=0))]
        lines.append(("second_part", table[half:].sum(axis=0)))
    lines.append(("total", table.sum(axis=0)))
    for name, values in lines:
        for column in range(columns):
            yield name, f"place_{column}", "count", str(values[column])
        yield name, "all_places", "count", str(values.sum())


# --- Held out --------------------------------------------------------------------------------------------------------


def counts_with_percentages(rng: np.random.Generator) -> Iterator[Row]:
    """Table 1 of a medical trial: n (%) by arm in blocks of categories, arm sizes, chi-square p-values of the blocks."""
    arms = [str(arm) for arm in rng.permutation(["intervention", "usual_care", "waiting_list"])[: rng.integers(2, 4)]]
    sizes = {arm: int(rng.integers(40, 700)) for arm in arms}
    for arm in arms:
        yield "antall", arm, "n", str(sizes[arm])
    for block in range(int(rng.integers(2, 5))):
        categories = int(rng.integers(2, 6))
        chances = rng.dirichlet(np.full(categories, 3.0))
        drawn = {arm: rng.multinomial(sizes[arm], chances) for arm in arms}
        for category in range(categories):
            for arm in arms:
                count = int(drawn[arm][category])
                yield f"b{block}_category_{category}", arm, "count", str(count)
                yield f"b{block}_category_{category}", arm, "share", f"{100 * count / sizes[arm]:.1f}"
        observed = np.array(list(drawn.values()))
        if observed.sum(axis=0).min() > 0:
            p = stats.chi2_contingency(observed, correction=False)[1]
            yield f"b{block}_category_0", "test", "p_value", f"{p:.3f}"


def budget(rng: np.random.Generator) -> Iterator[Row]:
    """Expenditure by item and chapter in two years, change in kroner and per cent, and share of the total."""
    chapters = [int(rng.integers(2, 5)) for _ in range(int(rng.integers(2, 4)))]
    before = [rng.integers(100, 90_000, items) for items in chapters]
    after = [np.round(values * rng.uniform(0.8, 1.3, len(values))).astype(int) for values in before]
    lines = []
    for chapter, (old, new) in enumerate(zip(before, after, strict=True)):
        lines.append((f"kapittel_{chapter}", int(old.sum()), int(new.sum())))
        lines += [(f"post_{chapter}{item}", int(a), int(b)) for item, (a, b) in enumerate(zip(old, new, strict=True))]
    total = sum(int(values.sum()) for values in before), sum(int(values.sum()) for values in after)
    for name, old, new in [*lines, ("utgifter_i_alt", *total)]:
        yield name, "2021", "value", str(old)
        yield name, "2022", "value", str(new)
        yield name, "endring", "value", str(new - old)
        yield name, "endring_prosent", "share", f"{100 * (new - old) / old:.1f}"
        yield name, "andel_2022", "share", f"{100 * new / total[1]:.1f}"


def questionnaire(rng: np.random.Generator) -> Iterator[Row]:
    """Means and standard deviations of answers from 1 to 5 in small groups, with their number."""
    for group in [f"klasse_{k}" for k in range(int(rng.integers(3, 6)))]:
        size = int(rng.integers(15, 60))
        for question in range(int(rng.integers(4, 6))):
            answers = rng.choice(5, size, p=rng.dirichlet(np.full(5, 2.0))) + 1
            yield f"sporsmal_{question}", group, "mean", f"{answers.mean():.2f}"
            yield f"sporsmal_{question}", group, "sd", f"{answers.std(ddof=1):.2f}"
        yield "svar", group, "n", str(size)


def rates(rng: np.random.Generator) -> Iterator[Row]:
    """Events, person-years and the rate of a thousand by age, for everybody, and the rate ratio to another country."""
    years = rng.integers(800, 60_000, int(rng.integers(4, 9)))
    events = np.array([rng.poisson(years_at * rng.uniform(0.002, 0.05)) + 1 for years_at in years])
    other = rng.uniform(2, 50, len(years) + 1)
    lines = [*zip(years, events, strict=True), (years.sum(), events.sum())]
    for line, (size, count) in enumerate(lines):
        name = "samlet" if line == len(years) else f"age_{line}"
        rate = 1000 * count / size
        yield name, "events", "count", str(count)
        yield name, "person_years", "count", str(size)
        yield name, "rate", "value", f"{rate:.2f}"
        yield name, "rate_elsewhere", "value", f"{other[line]:.2f}"
        yield name, "ratio", "value", f"{rate / other[line]:.3f}"


def tests(rng: np.random.Generator) -> Iterator[Row]:
    """F, chi-square and t-tests with degrees of freedom and p-values, as psychologists list them."""
    for row in range(int(rng.integers(5, 10))):
        kind, name = str(rng.choice(["f", "chi2", "t"])), f"hypothesis_{row}"
        rest, df = int(rng.integers(20, 400)), int(rng.integers(1, 8))
        if kind == "f":
            value = round(float(stats.f.rvs(df, rest, random_state=rng)) * rng.uniform(1, 3), 2)
            p = stats.f.sf(value, df, rest)
            yield name, "test", "f_stat", f"{value:.2f}"
            yield name, "test", "df", str(df)
            yield name, "test", "df_residual", str(rest)
        elif kind == "chi2":
            value = round(float(stats.chi2.rvs(df, random_state=rng)) * rng.uniform(1, 3), 2)
            p = stats.chi2.sf(value, df)
            yield name, "test", "chi2", f"{value:.2f}"
            yield name, "test", "df", str(df)
        else:
            value = round(float(rng.normal(0, 2)), 2)
            p = 2 * stats.t.sf(abs(value), rest)
            yield name, "test", "t_stat", f"{value:.2f}"
            yield name, "test", "df_residual", str(rest)
        yield name, "test", "p_value", f"{p:.3f}"


def specifications(rng: np.random.Generator) -> Iterator[Row]:
    """Coefficients of several regressors in four to six specifications, with stars, standard errors, n and R²."""
    columns, n = int(rng.integers(4, 7)), int(rng.integers(500, 20_000))
    for regressor in range(int(rng.integers(4, 8))):
        error = 10.0 ** rng.uniform(-3, 0)
        digits = 2 - math.floor(math.log10(error))
        truth = rng.normal(0, 3) * error
        for column in range(columns):
            b, se = truth + rng.normal(0, 0.2) * error, error * rng.uniform(0.95, 1.05)
            stars = "*" * sum(2 * stats.norm.sf(abs(b / se)) < level for level in (0.1, 0.05, 0.01))
            yield f"x{regressor}", f"({column + 1})", "estimate", f"{b:.{digits}f}{stars}"
            yield f"x{regressor}", f"({column + 1})", "std_error", f"({se:.{digits}f})"
    fit = np.sort(rng.uniform(0.05, 0.4, columns))
    for column in range(columns):
        yield "all", f"({column + 1})", "n", f"{n:,}".replace(",", " ")
        yield "all", f"({column + 1})", "r_squared", f"{fit[column]:.3f}"


# --- Held out a second time: written after the first held-out families had shown faults -------------------------------


def labour_market(rng: np.random.Generator) -> Iterator[Row]:
    """Return the labour force by sex and age: employed, unemployed, outside, population, and rates in per cent."""
    for group in [f"{sex}_{age}" for sex in ("menn", "kvinner") for age in ("15_24", "25_54", "55_74")]:
        employed, outside = int(rng.integers(50, 900)), int(rng.integers(20, 400))
        unemployed = int(rng.integers(2, 60))
        force = employed + unemployed
        numbers = {"sysselsatte": employed, "arbeidsledige": unemployed, "arbeidsstyrken": force, "utenfor": outside}
        for name, value in {**numbers, "befolkning": force + outside}.items():
            yield group, name, "count", str(value)
        yield group, "ledighet", "share", f"{100 * unemployed / force:.1f}"
        yield group, "yrkesdeltakelse", "share", f"{100 * force / (force + outside):.1f}"


def flow(rng: np.random.Generator) -> Iterator[Row]:
    """Return persons by month: at the beginning, entering, leaving by reason, leaving in all, at the end."""
    stock = int(rng.integers(400, 5000))
    for month in range(int(rng.integers(5, 10))):
        entering, job, other = (int(number) for number in rng.integers(20, 300, 3))
        end = stock + entering - job - other
        numbers = {
            "inngang": stock,
            "nye": entering,
            "til_jobb": job,
            "annet": other,
            "avgang": job + other,
            "utgang": end,
        }
        for name, value in numbers.items():
            yield f"2022_{month + 1}", name, "count", str(value)
        stock = max(end, 700)


def arms_and_effects(rng: np.random.Generator) -> Iterator[Row]:
    """Return means of two arms, adjusted estimates with standard errors, intervals and p-values, as in a trial's main table."""
    n = int(rng.integers(300, 6000))
    for outcome in range(int(rng.integers(6, 10))):
        control, error = rng.uniform(1, 9), rng.uniform(0.05, 0.3)
        b = rng.normal(0, 1.5) * error
        yield f"outcome_{outcome}", "effect", "mean_treated", f"{control + b + rng.normal(0, 0.1) * error:.2f}"
        yield f"outcome_{outcome}", "effect", "mean_control", f"{control:.2f}"
        yield f"outcome_{outcome}", "effect", "estimate", f"{b:.3f}"
        yield f"outcome_{outcome}", "effect", "std_error", f"{error:.3f}"
        yield f"outcome_{outcome}", "effect", "conf_low", f"{b - 1.96 * error:.3f}"
        yield f"outcome_{outcome}", "effect", "conf_high", f"{b + 1.96 * error:.3f}"
        yield f"outcome_{outcome}", "effect", "p_value", f"{2 * stats.norm.sf(abs(b / error)):.3f}"
        yield f"outcome_{outcome}", "effect", "n", str(n)


Family = Callable[[np.random.Generator], Iterator[Row]]
DEVELOPMENT: tuple[Family, ...] = (regression, baseline, binary, counts, shares, costs, comparison, cross_table)
HELD_OUT: tuple[Family, ...] = (counts_with_percentages, budget, questionnaire, rates, tests, specifications)
HELD_OUT_LATER: tuple[Family, ...] = (labour_market, flow, arms_and_effects)
