"""Write the rules of a source as SQL conditions, in their order: the first that applies is the reason for rejection.

The checks of the types come first, column by column; then codes; then the rules of the YAML file in its order. Each
rule sees the rows that passed those before it: a repetition of a row that was already rejected is not a repetition, and
a row is superseded by a later one that is itself still clean. With `superseded` before `stop_before_start` a correction
can therefore revoke a job; in the other order it could not.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from refino_eval.codes.codelists import Code, Codelist
from refino_eval.config import sources as model
from refino_eval.errors import nearest
from refino_eval.registers.readers.value_kinds import FIRST_YEAR, LAST_YEAR
from refino_eval.sql.quoting import quoted_name, text_literal

OPEN_YEAR = 9999
"""Registers write an end that has not come as 31 December 9999; inside, such a spell is open."""

RESERVED = (
    "source_file", "source_row", "rule", "rule_column", "file_no", "unreadable", "broken", "repairs", "number",
    "blanks", "mark", "island", "fresh", "last_no",
)  # fmt: skip
"""Names that the program's queries use for columns of theirs."""

_COUNTED = {"integer", "number", "hundredths", "ore", "month", "year"}
_NAMED = {"id", "text", "code", "integer", "month", "year"}
_OF_SPELLS = model.MissingStop | model.StopBeforeStart | model.CutAt | model.Overlap


def rule_problems(source: model.Source, codelists: Mapping[str, Codelist], origin: dt.date | None) -> list[str]:
    """Return what in a source cannot be applied, one paragraph for each problem."""
    where = f"config/sources/{source.register_name}.yaml"
    problems = [
        f"{where}: a column cannot be called '{name}', a name that the program uses. Choose another."
        for name in RESERVED
        if name in source.columns
    ]
    problems += _column_problems(source, codelists, origin, where)
    problems += _order_problems(source, where)
    for rule in source.rules:
        problems += _rule_problem(source, rule, codelists, where)
    return problems


@dataclass(frozen=True)
class Verdicts:
    """Every reason for which a row of a register can be rejected, in the order in which they are checked.

    Attributes
    ----------
    texts
        The reasons as 'rule:column'. A reason's number in the engine is its position here.
    types
        SQL condition of each check of types and codes, by number.
    rules
        Number -> the source's rule, for rules that reject.
    """

    texts: tuple[str, ...]
    types: tuple[str, ...]
    rules: dict[int, model.Rule]


REPAIRS = (model.HoursFromPercent, model.CutAt)
COMPARES = (model.DuplicateRow, model.Superseded, model.Overlap)
REPEATED = "repeated_person:"


def verdicts(source: model.Source, codelists: Mapping[str, Codelist]) -> Verdicts:
    """List the reasons of a register.

    Their SQL reads `unreadable`, the text of each column under `text of <name>`, and its value under `<name>`. The last
    reason is in no file: a register with fixed facts has one row a person.
    """
    checks = _type_checks(source, codelists)
    texts = [text for text, _ in checks]
    rules: dict[int, model.Rule] = {}
    for rule in source.rules:
        if not isinstance(rule, model.HoursFromPercent):
            rules[len(texts)] = rule
            texts.append(f"{rule.rule}:{getattr(rule, 'column', '')}")
    if source.temporality == "fixed":
        texts.append(REPEATED)
    return Verdicts(tuple(texts), tuple(condition for _, condition in checks), rules)


def _type_checks(source: model.Source, codelists: Mapping[str, Codelist]) -> list[tuple[str, str]]:
    checks = [("unreadable_line:", "unreadable")]
    for name, column in source.columns.items():
        missing = "missing_start" if name == "start" else "missing_value"
        if column.required or name in ("person_id", "period") or name == "start":
            checks.append((f"{missing}:{name}", f"{quoted_name(f'text of {name}')} IS NULL"))
        if column.type not in ("id", "text", "code") or (column.type == "id" and column.digits):
            broken = f"{quoted_name(f'text of {name}')} IS NOT NULL AND {quoted_name(name)} IS NULL"
            checks.append((f"bad_value:{name}", broken))
        if column.type == "date":
            checks.append((f"impossible_date:{name}", _impossible_date(name)))
    for name, column in source.columns.items():
        if column.codelist is not None:
            checks.append((f"unknown_code:{name}", _unknown_code(name, codelists[column.codelist], _day(source))))
    return checks


