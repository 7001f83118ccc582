"""Describe what is wrong with a delivery: what, where, in how many rows and which, and what its owner can do.

Nothing here holds an id or the content of a cell: an unknown code may be a person's number in the wrong column. Row
numbers say where to look.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from refino_eval.config.sources import Source
from refino_eval.registers.linkage import Linkage, below_expectation, unlike_by_arm
from refino_eval.registers.linkage import linkage_problems as messages_of

ERROR, WARNING, NOTE = "error", "warning", "note"
SEVERITIES = (ERROR, WARNING, NOTE)
"""Stops a run; should be looked at; excluded on purpose, by a rule that the source chose."""

LIMIT = 0.10
"""A rule that rejects a larger share of a file's rows indicates a wrong form, not single wrong rows."""
WIDE_LIMIT = 0.50
"""The same for repeated rows and rows outside the coverage, which correct deliveries can have many of."""
FEW = 20
"""Fewer rows than this do not indicate a wrong form, unless they are all of the file's."""
SOME = 8
"""So many values that are all whole are hardly so by chance, where decimals are usual."""
FIRST_ROWS = 5
"""How many row numbers are listed."""


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
        One sentence each.
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
        "lines cannot be split into the header's columns: too many or too few fields, an open quotation mark, or bytes that "
        "are not {encoding}",
        "Write the file again with every field that contains the delimiter in quotation marks, and state the encoding.",
    ),
    "missing_value": _Words("rows lack a value that every row must have", "Deliver the value, or leave the rows out."),
    "missing_start": _Words("rows have no start date", "Deliver the date, or leave the rows out."),
    "missing_stop": _Words("spells have no end date", "Deliver the date; open spells are not expected here."),
    "bad_value": _Words("values are not written as {type}{form}", "Deliver the column in one form, and state it."),
    "impossible_date": _Words(
        "dates are outside the years that dates can be in", "Check for default values, and for years of two digits."
    ),
    "unknown_code": _Words(
        "codes are not in the code list '{codelist}', or not in use on the row's date",
        "Send the column's code list; add codes that are right to config/codelists/{codelist}.csv.",
    ),
    "value_range": _Words(
        "values are outside the range that config/sources/{register}.yaml allows",
        "Check for lost decimal marks, and for a percentage in place of an amount.",
    ),
    "stop_before_start": _Words("spells end before they begin", "Check whether the two dates are exchanged."),
    "repeated_person": _Words(
        "rows are a person's second row, where one is expected", "Deliver one row a person, the one that holds."
    ),
    "duplicate_row": _Words("rows repeat an earlier row in every column", "Deliver each row once.", "wide"),
    "outside_coverage": _Words(
        "rows are outside {coverage}, the period that the register covers",
        "Nothing, if the extract was wider on purpose; otherwise check its dates.",
        "wide",
    ),
    "future_date": _Words(
        "rows have a date after the last possible day", "Check the dates, and the day of the extract."
    ),
    "cut_at": _Words("spells begin after the person's last day in the registers", "Check the two dates."),
    "person_not_listed": _Words(
        "rows are of people who are not in the list of ids", "Nothing, if the extract was wider on purpose.", "chosen"
    ),
    "overlap": _Words("rows are joined with another of the same key", "Nothing: the joined spell is used.", "chosen"),
    "superseded": _Words(
        "rows are corrected by a row of a later file with the same key", "Nothing: the later row is used.", "chosen"
    ),
    "value_in": _Words(
        "rows have a value that config/sources/{register}.yaml leaves out", "Nothing: the source chose so.", "chosen"
    ),
}
_REVOKED = _Words(
    "rows end before they begin, which revokes the rows of earlier files that they correct",
    "Nothing: neither they nor the rows they revoke are used.",
    "chosen",
)
_OTHER = _Words(
    "rows are rejected by the rule '{rule}' of config/sources/{register}.yaml", "Check the rows, and the rule."
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


def rule_problem(
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
    """Describe the rows of one file that one rule rejects.

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
    words = _REVOKED if corrects and rule == "stop_before_start" else _RULES.get(rule, _OTHER)
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
    severity = NOTE if words.kind == "chosen" else ERROR if _is_many(rows, of, words.kind) else WARNING
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


def _is_many(rows: int, of: int, kind: str) -> bool:
    """Return whether so many rows are rejected that the file has a wrong form."""
    return rows > of * (WIDE_LIMIT if kind == "wide" else LIMIT) and (rows >= FEW or rows == of)


def _date_form(form: str) -> str:
    """Show a date's form by a date written in it; a form without a pattern is a program's count of days."""
    return f" like {dt.date(2001, 12, 31).strftime(form)}" if "%" in form else f" (days as counted by {form})"


def unreadable(register: str, text: str) -> Problem:
    """Report why a register cannot be read."""
    return Problem(ERROR, register, "", "", "cannot_be_read", 0, (), text, "")


def empty_file(register: str, file: str) -> Problem:
    """Report a file without rows."""
    return Problem(
        ERROR, register, file, "", "no_rows", 0, (), "The file has no rows.", "Send the file with its rows."
    )  # fmt: skip


def empty_column(register: str, file: str, column: str, rows: int) -> Problem:
    """Report a column that is empty in every row."""
    return Problem(
        WARNING, register, file, column, "empty_column", rows, (), "The column is empty in every row.",
        "Deliver the column's values, or confirm that it has none.",
    )  # fmt: skip


def repeated_rows(register: str, file: str, rows: int) -> Problem:
    """Report rows that repeat another in every column, where no rule of the source rejects them."""
    return Problem(
        WARNING, register, file, "", "repeated_rows", rows, (),
        f"{rows:,} rows repeat an earlier row in every column, and are used: no rule rejects them, and amounts are added up.",
        f"Deliver each row once, or add the rule duplicate_row to config/sources/{register}.yaml if repetitions mean nothing.",
    )  # fmt: skip


def without_decimals(register: str, column: str, values: int) -> Problem:
    """Report a column of amounts, hours or other decimal numbers in which every value is whole."""
    return Problem(
        NOTE, register, "", column, "no_decimals", values, (),
        f"None of the {values:,} values has decimals.",
        "Nothing, if the values are rounded; otherwise check for a lost decimal mark, and for another unit (øre in place of kroner).",
    )  # fmt: skip


def empty_year(register: str, year: int) -> Problem:
    """Report a year of the coverage in which no row begins, next to a year in which many do."""
    return Problem(
        WARNING, register, "", "", "empty_year", 0, (),
        f"No row begins in {year}, inside the period that the register covers, and the year before or after it has many.",
        "Ask the owner for the year; without it, its spells are missing and everybody appears to have none.",
    )  # fmt: skip


LONGEST_LIFE = 90
"""Years before the period covered from which no spell of a living person begins."""


def early_years(register: str, rows: int, first: int, before: int) -> Problem:
    """Report rows that begin so long before the period covered that a century must be wrong."""
    return Problem(
        WARNING, register, "", "", "early_start", rows, (),
        f"{rows:,} rows begin before {before}, the first of them in {first}: more than {LONGEST_LIFE} years before the period that "
        "the register covers.",
        "Check the century of the dates, and for default values.",
    )  # fmt: skip


def undivided_units(register: str, column: str, groups: int) -> Problem:
    """Report a column of the draws whose groups were assigned as a whole, where no cluster is named."""
    return Problem(
        WARNING, register, "", column, "assigned_by_group", 0, (),
        f"Each of the {groups:,} groups of several people in the column '{column}' has one arm alone, as when groups were "
        "assigned and not people. Standard errors without clusters are then too small.",
        f"If groups were assigned, say `cluster: {column}` under `population` and use a clustered covariance (vcov); if people "
        "were, check how the arm was recorded.",
    )  # fmt: skip


def linkage_problems(linkages: Iterable[Linkage]) -> list[Problem]:
    """Report registers in which too few of the people drawn are found, in which the arms differ, or with other ids."""
    problems = []
    for linkage in linkages:
        if messages := messages_of([linkage]):
            problems.append(
                Problem(ERROR, linkage.register, "", "", "linkage", linkage.ids_only_there, (), messages[0], "")
            )
            continue
        if sentence := below_expectation(linkage):
            problems.append(Problem(
                WARNING, linkage.register, "", "", "linkage_below_expectation", 0, (), sentence,
                "Check that the extract is of everybody who was drawn, and how the ids are written.",
            ))  # fmt: skip
        if sentence := unlike_by_arm(linkage):
            problems.append(Problem(
                WARNING, linkage.register, "", "", "linkage_by_arm", 0, (), sentence,
                "Check that the extract was made in the same way for both arms.",
            ))  # fmt: skip
        if linkage.ids_only_there:
            problems.append(Problem(
                NOTE, linkage.register, "", "", "ids_only_there", linkage.ids_only_there, (),
                f"{linkage.ids_only_there:,} ids were never drawn; {linkage.found:,} of {linkage.people:,} people drawn are "
                "found.",
                "Nothing, if the extract was wider on purpose; otherwise check how the ids are written.",
            ))  # fmt: skip
    return problems
