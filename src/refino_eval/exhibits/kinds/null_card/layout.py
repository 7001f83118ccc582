"""What a result that finds nothing rules out: numbers in units and per cent, then a sentence for each outcome."""

from __future__ import annotations

import math

import pandas as pd

from refino_eval.exhibits.kinds.null_card.model import NullCardExhibit
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import inference_note, specification_note
from refino_eval.exhibits.wording.number_format import NumberStyle, decimals_for
from refino_eval.text import say


def layout(exhibit: NullCardExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out the card: one line of numbers an outcome, and beneath what they mean in words."""
    labels = page.labels
    numbers = Numbers.of(frame, page.style)
    level = _level(exhibit, labels)
    heads = (
        labels.word("mean_control"),
        labels.word("estimate"),
        labels.word("conf").format(level=f"{level * 100:g}"),
        labels.say("null_card.interval_per_cent"),
        labels.word("mde"),
        labels.word("p_value_ri"),
        labels.word("p_value_fwer"),
    )
    body, words = [], []
    for key, outcome in exhibit.columns.items():
        shown = label(labels.outcome(outcome))
        body.append(Row((shown, *_numbers(numbers, key, labels.treated))))
        text = sentence(numbers, key, outcome, labels, level=level)
        words.append(Row((shown, Cell(text, align="left"))))
    grids = (
        Part(
            header=(Row((label(""), *(label(text, align="right") for text in heads))),),
            body=tuple(body),
            caption=labels.say("null_card.numbers"),
        ),
        Part(
            header=(Row((label(""), label(labels.say("null_card.interpretation")))),),
            body=tuple(words),
            caption=labels.say("null_card.in_words"),
        ),
    )
    return page.table(exhibit, frame, grids, _notes(exhibit, frame, labels))


def _level(exhibit: NullCardExhibit, labels: LabelBook) -> float:
    entry = labels.specification_of(exhibit.specification)
    return entry.level if entry is not None else 0.95


def _numbers(numbers: Numbers, key: str, arm: str) -> list[Cell]:
    low, high = (numbers.value("percent", key, arm, name) for name in ("conf_low", "conf_high"))
    percent = ""
    if math.isfinite(low) and math.isfinite(high):
        gap = ";" if numbers.style.decimal == "," else ","
        percent = f"[{numbers.style.percent(low / 100)}{gap} {numbers.style.percent(high / 100)}]"
    return [
        numbers.cell("units", key, arm, "mean_control"),
        numbers.estimate("units", key, arm),
        numbers.interval("units", key, arm),
        Cell(percent),
        *(numbers.cell("units", key, arm, name) for name in ("mde", "p_value_ri", "p_value_fwer")),
    ]


def sentence(numbers: Numbers, key: str, outcome: str, labels: LabelBook, *, level: float) -> str:
    """Return a text that says what one outcome's numbers mean.

    Parameters
    ----------
    numbers
        The card's.
    key, outcome
        Its column and its outcome.
    labels, language
        Words.
    level
        Of the interval and of both tests.
    """
    arm, size = labels.treated, 1 - level
    amount = _Amounts.of(outcome, labels, numbers.value("units", key, arm, "std_error"))
    low, high, p, p_equal, margin, mde, below, above = (
        numbers.value("units", key, arm, name)
        for name in ("conf_low", "conf_high", "p_value", "p_value_equivalence", "margin", "mde", "rejected_below",
                     "rejected_above")
    )  # fmt: skip
    if not (math.isfinite(low) and math.isfinite(high)):
        return labels.say("null_card.not_estimable")
    percents = [numbers.value("percent", key, arm, name) for name in ("conf_low", "conf_high")]
    limits = {"low": amount.text(low, unit=False), "high": amount.text(high)}
    compatible = labels.say("null_card.compatible_effects", **limits)
    if all(map(math.isfinite, percents)):
        style = NumberStyle.of(labels.language)
        low_percent, high_percent = (style.percent(value / 100) for value in percents)
        compatible = labels.say(
            "null_card.compatible_effects_with_per_cent", **limits, low_percent=low_percent, high_percent=high_percent
        )
    parts = [
        compatible,
        _excluded(amount, below, above, labels.language),
        labels.say("null_card.smallest_detectable_effect", mde=amount.text(mde)),
        _verdict(amount, p, p_equal, margin, size, labels.language),
    ]
    return " ".join(part for part in parts if part)


class _Amounts:
    """Writes an outcome's amounts: shares in percentage points, others in their unit, with the error's decimals."""

    def __init__(self, factor: float, unit: str, decimals: int, style: NumberStyle) -> None:
        self.factor, self.unit, self.decimals, self.style = factor, unit, decimals, style

    @classmethod
    def of(cls, outcome: str, labels: LabelBook, error: float) -> _Amounts:
        entry = labels.definitions.outcomes.get(outcome)
        share = entry is not None and labels.outcome_is_share(entry)
        factor = 100.0 if share else 1.0
        unit = labels.say("null_card.percentage_points") if share else entry.unit[labels.language] if entry else ""
        decimals = decimals_for(factor * error, 2) if math.isfinite(error) and error > 0 else 2
        return cls(factor, unit, decimals, NumberStyle.of(labels.language))

    def text(self, value: float, *, unit: bool = True) -> str:
        if unit and self.unit[:1].isdigit():
            # An amount in hundreds of thousands of kroner is a product, not '0.1 100,000 kr'.
            return f"{self.style.rounded(self.factor * value, self.decimals)} × {self.unit}"
        number = self.style.rounded(self.factor * value, self.decimals)
        return f"{number} {self.unit}" if unit and self.unit else number


def _excluded(amount: _Amounts, below: float, above: float, language: str) -> str:
    """Return a text that says which effects the one-sided tests reject, as far as they are gains and losses."""
    if not (math.isfinite(below) and math.isfinite(above)) or below >= 0 or above <= 0:
        return ""
    return say(
        "null_card.excluded_by_one_sided_tests", language, increase=amount.text(above), decrease=amount.text(-below)
    )


def _verdict(amount: _Amounts, p: float, p_equal: float, margin: float, size: float, language: str) -> str:
    different = p <= size
    if not math.isfinite(margin):
        return say("null_card.differs_from_zero" if different else "null_card.no_margin_declared", language)
    text = f"±{amount.text(margin)}"
    if p_equal <= size:
        return say(
            "null_card.within_margin_and_differs" if different else "null_card.within_margin", language, margin=text
        )
    if different:
        return say("null_card.differs_and_not_within_margin", language, margin=text)
    return say("null_card.inconclusive", language, margin=text)


def _notes(exhibit: NullCardExhibit, frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    entry = labels.specification_of(exhibit.specification)
    lines = [] if entry is None else [specification_note(exhibit.specification, entry, labels)]
    lines.append(labels.say("null_card.not_rejecting_is_no_proof"))
    if entry is not None:
        lines.append(inference_note([entry.vcov], [entry.level], frame, labels).split(". ")[0].rstrip(".") + ".")
    return lines
