"""Published values: a table of strings exactly as published, and the number each string states.

`data/published/<document>.csv` has the columns `exhibit, panel, row, column, statistic, printed, qualifier, rounded_to,
unit, source_line`. `printed` keeps sign, separators, parentheses and stars, so that the precision stays known.
`qualifier` is empty for a number in a table, and `about`, `just_under` or `just_over` for a level that the text gives in
words. `rounded_to` is empty, or what the number was rounded to where that is more than its last digit: a text's "46 000"
for a table's 46 230 is rounded to 1000. `unit` is empty or a word such as `percent`, `percentage_points`, `kroner`,
`thousand_kroner` or `months`, as the document's title, column heading or text states. `source_line` is the line of the
document's text, or its table. `data/published/README.md` explains how tables are given keys.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd

from refino_eval.errors import UserError, nearest, raise_problems
from refino_eval.recent_results import RecentResults, version_of
from refino_eval.statistic_names import PUBLISHED_STATISTICS

KEYS = ("exhibit", "panel", "row", "column", "statistic")
COLUMNS = (*KEYS, "printed", "qualifier", "source_line")
OPTIONAL = ("qualifier", "rounded_to", "unit")
QUALIFIERS = ("", "about", "just_under", "just_over")

_SPACES = dict.fromkeys(map(ord, "\u00a0\u2009\u202f\u2007"), " ")
_MINUS = dict.fromkeys(map(ord, "\u2212\u2013"), "-")
_NUMBER = re.compile(
    r"(?P<open>\()?\s*(?P<sign>[-+]?)\s*(?P<whole>\d{1,3}(?: \d{1,3})* \d{3}|\d*)(?:[.,](?P<fraction>\d+))?\s*(?P<close>\))?"
    r"\s*(?P<stars>\*{0,3})\s*(?P<percent>%?)\s*(?P<marks>\*{0,3})"
)
_WORDS = {
    word: number
    for words in (
        "én to tre fire fem seks sju åtte ni ti elleve tolv",
        "one two three four five six seven eight nine ten eleven twelve",
    )
    for number, word in enumerate(words.split(), start=1)
} | {"syv": 7}
_GROUPS = re.compile(r"(?!0[ \d])(?:\d{1,3}(?: \d{3})+|\d*)")
_STEP = re.compile(r"\d+(\.\d+)?")
_UNIT = re.compile(r"[a-z][a-z0-9_]*|")


@dataclass(frozen=True)
class Printed:
    """A published number.

    Attributes
    ----------
    value
        The exact number; a percentage as a fraction (``"30 %"`` is 0.30).
    decimals
        Decimals of `value` that were published (``"30 %"`` has two).
    stars
        Significance stars after it.
    percent
        Whether it was published as a percentage.
    misgrouped
        Whether its digits are not in groups of three (``"-1 42 000"``) or begin with a zero (``"0 090"``); the number is read
        all the same.
    rounded_to
        What it was rounded to, where that is known and more than its last digit; for a percentage as a fraction.
    """

    value: Decimal
    decimals: int
    stars: int = 0
    percent: bool = False
    misgrouped: bool = False
    rounded_to: Decimal | None = None

    @property
    def unit(self) -> Decimal:
        """What it was rounded to: one unit of the last digit, unless it is known to be more."""
        return Decimal(1).scaleb(-self.decimals) if self.rounded_to is None else self.rounded_to


def parse_printed(text: str, *, unit: str = "", rounded_to: str = "") -> Printed:
    """Read a number as published: sign, decimal comma or point, spaced thousands, parentheses, stars, percent; or a word.

    A comma or a point is always the decimal sign, because Norwegian reports group thousands by spaces; parentheses
    mark standard errors and standard deviations and are not a minus sign.

    Parameters
    ----------
    text
        For instance ``"-0.00088"``, ``"(0.0059)"``, ``"0.0011**"``, ``"4 898"``, ``"7,5"`` or ``"30 %"``; or a number word from
        one to twelve in Norwegian or English, for instance ``"sju"``.
    unit
        The unit of the file's row; ``"percent"`` makes a number without the sign a percentage as well.
    rounded_to
        The file's column of that name, in the published unit; empty for the last digit.

    Returns
    -------
    Printed

    Raises
    ------
    ValueError
        When the text is not such a number.
    """
    text = str(_WORDS.get(text.strip().lower(), text))
    match = _NUMBER.fullmatch(text.translate(_SPACES).translate(_MINUS).strip())
    whole, fraction = (match["whole"], match["fraction"]) if match else ("", None)
    if match is None or not (whole or fraction) or bool(match["open"]) != bool(match["close"]):
        raise ValueError(f"'{text}' is not a published number")
    value = Decimal(f"{match['sign']}{whole.replace(' ', '') or '0'}.{fraction or '0'}")
    decimals = len(fraction or "")
    value = value.quantize(Decimal(1).scaleb(-decimals))
    percent = bool(match["percent"]) or unit == "percent"
    if percent:
        value, decimals = value.scaleb(-2), decimals + 2
    step = Decimal(rounded_to) if rounded_to else None
    return Printed(
        value=value,
        decimals=decimals,
        stars=len(match["stars"] or match["marks"]),
        percent=percent,
        misgrouped=_GROUPS.fullmatch(whole) is None,
        rounded_to=step.scaleb(-2) if step is not None and percent else step,
    )


def load_published(path: Path | str) -> pd.DataFrame:
    """Read and check a file of published values.

    Parameters
    ----------
    path
        `data/published/<document>.csv`; the columns `qualifier`, `rounded_to` and `unit` may be left out.

    Returns
    -------
    pandas.DataFrame
        One row per published number: the keys, `printed`, `qualifier`, `rounded_to` and `unit` as strings, `source_line` as text.

    Raises
    ------
    UserError
        All problems of the file at once, with its lines.
    """
    path = Path(path)
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise UserError(
            f"{path.name}: no such file of published values. The evaluation's `published` names a file of data/published "
            "without its extension: add the file, or remove `published`."
        ) from None
    except OSError as error:
        raise UserError(f"{path}: {(error.strerror or str(error)).lower()}. Name a CSV file.") from None
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{path.name} is not a CSV file in UTF-8: {reason}. Save it as comma-separated text.") from None
    for name in OPTIONAL:
        if name not in frame.columns:
            frame[name] = ""
    missing = [name for name in COLUMNS if name not in frame.columns]
    if missing:
        raise UserError(
            f"{path.name}: missing column{'s' if len(missing) > 1 else ''} {', '.join(missing)}. A file of published "
            f"values has the columns {', '.join(COLUMNS)}; `qualifier`, `rounded_to` and `unit` may be left out."
        )
    frame = frame[[*COLUMNS, "rounded_to", "unit"]]
    raise_problems(_problems(frame, path.name))
    return frame


def printed_numbers(path: Path | str) -> dict[str, float]:
    """Return every published number of a file by its key, `exhibit/panel/row/column/statistic`, in the published unit.

    A percentage is a share (``"30 %"`` is 0.30), also where only the file's column `unit` says so.
    """
    return dict(_PRINTED.of(version_of(path), lambda: _printed_numbers(path), lambda printed: 100 * len(printed)))


_PRINTED = RecentResults[dict[str, float]](most=2_000_000)


def _printed_numbers(path: Path | str) -> dict[str, float]:
    frame = load_published(path)
    return {
        "/".join(str(record[key]) for key in KEYS): float(
            parse_printed(str(record["printed"]), unit=str(record["unit"])).value
        )
        for record in frame.to_dict("records")
    }


def _rounding_problems(record: Mapping[Hashable, Any], where: str) -> Iterator[str]:
    """Yield what is wrong with a row's `rounded_to`: the number must be a whole multiple of it."""
    step = str(record["rounded_to"])
    if not step:
        return
    if not _STEP.fullmatch(step) or not Decimal(step):
        yield f"{where}: `rounded_to` is '{step}', not a positive number. Write for instance 1000 or 0.5."
        return
    try:
        printed = parse_printed(str(record["printed"]), rounded_to=step)
    except ValueError:
        return
    if printed.rounded_to is not None and printed.value % printed.rounded_to:
        yield (
            f"{where}: '{record['printed']}' is not a multiple of {step}, so it was not rounded to it. "
            "Write in `rounded_to` what it was rounded to, in the published unit, or leave it empty."
        )
    if record["qualifier"] in ("just_under", "just_over"):
        yield f"{where}: a number that is {record['qualifier']} was not rounded; leave `rounded_to` empty."