def _impossible_date(name: str) -> str:
    """Return the condition for a date that cannot be: a lost century, a default value; 9999 means no end."""
    year = f"year({quoted_name(name)})"
    default = "" if name == "start" else f" AND {year} <> {OPEN_YEAR}"
    return f"{year} < {FIRST_YEAR} OR ({year} > {LAST_YEAR}{default})"


def checked_rows(reasons: Verdicts, rows: str) -> str:
    """Return the query that adds `broken`, the number of the first check of types and codes that a row fails."""
    whens = " ".join(f"WHEN {condition} THEN {number}" for number, condition in enumerate(reasons.types))
    return f"SELECT *, CAST(CASE {whens} END AS SMALLINT) AS broken, CAST(0 AS SMALLINT) AS repairs\nFROM (\n{rows}\n)"


def ruled_rows(source: model.Source, reasons: Verdicts, rows: str) -> str:
    """Return the query that applies the rules that concern one row alone, in their order.

    Rules that compare rows are left to `comparisons`. Each repair is a separate layer, so that the rules after it see
    the repaired value; `repairs` has a bit for each repair of the source, in its order.
    """
    numbers = {id(rule): number for number, rule in reasons.rules.items()}
    waiting: list[str] = []
    bit = 1
    for rule in source.rules:
        if not isinstance(rule, COMPARES) and not isinstance(rule, model.HoursFromPercent):
            waiting.append(f"WHEN {_condition(source, rule)} THEN {numbers[id(rule)]}")
        if isinstance(rule, REPAIRS):
            rows, waiting = _layer(rows, waiting), []
            name, hit, value = _repair(rule)
            hit = f"broken IS NULL AND coalesce({hit}, FALSE)"
            name = quoted_name(name)
            flagged = f"CASE WHEN {hit} THEN repairs + {bit} ELSE repairs END"
            rows = (
                f"SELECT * REPLACE (CASE WHEN {hit} THEN {value} ELSE {name} END AS {name}, "
                f"CAST({flagged} AS SMALLINT) AS repairs)\nFROM (\n{rows}\n)"
            )
            # A row may have several repairs: each has a bit of one small integer.
            bit *= 2
    return _layer(rows, waiting)


def _layer(rows: str, whens: list[str]) -> str:
    if not whens:
        return rows
    broken = f"CASE WHEN broken IS NOT NULL THEN broken {' '.join(whens)} END"
    return f"SELECT * REPLACE (CAST({broken} AS SMALLINT) AS broken)\nFROM (\n{rows}\n)"


def _repair(rule: model.HoursFromPercent | model.CutAt) -> tuple[str, str, str]:
    """Return the column that a repair changes, the condition on which it does, and the new value."""
    if isinstance(rule, model.CutAt):
        day = quoted_name(rule.column)
        return "stop", f"year({day}) < {OPEN_YEAR} AND (stop IS NULL OR stop > {day} + 1)", f"CAST({day} + 1 AS DATE)"
    hours, percent = quoted_name(rule.column), quoted_name(rule.percent)
    full = int(Decimal(repr(rule.full_time_hours)) * 100)
    # Hundredths of a per cent times hundredths of hours: a hundredth of hours is ten thousand of these; halves go up.
    value = f"CAST(({percent} * {full} + 5000) // 10000 AS BIGINT)"
    return rule.column, f"coalesce({hours}, 0) = 0 AND {percent} BETWEEN 1 AND 100000", value


def repair_names(source: model.Source) -> tuple[str, ...]:
    """Return the names of a source's repairs of rows, in the order of their bits."""
    return tuple(rule.rule for rule in source.rules if isinstance(rule, REPAIRS))


def comparisons(source: model.Source, reasons: Verdicts, n_files: int) -> list[str]:
    """Return SQL that rejects rows by comparing them, one statement after the other.

    They read `validated` and write into `hits` (file_no, source_row, number), and into `extended` (file_no, source_row,
    stop) the new end of a spell that absorbed others.

    Parameters
    ----------
    n_files
        Number of files of the delivery; with one, no file is later.
    """
    statements: list[str] = []
    for number, rule in reasons.rules.items():
        if isinstance(rule, model.DuplicateRow):
            statements += _repeats(number, list(source.columns))
        elif isinstance(rule, model.Superseded) and n_files > 1:
            statements.append(_superseded(number, list(rule.key)))
        elif isinstance(rule, model.Overlap):
            statements += _overlapping(number, rule)
    if source.temporality == "fixed":
        statements += _repeats(len(reasons.texts) - 1, ["person_id"])
    return statements


