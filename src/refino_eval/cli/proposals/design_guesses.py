"""Guess the design from the columns: the arm and its control, strata, clusters, weights, participation.

A guess is a start for somebody who knows the study; each is marked as one in what is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from refino_eval.cli.proposals.column_profiles import ColumnProfile
from refino_eval.errors import UserError, nearest

MOST_ARMS = 6
FEWEST_CLUSTERS = 4

_ARM = re.compile(
    r"treat|(^|_)(arm|group|gruppe|trt|tx|rx|z|regimen|condition)($|_|\d)|assign|random|trekk|tiltak|offer|lottery|winner|interven",
    re.I,
)
_PLAINLY_ARM = re.compile(
    r"(treat(ed|ment)?|arm|group|gruppe|rx|assign(ed|ment)?|random(i[sz]ed)?|trekk|z)(_?(arm|group|status))?", re.I
)
_STRATUM = re.compile(
    r"strat|block|blokk|(^|_)(site|pair|cell|round|wave|cohort)($|_)|district|county|fylke|region|office|kontor|cent(er|re)",
    re.I,
)
_CLUSTER = re.compile(r"clust|school|skole|village|class|clinic|office|kontor|house|firm|municip|kommune", re.I)
_WEIGHT = re.compile(r"weight|(^|_)(wt|pw|vekt)($|_|\d)", re.I)
_TAKE_UP = re.compile(r"take_?up|particip|deltok|deltatt|enrol|started|attend|complied|received", re.I)
_BASELINE = re.compile(
    r"^(age|alder|sex|kjonn|gender|female|male|born|birth|educ|utd|married|race|ethnic|grade)|base|before|(^|_)(bl|pre|lag|t0|0)($|_)|_0$",
    re.I,
)
_CONTROL = re.compile(
    r"^(0|control|kontroll|ctrl|usual|standard|obs(ervation)?|vanlig|none|placebo|no|nei|old|c)$", re.I
)
_ID = re.compile(r"(^|_)(id|pid|nr|no|number|fnr|case|person|respid|caseid)($|_|\d)|id$", re.I)
_SURELY_ID = re.compile(r"(^|_)(id|pid|fnr|respid|caseid)$", re.I)
_PERIOD = re.compile(
    r"(^|_)(t|period|periode|time|tid|date|dato|wave|round|runde|semester)s?($|_|\d)|week|uke|month|maaned|måned|year|aar|år",
    re.I,
)


@dataclass(frozen=True)
class ArmGuess:
    """The column with the arm, and its codes.

    Attributes
    ----------
    is_named
        Whether the column's name says that it holds the arm; otherwise it is a mere candidate.
    control_is_clear
        Whether the code of the control arm says that it is one.
    rivals
        Other columns that are called like an arm.
    """

    column: ColumnProfile
    control: str
    treated: tuple[str, ...]
    is_named: bool
    control_is_clear: bool
    rivals: tuple[str, ...] = ()


def is_id_name(name: str) -> bool:
    """Return whether a column is called like one of ids."""
    return _ID.search(name) is not None


def is_surely_id_name(name: str) -> bool:
    """Return whether a column is called an id and nothing else, unlike `number_of_children` or `paid`."""
    return _SURELY_ID.search(name) is not None


def is_period_name(name: str) -> bool:
    """Return whether a column is called like one of periods."""
    return _PERIOD.search(name) is not None


def is_baseline_name(name: str) -> bool:
    """Return whether a column is called like something measured before assignment."""
    return _BASELINE.search(name) is not None


def guess_arm(columns: Sequence[ColumnProfile], *, named: str | None, file: str, gaps: bool = False) -> ArmGuess | None:
    """Return the column that most looks like the arm, or the one that is named; None if there is no candidate.

    With `gaps`, a column that some rows have no value of is a candidate where no complete one is called like an arm.

    Raises
    ------
    UserError
        When the named column is not there, or is not one of a few codes.
    """
    candidates = _arm_candidates(columns, named=named, gaps=gaps)
    if named is not None:
        candidates = [_named_arm(columns, candidates, named=named, file=file, gaps=gaps)]
    ranked = sorted(
        candidates,
        key=lambda c: (
            named is None and _ARM.search(c.name) is None,
            is_baseline_name(c.name),
            not c.is_complete,
            _PLAINLY_ARM.fullmatch(c.name) is None,
            len(c.codes) != 2,
            columns.index(c),
        ),
    )
    if not ranked:
        return None
    best = ranked[0]
    clear = _control_code(best.codes)
    control = clear or best.codes[-1]
    treated = tuple(code for code in best.codes if code != control)
    is_named = named is not None or _ARM.search(best.name) is not None
    rivals = () if named is not None else tuple(c.name for c in ranked[1:] if _ARM.search(c.name))
    return ArmGuess(best, control, treated, is_named, clear is not None, rivals)


def _arm_candidates(columns: Sequence[ColumnProfile], *, named: str | None, gaps: bool) -> list[ColumnProfile]:
    """Return the columns of few codes, and those with gaps where they may be meant."""
    coded = [column for column in columns if 2 <= len(column.codes or ()) <= MOST_ARMS + 1]
    complete = [column for column in coded if column.is_complete]
    if gaps and (named is not None or not any(_ARM.search(column.name) for column in complete)):
        return [*complete, *(column for column in coded if not column.is_complete)]
    return complete


def _named_arm(
    columns: Sequence[ColumnProfile], candidates: Sequence[ColumnProfile], *, named: str, file: str, gaps: bool
) -> ColumnProfile:
    """Return the column that the user named; a user error if it is not there or cannot be the arm."""
    column = next((column for column in columns if column.name == named), None)
    if column is None:
        raise UserError(f"--arm: {file} has no column '{named}'.{nearest(named, [c.name for c in columns])}")
    if column not in candidates:
        raise UserError(
            f"--arm: the column '{named}' of {file} cannot be the arm: it has {column.distinct:,} different values in {column.rows:,} "
            f"rows, and an arm has two to {MOST_ARMS + 1} codes{'' if gaps else ' and no gaps'}."
        )
    return column


def _control_code(codes: Sequence[str]) -> str | None:
    """Return the code that looks like that of the control arm; C alone can also stand for a programme."""
    clear = next((code for code in codes if _CONTROL.match(code)), None)
    if clear is not None and clear.lower() == "c" and {code.lower() for code in codes} - {"c", "t"}:
        return None
    return clear


def varies_within(arm: ColumnProfile, groups: ColumnProfile, rows: np.ndarray | None = None) -> bool | None:
    """Return whether any group of several people has both arms; None where groups of several people are few."""
    chosen = slice(None) if rows is None else rows
    arms, index = arm.column.index[chosen], groups.column.index[chosen]
    known = (arms >= 0) & (index >= 0)
    arms, index = arms[known], index[known]
    sizes = np.bincount(index, minlength=len(groups.column.values))
    shared = sizes > 1
    if shared.sum() < FEWEST_CLUSTERS or 2 * sizes[shared].sum() <= len(index):
        return None
    low, high = np.full(len(sizes), np.iinfo(np.int64).max), np.full(len(sizes), -1)
    np.minimum.at(low, index, arms)
    np.maximum.at(high, index, arms)
    return bool((low[shared] < high[shared]).any())


def guess_strata(
    columns: Iterable[ColumnProfile], arm: ColumnProfile, rows: np.ndarray | None = None
) -> tuple[list[ColumnProfile], list[ColumnProfile]]:
    """Return the columns that are called like strata and within which the arm varies, and others that could be strata."""
    able = [
        column
        for column in columns
        if column is not arm and column.kind in ("text", "integer") and 1 < column.distinct <= max(2, column.rows // 4)
    ]
    named = [
        column for column in able if _STRATUM.search(column.name) and varies_within(arm, column, rows) is not False
    ]
    # A stratum divides people coarsely; of strata inside one another the coarsest is proposed.
    chosen = sorted(named, key=lambda column: column.distinct)[:1]
    return chosen, [
        column
        for column in able
        if column not in chosen and column.kind == "text" and column.codes and not is_baseline_name(column.name)
    ]


def guess_cluster(
    columns: Iterable[ColumnProfile], arm: ColumnProfile, rows: np.ndarray | None = None
) -> ColumnProfile | None:
    """Return the column whose groups all have one arm, as when groups were assigned and not people."""
    groups = [
        column
        for column in columns
        if column is not arm
        and column.kind in ("text", "integer")
        and column.is_complete
        and column.distinct >= FEWEST_CLUSTERS
        and varies_within(arm, column, rows) is False
        and not is_baseline_name(column.name)
    ]
    return min(groups, key=lambda column: (_CLUSTER.search(column.name) is None, column.distinct), default=None)


def guess_weight(columns: Iterable[ColumnProfile]) -> ColumnProfile | None:
    """Return the column that is called like weights and holds numbers."""
    return next((c for c in columns if _WEIGHT.search(c.name) and c.kind == "number" and c.is_complete), None)


def guess_take_up(columns: Iterable[ColumnProfile], arm: ColumnProfile) -> ColumnProfile | None:
    """Return the column of 0 and 1 that is called like participation."""
    return next((c for c in columns if c is not arm and c.is_binary and _TAKE_UP.search(c.name)), None)
