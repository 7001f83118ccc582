"""What is wrong with a delivery, in words that its owner can act on: what, where, how many rows, which, what to do.

Nothing here holds an id or the content of a cell: a code that nobody knows may be somebody's number in the wrong
column. Row numbers say where to look.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from refino_eval.config.sources import Source

ERROR, WARNING, NOTE = "error", "warning", "note"
SEVERITIES = (ERROR, WARNING, NOTE)
"""Stops a run; should be looked at; excluded on purpose, by a rule that the source chose."""

LIMIT = 0.10
"""A rule that takes more than this share of a file's rows tells of a wrong form, not of single wrong rows."""
WIDE_LIMIT = 0.50
"""The same for repeated rows and rows outside the coverage, which honest deliveries can have many of."""
FEW = 20
"""Fewer rows than this say nothing of the form, unless they are all that the file has."""
FIRST_ROWS = 5
"""How many row numbers are told."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes
    ----------
    severity
        One of `SEVERITIES`.
    register, file, column
        Where: inside name of the register, base name, delivered column name; empty where they do not apply.
    rule
        Name of the rule or check.
    rows
        Number of rows.
    first_rows
        The first of them, as 1-based data rows of the file.
    what, do
        A sentence each.
    """

    severity: str
    register: str
    file: str
    column: str
    rule: str
    rows: int
    first_rows: tuple[int, ...]
    what: str
    do: str


@dataclass(frozen=True)
class _Words:
    what: str
    do: str
    kind: str = "damage"  # damage, wide, chosen


_RULES = {
    "unreadable_line": _Words(
        "lines cannot be cut into the header's columns: too many or too few fields, an open quotation mark, or bytes that "
        "are not {encoding}",
        "Write the file anew with every field that holds the delimiter in quotation marks, and say the encoding.",
    ),
    "missing_value": _Words("rows lack a value that every row must have", "Deliver the value, or leave the rows out."),
    "missing_start": _Words("rows have no start date", "Deliver the date, or leave the rows out."),
    "missing_stop": _Words("spells have no end date", "Deliver the date; open spells are not expected here."),
    "bad_value": _Words(
        "values are not written as {type}{form}", "Deliver the column in one form, and say which it is."
    ),
    "unknown_code": _Words(
        "codes are not in the code list '{codelist}', or not in use on the row's date",
        "Send the column's code list; codes that are right are added to config/codelists/{codelist}.csv.",
    ),
    "value_range": _Words(
        "values lie outside the range that config/sources/{register}.yaml allows",
        "Look for lost decimal marks, and for a percentage in place of an amount.",
    ),
    "stop_before_start": _Words("spells end before they begin", "Look whether the two dates have changed places."),
    "repeated_person": _Words(
        "rows are a person's second row, where one is expected", "Deliver one row a person, the one that holds."
    ),
    "duplicate_row": _Words("rows repeat an earlier row in every column", "Deliver each row once.", "wide"),
    "outside_coverage": _Words(
        "rows lie outside {coverage}, the period that the register covers",
        "Nothing, when the extract was wider on purpose; else look at its dates.",
        "wide",
    ),
    "future_date": _Words(
        "rows have a date after the last day that can be", "Look at the dates, and at the day of the extract."
    ),
    "cut_at": _Words("spells begin after the person's last day in the registers", "Look at the two dates."),
    "person_not_listed": _Words(
        "rows are of people who are not in the list of ids", "Nothing, when the extract was wider on purpose.", "chosen"
    ),
    "overlap": _Words("rows are joined with another of the same key", "Nothing: the joined spell is used.", "chosen"),
    "superseded": _Words(
        "rows are corrected by a row of a later file with the same key", "Nothing: the later row is used.", "chosen"
    ),
    "value_in": _Words(
        "rows have a value that config/sources/{register}.yaml leaves out", "Nothing: the source chose so.", "chosen"
    ),
}
_TAKEN_BACK = _Words(
    "rows end before they begin, which takes back the rows of earlier files that they correct",
    "Nothing: neither they nor the rows they take back are used.",
    "chosen",
)
_OTHER = _Words(
    "rows are taken out by the rule '{rule}' of config/sources/{register}.yaml", "Look at the rows, and at the rule."
)
_TYPES = {
    "date": "a date",
    "integer": "a whole number",
    "number": "a number",
    "hundredths": "a number with at most two decimals",
    "ore": "an amount with at most two decimals",
    "month": "a month, yyyymm",
    "year": "a year, yyyy",
    "week": "a whole number of weeks",
}


