"""Whose outcome is seen, and bounds on the effect where the draw may have changed that."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from refino_eval.covariances import is_clustered
from refino_eval.exhibits.kinds.attrition.model import AttritionExhibit
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, label, per_cent
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import errors_note, exhibit_notes, say, specification_note
from refino_eval.exhibits.wording.number_format import NumberStyle, decimals_for

METHODS = ("lee", "lee_tightened", "horowitz_manski")


def layout(
    name: str,
    exhibit: AttritionExhibit,
    frame: pd.DataFrame,
    *,
    labels: LabelBook,
    language: str,
    facts: Mapping[str, Any],
    style: NumberStyle,
) -> Table:
    """Lay out the shares seen with their test, the effect among those seen, and the bounds of each method."""
    numbers = Numbers.of(frame, style)
    parts = [_seen(exhibit, numbers, labels, language), _among_seen(exhibit, numbers, labels, language)]
    shown = [method for method in METHODS if (frame["panel"] == method).any()]
    parts += [_bounds(exhibit, numbers, method, labels, language) for method in shown]
    return Table(
        exhibit=name,
        language=language,
        title=exhibit.title[language],
        parts=tuple(parts),
        notes=exhibit_notes(exhibit, frame, labels, language, facts, _notes(exhibit, numbers, shown, labels, language)),
    )


def column_name(exhibit: AttritionExhibit, key: str, labels: LabelBook, language: str) -> str:
    """Return what a column is called, with the condition for it to be seen."""
    name = labels.outcome(exhibit.columns[key], language)
    told = exhibit.observed.get(key)
    if told is None:
        return name
    if told == exhibit.columns[key]:
        return name + say(language, ", der den ikke er 0", ", where it is not 0")
    condition = labels.outcome(told, language)
    return name + say(language, f", gitt «{condition}»", f", given '{condition}'")


def _arm_heads(labels: LabelBook, language: str, unit: str = "") -> list[Cell]:
    arms = (labels.treated, labels.control)
    return [label(f"{labels.arm(arm, language)}{unit}", align="right") for arm in arms]


def _seen(exhibit: AttritionExhibit, numbers: Numbers, labels: LabelBook, language: str) -> Part:
    style = numbers.style
    header = Row(
        (
            label(""),
            *_arm_heads(labels, language, ", %"),
            label(say(language, "Effekt av trekningen, prosentpoeng", "Effect of the draw, points"), align="right"),
            label(labels.word("std_error", language), align="right"),
            label(labels.word("p_value", language), align="right"),
            label("N", align="right"),
        )
    )
    body = [
        Row(
            (
                label(column_name(exhibit, key, labels, language)),
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
        header=(header,),
        body=tuple(body),
        caption=say(language, "Andel med kjent utfall", "Share whose outcome is seen"),
    )


def _among_seen(exhibit: AttritionExhibit, numbers: Numbers, labels: LabelBook, language: str) -> Part:
    style = numbers.style
    header = Row(
        (
            label(""),
            *_arm_heads(labels, language),
            label(labels.word("difference", language), align="right"),
            label(labels.word("std_error", language), align="right"),
            label(labels.word("p_value", language), align="right"),
            label("N", align="right"),
        )
    )
    body = []
    for key in exhibit.columns:
        means = (
            numbers.cell("among_seen", key, "draw", statistic, write=lambda value: style.significant(value, 4, most=3))
            for statistic in ("mean_treated", "mean_control")
        )
        body.append(
            Row(
                (
                    label(column_name(exhibit, key, labels, language)),
                    *means,
                    numbers.estimate("among_seen", key, "draw"),
                    numbers.cell("among_seen", key, "draw", "std_error", pattern=style.beneath),
                    numbers.cell("among_seen", key, "draw", "p_value"),
                    numbers.cell("among_seen", key, "draw", "n"),
                )
            )
        )
    caption = say(
        language,
        "Forskjell blant dem med kjent utfall (ingen effekt av trekningen alene dersom gruppene er ulikt utvalgt)",
        "Difference among those seen (not the draw's effect alone if the arms are selected differently)",
    )
    return Part(header=(header,), body=tuple(body), caption=caption)


def _bounds(exhibit: AttritionExhibit, numbers: Numbers, method: str, labels: LabelBook, language: str) -> Part:
    style = numbers.style
    entry = labels.specification_of(exhibit.specification)
    level = f"{(entry.level if entry else 0.95) * 100:g}"
    header = Row(
        (
            label(""),
            *(
                label(text, align="right")
                for text in (say(language, "Nedre", "Lower"), labels.word("std_error", language))
            ),
            *(
                label(text, align="right")
                for text in (say(language, "Øvre", "Upper"), labels.word("std_error", language))
            ),
            label(labels.word("conf", language).format(level=level), align="right"),
            label(say(language, "Kuttet, %", "Cut off, %"), align="right"),
            label(say(language, "Kuttet i", "Cut off in"), align="right"),
            label(say(language, "Gjelder, % av alle", "About, % of all"), align="right"),
        )
    )
    keys = [key for key in exhibit.columns if (method, key, "bounds", "bound_low") in numbers.values]
    body = []
    for key in keys:
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
                    label(column_name(exhibit, key, labels, language)),
                    *ends,
                    _interval(numbers, method, key),
                    per_cent(numbers, method, key, "bounds", "trimmed_share"),
                    Cell(_trimmed(numbers, method, key, labels, language)),
                    per_cent(numbers, method, key, "bounds", "share_always"),
                )
            )
        )
    return Part(header=(header,), body=tuple(body), caption=labels.word(f"bounds_{method}", language))


def _fixed(style: NumberStyle, decimals: int) -> Any:
    return lambda value: style.fixed(value, decimals)


def _interval(numbers: Numbers, method: str, key: str) -> Cell:
    low, high = (numbers.value(method, key, "bounds", name) for name in ("conf_low", "conf_high"))
    if not (math.isfinite(low) and math.isfinite(high)):
        return Cell("")
    errors = [numbers.value(method, key, "bounds", f"bound_{side}_std_error") for side in ("low", "high")]
    decimals = decimals_for(min(errors), 2) if min(errors) > 0 else 3
    between = ";" if numbers.style.decimal == "," else ","
    texts = [numbers.style.fixed(limit, decimals) for limit in (low, high)]
    return Cell(f"[{texts[0]}{between} {texts[1]}]")


def _trimmed(numbers: Numbers, method: str, key: str, labels: LabelBook, language: str) -> str:
    arm = numbers.value(method, key, "trimmed_arm", "value")
    if not math.isfinite(arm):
        return "\N{EN DASH}"
    return labels.arm(labels.treated if arm == 1 else labels.control, language)


def _notes(
    exhibit: AttritionExhibit, numbers: Numbers, shown: list[str], labels: LabelBook, language: str
) -> list[str]:
    entry = labels.specification_of(exhibit.specification)
    lines = [] if entry is None else [specification_note(exhibit.specification, entry, labels, language)]
    lines.append(
        say(
            language,
            "Grenser (Lee): gruppen med flest kjente utfall har noen ekstra personer. De kuttes fra toppen eller bunnen, og effekten "
            "for dem som ville hatt et kjent utfall i begge grupper, ligger mellom de to grensene dersom trekningen bare kan trekke "
            "én vei i hvem som har det. Regnet innenfor cellene.",
            "Bounds (Lee): the arm with more outcomes seen holds some extra people. They are cut off from the top or the bottom, and "
            "the effect on those who would be seen in either arm lies between the two bounds, if the draw moves being seen one way "
            "only. Computed within cells.",
        )
    )
    if "lee_tightened" in shown and exhibit.tighten is not None:
        by = labels.covariate(exhibit.tighten, language, unit=False)
        lines.append(
            say(
                language,
                f"Strammet: ekstra personer kuttes i hver gruppe etter {by}, kjent før trekningen.",
                f"Tightened: extra people are cut off in each group by {by}, known before the draw.",
            )
        )
        against = {
            key: numbers.value("lee_tightened", key, "groups_against", "count")
            for key in exhibit.columns
            if numbers.value("lee_tightened", key, "groups_against", "count") > 0
        }
        for key, groups_against in against.items():
            name = column_name(exhibit, key, labels, language)
            groups = int(numbers.value("lee_tightened", key, "groups", "count"))
            lines.append(
                say(
                    language,
                    f"{name}: i {int(groups_against)} av {groups} grupper er det den andre trekkegruppen som oftest har kjent utfall. Der er ingenting "
                    "kuttet, og antakelsen om at trekningen bare trekker én vei, er tvilsom.",
                    f"{name}: in {int(groups_against)} of {groups} groups it is the other arm that is seen more. Nothing is cut off there, and the "
                    "assumption that the draw moves being seen one way only is in doubt.",
                )
            )
    if exhibit.ties == "keep":
        lines.append(
            say(
                language,
                "Alle med verdien på kanten beholdes, som i trykte tabeller; det gjør grensene litt for smale der mange har samme verdi.",
                "Everybody with the value at the edge is kept, as in printed tables; that makes bounds a little too narrow where many "
                "share a value.",
            )
        )
    if "horowitz_manski" in shown:
        lines.append(
            say(
                language,
                "Horowitz-Manski: ingenting antas om dem uten kjent utfall, annet enn at det ligger mellom minste og største mulige verdi.",
                "Horowitz-Manski: nothing is assumed of those not seen, but that their outcome lies between the least and the largest "
                "possible value.",
            )
        )
    lines.append(
        say(
            language,
            "Intervallet (Imbens-Manski) dekker effekten selv, hvor enn den ligger mellom grensene.",
            "The interval (Imbens-Manski) covers the effect itself, wherever it lies between the bounds.",
        )
    )
    left_out = max((numbers.value("lee", key, "bounds", "n_left_out") for key in exhibit.columns), default=0.0)
    if left_out > 0:
        count = NumberStyle.of(language).integer(left_out)
        lines.append(
            say(
                language,
                f"{count} personer i celler med bare én gruppe er ikke med i grensene.",
                f"{count} people in cells with one arm only are not in the bounds.",
            )
        )
    if entry is not None:
        lines.append(errors_note([entry.vcov], language))
        if is_clustered(entry.vcov):
            lines.append(
                say(
                    language,
                    "Standardfeil og intervall for grensene regner personer som uavhengige, også innenfor klynger.",
                    "Standard errors and the interval of the bounds count people as independent, also within clusters.",
                )
            )
    return lines
