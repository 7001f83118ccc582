"""Effects of taking part: outcomes as columns; the draw's effect, the first stage, and their ratio."""

from __future__ import annotations

import math
from dataclasses import replace

import pandas as pd

from refino_eval.exhibits.keys import group_key, groups_in, panel_of
from refino_eval.exhibits.kinds.fall_back.layout import fall_back_notes, fall_back_part
from refino_eval.exhibits.kinds.late.model import LateExhibit
from refino_eval.exhibits.layout.effect_rows import effect_rows, outcome_header
from refino_eval.exhibits.layout.heads import noted
from refino_eval.exhibits.layout.model_rows import design_rows
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.group_labels import group_label
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import errors_note, specification_note
from refino_eval.exhibits.wording.number_format import NumberStyle, format_statistic
from refino_eval.text import say


def layout(exhibit: LateExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out reduced form, first stage and two-stage least squares, with Anderson-Rubin sets."""
    labels = page.labels
    numbers = Numbers.of(frame, page.style)
    keys = list(exhibit.columns)
    header = outcome_header(exhibit.columns, labels)
    entry = labels.specification_of(exhibit.specification)
    body: list[Row] = []
    panels = list(_panels(exhibit, frame))
    groups = [group for group, _ in panels if group]
    for group, panel in panels:
        if group:
            assert exhibit.by is not None
            heading = label(group_label(exhibit.by, group, groups, labels), span=len(keys) + 1)
            body.append(Row((heading,), role="block"))
        body += _block(exhibit, panel, numbers, labels)
    if exhibit.by is not None and (frame["row"] == "equal").any():
        tests = (numbers.cell(exhibit.specification, "equal", key, "p_value") for key in keys)
        body.append(Row((label(labels.say("late.equal_effects")), *tests), role="foot"))
    body += design_rows(entry, len(keys), labels)
    notes = _notes(exhibit, numbers, labels)
    if exhibit.participation is not None:
        notes += fall_back_notes(exhibit.participation, numbers, "fall_back", labels)
        notes += _other_take_up(numbers, labels.language)
    notes += _set_notes(frame, labels)
    if entry is not None:
        notes = [
            specification_note(exhibit.specification, entry, labels),
            *notes,
            errors_note([entry.vcov], labels.language),
        ]
    parts = [Part(header=(header,), body=tuple(body))]
    if exhibit.participation is not None:
        beside = fall_back_part(exhibit.participation, numbers, "fall_back", labels)
        parts.append(replace(beside, caption=labels.word("fall_back_beside")))
    return page.table(exhibit, frame, tuple(parts), notes)


def _panels(exhibit: LateExhibit, frame: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the groups with their panels; one panel of no group where everybody is taken together."""
    if exhibit.by is None:
        return [("", exhibit.specification)]
    return [(group, panel_of(exhibit.specification, group_key(group))) for group in groups_in(frame)]


def _block(exhibit: LateExhibit, panel: str, numbers: Numbers, labels: LabelBook) -> list[Row]:
    """Lay out the three effects, the Anderson-Rubin set, the first stage's F and N of some people."""
    keys, body = list(exhibit.columns), list[Row]()
    for part in ("draw", "first_stage", "take_up"):
        effects, errors = effect_rows(numbers, panel, part, labels.word(part), exhibit.columns, labels)
        body += [noted(effects, labels.say("late.late_explained") if part == "take_up" else ""), errors]
    ar_set = Row((label(labels.word("ar_set")), *(_set(numbers, panel, key) for key in keys)))
    body.append(noted(ar_set, labels.say("late.anderson_rubin_set")))
    for statistic, row in (("f_stat", "first_stage"), ("n", "take_up")):
        cells = (
            _f_stat(numbers, panel, key) if statistic == "f_stat" else numbers.cell(panel, row, key, statistic)
            for key in keys
        )
        word = _f_word(labels, exhibit.specification) if statistic == "f_stat" else statistic
        note = labels.say("late.first_stage_f") if word == "first_stage_f" else ""
        body.append(noted(Row((label(labels.word(word)), *cells), role="foot"), note))
    return body


def _f_stat(numbers: Numbers, panel: str, key: str) -> Cell:
    """Return the first stage's F; where everybody does as drawn it has no end."""
    _, status = numbers.values.get((panel, "first_stage", key, "f_stat"), (math.nan, ""))
    if status == "infinite":
        return Cell("∞")
    # A first stage of thousands needs no decimals.
    return numbers.cell(
        panel, "first_stage", key, "f_stat", write=lambda value: numbers.style.significant(value, 4, most=2)
    )


def _set(numbers: Numbers, panel: str, key: str) -> Cell:
    """Return the cell of an Anderson-Rubin set: an interval, one ray or two, everything or nothing."""
    low, high = numbers.value(panel, "take_up", key, "ar_low"), numbers.value(panel, "take_up", key, "ar_high")
    _, status = numbers.values.get((panel, "take_up", key, "ar_low"), (math.nan, ""))
    _, other = numbers.values.get((panel, "take_up", key, "ar_high"), (math.nan, ""))
    error = numbers.value(panel, "take_up", key, "std_error")
    shape = status or other

    def text(bound: float) -> str:
        return format_statistic(numbers.style, "conf_low", bound, std_error=error)

    between = ";" if numbers.style.decimal == "," else ","
    if shape == "ar_empty":
        return Cell("\N{EMPTY SET}")
    if shape == "ar_line":
        return Cell(f"(−∞{between} ∞)")
    if shape == "ar_rays":
        # A bound that is not finite is a ray that is not there.
        rays = [f"(−∞{between} {text(low)}]"] if math.isfinite(low) else []
        rays += [f"[{text(high)}{between} ∞)"] if math.isfinite(high) else []
        return Cell(" \N{UNION} ".join(rays))
    if not (math.isfinite(low) and math.isfinite(high)):
        return Cell("." if shape else "")
    return Cell(f"[{text(low)}{between} {text(high)}]")


UNUSUAL_SETS = ("rays", "line", "empty")
"""Forms of an Anderson-Rubin set other than an interval; `late.ar_<form>` says what each means."""


def _f_word(labels: LabelBook, panel: str) -> str:
    """Return what the first stage's F is called: with one draw a robust one is the effective F, a classical one is not."""
    entry = labels.specification_of(panel)
    return "first_stage_f_iid" if entry is not None and entry.vcov == "iid" else "first_stage_f"


def _set_notes(frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    """Return what the unusual forms of the set mean that the table has."""
    statuses = set(frame.loc[frame["statistic"] == "ar_low", "status"])
    return [labels.say(f"late.ar_{form}") for form in UNUSUAL_SETS if f"ar_{form}" in statuses]


def _other_take_up(numbers: Numbers, language: str) -> list[str]:
    """Return notes that say for how many people the fall-back's programme is not what the effect calls taking part."""
    apart = numbers.value("fall_back", "other_take_up", "draw", "count")
    if not apart > 0:
        return []
    return [say("late.people_with_other_participation", language, n=NumberStyle.of(language).integer(apart))]


def _notes(exhibit: LateExhibit, numbers: Numbers, labels: LabelBook) -> list[str]:
    defined = [labels.say("late.participation_is", outcome=labels.outcome(exhibit.take_up))] if exhibit.take_up else []
    if exhibit.by is not None:
        return [*defined, labels.say("late.by_group")]
    key = next(iter(exhibit.columns))
    shares = [
        numbers.value(exhibit.specification, "first_stage", key, name) for name in ("mean_treated", "mean_control")
    ]
    style = NumberStyle.of(labels.language)
    treated, control = (style.fixed(100 * share, 1) for share in shares)
    arms = {"treated_arm": labels.arm(labels.treated), "control_arm": labels.arm(labels.control)}
    return [
        *defined,
        labels.say("late.take_up_by_arm", treated=treated, control=control, **arms),
    ]
