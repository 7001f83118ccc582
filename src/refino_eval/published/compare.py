"""Our numbers beside the printed ones, each with a verdict.

Let `p` be the printed number, `u` one unit of its last digit and `o` what we obtained.

equal
    `|o - p| <= u/2`: our number, rounded, prints the same. A tie counts as equal, since rounding rules differ.
    A level given in words is no rounding to the last digit: `about` allows 2.5 units to either side, `just_under`
    five units below and `just_over` five units above (neither the number itself).
last_digit
    `u/2 < |o - p| <= 3u/2`: one unit of the last digit apart.
within_sampling_error
    For a synthetic register only. Print and synthetic data are two independent samples of about the same size, so
    the difference has the standard error `sqrt(2) * SE`; the verdict says `|o - p| <= 2 * sqrt(2) * SE`.
differs
    None of these.
missing
    We have no such number, or it is suppressed.

The SE of a cell, from the obtained numbers alone:

=================== ===================================== ==========================================================
statistic           SE                                    where from
=================== ===================================== ==========================================================
estimate            its own `std_error`                   the same cell
mean                `sd / sqrt(n)`                        the same cell
mean_control        `sd_control / sqrt(n_control)`        the same cell; in a balance table the arm of the panel
                                                          `differences` whose mean it is
sd                  `sd / sqrt(2 n)`                      normal approximation, too small for skewed amounts
std_error           `std_error / sqrt(2 df)`              as an estimated standard deviation with `df` (or `n`)
share               `sqrt(share (1 - share) / n)`         the same cell
r_squared           `2 sqrt(R2) (1 - R2) / sqrt(n)`       large-sample formula
=================== ===================================== ==========================================================

Counts and tests have no SE: unless equal or a digit apart, they differ. The SE of a standard deviation or a standard error
holds for normal values; heavy-tailed amounts scatter more, so that a distance of three or four there is no surprise.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pandas as pd

from refino_eval.published.values import KEYS, Printed, load_published, parse_printed

VERDICTS = ("equal", "last_digit", "within_sampling_error", "differs", "missing")
COLUMNS = (*KEYS, "printed", "obtained", "obtained_rounded", "verdict", "distance_in_se")
SAMPLES_APART = 2.0
"""Standard errors of a difference that count as sampling error: the usual 95 %."""

Place = tuple[str, str, str, str]


@dataclass(frozen=True)
class _Cells:
    """The obtained numbers: `(exhibit, panel, row, column)` -> statistic -> value."""

    values: Mapping[Place, Mapping[str, float]]

    def get(self, place: Place, statistic: str) -> float | None:
        return self.values.get(place, {}).get(statistic)


def compare(
    published: pd.DataFrame,
    aggregates: pd.DataFrame,
    *,
    data_class: str = "confidential",
    exhibits: Iterable[str] | None = None,
) -> pd.DataFrame:
    """Set every printed number beside the obtained one.

    Parameters
    ----------
    published
        As `load_published` returns it.
    aggregates
        Tidy numbers of all exhibits, one frame.
    data_class
        The evaluation's; only ``"synthetic"`` allows the verdict `within_sampling_error`.
    exhibits
        Compare these exhibits only; default: all that were published.

    Returns
    -------
    pandas.DataFrame
        One row a printed number, in the order of `published`: the keys, `printed`, `obtained` (NaN when missing),
        `obtained_rounded` (in the print's form), `verdict` and `distance_in_se` (`|o - p| / (sqrt(2) SE)`, NaN where
        no SE is known).
    """
    cells = _index(aggregates)
    wanted = None if exhibits is None else set(exhibits)
    rows = []
    for record in published.to_dict("records"):
        if wanted is not None and record["exhibit"] not in wanted:
            continue
        place = (str(record["exhibit"]), str(record["panel"]), str(record["row"]), str(record["column"]))
        verdict = _judge(
            place,
            str(record["statistic"]),
            parse_printed(str(record["printed"]), unit=str(record.get("unit", ""))),
            cells,
            qualifier=str(record.get("qualifier", "")),
            synthetic=data_class == "synthetic",
        )
        rows.append({**{key: record[key] for key in KEYS}, "printed": record["printed"], **verdict})
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"obtained": "float64", "distance_in_se": "float64"})


def compare_files(
    published: Iterable[Path], aggregates: Iterable[Path], *, data_class: str, out_path: Path
) -> pd.DataFrame:
    """Compare files of published values with tidy files, and write the comparison.

    Parameters
    ----------
    published
        Files of `data/published`; none gives a comparison without rows.
    aggregates
        Tidy .csv files.
    data_class
        As in `compare`.
    out_path
        The comparison, as CSV.

    Returns
    -------
    pandas.DataFrame
        What was written.
    """
    prints = [load_published(path) for path in published]
    keys = {name: str for name in KEYS}
    numbers = [pd.read_csv(path, dtype=keys, keep_default_na=False, na_values={"value": [""]}) for path in aggregates]
    empty = pd.DataFrame(columns=list(KEYS))
    compared = compare(
        pd.concat(prints, ignore_index=True) if prints else empty,
        pd.concat(numbers, ignore_index=True) if numbers else empty,
        data_class=data_class,
    )
    out_path.parent.mkdir(parents=True, exist_ok=True)
    compared.to_csv(out_path, index=False, lineterminator="\n")
    return compared


def summarise(comparison: pd.DataFrame) -> pd.DataFrame:
    """Count the verdicts by exhibit.

    Parameters
    ----------
    comparison
        As `compare` returns it.

    Returns
    -------
    pandas.DataFrame
        Columns `exhibit`, one for each verdict, and `cells`; a row an exhibit, in the order of first appearance.
    """
    rows = []
    for exhibit, part in comparison.groupby("exhibit", sort=False):
        counts = part["verdict"].value_counts()
        rows.append(
            {"exhibit": exhibit, **{verdict: int(counts.get(verdict, 0)) for verdict in VERDICTS}, "cells": len(part)}
        )
    return pd.DataFrame(rows, columns=["exhibit", *VERDICTS, "cells"])


def round_as_printed(value: float, printed: Printed) -> str:
    """Return a number in the form of a print: as many decimals, and a percentage where it was one."""
    number = Decimal(repr(float(value)))
    decimals = printed.decimals
    if printed.percent:
        number, decimals = number.scaleb(2), decimals - 2
    rounded = number.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    if rounded.is_zero():
        rounded = abs(rounded)
    return f"{rounded:f}" + (" %" if printed.percent else "")


def _index(aggregates: pd.DataFrame) -> _Cells:
    """Index tidy numbers by place, leaving out what is missing or suppressed."""
    values: dict[Place, dict[str, float]] = {}
    for record in aggregates.to_dict("records"):
        value = record["value"]
        if value is None or pd.isna(value):
            continue
        place = (str(record["exhibit"]), str(record["panel"]), str(record["row"]), str(record["column"]))
        cell = values.setdefault(place, {})
        cell[str(record["statistic"])] = float(value)
        persons = record.get("n_persons")
        if persons not in (None, "") and not pd.isna(persons):
            cell.setdefault("n", float(persons))
    return _Cells(values)


def _judge(
    place: Place, statistic: str, printed: Printed, cells: _Cells, *, qualifier: str, synthetic: bool
) -> dict[str, object]:
    """Return the verdict on one printed number, with what it rests on."""
    obtained = cells.get(place, statistic)
    source = place
    if obtained is None:
        obtained, source = _derive(place, statistic, cells)
    if obtained is None or not math.isfinite(obtained):
        return {"obtained": math.nan, "obtained_rounded": "", "verdict": "missing", "distance_in_se": math.nan}
    difference = Decimal(repr(obtained)) - printed.value
    error = _standard_error(source, statistic, cells)
    distance = math.nan if not error else abs(float(difference)) / (math.sqrt(2.0) * error)
    return {
        "obtained": obtained,
        "obtained_rounded": round_as_printed(obtained, printed),
        "verdict": _verdict(difference, printed, qualifier, distance if synthetic else math.nan),
        "distance_in_se": distance,
    }


def _verdict(difference: Decimal, printed: Printed, qualifier: str, distance: float) -> str:
    """Grade a difference; `distance` is NaN where sampling error is no excuse."""
    unit = printed.unit
    gap = abs(difference)
    if qualifier == "about":
        agrees = gap <= Decimal("2.5") * unit
    elif qualifier == "just_under":
        agrees = -5 * unit <= difference < 0
    elif qualifier == "just_over":
        agrees = 0 < difference <= 5 * unit
    else:
        agrees = gap <= unit / 2
    if agrees:
        return "equal"
    if not qualifier and gap <= 3 * unit / 2:
        return "last_digit"
    return "within_sampling_error" if distance <= SAMPLES_APART else "differs"


def _derive(place: Place, statistic: str, cells: _Cells) -> tuple[float | None, Place]:
    """Look for a number that follows from others: the pooled mean of the arms, or the size of a whole table.

    A text often gives one level for both arms (column `all`), and a table prints its N once, below all rows (rows
    `all` and `joint_test`), while the tidy numbers hold it by arm and by row.
    """
    exhibit, panel, row, column = place
    if column == "all" and statistic == "mean":
        parts = [
            cell for (e, p, r, _), cell in cells.values.items() if (e, p, r) == (exhibit, panel, row) and "mean" in cell
        ]
        if len(parts) > 1 and all("n" in cell for cell in parts):
            total = sum(cell["n"] for cell in parts)
            return sum(cell["n"] * cell["mean"] for cell in parts) / total, place
    if row in ("all", "joint_test") and statistic in ("n", "r_squared"):
        found = [
            cell[statistic]
            for (e, p, _, c), cell in cells.values.items()
            if (e, p, c) == (exhibit, panel, column) and statistic in cell
        ]
        return (max(found), place) if found else (None, place)
    return None, place


def _standard_error(place: Place, statistic: str, cells: _Cells) -> float | None:
    """Return the SE of an obtained number (see the module's table), or None."""
    cell = cells.values.get(place, {})
    n = cell.get("n")
    value = cell.get(statistic)
    if statistic == "estimate":
        return cell.get("std_error")
    if statistic == "mean_control":
        return _error_of_control_mean(place, cells)
    if statistic == "mean" and value is None:
        return _error_of_pooled_mean(place, cells)
    if value is None:
        return None
    if statistic == "std_error":
        df = cell.get("df", n)
        return value / math.sqrt(2.0 * df) if df and math.isfinite(df) else (value / math.sqrt(2.0 * n) if n else None)
    if not n:
        return None
    if statistic == "mean":
        return cell["sd"] / math.sqrt(n) if "sd" in cell else None
    if statistic == "sd":
        return value / math.sqrt(2.0 * n)
    if statistic == "share" and 0.0 <= value <= 1.0:
        return math.sqrt(value * (1.0 - value) / n)
    if statistic == "r_squared" and 0.0 <= value <= 1.0:
        return 2.0 * math.sqrt(value) * (1.0 - value) / math.sqrt(n)
    return None


def _error_of_control_mean(place: Place, cells: _Cells) -> float | None:
    """Return the SE of a control mean, from its own cell or from the arm of the balance table whose mean it is."""
    cell = cells.values.get(place, {})
    if "sd_control" in cell and cell.get("n_control"):
        return cell["sd_control"] / math.sqrt(cell["n_control"])
    exhibit, _, row, _ = place
    for (e, p, r, _), other in cells.values.items():
        if (e, p, r) == (exhibit, "differences", row) and {"mean", "sd", "n"} <= set(other):
            same = math.isclose(other["mean"], cell.get("mean_control", math.nan), rel_tol=1e-9, abs_tol=1e-12)
            if same and other["n"]:
                return other["sd"] / math.sqrt(other["n"])
    return None


def _error_of_pooled_mean(place: Place, cells: _Cells) -> float | None:
    """Return the SE of the arms' pooled mean, the arms being independent."""
    exhibit, panel, row, _ = place
    parts = [cell for (e, p, r, _), cell in cells.values.items() if (e, p, r) == (exhibit, panel, row)]
    parts = [cell for cell in parts if "mean" in cell]
    if not parts or not all({"sd", "n"} <= set(cell) for cell in parts):
        return None
    total = sum(cell["n"] for cell in parts)
    return math.sqrt(sum(cell["n"] * cell["sd"] ** 2 for cell in parts)) / total if total else None
