"""What a result that finds nothing rules out: numbers in units and per cent, then a sentence for each outcome."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from refino_eval.exhibits.kinds.null_card.model import NullCardExhibit
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import exhibit_notes, inference_note, say, specification_note
from refino_eval.exhibits.wording.number_format import NumberStyle, decimals_for


def layout(
    name: str,
    exhibit: NullCardExhibit,
    frame: pd.DataFrame,
    *,
    labels: LabelBook,
    language: str,
    facts: Mapping[str, Any],
    style: NumberStyle,
) -> Table:
    """Lay out the card: one line of numbers an outcome, and beneath what they mean in words."""
    numbers = Numbers.of(frame, style)
    level = _level(exhibit, labels)
    heads = (
        labels.word("mean_control", language),
        labels.word("estimate", language),
        labels.word("conf", language).format(level=f"{level * 100:g}"),
        say(language, "Intervall i prosent av kontrollgruppen", "Interval in per cent of control mean"),
        labels.word("mde", language),
        labels.word("p_value_ri", language),
        labels.word("p_value_fwer", language),
    )
    body, words = [], []
    for key, outcome in exhibit.columns.items():
        shown = label(labels.outcome(outcome, language))
        body.append(Row((shown, *_numbers(numbers, key, labels.treated))))
        text = sentence(numbers, key, outcome, labels, language, level=level)
        words.append(Row((shown, Cell(text, align="left"))))
    grids = (
        Part(
            header=(Row((label(""), *(label(text, align="right") for text in heads))),),
            body=tuple(body),
            caption=say(language, "Tall", "Numbers"),
        ),
        Part(
            header=(Row((label(""), label(say(language, "Hva dette sier", "What this says")))),),
            body=tuple(words),
            caption=say(language, "I ord", "In words"),
        ),
    )
    return Table(
        exhibit=name,
        language=language,
        title=exhibit.title[language],
        parts=grids,
        notes=exhibit_notes(exhibit, frame, labels, language, facts, _notes(exhibit, frame, labels, language)),
    )


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


def sentence(numbers: Numbers, key: str, outcome: str, labels: LabelBook, language: str, *, level: float) -> str:
    """Say what one outcome's numbers mean.

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
    amount = _Amounts.of(outcome, labels, language, numbers.value("units", key, arm, "std_error"))
    low, high, p, p_equal, margin, mde, below, above = (
        numbers.value("units", key, arm, name)
        for name in ("conf_low", "conf_high", "p_value", "p_value_equivalence", "margin", "mde", "rejected_below",
                     "rejected_above")
    )  # fmt: skip
    if not (math.isfinite(low) and math.isfinite(high)):
        return say(language, "Effekten kan ikke anslås.", "The effect cannot be estimated.")
    percents = [numbers.value("percent", key, arm, name) for name in ("conf_low", "conf_high")]
    beside = ""
    if all(map(math.isfinite, percents)):
        style = NumberStyle.of(language)
        shown = [style.percent(value / 100) for value in percents]
        beside = say(
            language,
            f" ({shown[0]} til {shown[1]} av nivået i kontrollgruppen)",
            f" ({shown[0]} to {shown[1]} of the control mean)",
        )
    parts = [
        say(
            language,
            f"Dataene er forenlige med en effekt fra {amount.text(low, unit=False)} til {amount.text(high)}{beside}.",
            f"The data are compatible with an effect from {amount.text(low, unit=False)} to {amount.text(high)}{beside}.",
        ),
        _excluded(amount, below, above, language),
        say(
            language,
            f"Forsøket ville med 80 % sannsynlighet ha funnet en effekt på {amount.text(mde)} eller mer.",
            f"With 80% probability the trial would have found an effect of {amount.text(mde)} or more.",
        ),
        _verdict(amount, p, p_equal, margin, size, language),
    ]
    return " ".join(part for part in parts if part)


