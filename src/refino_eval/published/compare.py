"""Compare our numbers with the published ones, and give each a verdict.

Let `p` be the published number, `u` one unit of its last digit and `o` what we obtained.

equal
    `|o - p| <= u/2`: our number is the same when rounded. A tie counts as equal, since rounding rules differ.
    Where the file states what a text rounded to (`rounded_to`), that is the unit. Otherwise a level given in words is not
    rounded to its last digit: `about` allows 2.5 units to either side, `just_under` five units below and `just_over`
    five units above (neither the number itself).
last_digit
    `u/2 < |o - p| <= 3u/2`: one unit of the last digit apart.
within_sampling_error
    For a synthetic register only, whose effects and levels are planted at the published values. The published number is
    then the truth and not a second sample, so the difference has the standard error of our number alone: the verdict means
    `|o - p| <= 2 * SE`. It shows that the program recovers what was planted, and nothing about the trial.
differs
    None of these.
input
    The calculation starts from the published number: agreement means nothing, and no score counts it.
not_computed
    Registers cannot give the number; the document's source states the reason.
missing
    We have no such number, or it is suppressed, and no reason is stated: a mistake, or an exhibit that was not made.

A published number has the key of ours, or the document's source states which of ours it is (`links`): the same number in
another unit, or a sum or difference.

The SE of a cell, from the obtained numbers alone:

=================== ===================================== ==========================================================
statistic           SE                                    source
=================== ===================================== ==========================================================
estimate            its own `std_error`                   the same cell
mean                `sd / sqrt(n)`                        the same cell
mean_treated        `sd_treated / sqrt(n_treated)`        the same cell
mean_control        `sd_control / sqrt(n_control)`        the same cell; in a balance table the arm of the panel
                                                          `differences` whose mean it is
sd                  `sd / sqrt(2 n)`                      normal approximation, too small for skewed amounts
std_error           `std_error / sqrt(2 df)`              as an estimated standard deviation with `df` (or `n`)
share               `sqrt(share (1 - share) / n)`         the same cell
r_squared           `2 sqrt(R2) (1 - R2) / sqrt(n)`       large-sample formula
t_stat              1                                     by construction
=================== ===================================== ==========================================================

A sum or difference has the SE of independent numbers where all are of different columns (arms), since those are different
people; otherwise none, unless the source names a number whose SE applies.

Counts and tests have no SE: unless equal or a digit apart, they differ. The SE of a standard deviation or a standard error
holds for normal values; heavy-tailed amounts vary more, so that a distance of three or four is not surprising there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path

import pandas as pd

from refino_eval.csv_output import frame_as_written, frame_csv
from refino_eval.published.links import Links, Ours, check_links, describe_link
from refino_eval.published.relations import match
from refino_eval.published.source import load_source, source_file
from refino_eval.published.values import KEYS, Printed, load_published, parse_printed

VERDICTS = ("equal", "last_digit", "within_sampling_error", "differs", "input", "not_computed", "missing")
HELD = ("equal", "last_digit", "within_sampling_error", "differs")
"""Verdicts on published numbers that ours were compared with."""

COLUMNS = (
    *KEYS, "printed", "obtained", "obtained_rounded", "verdict", "distance_in_se", "obtained_from", "reason", "reason_nb",
    "reason_en", "pages",
)  # fmt: skip
SAMPLING_ERROR = 2.0
"""Standard errors that count as sampling error: the usual 95 %."""

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
    """Compare every published number with the obtained one.

    Parameters
    ----------
    published
        As `load_published` returns it.
    aggregates
        Tidy numbers of all exhibits in one frame.
    data_class
        Data class of the evaluation; only ``"synthetic"`` allows the verdict `within_sampling_error`.
    exhibits
        Compare these exhibits only; default: all that were published.
    source
        What the document's source states about published numbers that have no key of ours.

    Returns
    -------
    pandas.DataFrame
        One row per published number, in the order of `published`: the keys, `printed`, `obtained` (NaN if missing),
        `obtained_rounded` (in the published form), `verdict` and `distance_in_se` (`|o - p| / SE`, NaN where
        no SE is known), `obtained_from` (the key of ours, if another), and `reason` with its text where the number is
        not computed. `pages` is empty here: `compare_files` knows the document.
    """
    links = source or Links()
    cells = _index(aggregates)
    selected = None if exhibits is None else set(exhibits)
    rows = []
    for record in published.to_dict("records"):
        if selected is not None and record["exhibit"] not in selected:
            continue
        printed = parse_printed(
            str(record["printed"]), unit=str(record.get("unit", "")), rounded_to=str(record.get("rounded_to", ""))
        )
        key = tuple(str(record[name]) for name in KEYS)
        obtained = _find(key, links, cells)
        verdict = _judge(
            obtained, printed, qualifier=str(record.get("qualifier", "")), synthetic=data_class == "synthetic"
        )
        stated = _stated(key, links, verdict)
        rows.append(
            {**dict(zip(KEYS, key, strict=True)), "printed": record["printed"], **verdict, **stated, "pages": ""}
        )
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"obtained": "float64", "distance_in_se": "float64"})


def compare_files(
    published: Sequence[Path], aggregates: Iterable[Path], *, data_class: str, out_path: Path
) -> pd.DataFrame:
    """Compare files of published values with tidy files, and write the comparison.

    Parameters
    ----------
    published
        Files of `data/published`; none gives a comparison without rows. The `<document>.source.yaml` of each file
        states its links.
    aggregates
        Tidy .csv files.
    data_class
        As in `compare`.
    out_path
        The comparison, as CSV.

    Returns
    -------
    pandas.DataFrame
        The comparison that was written.
    """
    documents = [(load_published(path), load_source(source_file(path))) for path in published]
    for path, (frame, source) in zip(published, documents, strict=True):
        check_links(source, frame, source_file(path).name)
    keys = {name: str for name in KEYS}
    numbers = [
        frame_as_written(pd.read_csv(path, dtype=keys, keep_default_na=False, na_values={"value": [""]}))
        for path in aggregates
    ]
    ours = pd.concat(numbers, ignore_index=True) if numbers else pd.DataFrame(columns=list(KEYS))
    parts = [compare(frame, ours, data_class=data_class, source=source) for frame, source in documents]
    for part, (_, source) in zip(parts, documents, strict=True):
        part["pages"] = part["exhibit"].map(source.pages).fillna("")
    compared = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(COLUMNS))
    out_path.parent.mkdir(parents=True, exist_ok=True)
    out_path.write_text(frame_csv(compared), encoding="utf-8")
    return compared


def round_as_printed(value: float, printed: Printed) -> str:
    """Return a number in the form of a published one: same rounding and decimals, a percentage where it was one."""
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
    """Index tidy numbers by cell, without missing and suppressed ones."""
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
class _Obtained:
    """Our value for a published number, its standard error, and the keys it was made from, if others."""

    value: float = math.nan
    std_error: float | None = None
    numbers: str = ""


def _find(key: tuple[str, ...], links: Links, cells: _Cells) -> _Obtained:
    """Return our value for a published number: the one that the source links it to, or the one with its key."""
    link = links.link(key)
    return _number(key, cells) if link is None else _linked(link, cells)


def _number(key: tuple[str, ...], cells: _Cells) -> _Obtained:
    exhibit, panel, row, column, statistic = key
    place = (exhibit, panel, row, column)
    value = cells.get(place, statistic)
    if value is None:
        value, place = _derive(place, statistic, cells)
    if value is None or not math.isfinite(value):
        return _Obtained()
    return _Obtained(value, _standard_error(place, statistic, cells))


def _linked(link: Ours, cells: _Cells) -> _Obtained:
    """Return the number that a link makes of ours; missing if any of them is."""
    times = float(Fraction(link.times))
    keys = [key for pattern in link.of for key in _members(pattern, cells)]
    subtracted_keys = [tuple(key.split("/")) for key in link.less]
    summed, subtracted = ([_number(key, cells) for key in group] for group in (keys, subtracted_keys))
    if not summed or not all(math.isfinite(part.value) for part in (*summed, *subtracted)):
        return _Obtained()
    if link.take == "highest":
        highest = max(summed, key=lambda part: part.value)
        value, error = highest.value, highest.std_error
    else:
        value = sum(part.value for part in summed) - sum(part.value for part in subtracted)
        error = _error_of_sum([*keys, *subtracted_keys], [*summed, *subtracted])
    if link.std_error_of is not None:
        error = _number(tuple(link.std_error_of.split("/")), cells).std_error
    return _Obtained(times * value, None if error is None else abs(times) * error, describe_link(link))


def _error_of_sum(keys: Sequence[tuple[str, ...]], parts: Sequence[_Obtained]) -> float | None:
    """Return the SE of a sum or difference of independent numbers; None if they may be of the same people."""
    columns = [key[3] for key in keys]
    errors = [part.std_error for part in parts]
    if len(set(columns)) < len(columns) or any(error is None for error in errors):
        return None
    return math.hypot(*(error for error in errors if error))


def _members(pattern: str, cells: _Cells) -> list[tuple[str, ...]]:
    """Return the keys of ours that a pattern names: its own, or with a `+` all that match."""
    if "+" not in pattern.split("/"):
        return [tuple(pattern.split("/"))]
    return [
        key
        for place, cell in cells.values.items()
        for key in ((*place, s) for s in cell)
        if match(pattern, key) is not None
    ]


def _stated(key: tuple[str, ...], links: Links, verdict: Mapping[str, object]) -> dict[str, object]:
    """Return the verdict that the source states in place of the computed one, with its reason."""
    nothing: dict[str, object] = {"reason": "", "reason_nb": "", "reason_en": ""}
    if links.is_input(key):
        return {**nothing, "verdict": "input", "distance_in_se": math.nan}
    missing = verdict["verdict"] == "missing"
    reason = links.reason(key) if missing else ""
    if verdict["verdict"] in ("differs", "last_digit"):
        reason = links.explanation(key)
    text = links.reasons.get(reason)
    if text is None:
        return nothing
    return {
        "verdict": "not_computed" if missing else verdict["verdict"],
        "reason": reason,
        "reason_nb": text.nb,
        "reason_en": text.en,
    }


def _judge(obtained: _Obtained, printed: Printed, *, qualifier: str, synthetic: bool) -> dict[str, object]:
    """Return the verdict on one published number, with the numbers behind it."""
    if not math.isfinite(obtained.value):
        nothing = {"obtained": math.nan, "obtained_rounded": "", "verdict": "missing", "distance_in_se": math.nan}
        return {**nothing, "obtained_from": ""}
    difference = Decimal(repr(obtained.value)) - printed.value
    error = obtained.std_error
    distance = abs(float(difference)) / error if error else math.nan
    return {
        "obtained": obtained.value,
        "obtained_rounded": round_as_printed(obtained.value, printed),
        "verdict": _verdict(difference, printed, qualifier, distance if synthetic else math.nan),
        "distance_in_se": distance,
        "obtained_from": obtained.numbers,
    }


def _verdict(difference: Decimal, printed: Printed, qualifier: str, distance: float) -> str:
    """Grade a difference; `distance` is NaN where sampling error does not apply."""
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
    return "within_sampling_error" if distance <= SAMPLING_ERROR else "differs"


def _derive(place: Place, statistic: str, cells: _Cells) -> tuple[float | None, Place]:
    """Return a number that follows from others: the pooled mean of the arms, or the size of a whole table.

    A text often gives one level for both arms (column `all`), and a table reports its N once, below all rows (rows
    `all` and `joint_test`), while the tidy numbers have it by arm and by row.
    """
    exhibit, panel, row, column = place
    if column == "all" and statistic == "mean":
        return _pooled_mean([cell for (*at, _), cell in cells.values.items() if at == [exhibit, panel, row]]), place
    if row in ("all", "joint_test") and statistic in ("n", "r_squared"):
        of_table = [cell for (e, p, _, c), cell in cells.values.items() if (e, p, c) == (exhibit, panel, column)]
        return max((cell[statistic] for cell in of_table if statistic in cell), default=None), place
    return None, place


def _pooled_mean(cells: Iterable[Mapping[str, float]]) -> float | None:
    parts = [cell for cell in cells if "mean" in cell]
    if len(parts) < 2 or not all("n" in cell for cell in parts):
        return None
    return sum(cell["n"] * cell["mean"] for cell in parts) / sum(cell["n"] for cell in parts)


def _standard_error(place: Place, statistic: str, cells: _Cells) -> float | None:
    """Return the SE of an obtained number (see the module's table), or None if it has none."""
    cell = cells.values.get(place, {})
    value = cell.get(statistic)
    if statistic == "mean_control":
        return _error_of_control_mean(place, cells)
    if statistic == "mean" and value is None:
        return _error_of_pooled_mean(place, cells)
    formula = _ERRORS.get(statistic)
    return None if value is None or formula is None else formula(value, cell)


def _error_of_mean(value: float, cell: Mapping[str, float]) -> float | None:
    return cell["sd"] / math.sqrt(cell["n"]) if cell.get("n") and "sd" in cell else None


def _error_of_treated_mean(value: float, cell: Mapping[str, float]) -> float | None:
    return cell["sd_treated"] / math.sqrt(cell["n_treated"]) if cell.get("n_treated") and "sd_treated" in cell else None


def _error_of_deviation(value: float, cell: Mapping[str, float]) -> float | None:
    return value / math.sqrt(2.0 * cell["n"]) if cell.get("n") else None


def _error_of_std_error(value: float, cell: Mapping[str, float]) -> float | None:
    df = cell.get("df")
    return value / math.sqrt(2.0 * df) if df and math.isfinite(df) else _error_of_deviation(value, cell)


def _error_of_share(value: float, cell: Mapping[str, float]) -> float | None:
    return math.sqrt(value * (1.0 - value) / cell["n"]) if cell.get("n") and 0.0 <= value <= 1.0 else None


def _error_of_r_squared(value: float, cell: Mapping[str, float]) -> float | None:
    known = cell.get("n") and 0.0 <= value <= 1.0
    return 2.0 * math.sqrt(value) * (1.0 - value) / math.sqrt(cell["n"]) if known else None


_ERRORS: Mapping[str, Callable[[float, Mapping[str, float]], float | None]] = {
    "estimate": lambda value, cell: cell.get("std_error"),
    "mean": _error_of_mean,
    "mean_treated": _error_of_treated_mean,
    "t_stat": lambda value, cell: 1.0,
    "sd": _error_of_deviation,
    "std_error": _error_of_std_error,
    "share": _error_of_share,
    "r_squared": _error_of_r_squared,
}


def _error_of_control_mean(place: Place, cells: _Cells) -> float | None:
    """Return the SE of a control mean, from its own cell or from the arm of the balance table with this mean."""
    cell = cells.values.get(place, {})
    if "sd_control" in cell and cell.get("n_control"):
        return cell["sd_control"] / math.sqrt(cell["n_control"])
    exhibit, _, row, _ = place
    for (e, p, r, _), other in cells.values.items():
        if (e, p, r) == (exhibit, "differences", row) and {"mean", "sd", "n"} <= set(other):
            equal = math.isclose(other["mean"], cell.get("mean_control", math.nan), rel_tol=1e-9, abs_tol=1e-12)
            if equal and other["n"]:
                return other["sd"] / math.sqrt(other["n"])
    return None


def _error_of_pooled_mean(place: Place, cells: _Cells) -> float | None:
    """Return the SE of the pooled mean of independent arms."""
    exhibit, panel, row, _ = place
    parts = [cell for (e, p, r, _), cell in cells.values.items() if (e, p, r) == (exhibit, panel, row)]
    parts = [cell for cell in parts if "mean" in cell]
    if not parts or not all({"sd", "n"} <= set(cell) for cell in parts):
        return None
    total = sum(cell["n"] for cell in parts)
    return math.sqrt(sum(cell["n"] * cell["sd"] ** 2 for cell in parts)) / total if total else None
