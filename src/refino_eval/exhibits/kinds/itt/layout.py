"""Effects of the draw: outcomes as columns, one block of rows a specification."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations

import pandas as pd

from refino_eval.covariances import CRV1
from refino_eval.exhibits.keys import ALL_ARMS, COEFFICIENTS, difference_row, panel_of
from refino_eval.exhibits.kinds.itt.itt_listed import listed_parts
from refino_eval.exhibits.kinds.itt.model import WIDEST, IttExhibit
from refino_eval.exhibits.layout.effect_rows import effect_rows
from refino_eval.exhibits.layout.model_rows import design_rows
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Numbers, Part, Row, Table, error_label, label
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import (
    control_name,
    few_clusters_note,
    inference_note,
    reliability_notes,
    specification_note,
    window_notes,
)
from refino_eval.exhibits.wording.number_format import NumberStyle


def layout(exhibit: IttExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out effects, standard errors and intervals; means, N, covariance and cells once when they do not change."""
    labels = page.labels.calling_specifications(exhibit.specification_names)
    numbers = Numbers.of(frame, page.style)
    specifications = [spec for spec in exhibit.specifications if (frame["panel"] == spec).any()]
    if len(exhibit.columns) > WIDEST:
        parts = listed_parts(exhibit, specifications, numbers, labels)
    else:
        parts = (_across(exhibit, specifications, numbers, labels),)
    return page.table(exhibit, frame, parts, itt_notes(exhibit, frame, labels))


def _across(exhibit: IttExhibit, specifications: list[str], numbers: Numbers, labels: LabelBook) -> Part:
    """Lay out a column for each outcome, a block of rows for each specification."""
    heads = Row((label(""), *(label(labels.outcome(outcome), align="right") for outcome in exhibit.columns.values())))
    entries = [labels.specification_of(spec) for spec in specifications]
    several = len({entry.vcov for entry in entries if entry is not None}) > 1
    designs = [design_rows(entry, len(exhibit.columns), labels, covariance=several) for entry in entries]
    alike = designs[:1] if all(design == designs[0] for design in designs) else []
    shared = _same_feet(numbers, exhibit, specifications, labels)
    body: list[Row] = []
    for spec, design in zip(specifications, designs, strict=True):
        if len(specifications) > 1:
            body.append(Row((label(labels.specification(spec), span=len(exhibit.columns) + 1),), role="block"))
        body += _effects(numbers, exhibit, spec, labels)
        body += _coefficients(numbers, exhibit, spec, labels)
        if not shared:
            body += _feet(numbers, exhibit, spec, labels)
        if not alike:
            body += design
    if shared and specifications:
        body += _feet(numbers, exhibit, specifications[0], labels)
    if alike:
        body += alike[0]
    return Part(header=(*_group_heads(exhibit, labels), heads), body=tuple(body))


def _group_heads(exhibit: IttExhibit, labels: LabelBook) -> tuple[Row, ...]:
    """Return the row of headings over columns that belong together, with empty cells over the others; none without headings."""
    if not exhibit.head_groups:
        return ()
    first = {group.columns[0]: group for group in exhibit.head_groups}
    inner = {key for group in exhibit.head_groups for key in group.columns[1:]}
    cells = [label("")]
    for key in exhibit.columns:
        if key in first:
            group = first[key]
            cells.append(label(group.label[labels.language], align="center", span=len(group.columns)))
        elif key not in inner:
            cells.append(label(""))
    return (Row(tuple(cells)),)


def _coefficients(numbers: Numbers, exhibit: IttExhibit, spec: str, labels: LabelBook) -> list[Row]:
    """Lay out the coefficients of controls that a specification shows, in their order."""
    panel, body = panel_of(spec, COEFFICIENTS), []
    for control in dict.fromkeys(row for part, row, _, _ in numbers.values if part == panel):
        head = control_name(control, labels)
        body += effect_rows(numbers, panel, control, head[:1].upper() + head[1:], exhibit.columns, labels)
    return body


