"""Our numbers beside the printed ones, each with a verdict.

Let `p` be the printed number, `u` one unit of its last digit and `o` what we obtained.

equal
    `|o - p| <= u/2`: our number, rounded, prints the same. A tie counts as equal, since rounding rules differ.
    Where the file knows what a text rounded to (`rounded_to`), that is the unit. A level given in words is otherwise no
    rounding to the last digit: `about` allows 2.5 units to either side, `just_under` five units below and `just_over`
    five units above (neither the number itself).
last_digit
    `u/2 < |o - p| <= 3u/2`: one unit of the last digit apart.
within_sampling_error
    For a synthetic register only. Print and synthetic data are two independent samples of about the same size, so
    the difference has the standard error `sqrt(2) * SE`; the verdict says `|o - p| <= 2 * sqrt(2) * SE`.
differs
    None of these.
input
    The calculation starts from the printed number: that they agree says nothing, and no score counts it.
not_computed
    Registers cannot give it; the document's source says why.
missing
    We have no such number, or it is suppressed, and nothing says why: a mistake, or an exhibit that is not made.

A printed number has the key of ours, or the document's source says which of ours it is (`links`): the same number in
another unit, or a sum or difference of some.

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

A sum or difference has the SE of independent numbers where all are of different columns (arms), since those are different
people; otherwise none, unless the source names a number whose SE serves.

Counts and tests have no SE: unless equal or a digit apart, they differ. The SE of a standard deviation or a standard error
holds for normal values; heavy-tailed amounts scatter more, so that a distance of three or four there is no surprise.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path

import pandas as pd

from refino_eval.published.links import Links, Ours, check_links, told
from refino_eval.published.relations import match
from refino_eval.published.source import load_source, source_beside
from refino_eval.published.values import KEYS, Printed, load_published, parse_printed

VERDICTS = ("equal", "last_digit", "within_sampling_error", "differs", "input", "not_computed", "missing")
HELD = ("equal", "last_digit", "within_sampling_error", "differs")
"""Verdicts on a printed number that ours was held to."""

COLUMNS = (
    *KEYS, "printed", "obtained", "obtained_rounded", "verdict", "distance_in_se", "obtained_from", "reason", "reason_nb",
    "reason_en",
)  # fmt: skip
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
    source: Links | None = None,
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
    source
        What is said of printed numbers that have no key of ours.

    Returns
    -------
    pandas.DataFrame
        One row a printed number, in the order of `published`: the keys, `printed`, `obtained` (NaN when missing),
        `obtained_rounded` (in the print's form), `verdict` and `distance_in_se` (`|o - p| / (sqrt(2) SE)`, NaN where
        no SE is known), `obtained_from` (which of ours, where it has another key), and `reason` with its words where the
        number is not computed.
    """
    said = source or Links()
    cells = _index(aggregates)
    wanted = None if exhibits is None else set(exhibits)
    rows = []
    for record in published.to_dict("records"):
        if wanted is not None and record["exhibit"] not in wanted:
            continue
        printed = parse_printed(
            str(record["printed"]), unit=str(record.get("unit", "")), rounded_to=str(record.get("rounded_to", ""))
        )
        key = tuple(str(record[name]) for name in KEYS)
        found = _find(key, said, cells)
        verdict = _judge(
            found, printed, qualifier=str(record.get("qualifier", "")), synthetic=data_class == "synthetic"
        )
        rows.append(
            {**dict(zip(KEYS, key, strict=True)), "printed": record["printed"], **verdict, **_said(key, said, verdict)}
        )
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"obtained": "float64", "distance_in_se": "float64"})


