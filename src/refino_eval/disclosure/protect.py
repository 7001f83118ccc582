"""Protect the numbers of a release: what is shown, in which digits, and why something is not."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from refino_eval.config.disclosure_profiles import DisclosureProfile
from refino_eval.disclosure.block_rules import Block, block_problems, few_cells
from refino_eval.disclosure.earlier_releases import EarlierCells
from refino_eval.disclosure.hidden_counts import hide_counts
from refino_eval.disclosure.linked_counts import Cell
from refino_eval.disclosure.populations import populations_of
from refino_eval.disclosure.printed_numbers import Printer
from refino_eval.disclosure.release_counts import Number, ReleaseCounts, release_counts
from refino_eval.disclosure.release_tables import (
    ORDER,
    SUPPRESSED,
    EarlierRelease,
    ProtectedExhibit,
    ProtectedRelease,
    ReleaseExhibit,
    Status,
    UtilityLost,
)
from refino_eval.disclosure.saturated_effects import SharesByRow

Reasons = dict[Cell, dict[str, Status]]
"""Cell -> rule that suppresses it -> whether it is small itself or protects another."""


def protect_release(
    exhibits: Sequence[ReleaseExhibit], profile: DisclosureProfile, *, earlier: Sequence[EarlierRelease] = ()
) -> ProtectedRelease:
    """Protect all tidy tables of a release together.

    The order is fixed: people are counted, rules suppress cells, a solver suppresses others that would give them away, and what is left
    is rounded, with shares computed from protected counts.

    Parameters
    ----------
    exhibits
        The unprotected numbers of every exhibit that leaves, see `release_exhibits`.
    profile
        The data owner's rules.
    earlier
        What earlier releases of the same people show.

    Returns
    -------
    ProtectedRelease
        In the order given.

    Raises
    ------
    UserError
        When an exhibit has no class of disclosure control.
    """
    if not profile.protects:
        kept = tuple(_unchanged(exhibit) for exhibit in exhibits)
        return ProtectedRelease(
            profile.name, kept, UtilityLost(sum(len(exhibit.frame) for exhibit in exhibits), 0, 0, 0)
        )
    counts = release_counts(exhibits, profile)
    before = EarlierCells(earlier, counts)
    blocks: dict[Block, list[Number]] = defaultdict(list)
    for number in counts.numbers.values():
        blocks[number.block].append(number)
    problems = block_problems(blocks, counts)
    hidden = hide_counts(counts, earlier=before.bounds, kept_hidden=before.hidden | _hidden_by_rules(counts, problems))
    reasons = _reasons(counts, blocks, problems, hidden, before)
    populations = populations_of(counts.numbers.values(), profile)
    printer = Printer(counts, populations, hidden, before)
    _suppress_effects_on_shares(counts, blocks, reasons, printer)
    protected = tuple(_protected(exhibit, counts, reasons, printer) for exhibit in exhibits)
    return ProtectedRelease(profile.name, protected, _utility(protected))


def _unchanged(exhibit: ReleaseExhibit) -> ProtectedExhibit:
    cells = pd.DataFrame({"status": "unchanged", "reasons": "", "step": 0.0}, index=exhibit.frame.index)
    return ProtectedExhibit(exhibit.name, exhibit.kind, exhibit.disclosure_class, exhibit.frame, cells, exhibit)


def _hidden_by_rules(counts: ReleaseCounts, problems: Mapping[Block, tuple[str, ...]]) -> set[int]:
    """Return the counts all of whose cells a rule about their statistics suppresses."""
    shown = {index for cell, index in counts.unknown.items() if counts.numbers[cell].block not in problems}
    return set(counts.unknown.values()) - shown


def _reasons(
    counts: ReleaseCounts,
    blocks: Mapping[Block, list[Number]],
    problems: Mapping[Block, tuple[str, ...]],
    hidden: np.ndarray,
    before: EarlierCells,
) -> Reasons:
    """Return why each suppressed cell is suppressed."""
    reasons: Reasons = defaultdict(dict)
    _enter_hidden_counts(reasons, counts, problems, hidden, before)
    _enter_small_cells(reasons, counts, blocks, problems, before)
    for block, numbers in blocks.items():
        for rule in problems.get(block, ()):
            for number in numbers:
                reasons[number.cell][rule] = "primary"
        _spread(reasons, numbers)
    return reasons


def _enter_hidden_counts(
    reasons: Reasons,
    counts: ReleaseCounts,
    problems: Mapping[Block, tuple[str, ...]],
    hidden: np.ndarray,
    before: EarlierCells,
) -> None:
    """Enter why counts are hidden: small, hidden in an earlier release, or giving away another one by addition."""
    for cell, index in [*counts.unknown.items(), *counts.denominator.items()]:
        if hidden[index] and counts.numbers[cell].block not in problems:
            if counts.system.sensitive[index]:
                reasons[cell]["threshold"] = "primary"
            else:
                reasons[cell]["earlier_release" if index in before.hidden else "linked_cells"] = "secondary"


def _enter_small_cells(
    reasons: Reasons,
    counts: ReleaseCounts,
    blocks: Mapping[Block, list[Number]],
    problems: Mapping[Block, tuple[str, ...]],
    before: EarlierCells,
) -> None:
    """Enter cells that are about few people without being counts that the solver knows."""
    for number in counts.numbers.values():
        if number.statistic == "n_left_out" and counts.is_small(round(number.value)):
            reasons[number.cell]["threshold"] = "primary"
    for cell in before.changed_little:
        reasons[cell]["earlier_release"] = "primary"
    for cell in few_cells(blocks, counts):
        if counts.numbers[cell].block not in problems:
            reasons[cell]["threshold"] = "primary"


def _spread(reasons: Reasons, numbers: Sequence[Number]) -> None:
    """Suppress a block's statistics that say the same as its suppressed ones: a mean, its deviation and its interval."""
    rules = {rule for number in numbers for rule in reasons.get(number.cell, {})}
    for number in _about_the_same(numbers, reasons) if rules else ():
        for rule in rules:
            reasons[number.cell].setdefault(rule, "secondary")