class _Amounts:
    """Writes an outcome's amounts: shares in percentage points, others in their unit, with the error's decimals."""

    def __init__(self, factor: float, unit: str, decimals: int, style: NumberStyle) -> None:
        self.factor, self.unit, self.decimals, self.style = factor, unit, decimals, style

    @classmethod
    def of(cls, outcome: str, labels: LabelBook, language: str, error: float) -> _Amounts:
        entry = labels.definitions.outcomes.get(outcome)
        share = entry is not None and labels.outcome_is_share(entry)
        factor = 100.0 if share else 1.0
        unit = say(language, "prosentpoeng", "percentage points") if share else entry.unit[language] if entry else ""
        decimals = decimals_for(factor * error, 2) if math.isfinite(error) and error > 0 else 2
        return cls(factor, unit, decimals, NumberStyle.of(language))

    def text(self, value: float, *, unit: bool = True) -> str:
        if unit and self.unit[:1].isdigit():
            # An amount in hundreds of thousands of kroner is a product, not '0.1 100,000 kr'.
            return f"{self.style.fixed(self.factor * value, self.decimals)} × {self.unit}"
        number = self.style.fixed(self.factor * value, self.decimals)
        return f"{number} {self.unit}" if unit and self.unit else number


def _excluded(amount: _Amounts, below: float, above: float, language: str) -> str:
    """Say which effects the one-sided tests reject, as far as they are gains and losses."""
    if not (math.isfinite(below) and math.isfinite(above)) or below >= 0 or above <= 0:
        return ""
    return say(
        language,
        f"Ensidig testet er en økning på {amount.text(above)} eller mer utelukket, og en nedgang på {amount.text(-below)} eller mer.",
        f"By one-sided tests an increase of {amount.text(above)} or more is excluded, and a decrease of {amount.text(-below)} or more.",
    )


def _verdict(amount: _Amounts, p: float, p_equal: float, margin: float, size: float, language: str) -> str:
    different = p <= size
    if not math.isfinite(margin):
        return say(
            language,
            "Effekten er ulik null."
            if different
            else "Effekten er ikke påvist; ingen margin er satt for når den er for liten til å bety noe.",
            "The effect differs from zero."
            if different
            else "No effect is shown; no margin is declared below which it would not matter.",
        )
    shown = f"±{amount.text(margin)}"
    if p_equal <= size:
        more = say(language, " Den er likevel ulik null.", " It differs from zero all the same.") if different else ""
        return (
            say(
                language,
                f"Effekten er vist å være innenfor marginen på {shown}, for liten til å bety noe etter den.",
                f"The effect is shown to lie within the margin of {shown}, too small to matter by it.",
            )
            + more
        )
    if different:
        return say(
            language,
            f"Effekten er ulik null, og ikke vist å være innenfor marginen på {shown}.",
            f"The effect differs from zero, and is not shown to lie within the margin of {shown}.",
        )
    return say(
        language,
        f"Det er verken vist at effekten er ulik null, eller at den er innenfor marginen på {shown}: det står åpent.",
        f"The effect is shown neither to differ from zero nor to lie within the margin of {shown}: the question is open.",
    )


def _notes(exhibit: NullCardExhibit, frame: pd.DataFrame, labels: LabelBook, language: str) -> list[str]:
    entry = labels.specification_of(exhibit.specification)
    lines = [] if entry is None else [specification_note(exhibit.specification, entry, labels, language)]
    lines.append(
        say(
            language,
            "At en test ikke forkaster, sier ikke at effekten er null; kortet viser hvilke effekter tallene utelukker. Innenfor marginen: "
            "to ensidige tester forkaster begge at effekten når marginen.",
            "That a test does not reject does not say that the effect is zero; the card shows which effects the numbers exclude. "
            "Within the margin: two one-sided tests both reject that the effect reaches the margin.",
        )
    )
    if entry is not None:
        lines.append(inference_note([entry.vcov], [entry.level], frame, language).split(". ")[0].rstrip(".") + ".")
    return lines
