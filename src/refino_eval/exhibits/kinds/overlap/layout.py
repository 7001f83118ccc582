"""The propensity score by arm, and the balance of covariates before and after weighting by it."""

from __future__ import annotations

import math

import pandas as pd

from refino_eval.exhibits.kinds.overlap.model import OverlapExhibit
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Numbers, Part, Row, Table, label, per_cent
from refino_eval.exhibits.wording.labels import LabelBook, inside
from refino_eval.exhibits.wording.notes import control_name, specification_note
from refino_eval.exhibits.wording.number_format import NumberStyle

WEIGHTINGS = ("before", "ate", "att")
LARGE = 0.1
"""Standardised differences beyond which a covariate is said to be out of balance (Austin 2009)."""


def layout(exhibit: OverlapExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out the score by arm, then standardised differences in three weightings."""
    labels = page.labels
    numbers = Numbers.of(frame, page.style)
    arms = (labels.treated, labels.control)
    rows = [
        Row((label(text), *(numbers.cell("score", arm, column, statistic) for arm in arms)))
        for text, column, statistic in (
            (labels.say("overlap.people"), "score", "n"),
            (labels.say("overlap.without_counterpart"), "score", "n_left_out"),
            (labels.say("overlap.mean_score"), "score", "mean"),
            (labels.say("overlap.sd_score"), "score", "sd"),
            (labels.say("overlap.first_percentile"), "first_percentile", "value"),
            (labels.say("overlap.last_percentile"), "last_percentile", "value"),
        )
    ]  # fmt: skip
    shares = {"outside_support": labels.say("overlap.outside_support")}
    shares |= {
        f"beyond_{a:g}": labels.say(
            "overlap.beyond", low=page.style.of_text(f"{a:g}"), high=page.style.of_text(f"{1 - a:g}")
        )
        for a in exhibit.thresholds
    }
    rows += [
        Row((label(text), *(per_cent(numbers, "score", arm, key, "share") for arm in arms)))
        for key, text in shares.items()
    ]
    weightings = _weightings(labels)
    rows += [
        Row(
            (
                label(labels.say("overlap.effective_n", weighting=inside(text))),
                *(numbers.cell("score", arm, f"effective_{key}", "value") for arm in arms),
            )
        )
        for key, text in weightings.items()
    ]
    header = Row((label(""), *(label(labels.arm(arm), align="right") for arm in arms)))
    balance = [
        Row((
            label(_covariate(str(row), labels)),
            *(numbers.cell("balance", str(row), key, "normalised_difference") for key in WEIGHTINGS),
        ))
        for row in dict.fromkeys(frame.loc[frame["panel"] == "balance", "row"])
    ]  # fmt: skip
    heads = Row((label(""), *(label(text, align="right") for text in weightings.values())))
    parts = [Part(header=(header,), body=tuple(rows), caption=labels.say("overlap.caption_score"))]
    if balance:
        parts.append(Part(header=(heads,), body=tuple(balance), caption=labels.say("overlap.caption_balance")))
    return page.table(exhibit, frame, parts, overlap_notes(exhibit, frame, labels))


def _weightings(labels: LabelBook) -> dict[str, str]:
    """Return what the three weightings are called, by key."""
    texts = (labels.say("overlap.before"), labels.say("overlap.ate"), labels.say("overlap.att"))
    return dict(zip(WEIGHTINGS, texts, strict=True))


def _covariate(row: str, labels: LabelBook) -> str:
    if row == "fixed_effects":
        return labels.say("overlap.largest_fixed_effect")
    text = control_name(row, labels)
    return text[:1].upper() + text[1:]


def overlap_notes(exhibit: OverlapExhibit, frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    """Return how the score was fitted, who has none, and how many covariates are out of balance before and after weighting."""
    lines = [score_note(exhibit.specification, labels), labels.say("overlap.columns_explained")]
    style = NumberStyle.of(labels.language)
    part = frame[(frame["panel"] == "balance") & (frame["row"] != "fixed_effects")]
    counts = [int((part.loc[part["column"] == key, "value"].abs() > LARGE).sum()) for key in WEIGHTINGS]
    total = int((part["column"] == "before").sum())
    if total:
        largest = [float(part.loc[part["column"] == key, "value"].abs().max()) for key in WEIGHTINGS]
        names = ("before", "ate", "att", "total")
        values = {name: style.integer(value) for name, value in zip(names, (*counts, total), strict=True)}
        values |= {
            f"largest_{key}": style.fixed(value, 3) if math.isfinite(value) else "0"
            for key, value in zip(WEIGHTINGS, largest, strict=True)
        }
        lines.append(labels.say("overlap.out_of_balance", limit=style.fixed(LARGE, 1), **values))
    return [line for line in lines if line]


def score_note(name: str, labels: LabelBook) -> str:
    """Return the model of the propensity score: a logit, with these covariates, fixed effects and weights."""
    entry = labels.specification_of(name)
    if entry is None:
        return ""
    return f"{labels.say('overlap.score_explained')} {specification_note(name, entry, labels)}"