def _problems(frame: pd.DataFrame, name: str) -> list[str]:
    """Return a paragraph for each problem of the rows."""
    problems = [
        problem
        for line, record in enumerate(frame.to_dict("records"), start=2)
        for problem in _row_problems(record, f"{name}, line {line}")
    ]
    repeated = frame.duplicated(list(KEYS), keep=False)
    if repeated.any():
        lines = ", ".join(str(number) for number in (frame.index[repeated] + 2)[:6])
        problems.append(
            f"{name}: {int(repeated.sum())} rows share their key ({', '.join(KEYS)}) with another: lines {lines}. "
            "Each published number has one row; give each its own row, column or panel."
        )
    return problems


def _row_problems(record: Mapping[Hashable, Any], where: str) -> Iterator[str]:
    try:
        parse_printed(str(record["printed"]))
    except ValueError:
        yield (
            f"{where}: `printed` is '{record['printed']}', not a number. Write it as in the document, "
            "for instance -0.00088, (0.0059), 0.0011**, 4 898 or 30 %."
        )
    if record["statistic"] not in PUBLISHED_STATISTICS:
        yield (
            f"{where}: unknown statistic '{record['statistic']}', which no number of ours can have.{nearest(str(record['statistic']), sorted(PUBLISHED_STATISTICS))} "
            f"The statistics are {', '.join(sorted(PUBLISHED_STATISTICS))}."
        )
    if record["qualifier"] not in QUALIFIERS:
        hint = nearest(str(record["qualifier"]), [word for word in QUALIFIERS if word])
        yield f"{where}: unknown qualifier '{record['qualifier']}'.{hint} Leave it empty for a table."
    yield from _rounding_problems(record, where)
    if not _UNIT.fullmatch(str(record["unit"])):
        yield (
            f"{where}: the unit '{record['unit']}' is not a single lower-case word. Write for instance percent, kroner or "
            "hours_per_week, or leave it empty."
        )
    if not str(record["source_line"]).strip():
        yield f"{where}: `source_line` is empty. Write the line of the document, or its table."