def compare_files(
    published: Sequence[Path], aggregates: Iterable[Path], *, data_class: str, out_path: Path
) -> pd.DataFrame:
    """Compare files of published values with tidy files, and write the comparison.

    Parameters
    ----------
    published
        Files of `data/published`; none gives a comparison without rows. What stands in `<document>.source.yaml` beside a
        file is heeded.
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
    prints = [(load_published(path), load_source(source_beside(path))) for path in published]
    for path, (frame, source) in zip(published, prints, strict=True):
        check_links(source, frame, source_beside(path).name)
    keys = {name: str for name in KEYS}
    numbers = [pd.read_csv(path, dtype=keys, keep_default_na=False, na_values={"value": [""]}) for path in aggregates]
    ours = pd.concat(numbers, ignore_index=True) if numbers else pd.DataFrame(columns=list(KEYS))
    parts = [compare(frame, ours, data_class=data_class, source=source) for frame, source in prints]
    compared = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))
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
    """Return a number in the form of a print: rounded to what it was, as many decimals, a percentage where it was one."""
    number = Decimal(repr(float(value)))
    if printed.rounded_to is not None:
        number = (number / printed.rounded_to).quantize(Decimal(1), rounding=ROUND_HALF_UP) * printed.rounded_to
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


@dataclass(frozen=True)
class _Found:
    """What we have of a printed number: the value, its standard error, and which numbers it is, told."""

    value: float = math.nan
    std_error: float | None = None
    numbers: str = ""


def _find(key: tuple[str, ...], source: Links, cells: _Cells) -> _Found:
    """Look for a printed number among ours: where the source says, or under its own key."""
    link = source.link(key)
    return _number(key, cells) if link is None else _linked(link, cells)


def _number(key: tuple[str, ...], cells: _Cells) -> _Found:
    exhibit, panel, row, column, statistic = key
    place = (exhibit, panel, row, column)
    value = cells.get(place, statistic)
    if value is None:
        value, place = _derive(place, statistic, cells)
    if value is None or not math.isfinite(value):
        return _Found()
    return _Found(value, _standard_error(place, statistic, cells))


def _linked(link: Ours, cells: _Cells) -> _Found:
    """Put together a number that the source says of which of ours it is; nothing where any of them is not there."""
    times = float(Fraction(link.times))
    members = [key for pattern in link.of for key in _members(pattern, cells)]
    added, taken = [_number(key, cells) for key in members], [_number(tuple(k.split("/")), cells) for k in link.less]
    parts = [*added, *taken]
    if not added or not all(math.isfinite(part.value) for part in parts):
        return _Found()
    if link.take == "highest":
        chosen = max(added, key=lambda part: part.value)
        value, error = chosen.value, chosen.std_error
    else:
        value = sum(part.value for part in added) - sum(part.value for part in taken)
        columns = [key[3] for key in members] + [key.split("/")[3] for key in link.less]
        apart = len(set(columns)) == len(columns)
        errors = [part.std_error for part in parts]
        error = math.hypot(*(e for e in errors if e)) if apart and all(e is not None for e in errors) else None
    if link.std_error_of is not None:
        error = _number(tuple(link.std_error_of.split("/")), cells).std_error
    return _Found(times * value, None if error is None else abs(times) * error, told(link))


def _members(pattern: str, cells: _Cells) -> list[tuple[str, ...]]:
    """Return the keys of ours that a pattern names: its own, or with a `+` all there are."""
    if "+" not in pattern.split("/"):
        return [tuple(pattern.split("/"))]
    return [
        key
        for place, cell in cells.values.items()
        for key in ((*place, s) for s in cell)
        if match(pattern, key) is not None
    ]


def _said(key: tuple[str, ...], source: Links, verdict: Mapping[str, object]) -> dict[str, object]:
    """Return the verdict that the source gives in place of ours, with its reason."""
    if source.is_input(key):
        return {"verdict": "input", "distance_in_se": math.nan, "reason": "", "reason_nb": "", "reason_en": ""}
    reason = source.reason(key) if verdict["verdict"] == "missing" else ""
    words = source.reasons.get(reason)
    if words is None:
        return {"reason": "", "reason_nb": "", "reason_en": ""}
    return {"verdict": "not_computed", "reason": reason, "reason_nb": words.nb, "reason_en": words.en}


def _judge(found: _Found, printed: Printed, *, qualifier: str, synthetic: bool) -> dict[str, object]:
    """Return the verdict on one printed number, with what it rests on."""
    if not math.isfinite(found.value):
        nothing = {"obtained": math.nan, "obtained_rounded": "", "verdict": "missing", "distance_in_se": math.nan}
        return {**nothing, "obtained_from": ""}
    difference = Decimal(repr(found.value)) - printed.value
    distance = math.nan if not found.std_error else abs(float(difference)) / (math.sqrt(2.0) * found.std_error)
    return {
        "obtained": found.value,
        "obtained_rounded": round_as_printed(found.value, printed),
        "verdict": _verdict(difference, printed, qualifier, distance if synthetic else math.nan),
        "distance_in_se": distance,
        "obtained_from": found.numbers,
    }


def _verdict(difference: Decimal, printed: Printed, qualifier: str, distance: float) -> str:
    """Grade a difference; `distance` is NaN where sampling error is no excuse."""
    unit = printed.unit
    gap = abs(difference)
    if qualifier == "about" and printed.rounded_to is None:
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