ROUNDING = 1e-12
"""Spread below which an outcome counts as constant: its mean is exact to this much."""


def itt_notes(exhibit: IttExhibit, frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    """Return notes on the windows, the specifications and the inference of a table of effects."""
    defined = [(name, labels.specification_of(name)) for name in exhibit.specifications]
    entries = [(name, entry) for name, entry in defined if entry is not None]
    lines = list(window_notes(exhibit, labels))
    lines.append(_compared(exhibit, labels))
    lines += _several_notes(exhibit, frame, labels)
    lines += [specification_note(name, entry, labels) for name, entry in entries]
    if entries:
        lines.append(inference_note([e.vcov for _, e in entries], [e.level for _, e in entries], frame, labels))
        crv1 = [name for name, entry in entries if entry.vcov in CRV1]
        if 0 < len(crv1) < len(entries):
            # Beside other covariances, whose degrees of freedom are estimated, only these say how many clusters there are.
            lines.append(few_clusters_note(frame[frame["panel"].isin(crv1)], labels))
        lines += reliability_notes(frame, labels, [e.vcov for _, e in entries])
    return [*lines, *_lost(exhibit, frame, labels), _constant(exhibit, frame, labels)]


def _constant(exhibit: IttExhibit, frame: pd.DataFrame, labels: LabelBook) -> str:
    """Name the outcomes that have one value for everybody; nothing where there are none."""
    widest = frame[frame["statistic"].isin(["sd_treated", "sd_control"])].groupby("column")["value"].max()
    means = frame[frame["statistic"].isin(["mean_treated", "mean_control"])].groupby("column")["value"]
    # Sums of equal numbers may differ from their multiple in the last digit.
    same = (widest <= ROUNDING) & (means.max() - means.min() <= ROUNDING).reindex(widest.index, fill_value=False)
    names = [
        labels.say("summary.quoted", label=labels.outcome(exhibit.columns[key]))
        for key in exhibit.columns
        if same.get(key, False)
    ]
    return labels.say("notes.constant_outcomes", listed=", ".join(names), n=len(names)) if names else ""


def _lost(exhibit: IttExhibit, frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    """Return notes that say how many people lack which outcome: a table's columns rest on the people who have them all."""
    lost = frame[(frame["row"] == "lost") & frame["value"].gt(0)].drop_duplicates("column")
    if lost.empty:
        return []
    style = NumberStyle.of(labels.language)
    listed = "; ".join(
        f"{labels.outcome(exhibit.columns.get(column, column))} ({style.integer(value)})"
        for column, value in zip(lost["column"], lost["value"], strict=True)
    )
    return [labels.say("itt.people_without_outcome", listed=listed)]


def _compared(exhibit: IttExhibit, labels: LabelBook) -> str:
    """Return a text that says what the effects are; between two treated arms the word is difference, since one of them may not be drawn."""
    if exhibit.against is not None:
        against = labels.arm(exhibit.against)
        return labels.say("itt.difference_between_arms", arms=_arms(labels), against=against)
    return labels.say("itt.itt_explained", arms=_arms(labels))


def _arms(labels: LabelBook) -> str:
    """Return the treated arms in a sentence."""
    names = [labels.arm(arm) for arm in labels.treated_arms]
    if len(names) == 1:
        return names[0]
    return labels.say("itt.one_or_the_other", names=", ".join(names[:-1]), last=names[-1])


def _several_notes(exhibit: IttExhibit, frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    """Return notes that say how several treated arms are compared."""
    if len(labels.treated_arms) == 1:
        return []
    control = labels.arm(labels.control)
    pairwise = labels.say("itt.pairwise_comparison", control=control)
    joint = labels.say("itt.joint_comparison", control=control)
    lines = [pairwise if exhibit.comparison == "pairwise" else joint]
    if (frame["row"] == ALL_ARMS).any():
        between = exhibit.between_arms and exhibit.comparison == "pairwise"
        lines.append(
            labels.say("itt.joint_test_and_differences_from_all_arms")
            if between
            else labels.say("itt.joint_test_from_all_arms")
        )
    return lines


def _effects(numbers: Numbers, exhibit: IttExhibit, spec: str, labels: LabelBook) -> list[Row]:
    """Return the rows of one specification: effect, standard error and interval of each arm, then what all arms say."""
    arms = labels.treated_arms
    rows = [row for arm in arms for row in _effect(numbers, exhibit, spec, arm, labels.arm(arm), labels)]
    if len(arms) > 1 and exhibit.between_arms:
        for first, second in combinations(arms, 2):
            head = f"{labels.arm(first)} − {labels.arm(second)}"
            rows += _effect(numbers, exhibit, spec, difference_row(first, second), head, labels)
    return rows


def _effect(numbers: Numbers, exhibit: IttExhibit, spec: str, row: str, head: str, labels: LabelBook) -> list[Row]:
    columns = list(exhibit.columns)
    entry = labels.specification_of(spec)
    level = f"{(entry.level if entry else 0.95) * 100:g}"
    randomised = []
    if any(math.isfinite(numbers.value(spec, row, c, "p_value_ri")) for c in columns):
        cells = (numbers.cell(spec, row, c, "p_value_ri") for c in columns)
        randomised = [Row((label(labels.word("p_value_ri")), *cells), role="beneath")]
    return [
        Row((label(head), *(numbers.estimate(spec, row, c) for c in columns))),
        Row(
            (
                error_label(numbers, labels),
                *(numbers.cell(spec, row, c, "std_error", pattern=numbers.style.beneath) for c in columns),
            ),
            role="beneath",
        ),
        *(
            [Row((label("t"), *(numbers.cell(spec, row, c, "t_stat") for c in columns)), role="beneath")]
            if exhibit.t_stat
            else []
        ),
        Row(
            (
                label(labels.word("conf").format(level=level)),
                *(numbers.interval(spec, row, c) for c in columns),
            ),
            role="beneath",
        ),
        *randomised,
    ]


def _feet(numbers: Numbers, exhibit: IttExhibit, spec: str, labels: LabelBook) -> list[Row]:
    rows = [
        Row((label(head), *(numbers.cell(spec, arm, column, statistic) for column in exhibit.columns)), role="foot")
        for head, arm, statistic in _facts(numbers, exhibit, spec, labels)
    ]
    if len(labels.treated_arms) > 1:
        for word, statistic in (("all_arms", "f_stat"), ("all_arms_p", "p_value")):
            cells = (numbers.cell(spec, ALL_ARMS, column, statistic) for column in exhibit.columns)
            rows.append(Row((label(labels.word(word)), *cells), role="foot"))
    return rows


def _facts(numbers: Numbers, exhibit: IttExhibit, spec: str, labels: LabelBook) -> Iterator[tuple[str, str, str]]:
    """Return the rows of control means and N: once when they are the same for every arm, else arm by arm."""
    facts = ("mean_control", "mean_control_std_error", "n") if exhibit.control_mean_error else ("mean_control", "n")
    for statistic in facts:
        word = labels.word(statistic)
        distinct = {
            tuple(numbers.cell(spec, arm, column, statistic).text for column in exhibit.columns)
            for arm in labels.treated_arms
        }
        if len(distinct) == 1:
            yield word, labels.treated, statistic
            continue
        for arm in labels.treated_arms:
            yield labels.word("of_arm").format(word=word, arm=labels.arm(arm)), arm, statistic


def _same_feet(numbers: Numbers, exhibit: IttExhibit, specifications: list[str], labels: LabelBook) -> bool:
    """Whether control means and N are the same under every specification; the joint test never is."""
    if len(labels.treated_arms) > 1 and len(specifications) > 1:
        return False
    rows = {
        tuple(
            numbers.cell(spec, labels.treated, column, statistic).text
            for column in exhibit.columns
            for statistic in ("mean_control", "n")
        )
        for spec in specifications
    }
    return len(rows) <= 1
