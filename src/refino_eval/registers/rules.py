"""The rules of a source as SQL conditions, in their order: the first that hits names the reject.

The checks of the types come first, column by column; then codes; then the rules of the YAML file in its order. Each
rule sees the rows that passed those before it: a repetition of a row that was already rejected is no repetition, and a
row is superseded by a later one that is itself still clean. With `superseded` before `stop_before_start` a correction
can therefore take a job back; in the other order it could not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

from refino_eval.codes.codelists import Code, Codelist
from refino_eval.config import sources as model
from refino_eval.errors import nearest
from refino_eval.registers.types import identifier, literal

OPEN_YEAR = 9999
"""Registers write an end that has not come as 31 December 9999; inside, such a spell is open."""

RESERVED = ("source_file", "source_row", "rule", "rule_column", "file_no", "unreadable", "verdict")

_SECOND = "row_number() OVER alike > 1"
_EARLIER = "file_no < max(file_no) OVER (alike ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)"

_COUNTED = {"integer", "number", "hundredths", "ore", "month", "year"}
_NAMED = {"id", "text", "code", "integer", "month", "year"}


def rule_faults(source: model.Source, codelists: Mapping[str, Codelist], origin: dt.date | None) -> list[str]:
    """Return what in a source cannot be carried out, a paragraph each."""
    where = f"config/sources/{source.register_name}.yaml"
    faults = [
        f"{where}: a column cannot be called '{name}', the program's own word."
        for name in RESERVED
        if name in source.columns
    ]
    faults += _column_faults(source, codelists, origin, where)
    for rule in source.rules:
        faults += _rule_fault(source, rule, codelists, where)
    return faults


def type_verdict(source: model.Source, codelists: Mapping[str, Codelist]) -> str:
    """Return the SQL expression that is 'rule:column' where a row breaks a check of its types or codes, else NULL.

    It reads `unreadable`, the text of each column under `text_<name>`, and its value under `<name>`.
    """
    whens = ["WHEN unreadable THEN 'unreadable_line:'"]
    for name, column in source.columns.items():
        missing = "missing_start" if name == "start" else "missing_value"
        if column.required or name in ("person_id", "period") or name == "start":
            whens.append(f"WHEN {identifier('text_' + name)} IS NULL THEN {literal(f'{missing}:{name}')}")
        if column.type not in ("id", "text", "code"):
            broken = f"{identifier('text_' + name)} IS NOT NULL AND {identifier(name)} IS NULL"
            whens.append(f"WHEN {broken} THEN {literal(f'bad_value:{name}')}")
    for name, column in source.columns.items():
        if column.codelist is not None:
            unknown = _unknown_code(name, codelists[column.codelist], _day(source))
            whens.append(f"WHEN {unknown} THEN {literal(f'unknown_code:{name}')}")
    return f"CASE {' '.join(whens)} END"


def rule_statements(source: model.Source, n_files: int) -> list[str]:
    """Return one SQL statement for each rule, in order; each gives its verdict to rows of `judged` that have none yet.

    Parameters
    ----------
    n_files
        Number of files of the delivery; with one there is nothing later.

    Notes
    -----
    `judged` has `file_no`, `source_row`, the values under their inside names, and `verdict`. Last comes a rule that no
    file names: a register with fixed facts has one row a person.
    """
    statements = [
        _statement(source, rule) for rule in source.rules if n_files > 1 or not isinstance(rule, model.Superseded)
    ]
    if source.temporality == "fixed":
        statements.append(_among_rows("repeated_person:", ["person_id"], _SECOND))
    return statements


def _statement(source: model.Source, rule: model.Rule) -> str:
    if isinstance(rule, model.DuplicateRow):
        return _among_rows("duplicate_row:", list(source.columns), _SECOND)
    if isinstance(rule, model.Superseded):
        return _among_rows("superseded:", list(rule.key), _EARLIER)
    verdict = literal(f"{rule.rule}:{getattr(rule, 'column', '')}")
    return f"UPDATE judged SET verdict = {verdict} WHERE verdict IS NULL AND ({_condition(source, rule)})"


def _among_rows(verdict: str, names: list[str], hit: str) -> str:
    """Compare the clean rows that agree in some columns; `hit` sees the window `alike` of such rows.

    Rows that nothing agrees with are most of a register: they are put aside by a hash, so that few are sorted.
    """
    columns = ", ".join(identifier(name) for name in names)
    # A missing key is nobody's key, but a row may repeat another in what is missing too.
    known = "".join(f" AND {identifier(name)} IS NOT NULL" for name in names) if hit == _EARLIER else ""
    clean = f"FROM judged WHERE verdict IS NULL{known}"
    shared = f"SELECT hash({columns}) {clean} GROUP BY ALL HAVING count(*) > 1"
    window = f"WINDOW alike AS (PARTITION BY {columns} ORDER BY file_no, source_row)"
    rows = f"SELECT file_no, source_row {clean} AND hash({columns}) IN ({shared}) {window} QUALIFY {hit}"
    return (
        f"UPDATE judged SET verdict = {literal(verdict)} FROM ({rows}) AS hit "
        f"WHERE judged.file_no = hit.file_no AND judged.source_row = hit.source_row"
    )


def _condition(
    source: model.Source,
    rule: model.MissingStop | model.StopBeforeStart | model.OutsideCoverage | model.ValueIn | model.ValueRange,
) -> str:
    if isinstance(rule, model.MissingStop):
        return "stop IS NULL"
    if isinstance(rule, model.StopBeforeStart):
        return "stop <= start"
    if isinstance(rule, model.OutsideCoverage):
        assert source.coverage is not None
        first, last = literal(source.coverage.first.isoformat()), literal(source.coverage.last.isoformat())
        return f"start > DATE {last} OR stop <= DATE {first}"
    column = identifier(rule.column)
    if isinstance(rule, model.ValueIn):
        kept = ", ".join(literal(code) for code in rule.keep)
        return f"{column} IS NULL OR CAST({column} AS VARCHAR) NOT IN ({kept})"
    bounds = [(rule.low, "<"), (rule.high, ">")]
    kind = source.columns[rule.column].type
    outside = [f"{column} {sign} {_bound(value, kind)}" for value, sign in bounds if value is not None]
    return " OR ".join(outside) or "FALSE"


def _bound(value: float, kind: str) -> str:
    if kind == "number":
        return f"CAST({literal(repr(value))} AS DOUBLE)"
    exact = Decimal(repr(value)) * (100 if kind in ("hundredths", "ore") else 1)
    return f"{exact:f}"


def _unknown_code(name: str, codes: Codelist, day: str | None) -> str:
    """Hit a code that is not in the list, or not in use on the day when the row has one."""
    column = identifier(name)
    always = [row.code for row in codes.rows if day is None or (row.valid_from is None and row.valid_to is None)]
    known = [f"{column} IN ({', '.join(literal(code) for code in dict.fromkeys(always))})"] if always else []
    if day is not None:
        known += [_in_use(column, row, day) for row in codes.rows if row.code not in always]
    return f"{column} IS NOT NULL AND NOT ({' OR '.join(known) or 'FALSE'})"


def _in_use(column: str, row: Code, day: str) -> str:
    parts = [f"{column} = {literal(row.code)}"]
    if row.valid_from is not None:
        parts.append(f"{day} >= DATE {literal(row.valid_from.isoformat())}")
    if row.valid_to is not None:
        parts.append(f"{day} <= DATE {literal(row.valid_to.isoformat())}")
    return f"({' AND '.join(parts)})"


def _day(source: model.Source) -> str | None:
    return None if source.temporality == "fixed" else "start"


def _column_faults(
    source: model.Source, codelists: Mapping[str, Codelist], origin: dt.date | None, where: str
) -> list[str]:
    faults = []
    for name, column in source.columns.items():
        if column.codelist is not None and column.codelist not in codelists:
            faults.append(
                f"{where}: column {name} names the code list '{column.codelist}'.{nearest(column.codelist, codelists)}"
            )
        if column.codelist is not None and column.type != "code":
            faults.append(f"{where}: column {name} has a code list, so its type must be code, not {column.type}.")
        if column.type == "week" and origin is None:
            faults.append(
                f"{where}: column {name} counts weeks since the draw, so the evaluation must give `population.draw_date`."
            )
        if name in ("start", "stop") and column.type not in ("date", "week"):
            faults.append(f"{where}: column {name} must be of type date or week, not {column.type}.")
    extra = {"fixed": ("start", "stop"), "event": ("stop",), "accumulated": ("start", "stop")}.get(
        source.temporality, ()
    )
    faults += [
        f"{where}: a register with temporality {source.temporality} cannot have a column called '{name}'."
        for name in extra
        if name in source.columns
    ]
    return faults


def _rule_fault(source: model.Source, rule: model.Rule, codelists: Mapping[str, Codelist], where: str) -> list[str]:
    dated = source.temporality != "fixed"
    if isinstance(rule, model.OutsideCoverage) and not (dated and source.coverage):
        return [f"{where}: rule outside_coverage needs `coverage`, and a register with dates."]
    if isinstance(rule, model.MissingStop | model.StopBeforeStart) and source.temporality != "spell":
        return [f"{where}: rule {rule.rule} is for spells; this register's temporality is {source.temporality}."]
    if isinstance(rule, model.ValueRange) and (kind := source.columns[rule.column].type) not in _COUNTED:
        return [f"{where}: rule value_range needs a column of numbers; {rule.column} is of type {kind}."]
    if isinstance(rule, model.ValueIn):
        column = source.columns[rule.column]
        if column.type not in _NAMED:
            return [
                f"{where}: rule value_in needs a column of codes or whole numbers; {rule.column} is of type {column.type}."
            ]
        codes = codelists.get(column.codelist or "")
        if codes is not None:
            return [
                f"{where}: rule value_in keeps the code '{code}', which the code list '{codes.name}' does not have."
                f"{nearest(code, codes.codes)}"
                for code in codes.unknown(rule.keep)
            ]
    return []