def rule_fault(
    source: Source,
    file: str,
    rule: str,
    column: str,
    *,
    rows: int,
    of: int,
    first_rows: tuple[int, ...],
    corrects: bool = False,
) -> Problem:
    """Tell one rule's rejected rows of one file.

    Parameters
    ----------
    column
        Inside name of the column, or empty.
    rows, of
        Rows rejected, and rows of the file.
    first_rows
        The first of them.
    corrects
        Whether the file is a later one of a register whose later files correct earlier ones.
    """
    words = _TAKEN_BACK if corrects and rule == "stop_before_start" else _RULES.get(rule, _OTHER)
    entry = source.columns.get(column)
    kind = str(entry.type) if entry is not None else ""
    form = _date_form(entry.date_format) if entry is not None and kind == "date" else ""
    form = f" with the decimal mark '{source.decimal}'" if kind in ("number", "hundredths", "ore") else form
    coverage = source.coverage
    facts = {
        "register": source.register_name,
        "rule": rule,
        "encoding": source.encoding,
        "type": _TYPES.get(kind, "expected"),
        "form": form,
        "codelist": (entry.codelist if entry is not None else None) or "",
        "coverage": f"{coverage.first} to {coverage.last}" if coverage is not None else "the coverage",
    }
    if words.kind == "chosen":
        severity = NOTE
    else:
        many = rows > of * (WIDE_LIMIT if words.kind == "wide" else LIMIT) and (rows >= FEW or rows == of)
        severity = ERROR if many else WARNING
    share = f"{rows:,} of {of:,} "
    return Problem(
        severity=severity,
        register=source.register_name,
        file=file,
        column=entry.source if entry is not None else "",
        rule=rule,
        rows=rows,
        first_rows=first_rows,
        what=share + words.what.format(**facts) + ".",
        do=words.do.format(**facts),
    )


def _date_form(form: str) -> str:
    """Show a date's form by a date in it; a form without a pattern is a program's own count of days."""
    return f" like {dt.date(2001, 12, 31).strftime(form)}" if "%" in form else f" (days as {form} counts them)"


def told_fault(register: str, text: str) -> Problem:
    """Pass on a paragraph that told why a register cannot be read."""
    return Problem(ERROR, register, "", "", "cannot_be_read", 0, (), text, "")


def empty_file(register: str, file: str) -> Problem:
    """Tell a file without a row."""
    return Problem(
        ERROR, register, file, "", "no_rows", 0, (), "The file has no rows.", "Send the file with its rows."
    )  # fmt: skip


def empty_column(register: str, file: str, column: str, rows: int) -> Problem:
    """Tell a column that is empty from the first row to the last."""
    return Problem(
        WARNING, register, file, column, "empty_column", rows, (), "The column is empty in every row.",
        "Deliver the column's values, or say that it has none.",
    )  # fmt: skip


def empty_year(register: str, year: int) -> Problem:
    """Tell a year inside the coverage in which nothing begins, beside years in which much does."""
    return Problem(
        WARNING, register, "", "", "empty_year", 0, (),
        f"No row begins in {year}, inside the period that the register covers, and the year beside it has many.",
        "Ask the owner for the year; without it the register says that nothing happened, when nothing is known.",
    )  # fmt: skip
