"""Groups of codes in conditions: `in_groups: [follow_up]` becomes the codes of the group, once, when YAML is read.

A state that names codes one by one is wrong the day a register holds a code that nobody named. A condition may name groups
of a code list instead. They are replaced here, so that every part of the program sees codes and no part reads code lists
for this; a job's params hold the codes, and a code that joins a group reruns what reads it.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from refino_eval.config.definitions import Condition, Definitions
from refino_eval.config.evaluation import Evaluation
from refino_eval.config.sources import Column, Source
from refino_eval.errors import nearest

Model = TypeVar("Model", bound=BaseModel)
Visit = Callable[[Condition, str | None, str], Condition]


def with_group_codes(
    study: Evaluation,
    definitions: Definitions,
    sources: Mapping[str, Source],
    codelists: Path,
    *,
    file_of: Callable[[str, str], str],
) -> tuple[Evaluation, Definitions, list[str]]:
    """Replace the groups in all conditions by their codes.

    Parameters
    ----------
    study, definitions
        As read. Conditions on a register that is not among the sources are left as they are: nothing uses them.
    sources
        The registers of the evaluation, which say the code list of each column.
    codelists
        The folder of code lists.
    file_of
        The file in which a kind ("states") and a name are defined.

    Returns
    -------
    study, definitions
        With `in` and `not_in` complete.
    problems
        One message for each condition whose column has no code list, or whose group is not in it.
    """
    problems: list[str] = []

    def complete(condition: Condition, register: str | None, where: str) -> Condition:
        if register is not None and register not in sources:
            return condition
        column = sources[register].columns.get(condition.column) if register is not None else None
        groups, problem = _groups_of_column(condition, column, codelists)
        problems.extend(f"{where}: {text}" for text in (problem, *_unknown_groups(condition, groups)) if text)
        return _with_codes(condition, groups)

    new_study = _completed(study, None, file_of("evaluation", study.name), complete)
    parts = {
        kind: {
            name: _completed(entry, None, f"{file_of(kind, name)}: {kind}.{name}", complete)
            for name, entry in getattr(definitions, kind).items()
        }
        for kind in ("states", "covariates")
    }
    return new_study, definitions.model_copy(update=parts), problems


def _groups_of_column(
    condition: Condition, column: Column | None, codelists: Path
) -> tuple[Mapping[str, tuple[str, ...]] | None, str]:
    """Return group -> codes for the column of a condition, or None and the problem."""
    if column is None or column.codelist is None:
        return None, (
            f"a condition on '{condition.column}' names groups of codes, and that is no column of a register with a code list. Name "
            "the codes themselves under `in` or `not_in`."
        )
    groups = _groups(codelists / f"{column.codelist}.csv", condition.scheme)
    if groups is None:
        return (
            None,
            f"the code list '{column.codelist}' has no column 'group_{condition.scheme}', so no scheme of that name.",
        )
    return groups, ""


def _unknown_groups(condition: Condition, groups: Mapping[str, tuple[str, ...]] | None) -> Iterator[str]:
    named = {*(condition.in_groups or ()), *(condition.not_in_groups or ())}
    if groups is not None:
        yield from (
            f"the code list of '{condition.column}' has no group '{name}'.{nearest(name, groups)}"
            for name in sorted(named - set(groups))
        )


def _with_codes(condition: Condition, groups: Mapping[str, tuple[str, ...]] | None) -> Condition:
    """Return a condition whose `in` and `not_in` also hold the codes of its groups."""
    if groups is None:
        return condition
    chosen = {"is_in": condition.in_groups, "not_in": condition.not_in_groups}
    update = {}
    for key, names in chosen.items():
        if names is not None:
            codes = [code for name in names for code in groups.get(name, ())]
            update[key] = tuple(dict.fromkeys([*(getattr(condition, key) or ()), *codes]))
    return condition.model_copy(update=update)


def _completed(value: Any, register: str | None, where: str, visit: Visit) -> Any:
    """Return a model, or a collection of models, in which every condition with groups was visited.

    What holds no such condition is returned as the same object, so that it stays clear which fields were written.
    """
    if isinstance(value, Condition):
        return visit(value, register, where) if value.in_groups or value.not_in_groups else value
    if isinstance(value, BaseModel):
        fields = {name: getattr(value, name) for name in value.model_fields_set}
        changed = _changed(fields, getattr(value, "register_name", register), where, visit)
        return value.model_copy(update=changed) if changed else value
    if isinstance(value, tuple):
        new = tuple(_completed(entry, register, where, visit) for entry in value)
        return new if any(a is not b for a, b in zip(new, value, strict=True)) else value
    if isinstance(value, dict):
        return {**value, **changed} if (changed := _changed(value, register, where, visit)) else value
    return value


def _changed(entries: Mapping[str, Any], register: str | None, where: str, visit: Visit) -> dict[str, Any]:
    """Return the entries that hold a condition with groups, completed."""
    completed = {key: _completed(entry, register, where, visit) for key, entry in entries.items()}
    return {key: entry for key, entry in completed.items() if entry is not entries[key]}


def _groups(path: Path, scheme: str | None) -> Mapping[str, tuple[str, ...]] | None:
    """Return group -> codes of a code list by a scheme, or None if the list has no such scheme.

    A list that is missing or cannot be read has no groups here; reading it as a code list says what is wrong with it.
    """
    if not path.is_file():
        return {}
    stat = path.stat()
    return _read_groups(path, f"group_{scheme}" if scheme else "group", (stat.st_mtime_ns, stat.st_size))


@lru_cache(maxsize=64)
def _read_groups(path: Path, column: str, state: tuple[int, int]) -> Mapping[str, tuple[str, ...]] | None:
    groups: dict[str, dict[str, None]] = {}
    for group, code in _rows(path, column):
        if group is None:
            return None
        if group:
            groups.setdefault(group, {})[code] = None
    return {group: tuple(codes) for group, codes in groups.items()}


def _rows(path: Path, column: str) -> Iterator[tuple[str | None, str]]:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        for row in csv.DictReader(stream):
            group = row.get(column)
            yield (None if group is None else group.strip()), (row.get("code") or "").strip()
