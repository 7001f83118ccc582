"""How many planted errors the audit of published tables finds without relations, and how many false alarms it gives.

    python benchmarks/audit.py [--tables 200] [--seed 1]

Tables are generated from true numbers and rounded; then one number of each is changed. The kinds of table and of error are
those of published evaluations; nothing here was adjusted to the rules. Real tables are the documents of `data/published`, each
exhibit by itself and without the document's relations; a number that the audit already reports there is not changed.
"""

from __future__ import annotations

import argparse
import collections
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from refino_eval.published.audit.audit_document import audit
from refino_eval.published.values import load_published

COLUMNS = ["exhibit", "panel", "row", "column", "statistic", "printed", "qualifier", "unit", "source_line"]
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


KINDS: tuple[Callable[[np.random.Generator], Iterator[Row]], ...] = (
    regression,
    baseline,
    binary,
    counts,
    shares,
    costs,
)


def table(rng: np.random.Generator, kind: Callable[[np.random.Generator], Iterator[Row]]) -> pd.DataFrame:
    """Return one table as published values."""
    rows = [
        ("table_1", "", row, column, statistic, printed, "", "", "") for row, column, statistic, printed in kind(rng)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def plant(frame: pd.DataFrame, rng: np.random.Generator, *, among: list[int]) -> tuple[pd.DataFrame, set[int], str]:
    """Change one number (or exchange two) by an error that people make, and return which rows are wrong."""
    kind = str(rng.choice(["digit", "transposed", "decimal", "sign", "exchanged", "copied"]))
    at = int(rng.choice(among))
    text = str(frame.loc[at, "printed"])
    changed, wrong = frame.copy(), {at}
    digits = [place for place, character in enumerate(text) if character.isdigit()]
    if kind == "digit":
        # Not the last one: an error of one unit in the last place is a rounding.
        place = int(rng.choice(digits[:-1] or digits))
        text = text[:place] + str((int(text[place]) + int(rng.integers(1, 10))) % 10) + text[place + 1 :]
    elif kind == "transposed" and len(digits) > 1:
        first, second = sorted(rng.choice(len(digits) - 1, 1))[0], None
        second = digits[first + 1]
        letters = list(text)
        letters[digits[first]], letters[second] = letters[second], letters[digits[first]]
        text = "".join(letters)
    elif kind == "decimal":
        text = f"{float(text) * float(rng.choice([10, 0.1])):.{len(text.partition('.')[2])}f}"
    elif kind == "sign":
        text = text.removeprefix("-") if text.startswith("-") else f"-{text}"
    else:
        same = frame[(frame["statistic"] == frame.loc[at, "statistic"]) & (frame["printed"] != text)].index
        near = [int(other) for other in same if other != at and abs(other - at) <= 12]
        if not near:
            return frame, set(), kind
        other = int(rng.choice(near))
        text = str(frame.loc[other, "printed"])
        if kind == "exchanged":
            changed.loc[other, "printed"] = frame.loc[at, "printed"]
            wrong.add(other)
    changed.loc[at, "printed"] = text
    return changed, wrong if text != frame.loc[at, "printed"] else set(), kind


def findings(frame: pd.DataFrame) -> list[set[tuple[str, ...]]]:
    """Return the keys that each finding is about."""
    return [{tuple(key) for key in finding.cells} for finding in audit(frame)]


def measure(tables: list[tuple[str, pd.DataFrame]], rng: np.random.Generator, per_table: int) -> pd.DataFrame:
    """Return a row for each planted error, and for each table how many alarms it gives unchanged."""
    records = []
    for name, frame in tables:
        before = findings(frame)
        reported = set().union(*before) if before else set()
        keys = [tuple(map(str, row)) for row in frame[COLUMNS[:5]].to_numpy()]
        records.append({"table": name, "kind": "", "found": math.nan, "alarms": len(before)})
        among = [
            place
            for place, key in enumerate(keys)
            if key not in reported and str(frame.loc[place, "printed"]).strip("-").replace(".", "").isdigit()
        ]
        for _ in range(per_table if among else 0):
            changed, wrong, kind = plant(frame, rng, among=among)
            if wrong:
                wanted = {keys[place] for place in wrong}
                found = any(wanted & about for about in findings(changed) if about not in before)
                records.append({"table": name, "kind": kind, "found": float(found), "alarms": math.nan})
    return pd.DataFrame(records)


def main() -> None:
    """Print shares found by kind of table and of error, and alarms per table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    generated = [
        (kind.__name__, table(rng, kind)) for number in range(arguments.tables) for kind in [KINDS[number % len(KINDS)]]
    ]
    real = []
    for path in sorted((Path(__file__).resolve().parents[1] / "data/published").glob("*.csv")):
        published = load_published(path)
        sizes = collections.Counter(published["exhibit"])
        real += [
            (f"{path.stem} {name}", published[published["exhibit"] == name].reset_index(drop=True))
            for name, size in sizes.items()
            if size >= 12 and not str(name).startswith("text")
        ]
    for title, tables, per_table in (("generated", generated, 1), ("real", real, 4)):
        results = measure(tables, rng, per_table)
        planted = results[results["kind"] != ""]
        alarms = results["alarms"].dropna()
        print(
            f"{title}: {len(tables)} tables, {planted['found'].mean():.1%} of {len(planted)} planted errors found; {alarms.mean():.3f} alarms a table"
        )
        groups = [("error", planted["kind"])] + ([("table", planted["table"])] if title == "generated" else [])
        for what, by in groups:
            shares_found = planted.groupby(by)["found"].agg(["mean", "size"])
            print(
                "  by "
                + what
                + ": "
                + ", ".join(f"{name} {row['mean']:.0%} of {int(row['size'])}" for name, row in shares_found.iterrows())
            )


if __name__ == "__main__":
    main()
