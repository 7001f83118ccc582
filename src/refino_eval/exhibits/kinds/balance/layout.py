"""Balance: the arm regressed on covariates, as the reports print it, and differences between the arms."""

from __future__ import annotations

import math

import pandas as pd

from refino_eval.exhibits.kinds.balance.model import MISSING, BalanceExhibit
from refino_eval.exhibits.layout.heads import Group, grouped_heads
from refino_eval.exhibits.layout.model_rows import strata_row
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, error_label, label
from refino_eval.exhibits.wording.labels import LabelBook, inside
from refino_eval.exhibits.wording.notes import errors_note

PANEL = "differences"


WIDEST = 8
"""Covariates that a column each leaves room for."""


def layout(exhibit: BalanceExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out the regressions (a column for each covariate alone, the last with all) and the differences."""
    labels = page.labels
    numbers = Numbers.of(frame, page.style)
    lay_out = _staircase if len(exhibit.covariates) <= WIDEST else _listed
    parts = [] if exhibit.regress == "covariates" else [lay_out(exhibit, numbers, labels)]
    if (frame["panel"] == PANEL).any():
        parts.append(_differences(exhibit, numbers, labels))
    notes = [
        errors_note([exhibit.vcov], labels.language),
        *_joint_test(numbers, labels),
        *_balanced(exhibit, numbers, labels),
        *_unsupported(exhibit, numbers, labels),
        *_missing(exhibit, numbers, labels),
        *([] if exhibit.strata or not labels.strata else [labels.say("balance.without_strata")]),
    ]
    return page.table(exhibit, frame, parts, notes)


def _caption(labels: LabelBook) -> str:
    arm = labels.arm(labels.treated)
    return labels.say("balance.probability_of_assignment", arm=arm)


def _staircase(exhibit: BalanceExhibit, numbers: Numbers, labels: LabelBook) -> Part:
    """Lay out a column for each covariate alone and a last one for all, the way reports print it."""
    covariates = exhibit.covariates
    header = Row((label(""), *(label(f"({number})", align="right") for number in range(1, len(covariates) + 2))))
    rows = []
    for place, covariate in enumerate(covariates):
        before, after = [Cell("")] * place, [Cell("")] * (len(covariates) - place - 1)
        for beneath in (False, True):
            alone, joint = (_coefficient(numbers, covariate, column, beneath=beneath) for column in ("alone", "joint"))
            head = label(labels.covariate(covariate))
            if beneath:
                head = error_label(numbers, labels)
            rows.append(Row((head, *before, alone, *after, joint), role="beneath" if beneath else "body"))
    for statistic in ("mean_control", "n", "r_squared"):
        alone_cells = [_fact(numbers, covariate, statistic) for covariate in covariates]
        rows.append(_foot(labels.word(statistic), [*alone_cells, _joint_fact(numbers, exhibit, statistic)]))
    if exhibit.strata:
        rows.append(strata_row(len(covariates) + 1, labels))
    return Part(header=(header,), body=tuple(rows), caption=_caption(labels))


def _listed(exhibit: BalanceExhibit, numbers: Numbers, labels: LabelBook) -> Part:
    """Lay out a row for each covariate, where a column for each would not fit a page."""
    words = ("alone", "std_error", "joint", "std_error", "mean_control", "r_squared", "n")
    header = Row((label(""), *(label(labels.word(word), align="right") for word in words)))
    rows = [
        Row(
            (
                label(labels.covariate(covariate)),
                *(
                    _coefficient(numbers, covariate, column, beneath=beneath)
                    for column in ("alone", "joint")
                    for beneath in (False, True)
                ),
                *(_fact(numbers, covariate, statistic) for statistic in ("mean_control", "r_squared", "n")),
            )
        )
        for covariate in exhibit.covariates
    ]
    joint = [_joint_fact(numbers, exhibit, statistic) for statistic in ("r_squared", "n")]
    rows.append(_foot(labels.word("joint"), [*[Cell("")] * 5, *joint]))
    return Part(header=(header,), body=tuple(rows), caption=_caption(labels))


def _coefficient(numbers: Numbers, covariate: str, column: str, *, beneath: bool) -> Cell:
    """Return a coefficient, or the standard error that stands beneath or beside it."""
    if beneath:
        return numbers.cell("", covariate, column, "std_error", pattern=numbers.style.beneath)
    return numbers.estimate("", covariate, column)


def _fact(numbers: Numbers, covariate: str, statistic: str) -> Cell:
    write = numbers.style.amount if statistic == "mean_control" else None
    return numbers.cell("", covariate, "alone", statistic, write=write)


def _joint_fact(numbers: Numbers, exhibit: BalanceExhibit, statistic: str) -> Cell:
    """Return N or R-squared of the regression on all covariates, which every covariate's row repeats."""
    if statistic == "mean_control":
        return Cell("")
    return numbers.cell("", exhibit.covariates[-1], "joint", statistic)


def _foot(text: str, cells: list[Cell]) -> Row:
    return Row((label(text), *cells), role="foot")


def _differences(exhibit: BalanceExhibit, numbers: Numbers, labels: LabelBook) -> Part:
    style = numbers.style
    arms = (labels.treated, labels.control)
    inference = (labels.word(name) for name in ("estimated", "std_error", "p_value"))
    header = grouped_heads(
        Group.of(*(labels.arm(arm) for arm in arms), over=labels.word("mean")),
        Group.of(*inference, labels.say("balance.normalised"), over=labels.word("difference")),
    )
    body = [
        Row(
            (
                label(labels.covariate(covariate)),
                *(numbers.cell(PANEL, covariate, arm, "mean", write=style.amount) for arm in arms),
                numbers.estimate(PANEL, covariate, "difference"),
                numbers.cell(PANEL, covariate, "difference", "std_error", pattern=numbers.style.beneath),
                numbers.cell(PANEL, covariate, "difference", "p_value"),
                numbers.cell(PANEL, covariate, "normalised", "normalised_difference"),
            )
        )
        for covariate in exhibit.covariates
    ]
    caption = labels.say(
        "balance.differences_within_cells" if labels.strata and exhibit.strata else "balance.differences_between_arms"
    )
    return Part(header=header, body=tuple(body), caption=caption)


def _tested(exhibit: BalanceExhibit, covariate: str) -> tuple[str, str, str]:
    """Return the panel, row and column of the test of one covariate."""
    return (PANEL, covariate, "difference") if exhibit.regress == "covariates" else ("", covariate, "alone")


def _balanced(exhibit: BalanceExhibit, numbers: Numbers, labels: LabelBook) -> list[str]:
    """Return a note that names the covariates whose difference is 0 by design, with no standard error to test it by."""
    names = [
        inside(labels.covariate(covariate, unit=False))
        for covariate in exhibit.covariates
        if numbers.value(*_tested(exhibit, covariate), "std_error")
        == 0
        == numbers.value(*_tested(exhibit, covariate), "estimate")
    ]
    return [labels.say("balance.balanced_by_design", listed="; ".join(names), n=len(names))] if names else []


def _unsupported(exhibit: BalanceExhibit, numbers: Numbers, labels: LabelBook) -> list[str]:
    """Return a note that names the covariates that have a coefficient and nothing to estimate its variance from."""
    names = [
        inside(labels.covariate(covariate, unit=False))
        for covariate in exhibit.covariates
        if math.isfinite(numbers.value("", covariate, "alone", "estimate"))
        and not math.isfinite(numbers.value("", covariate, "alone", "std_error"))
    ]
    return [labels.say("balance.rests_on_one_person", listed="; ".join(names), n=len(names))] if names else []


def _missing(exhibit: BalanceExhibit, numbers: Numbers, labels: LabelBook) -> list[str]:
    """Return a note on how many people of each arm lack which covariate, and whether they are left out altogether."""
    arms = (labels.treated, labels.control)
    counts = {
        covariate: " + ".join(numbers.cell(MISSING, covariate, arm, "count").text or "0" for arm in arms)
        for covariate in exhibit.covariates
        if any(numbers.cell(MISSING, covariate, arm, "count").text for arm in arms)
    }
    if not counts:
        return []
    listed = "; ".join(f"{inside(labels.covariate(name, unit=False))} {count}" for name, count in counts.items())
    return [
        labels.say(
            f"balance.lacking_{exhibit.missing}",
            listed=listed,
            treated=labels.arm(arms[0]),
            control=labels.arm(arms[1]),
        )
    ]


def _joint_test(numbers: Numbers, labels: LabelBook) -> list[str]:
    """Return notes on the joint test of all covariates."""
    f, df, residual, p = (
        numbers.cell("", "joint_test", "joint", statistic).text
        for statistic in ("f_stat", "df", "df_residual", "p_value")
    )
    if not f:
        return []
    p = p if p.startswith("<") else f"= {p}"
    return [f"{labels.word('joint_test')}: F({df}; {residual}) = {f}, p {p.replace('<', '< ')}."]
