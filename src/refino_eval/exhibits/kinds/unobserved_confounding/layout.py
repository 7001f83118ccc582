"""How strong an unobserved trait must be to explain a difference: outcomes as columns."""

from __future__ import annotations

import math

import pandas as pd

from refino_eval.exhibits.kinds.unobserved_confounding.model import (
    ALL_CONTROLS,
    ConfoundingExhibit,
    UnobservedConfoundingExhibit,
)
from refino_eval.exhibits.layout.effect_rows import effect_rows, outcome_header
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, error_label, label, per_cent
from refino_eval.exhibits.wording.labels import LabelBook, inside
from refino_eval.exhibits.wording.notes import errors_note, specification_note
from refino_eval.exhibits.wording.number_format import NumberStyle, format_statistic


def layout(exhibit: UnobservedConfoundingExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out differences and robustness values, bounds by benchmark, Oster's delta, and negative controls."""
    labels = page.labels
    numbers = Numbers.of(frame, page.style)
    header = (outcome_header(exhibit.columns, labels),)
    parts = [
        Part(
            header, tuple(_difference(exhibit, numbers, labels)), labels.say("unobserved_confounding.caption_strength")
        ),
        Part(header, tuple(_bounds(exhibit, numbers, labels)), labels.say("unobserved_confounding.caption_bounds")),
        Part(header, tuple(_oster(exhibit, numbers, labels)), labels.say("unobserved_confounding.caption_oster")),
    ]
    if exhibit.negative_controls:
        parts.append(_negative_controls(exhibit, numbers, labels))
    return page.table(exhibit, frame, parts, _notes(exhibit, frame, labels))


def _difference(exhibit: UnobservedConfoundingExhibit, numbers: Numbers, labels: LabelBook) -> list[Row]:
    columns = exhibit.columns
    short = (numbers.cell("difference", "short", column, "estimate") for column in columns)
    intervals = (numbers.interval("difference", "full", column) for column in columns)
    rows = [
        Row((label(labels.say("unobserved_confounding.short")), *short)),
        *effect_rows(numbers, "difference", "full", labels.say("unobserved_confounding.full"), columns, labels),
        Row((label(""), *intervals), role="beneath"),
    ]
    texts = {
        "robustness_value": labels.say("unobserved_confounding.robustness_value"),
        "robustness_value_interval": labels.say("unobserved_confounding.robustness_value_interval"),
        "extreme": labels.say("unobserved_confounding.extreme"),
    }
    rows += [
        Row((label(text), *(per_cent(numbers, "robustness", row, column, "r_squared") for column in columns)))
        for row, text in texts.items()
    ]
    counts = (numbers.cell("difference", "full", column, "n") for column in columns)
    return [*rows, Row((label(labels.word("n")), *counts), role="foot")]


def _bounds(exhibit: UnobservedConfoundingExhibit, numbers: Numbers, labels: LabelBook) -> list[Row]:
    """Return a block of rows for each benchmark."""
    columns, rows = exhibit.columns, list[Row]()
    for name in (*exhibit.benchmarks, ALL_CONTROLS):
        panel = f"bounds:{name}"
        rows.append(Row((label(benchmark_name(name, labels), span=len(columns) + 1),), role="block"))
        for times in exhibit.multiples:
            row = f"{times:g}"
            head = labels.say(
                "unobserved_confounding.times_as_strong", times=NumberStyle.of(labels.language).of_text(row)
            )
            error = {column: numbers.value("difference", "full", column, "std_error") for column in columns}
            values = (_like(numbers, panel, row, column, "estimate", error[column]) for column in columns)
            rows.append(Row((label(head), *values)))
            rows.append(
                Row((label(""), *(_interval(numbers, panel, row, c, error[c]) for c in columns)), role="beneath")
            )
            if times == exhibit.multiples[0]:
                rows += [
                    Row(
                        (label(text), *(per_cent(numbers, panel, f"{row}:{part}", c, "r_squared") for c in columns)),
                        role="beneath",
                    )
                    for part, text in (
                        ("treatment", labels.say("unobserved_confounding.with_treatment")),
                        ("outcome", labels.say("unobserved_confounding.with_outcome")),
                    )
                ]
        for row, text in (
            ("times_to_insignificance", labels.say("unobserved_confounding.times_to_insignificance")),
            ("times_to_zero", labels.say("unobserved_confounding.times_to_zero")),
        ):
            rows.append(Row((label(text), *(_times(numbers, panel, row, column) for column in columns))))
    return rows


def benchmark_name(name: str, labels: LabelBook) -> str:
    """Return what a benchmark is called at the start of a line."""
    if name == ALL_CONTROLS:
        return labels.say("unobserved_confounding.all_controls")
    return labels.covariate(name, unit=False)


def _like(numbers: Numbers, panel: str, row: str, column: str, statistic: str, error: float) -> Cell:
    """Return a number with the decimals of a standard error of another row."""
    return numbers.cell(panel, row, column, statistic, write=lambda value: numbers.like(value, error))


def _interval(numbers: Numbers, panel: str, row: str, column: str, error: float) -> Cell:
    low, high = (numbers.value(panel, row, column, end) for end in ("conf_low", "conf_high"))
    if not (math.isfinite(low) and math.isfinite(high)):
        return Cell("")
    between = ";" if numbers.style.decimal == "," else ","
    texts = [format_statistic(numbers.style, "conf_low", limit, std_error=error) for limit in (low, high)]
    text = f"[{texts[0]}{between} {texts[1]}]"
    return Cell(text, key=(panel, row, column, "conf_low"))


def _times(numbers: Numbers, panel: str, row: str, column: str) -> Cell:
    return numbers.cell(panel, row, column, "ratio", write=lambda value: numbers.style.fixed(value, 1))


def _oster(exhibit: UnobservedConfoundingExhibit, numbers: Numbers, labels: LabelBook) -> list[Row]:
    rows = list[Row]()
    style = NumberStyle.of(labels.language)
    error = {column: numbers.value("difference", "full", column, "std_error") for column in exhibit.columns}
    for rule in (*exhibit.r_max, None):
        row = "r_max_1" if rule is None else f"r_max_{rule:g}_times"
        head = "R_max = 1" if rule is None else f"R_max = {style.of_text(f'{rule:g}')} R²"
        rows.append(Row((label(head, span=len(exhibit.columns) + 1),), role="block"))
        delta = (
            numbers.cell("oster", row, column, "ratio", write=lambda value: style.fixed(value, 2))
            for column in exhibit.columns
        )
        adjusted = (_like(numbers, "oster", row, column, "estimate", error[column]) for column in exhibit.columns)
        rows.append(Row((label(labels.say("unobserved_confounding.delta")), *delta)))
        rows.append(Row((label(labels.say("unobserved_confounding.oster_adjusted")), *adjusted)))
    return rows


def _negative_controls(exhibit: UnobservedConfoundingExhibit, numbers: Numbers, labels: LabelBook) -> Part:
    """Return a row for each outcome that treatment cannot affect."""
    rows = list[Row]()
    for key, outcome in exhibit.negative_controls.items():
        place = ("negative_controls", key, "difference")
        p_values = (numbers.cell(*place, statistic) for statistic in ("p_value", "p_value_holm"))
        rows.append(Row((label(labels.outcome(outcome)), numbers.estimate(*place), *p_values)))
        error = numbers.cell(*place, "std_error", pattern=numbers.style.beneath)
        rows.append(Row((error_label(numbers, labels), error, Cell(""), Cell("")), role="beneath"))
    heads = (labels.say("unobserved_confounding.difference"), labels.word("p_value"), labels.word("p_value_holm"))
    header = Row((label(""), *(label(text, align="right") for text in heads)))
    return Part((header,), tuple(rows), labels.say("unobserved_confounding.caption_negative_controls"))


def _notes(exhibit: UnobservedConfoundingExhibit, frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    """Return what the numbers say of each outcome, then how they were computed."""
    entry = labels.specification_of(exhibit.specification)
    lines = conclusions(exhibit, frame, labels)
    lines += [
        labels.say("unobserved_confounding.values_explained"),
        labels.say("unobserved_confounding.bounds_explained"),
    ]
    within = entry is not None and entry.strata and not entry.absorb and bool(labels.strata)
    oster = labels.say("unobserved_confounding.oster_explained")
    lines.append(f"{oster} {labels.say('unobserved_confounding.oster_within')}" if within else oster)
    if entry is not None:
        lines.append(specification_note(exhibit.specification, entry, labels))
        lines.append(errors_note([entry.vcov], labels.language))
        if entry.vcov != "iid":
            lines.append(labels.say("unobserved_confounding.robust_errors"))
    return lines


def conclusions(exhibit: UnobservedConfoundingExhibit, frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    """Return a sentence for each outcome, and one on negative controls, from the numbers of the exhibit alone."""
    lines = [conclusion(exhibit, frame, key, labels) for key in exhibit.columns]
    if exhibit.negative_controls:
        lines.append(_of_negative_controls(exhibit, frame, labels))
    return [line for line in lines if line]


def conclusion(exhibit: ConfoundingExhibit, frame: pd.DataFrame, key: str, labels: LabelBook) -> str:
    """Return whether a trait as strong as a benchmark would explain the difference in one outcome.

    The multiple is that at which the confidence interval includes zero, of the benchmark for which it is smallest. Up to 1 the
    difference is not robust; if a trait at most as strong as all controls together suffices, it is sensitive; up to the largest of
    the multiples the sentence gives it; beyond, the difference is robust to them.
    """
    part = frame[frame["column"] == key]
    style = NumberStyle.of(labels.language)
    ends = part[(part["panel"] == "difference") & (part["row"] == "full")].set_index("statistic")["value"]
    outcome = labels.outcome(exhibit.columns[key])
    if not {"conf_low", "conf_high"} <= set(ends.dropna().index):
        return ""
    if ends["conf_low"] <= 0 <= ends["conf_high"]:
        return labels.say("unobserved_confounding.no_difference", outcome=outcome)
    rows = part[part["row"] == "times_to_insignificance"]
    times = {
        str(panel).rpartition("bounds:")[2]: value if status == "" else math.inf
        for panel, value, status in zip(rows["panel"], rows["value"], rows["status"], strict=True)
        if status in ("", "not_estimable")
    }
    if not times:
        return ""
    together = times.pop(ALL_CONTROLS, math.inf)
    name = min(times, key=lambda covariate: times[covariate], default="")
    values = {"outcome": outcome, "arm": labels.arm(labels.treated)}
    if name and times[name] <= 1:
        values |= {"times": style.fixed(times[name], 1), "covariate": inside(labels.covariate(name, unit=False))}
        return labels.say("unobserved_confounding.not_robust", **values)
    if together <= 1:
        return labels.say("unobserved_confounding.sensitive", times=style.fixed(together, 2), **values)
    most = max(exhibit.multiples)
    if name and times[name] <= most:
        values |= {"times": style.fixed(times[name], 1), "covariate": inside(labels.covariate(name, unit=False))}
        return labels.say("unobserved_confounding.robust_up_to", **values)
    return labels.say("unobserved_confounding.robust", times=style.of_text(f"{most:g}"), **values)


def _of_negative_controls(exhibit: UnobservedConfoundingExhibit, frame: pd.DataFrame, labels: LabelBook) -> str:
    """Return which outcomes that treatment cannot affect differ between the arms."""
    entry = labels.specification_of(exhibit.specification)
    limit = 1 - (entry.level if entry is not None else 0.95)
    style = NumberStyle.of(labels.language)
    part = frame[(frame["panel"] == "negative_controls") & (frame["statistic"] == "p_value_holm")]
    p_values = part.set_index("row")["value"].dropna()
    below = [key for key in exhibit.negative_controls if key in p_values.index and p_values[key] < limit]
    if below:
        listed = "; ".join(
            f"{labels.outcome(exhibit.negative_controls[key])} (p {_p(style, float(p_values[key]))})" for key in below
        )
        return labels.say("unobserved_confounding.negative_controls_differ", listed=listed)
    return labels.say("unobserved_confounding.negative_controls_alike") if len(p_values) else ""


def _p(style: NumberStyle, value: float) -> str:
    text = style.p_value(value)
    return text.replace("<", "< ") if text.startswith("<") else f"= {text}"