def _about_the_same(numbers: Sequence[Number], reasons: Reasons) -> list[Number]:
    """Return the statistics of a cell that are suppressed with its suppressed ones."""
    if any(number.treatment in ("share", "mean") and reasons.get(number.cell) for number in numbers):
        treatments = {"share", "mean", "spread"}
        if not any(number.statistic == "estimate" for number in numbers):
            treatments |= {"effect", "percentile", "extreme"}
        return [
            number for number in numbers if number.treatment in treatments or number.statistic == "percent_of_control"
        ]
    return [number for number in numbers if number.statistic in ("weight", "share")]


def _suppress_effects_on_shares(
    counts: ReleaseCounts, blocks: Mapping[Block, list[Number]], reasons: Reasons, printer: Printer
) -> None:
    """Coarsen or suppress effects that compare a suppressed share with the other arm's (a saturated model is a table)."""
    shares = SharesByRow(blocks, counts)
    for numbers in blocks.values():
        estimate = next((number for number in numbers if number.statistic == "estimate"), None)
        if estimate is None or reasons.get(estimate.cell):
            continue
        hidden = {share.cell: reasons[share.cell] for share, _ in shares.compared(estimate) if reasons.get(share.cell)}
        if not hidden:
            continue
        printer.least_steps[estimate.block] = shares.least_step(estimate, hidden)
        protects_another = any("primary" not in why.values() for why in hidden.values())
        if protects_another or shares.gives_away(estimate, *printer.value(estimate), hidden):
            for number in numbers:
                if number.treatment == "effect" and not reasons.get(number.cell):
                    reasons[number.cell]["saturated"] = "secondary"


def _protected(exhibit: ReleaseExhibit, counts: ReleaseCounts, reasons: Reasons, printer: Printer) -> ProtectedExhibit:
    values: list[float] = []
    people: list[int | None] = []
    statuses: list[str] = []
    states: list[Status] = []
    rules: list[str] = []
    steps: list[float] = []
    original = exhibit.frame["status"].tolist()
    for position in range(len(exhibit.frame)):
        cell = (exhibit.name, position)
        number, why = counts.numbers[cell], reasons.get(cell, {})
        if why and not math.isnan(number.value):
            values.append(math.nan)
            people.append(None)
            statuses.append(SUPPRESSED)
            states.append(max(why.values(), key=ORDER.index))
            rules.append(" ".join(sorted(why)))
            steps.append(0.0)
            continue
        value, step = printer.value(number)
        values.append(value)
        people.append(printer.people(number, value))
        statuses.append(original[position])
        states.append("unchanged" if value == number.value or math.isnan(number.value) else "rounded")
        rules.append("")
        steps.append(step)
    frame = exhibit.frame.assign(value=values, n_persons=pd.array(people, dtype="Int64"), status=statuses)
    cells = pd.DataFrame({"status": states, "reasons": rules, "step": steps}, index=frame.index)
    return ProtectedExhibit(exhibit.name, exhibit.kind, exhibit.disclosure_class, frame, cells, exhibit)


def _utility(protected: Sequence[ProtectedExhibit]) -> UtilityLost:
    """Count what is lost, and what would be lost if whole rows were suppressed instead of cells.

    Suppressing every row that has a suppressed cell protects at least as much, so the two are compared at equal safety.
    """
    cells = primary = secondary = whole = 0
    for exhibit in protected:
        states = exhibit.cells["status"]
        cells += len(states)
        primary += int((states == "primary").sum())
        secondary += int((states == "secondary").sum())
        rows = exhibit.frame["panel"] + "\n" + exhibit.frame["row"]
        whole += int(rows.isin(set(rows[states.isin(["primary", "secondary"])])).sum())
    return UtilityLost(cells, primary, secondary, whole)