def _eligible(number: int) -> str:
    """Return the condition for the rows that a comparison sees: those that no earlier reason rejects."""
    return (
        f"(broken IS NULL OR broken > {number}) AND NOT EXISTS "
        f"(FROM hits WHERE hits.file_no = validated.file_no AND hits.source_row = validated.source_row)"
    )


def _repeats(number: int, names: list[str]) -> list[str]:
    """Reject every row that equals an earlier one in some columns.

    Most rows of a register equal no other: they are set aside by a hash, so that few are sorted.
    """
    columns = ", ".join(quoted_name(name) for name in names)
    seen = f"FROM validated WHERE {_eligible(number)}"
    return [
        f"CREATE OR REPLACE TEMP TABLE shared AS SELECT hash({columns}) AS mark {seen} GROUP BY ALL HAVING count(*) > 1",
        f"INSERT INTO hits SELECT file_no, source_row, {number} {seen} AND hash({columns}) IN (FROM shared) "
        f"QUALIFY row_number() OVER (PARTITION BY {columns} ORDER BY file_no, source_row) > 1",
    ]


def _superseded(number: int, names: list[str]) -> str:
    """Reject every row whose key comes again in a later file; a missing key equals no other."""
    columns = ", ".join(quoted_name(name) for name in names)
    known = "".join(f" AND {quoted_name(name)} IS NOT NULL" for name in names)
    same = " AND ".join(f"validated.{quoted_name(name)} = later.{quoted_name(name)}" for name in names)
    seen = f"FROM validated WHERE {_eligible(number)}"
    later = f"SELECT {columns}, max(file_no) AS last_no {seen}{known} AND file_no > 0 GROUP BY {columns}"
    return (
        f"INSERT INTO hits SELECT file_no, source_row, {number} FROM validated JOIN ({later}) AS later ON {same} "
        f"AND validated.file_no < later.last_no WHERE {_eligible(number)}"
    )


def _overlapping(number: int, rule: model.Overlap) -> list[str]:
    """Find the groups of connected spells; reject all but one row of each.

    Spells that end before they start have no day, and are in no group.
    """
    names = ["person_id", *rule.key]
    columns = ", ".join(quoted_name(name) for name in names)
    known = "".join(f" AND {quoted_name(name)} IS NOT NULL" for name in rule.key)
    seen = f"FROM validated WHERE {_eligible(number)}{known} AND (stop IS NULL OR stop > start)"
    order = "start, file_no, source_row"
    end = "coalesce(stop, DATE '9999-12-31')"
    before = (
        f"max({end}) OVER (PARTITION BY {columns} ORDER BY {order} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
    )
    # Gaps and islands: a spell that begins after all earlier ones have ended (their running maximum) begins a new island, and the
    # running sum of such beginnings numbers the islands.
    apart = f"start >= {before}" if rule.gap is None else f"start > {before} + {rule.gap}"
    best = order if rule.keep == "merge" else f"{end} - start DESC, {order}"
    groups = (
        f"SELECT file_no, source_row, start, stop, {columns}, "
        f"sum(fresh) OVER (PARTITION BY {columns} ORDER BY {order} ROWS UNBOUNDED PRECEDING) AS island FROM "
        f"(SELECT file_no, source_row, start, stop, {columns}, CAST(coalesce({apart}, TRUE) AS INTEGER) AS fresh {seen} "
        f"AND hash({columns}) IN (FROM shared))"
    )
    joined = f"PARTITION BY {columns}, island"
    statements = [
        f"CREATE OR REPLACE TEMP TABLE shared AS SELECT hash({columns}) AS mark {seen} GROUP BY ALL HAVING count(*) > 1",
        f"CREATE OR REPLACE TEMP TABLE joined AS SELECT file_no, source_row, stop, count(*) OVER ({joined}) AS n, "
        f"nullif(max({end}) OVER ({joined}), DATE '9999-12-31') AS last_stop, "
        f"row_number() OVER ({joined} ORDER BY {best}) AS position FROM ({groups})",
        f"INSERT INTO hits SELECT file_no, source_row, {number} FROM joined WHERE position > 1",
    ]
    if rule.keep == "merge":
        statements.append(
            "INSERT INTO extended SELECT file_no, source_row, last_stop FROM joined "
            "WHERE position = 1 AND n > 1 AND stop IS DISTINCT FROM last_stop"
        )
    return statements


