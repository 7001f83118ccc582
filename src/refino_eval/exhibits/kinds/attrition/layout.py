"""Whose outcome is seen, and bounds on the effect where the draw may have changed that."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from refino_eval.exhibits.kinds.attrition.model import AttritionExhibit
from refino_eval.exhibits.layout.heads import Group, compared_heads, grouped_heads
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, label, per_cent
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import errors_note, influence_note, specification_note
from refino_eval.exhibits.wording.number_format import NumberStyle, decimals_for

METHODS = ("lee", "lee_tightened", "horowitz_manski")


def layout(exhibit: AttritionExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out the shares seen with their test, the effect among those seen, and the bounds of each method."""
    labels = page.labels
    numbers = Numbers.of(frame, page.style)
    parts = [_seen(exhibit, numbers, labels), _among_seen(exhibit, numbers, labels)]
    methods = [method for method in METHODS if _bounded(exhibit, numbers, method)]
    parts += [_bounds(exhibit, numbers, method, labels) for method in methods]
    return page.table(exhibit, frame, tuple(parts), _notes(exhibit, numbers, methods, labels))


def _bounded(exhibit: AttritionExhibit, numbers: Numbers, method: str) -> list[str]:
    """Return the columns that a method bounds, without those that everybody's outcome is observed for: their bounds coincide."""
    keys = [key for key in exhibit.columns if (method, key, "bounds", "bound_low") in numbers.values]
    return [key for key in keys if not _always_observed(numbers, key)]


def _always_observed(numbers: Numbers, key: str) -> bool:
    # Shares are sums of weights, and rounded in a release: that they are 1 is not enough.
    shares = (numbers.value("lee", key, f"seen_{arm}", "share") for arm in ("treated", "control"))
    low, high = (numbers.value("lee", key, "bounds", f"bound_{side}") for side in ("low", "high"))
    return all(math.isclose(share, 1.0, rel_tol=1e-9) for share in shares) and math.isclose(
        low, high, rel_tol=1e-9, abs_tol=1e-12
    )


def column_name(exhibit: AttritionExhibit, key: str, labels: LabelBook) -> str:
    """Return what a column is called, with the condition for it to be seen."""
    name = labels.outcome(exhibit.columns[key])
    condition_outcome = exhibit.observed.get(key)
    if condition_outcome is None:
        return name
    if condition_outcome == exhibit.columns[key]:
        return labels.say("attrition.outcome_where_not_zero", outcome=name)
    condition = labels.outcome(condition_outcome)
    return labels.say("attrition.outcome_given_condition", outcome=name, condition=condition)


def _seen(exhibit: AttritionExhibit, numbers: Numbers, labels: LabelBook) -> Part:
    style = numbers.style
    header = compared_heads(
        labels,
        over=labels.say("attrition.share_observed_per_cent"),
        difference=labels.say("attrition.difference_percentage_points"),
    )
    body = [
        Row(
            (
                label(column_name(exhibit, key, labels)),
                *(per_cent(numbers, "seen", key, "draw", statistic) for statistic in ("mean_treated", "mean_control")),
                per_cent(numbers, "seen", key, "draw", "estimate", decimals=2),
                per_cent(numbers, "seen", key, "draw", "std_error", decimals=2, pattern=style.beneath),
                numbers.cell("seen", key, "draw", "p_value"),
                numbers.cell("seen", key, "draw", "n"),
            )
        )
        for key in exhibit.columns
    ]
    return Part(
        header=header,
        body=tuple(body),
        caption=labels.say("attrition.share_observed"),
    )


def _among_seen(exhibit: AttritionExhibit, numbers: Numbers, labels: LabelBook) -> Part:
    style = numbers.style
    header = compared_heads(labels, over=labels.say("labels.mean"), difference=labels.word("difference"))
    body = []
    for key in exhibit.columns:
        means = (
            numbers.cell("among_seen", key, "draw", statistic, write=lambda value: style.significant(value, 4, most=3))
            for statistic in ("mean_treated", "mean_control")
        )
        body.append(
            Row(
                (
                    label(column_name(exhibit, key, labels)),
                    *means,
                    numbers.estimate("among_seen", key, "draw"),
                    numbers.cell("among_seen", key, "draw", "std_error", pattern=style.beneath),
                    numbers.cell("among_seen", key, "draw", "p_value"),
                    numbers.cell("among_seen", key, "draw", "n"),
                )
            )
        )
    caption = labels.say("attrition.difference_among_observed")
    return Part(header=header, body=tuple(body), caption=caption)


