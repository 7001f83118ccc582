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
from refino_eval.config.sources import Source
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
        if column is None or column.codelist is None:
            problems.append(
                f"{where}: a condition on '{condition.column}' names groups of codes, and that is no column of a register with a "
                "code list. Name the codes themselves under `in` or `not_in`."
            )
            return condition
        groups = _groups(codelists / f"{column.codelist}.csv", condition.scheme)
        if groups is None:
            problems.append(
                f"{where}: the code list '{column.codelist}' has no column 'group_{condition.scheme}', so no scheme of that name."
            )
            return condition
        named = {*(condition.in_groups or ()), *(condition.not_in_groups or ())}
        problems.extend(
            f"{where}: the code list '{column.codelist}' has no group '{name}'.{nearest(name, groups)}"
            for name in sorted(named - set(groups))
        )
        return condition.model_copy(
            update={
                key: (*dict.fromkeys([*(written or ()), *(code for name in chosen for code in groups.get(name, ()))]),)
                for key, written, chosen in (
                    ("is_in", condition.is_in, condition.in_groups),
                    ("not_in", condition.not_in, condition.not_in_groups),
                )
                if chosen is not None
            }
        )

    new_study = _completed(study, None, file_of("evaluation", study.name), complete)
    parts = {
        kind: {
            name: _completed(entry, None, f"{file_of(kind, name)}: {kind}.{name}", complete)
            for name, entry in getattr(definitions, kind).items()
        }
        for kind in ("states", "covariates")
    }
    return new_study, definitions.model_copy(update=parts), problems


def _completed(value: Any, register: str | None, where: str, visit: Visit) -> Any:
    """Return a model, or a collection of models, in which every condition with groups was visited.

    What holds no such condition is returned as the same object, so that it stays clear which fields were written.
    """
    if isinstance(value, Condition):
        return visit(value, register, where) if value.in_groups or value.not_in_groups else value
    if isinstance(value, BaseModel):
        register = getattr(value, "register_name", register)
        changed = {
            name: new
            for name, old in ((name, getattr(value, name)) for name in value.model_fields_set)
            if (new := _completed(old, register, where, visit)) is not old
        }
        return value.model_copy(update=changed) if changed else value
    if isinstance(value, tuple):
        new = tuple(_completed(entry, register, where, visit) for entry in value)
        return new if any(a is not b for a, b in zip(new, value, strict=True)) else value
    if isinstance(value, dict):
        mapped = {key: _completed(entry, register, where, visit) for key, entry in value.items()}
        return mapped if any(mapped[key] is not value[key] for key in value) else value
    return value


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