def _condition(source: model.Source, rule: model.Rule) -> str:
    if isinstance(rule, model.MissingStop):
        return "stop IS NULL"
    if isinstance(rule, model.StopBeforeStart):
        return "stop <= start"
    if isinstance(rule, model.OutsideCoverage):
        assert source.coverage is not None
        first, last = text_literal(source.coverage.first.isoformat()), text_literal(source.coverage.last.isoformat())
        return f"start > DATE {last} OR stop <= DATE {first}"
    if isinstance(rule, model.PersonNotListed):
        return f"person_id NOT IN (SELECT id FROM {listed_table(rule)})"
    if isinstance(rule, model.CutAt):
        return f"start > {quoted_name(rule.column)}"
    if isinstance(rule, model.FutureDate):
        last_day = rule.after or (source.coverage.last if source.coverage else dt.date.max)
        ahead = 1 if rule.column == "stop" else 0
        return f"{quoted_name(rule.column)} > DATE {text_literal(last_day.isoformat())} + {ahead}"
    return _value_condition(source, rule)


def _value_condition(source: model.Source, rule: model.Rule) -> str:
    if not isinstance(rule, model.ValueIn | model.ValueRange):
        raise TypeError(f"rule {rule.rule} compares rows: it has no condition on one row")
    column = quoted_name(rule.column)
    if isinstance(rule, model.ValueIn):
        kept = ", ".join(text_literal(code) for code in rule.keep)
        return f"{column} IS NULL OR CAST({column} AS VARCHAR) NOT IN ({kept})"
    bounds = [(rule.low, "<"), (rule.high, ">")]
    kind = source.columns[rule.column].type
    outside = [f"{column} {sign} {_bound(value, kind)}" for value, sign in bounds if value is not None]
    return " OR ".join(outside) or "FALSE"


def listed_table(rule: model.PersonNotListed) -> str:
    """Name the table that holds a rule's list of ids."""
    return quoted_name(f"listed_{hashlib.sha256(rule.file.encode()).hexdigest()[:12]}")


def _bound(value: float, kind: str) -> str:
    if kind == "number":
        return f"CAST({text_literal(repr(value))} AS DOUBLE)"
    exact = Decimal(repr(value)) * (100 if kind in ("hundredths", "ore") else 1)
    return f"{exact:f}"


def _unknown_code(name: str, codes: Codelist, day: str | None) -> str:
    """Return the condition for a code that is not in the list, or not in use on the day of the row."""
    column = quoted_name(name)
    always = [row.code for row in codes.rows if day is None or (row.valid_from is None and row.valid_to is None)]
    known = [f"{column} IN ({', '.join(text_literal(code) for code in dict.fromkeys(always))})"] if always else []
    if day is not None:
        known += [_in_use(column, row, day) for row in codes.rows if row.code not in always]
    return f"{column} IS NOT NULL AND NOT ({' OR '.join(known) or 'FALSE'})"


def _in_use(column: str, row: Code, day: str) -> str:
    parts = [f"{column} = {text_literal(row.code)}"]
    if row.valid_from is not None:
        parts.append(f"{day} >= DATE {text_literal(row.valid_from.isoformat())}")
    if row.valid_to is not None:
        parts.append(f"{day} <= DATE {text_literal(row.valid_to.isoformat())}")
    return f"({' AND '.join(parts)})"


def _day(source: model.Source) -> str | None:
    return None if source.temporality == "fixed" else "start"


