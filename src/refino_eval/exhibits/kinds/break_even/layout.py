"""The effect that repays a difference in cost, against the effect's interval; and the net benefit that is left."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from refino_eval.exhibits.kinds.break_even.model import BreakEvenExhibit
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import exhibit_notes, say, specification_note
from refino_eval.exhibits.wording.number_format import NumberStyle

UNITS = ("participant", "drawn")


def layout(
    name: str,
    exhibit: BreakEvenExhibit,
    frame: pd.DataFrame,
    *,
    labels: LabelBook,
    language: str,
    facts: Mapping[str, Any],
    style: NumberStyle,
) -> Table:
    """Lay out a grid for each way of counting the cost: outcomes and values of an outcome as rows."""
    numbers = Numbers.of(frame, style)
    parts = tuple(_part(unit, exhibit, numbers, labels, language) for unit in UNITS)
    return Table(
        exhibit=name,
        language=language,
        title=exhibit.title[language],
        parts=parts,
        notes=exhibit_notes(exhibit, frame, labels, language, facts, _notes(exhibit, numbers, labels, language)),
    )


def _part(unit: str, exhibit: BreakEvenExhibit, numbers: Numbers, labels: LabelBook, language: str) -> Part:
    entry = labels.specification_of(exhibit.specification)
    level = f"{(entry.level if entry else 0.95) * 100:g}"
    conf = labels.word("conf", language).format(level=level)
    header = Row(
        (
            label(""),
            label(say(language, "Effekt, prosentpoeng", "Effect, percentage points"), align="right"),
            label(conf, align="right"),
            label(say(language, "Nullpunkt, prosentpoeng", "Break-even, percentage points"), align="right"),
            label(say(language, "Intervallet", "The interval"), align="left"),
            label(say(language, "Nettonytte, kr", "Net benefit, kr"), align="right"),
            label(conf, align="right"),
        )
    )
    body: list[Row] = []
    for value in exhibit.values:
        entry_of = labels.definitions.costs[exhibit.costs].values[value]
        worth = numbers.style.fixed(numbers.value("effect", "value", value, "value") / 1e6, 1)
        head = say(language, f"{entry_of.label['nb']}: {worth} mill. kr", f"{entry_of.label['en']}: {worth} million kr")
        body.append(Row((label(head, span=7),), role="block"))
        body += [_row(unit, key, value, exhibit, numbers, labels, language) for key in exhibit.columns]
    return Part(header=(header,), body=tuple(body), caption=_caption(unit, numbers, labels, language))


def _row(
    unit: str, key: str, value: str, exhibit: BreakEvenExhibit, numbers: Numbers, labels: LabelBook, language: str
) -> Row:
    style = numbers.style
    low, high = (numbers.value("effect", key, labels.treated, limit) for limit in ("conf_low", "conf_high"))
    limit = numbers.value(unit, key, value, "break_even")

    def points(share: float) -> str:
        return style.fixed(100.0 * share, 2)

    kroner = _hundreds(style)
    benefit = (
        kroner(numbers.value(unit, key, value, "conf_low")),
        kroner(numbers.value(unit, key, value, "conf_high")),
    )
    return Row(
        (
            label(labels.outcome(exhibit.columns[key], language)),
            numbers.cell("effect", key, labels.treated, "estimate", write=points),
            Cell(_between(points(low), points(high), style)),
            numbers.cell(unit, key, value, "break_even", write=points),
            Cell(_where(low, high, limit, language), align="left"),
            numbers.cell(unit, key, value, "estimate", write=kroner),
            Cell(_between(*benefit, style)),
        )
    )


def _hundreds(style: NumberStyle) -> Callable[[float], str]:
    """Write kroner to the nearest hundred: the intervals are tens of thousands wide."""
    return lambda value: style.integer(round(value, -2)) if math.isfinite(value) else ""


def _between(low: str, high: str, style: NumberStyle) -> str:
    return f"[{low}{';' if style.decimal == ',' else ','} {high}]" if low and high else ""


def _where(low: float, high: float, limit: float, language: str) -> str:
    """Say where the interval lies: that, and no probability, is what it tells."""
    if low > limit:
        return say(language, "helt over", "wholly above")
    if high < limit:
        return say(language, "helt under", "wholly below")
    return say(language, "på begge sider", "on both sides")


def _caption(unit: str, numbers: Numbers, labels: LabelBook, language: str) -> str:
    saved = -numbers.value(unit, "cost", "difference", "estimate")
    amount = numbers.style.integer(abs(saved))
    treated = labels.arm(labels.treated, language)
    who = {
        "participant": say(language, "per deltaker, trykt varighet", "a participant, at the printed duration"),
        "drawn": say(language, "per trukket person, målte måneder", "a person drawn, at the months measured"),
    }[unit]
    error = numbers.value(unit, "cost", "difference", "std_error")
    spread = f" (SE {numbers.style.integer(error)})" if math.isfinite(error) else ""
    if saved >= 0:
        return say(
            language,
            f"{treated} koster {amount} kr mindre {who}{spread}",
            f"{treated} costs {amount} kr less {who}{spread}",
        )
    return say(
        language, f"{treated} koster {amount} kr mer {who}{spread}", f"{treated} costs {amount} kr more {who}{spread}"
    )


def _notes(exhibit: BreakEvenExhibit, numbers: Numbers, labels: LabelBook, language: str) -> list[str]:
    treated = labels.arm(labels.treated, language)
    costs = labels.definitions.costs[exhibit.costs]
    basis = costs.bases[exhibit.basis].label[language].lower()
    entry = labels.specification_of(exhibit.specification)
    lines = [] if entry is None else [specification_note(exhibit.specification, entry, labels, language)]
    lines.append(
        say(
            language,
            f"Kostnad til samfunnet ({basis}): uten merverdiavgift, med skattekostnad. Nullpunkt: effekten der {treated} verken lønner "
            "seg eller ikke; en effekt over det lønner seg. Nettonytte: effekten ganger verdien, minus forskjellen i kostnad.",
            f"Cost to society ({basis}): without VAT, with the cost of tax. Break-even: the effect at which {treated} neither pays nor "
            "fails to; an effect above it pays. Net benefit: the effect times the value, less the difference in cost.",
        )
    )
    lines.append(
        say(
            language,
            "Effekten gjelder trukne personer. Per deltaker er kostnaden et trykt tall uten usikkerhet; per trukket person er den månedspris "
            "ganger måneder i hvert tiltak i vinduet, med usikkerhet og samvariasjon med effekten. Måneder utenfor vinduet er ikke med.",
            "The effect is that for people drawn. A participant's cost is a printed number without uncertainty; that of a person drawn is "
            "the monthly price times the months in each programme within the window, with its uncertainty and covariance with the effect. "
            "Months outside the window are left out.",
        )
    )
    lines.append(
        say(
            language,
            "Intervallene sier hva dataene kan utelukke, ikke hvor sannsynlig det er at tiltaket lønner seg. Verdien av et utfall er en "
            "forutsetning, og gjelder varig arbeid; utfallet er målt i én måned.",
            "The intervals say what the data can exclude, not how probable it is that the programme pays. The value of an outcome is an "
            "assumption, and is for lasting work; the outcome is measured in one month.",
        )
    )
    return [*lines, *_ratios(exhibit, numbers, labels, language)]


def _ratios(exhibit: BreakEvenExhibit, numbers: Numbers, labels: LabelBook, language: str) -> list[str]:
    """Say which ratios of cost to effect Fieller's sets exclude, where they exclude little: that is the finding."""
    open_ended = [
        labels.outcome(outcome, language)
        for key, outcome in exhibit.columns.items()
        if numbers.values.get(("drawn", key, "ratio", "conf_low"), (0.0, ""))[1]
    ]
    if not open_ended:
        return []
    listed = ", ".join(open_ended)
    return [
        say(
            language,
            f"Kostnad per ekstra person i jobb er ikke vist: for {listed} er Fiellers mengde ubegrenset, fordi effekten ikke kan skilles "
            "fra null.",
            f"Cost per extra person in work is not shown: for {listed}, Fieller's set is unbounded, because the effect cannot be told "
            "from nothing.",
        )
    ]