def _bounds(exhibit: AttritionExhibit, numbers: Numbers, method: str, labels: LabelBook) -> Part:
    style = numbers.style
    entry = labels.specification_of(exhibit.specification)
    level = f"{(entry.level if entry else 0.95) * 100:g}"
    ends_heads = labels.say("labels.estimated"), labels.word("std_error")
    header = grouped_heads(
        Group.of(*ends_heads, over=labels.say("attrition.lower_bound")),
        Group.of(*ends_heads, over=labels.say("attrition.upper_bound")),
        Group.of(labels.word("conf").format(level=level)),
        Group.of("%", labels.say("attrition.trimmed_arm"), over=labels.say("attrition.trimmed")),
        Group.of(labels.say("attrition.share_always_observed")),
    )
    body = []
    for key in _bounded(exhibit, numbers, method):
        ends: list[Cell] = []
        for side in ("low", "high"):
            error = numbers.value(method, key, "bounds", f"bound_{side}_std_error")
            decimals = decimals_for(error, 2) if math.isfinite(error) and error > 0 else 3
            ends.append(numbers.cell(method, key, "bounds", f"bound_{side}", write=_fixed(style, decimals)))
            ends.append(
                numbers.cell(
                    method,
                    key,
                    "bounds",
                    f"bound_{side}_std_error",
                    write=_fixed(style, decimals),
                    pattern=style.beneath,
                )
            )
        body.append(
            Row(
                (
                    label(column_name(exhibit, key, labels)),
                    *ends,
                    _interval(numbers, method, key),
                    per_cent(numbers, method, key, "bounds", "trimmed_share"),
                    Cell(_trimmed(numbers, method, key, labels)),
                    per_cent(numbers, method, key, "bounds", "share_always"),
                )
            )
        )
    return Part(header=header, body=tuple(body), caption=labels.word(f"bounds_{method}"))


def _fixed(style: NumberStyle, decimals: int) -> Any:
    return lambda value: style.rounded(value, decimals)


def _interval(numbers: Numbers, method: str, key: str) -> Cell:
    low, high = (numbers.value(method, key, "bounds", name) for name in ("conf_low", "conf_high"))
    if not (math.isfinite(low) and math.isfinite(high)):
        return Cell("")
    errors = [numbers.value(method, key, "bounds", f"bound_{side}_std_error") for side in ("low", "high")]
    decimals = decimals_for(min(errors), 2) if min(errors) > 0 else 3
    between = ";" if numbers.style.decimal == "," else ","
    texts = [numbers.style.rounded(limit, decimals) for limit in (low, high)]
    return Cell(f"[{texts[0]}{between} {texts[1]}]")


def _trimmed(numbers: Numbers, method: str, key: str, labels: LabelBook) -> str:
    arm = numbers.value(method, key, "trimmed_arm", "value")
    if not math.isfinite(arm):
        return "\N{EN DASH}"
    return labels.arm(labels.treated if arm == 1 else labels.control)


def _signs_disagree(numbers: Numbers, key: str) -> bool:
    """Whether the arm that is trimmed is not the one that the regression says is observed more: they weight cells differently."""
    trimmed, difference = (
        numbers.value("lee", key, "trimmed_arm", "value"),
        numbers.value("seen", key, "draw", "estimate"),
    )
    return math.isfinite(trimmed) and math.isfinite(difference) and (difference > 0) != (trimmed == 1)


def _groups_against_monotonicity(exhibit: AttritionExhibit, numbers: Numbers, labels: LabelBook) -> list[str]:
    """Return a note for each outcome that the other arm is observed more for in some groups than in all together."""
    lines = []
    for key in exhibit.columns:
        against = numbers.value("lee_tightened", key, "groups_against", "count")
        if against > 0:  # false where it is missing
            name, groups = column_name(exhibit, key, labels), numbers.value("lee_tightened", key, "groups", "count")
            lines.append(
                labels.say(
                    "attrition.groups_against_monotonicity", name=name, groups_against=int(against), groups=int(groups)
                )
            )
    return lines


def _bounds_explained(exhibit: AttritionExhibit, numbers: Numbers, shown: list[str], labels: LabelBook) -> list[str]:
    """Return what each kind of bounds in the table assumes."""
    lines = [labels.say("attrition.lee_bounds_explained")]
    if "lee_tightened" in shown and exhibit.tighten is not None:
        by = labels.covariate(exhibit.tighten, unit=False)
        lines.append(labels.say("attrition.tightened_bounds_explained", by=by))
        lines += _groups_against_monotonicity(exhibit, numbers, labels)
    if exhibit.ties == "keep":
        lines.append(labels.say("attrition.ties_are_kept"))
    if "horowitz_manski" in shown:
        lines.append(labels.say("attrition.horowitz_manski_explained"))
    return lines


def _notes(exhibit: AttritionExhibit, numbers: Numbers, shown: list[str], labels: LabelBook) -> list[str]:
    entry = labels.specification_of(exhibit.specification)
    lines = [] if entry is None else [specification_note(exhibit.specification, entry, labels)]
    if complete := [column_name(exhibit, key, labels) for key in exhibit.columns if _always_observed(numbers, key)]:
        lines.append(labels.say("attrition.always_observed", n=len(complete), outcomes="; ".join(complete)))
    if not shown:
        return [*lines, *([errors_note([entry.vcov], labels.language)] if entry is not None else [])]
    lines += _bounds_explained(exhibit, numbers, shown, labels)
    disagreeing = [column_name(exhibit, key, labels) for key in exhibit.columns if _signs_disagree(numbers, key)]
    lines += [labels.say("attrition.signs_disagree", name=name) for name in disagreeing]
    lines.append(labels.say("attrition.imbens_manski_interval"))
    left_out = max((numbers.value("lee", key, "bounds", "n_left_out") for key in exhibit.columns), default=0.0)
    if left_out > 0:
        lines.append(
            labels.say("attrition.left_out_one_arm_cells", n=NumberStyle.of(labels.language).integer(left_out))
        )
    if entry is not None:
        lines.append(errors_note([entry.vcov], labels.language))
        lines.append(influence_note(labels.say("attrition.the_bounds"), entry, labels))
    return lines