def _column_problems(
    source: model.Source, codelists: Mapping[str, Codelist], origin: dt.date | None, where: str
) -> list[str]:
    problems = []
    for name, column in source.columns.items():
        if column.codelist is not None and column.codelist not in codelists:
            problems.append(
                f"{where}: column {name} names the code list '{column.codelist}'.{nearest(column.codelist, codelists)}"
            )
        if column.codelist is not None and column.type != "code":
            problems.append(f"{where}: column {name} has a code list, so its type must be code, not {column.type}.")
        if column.width is not None and column.type not in ("id", "text", "code"):
            problems.append(f"{where}: column {name} has a width, which is for id, text and code, not {column.type}.")
        if column.type == "week" and origin is None:
            problems.append(
                f"{where}: column {name} counts weeks since the draw, so the evaluation must give `population.draw_date`."
            )
        if name in ("start", "stop") and column.type not in ("date", "week"):
            problems.append(f"{where}: column {name} must be of type date or week, not {column.type}.")
    extra = {"fixed": ("start", "stop"), "event": ("stop",), "accumulated": ("start", "stop")}.get(
        "accumulated" if source.is_by_period else source.temporality, ()
    )
    problems += [
        f"{where}: a register with temporality {source.temporality} cannot have a column called '{name}'."
        for name in extra
        if name in source.columns
    ]
    return problems


def _order_problems(source: model.Source, where: str) -> list[str]:
    """Return a paragraph for each rule that changes what a rule before it has already compared."""
    problems = []
    compared: set[str] = set()
    joined = False
    for rule in source.rules:
        if joined:
            problems.append(f"{where}: rule {rule.rule} is after rule overlap, which must be the last one.")
        changed = {"stop"} if isinstance(rule, model.CutAt) else {getattr(rule, "column", "")}
        if isinstance(rule, REPAIRS) and changed & compared:
            problems.append(
                f"{where}: rule {rule.rule} changes the column {changed.pop()}, which a rule before it compares between "
                f"rows. Put it before that rule."
            )
        if isinstance(rule, model.DuplicateRow):
            compared |= set(source.columns)
        compared |= set(getattr(rule, "key", ()))
        joined = joined or isinstance(rule, model.Overlap)
    return problems


def _rule_problem(source: model.Source, rule: model.Rule, codelists: Mapping[str, Codelist], where: str) -> list[str]:
    """Return why a rule cannot be applied to the register, each reason in one paragraph."""
    if isinstance(rule, model.ValueIn):
        return _kept_code_problems(source, rule, codelists, where)
    problem = ""
    if isinstance(rule, model.OutsideCoverage) and (source.temporality == "fixed" or source.coverage is None):
        problem = "needs `coverage`, and a register with dates"
    elif isinstance(rule, _OF_SPELLS) and source.temporality != "spell":
        problem = f"is for spells; this register's temporality is {source.temporality}"
    elif isinstance(rule, model.CutAt | model.FutureDate):
        problem = _date_rule_problem(source, rule, source.columns[rule.column].type)
    elif isinstance(rule, model.HoursFromPercent):
        problem = _type_problem(source, (rule.column, rule.percent), {"hundredths"}, "columns of type hundredths")
    elif isinstance(rule, model.ValueRange):
        problem = _type_problem(source, (rule.column,), _COUNTED, "a column of numbers")
    return [f"{where}: rule {rule.rule} {problem}."] if problem else []


def _type_problem(source: model.Source, names: tuple[str, ...], types: Iterable[str], wanted: str) -> str:
    other = [
        f"{name} is of type {source.columns[name].type}" for name in names if source.columns[name].type not in types
    ]
    return f"needs {wanted}; {', '.join(other)}" if other else ""


def _date_rule_problem(source: model.Source, rule: model.CutAt | model.FutureDate, kind: str) -> str:
    if kind != "date":
        return f"needs a column of dates; {rule.column} is of type {kind}"
    if isinstance(rule, model.CutAt):
        is_own = rule.column in ("start", "stop")
        return f"needs the column of another day than the spell's {rule.column}" if is_own else ""
    return "needs `coverage`, or a day in `after`" if rule.after is None and source.coverage is None else ""


def _kept_code_problems(
    source: model.Source, rule: model.ValueIn, codelists: Mapping[str, Codelist], where: str
) -> list[str]:
    column = source.columns[rule.column]
    if column.type not in _NAMED:
        return [
            f"{where}: rule value_in needs a column of codes or whole numbers; {rule.column} is of type {column.type}."
        ]
    codes = codelists.get(column.codelist or "")
    if codes is None:
        return []
    return [
        f"{where}: rule value_in keeps the code '{code}', which the code list '{codes.name}' does not have."
        f"{nearest(code, codes.codes)}"
        for code in sorted(set(rule.keep) - set(codes.codes))
    ]
