"""Each effect under every test: outcomes as rows, tests as columns, then what the effect can be and cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from refino_eval.exhibits.kinds.tests.model import TestsExhibit
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import exhibit_notes, inference_note, say, specification_note
from refino_eval.exhibits.wording.number_format import NumberStyle

TESTS = ("p_value", "p_value_ri", "p_value_fwer", "p_value_holm", "q_value")


REACH = (
    "mean_control",
    "percent_of_control",
    "mde",
    "rejected_below",
    "rejected_above",
    "margin",
    "p_value_equivalence",
)


def layout(
    name: str,
    exhibit: TestsExhibit,
    frame: pd.DataFrame,
    *,
    labels: LabelBook,
    language: str,
    facts: Mapping[str, Any],
    style: NumberStyle,
) -> Table:
    """Lay out the tests of each effect, and beneath them the card of a result that finds nothing."""
    numbers = Numbers.of(frame, style)
    reach = [statistic for statistic in REACH if (frame["statistic"] == statistic).any()]
    parts = (
        _part(numbers, exhibit, labels, language, ("estimate", "std_error", *TESTS), say(language, "Tester", "Tests")),
        _part(
            numbers, exhibit, labels, language, ("interval", *reach),
            say(language, "Hva effekten kan og ikke kan være", "What the effect can and cannot be"),
        ),
    )  # fmt: skip
    return Table(
        exhibit=name,
        language=language,
        title=exhibit.title[language],
        parts=parts,
        notes=exhibit_notes(exhibit, frame, labels, language, facts, _notes(exhibit, frame, numbers, labels, language)),
    )


def _part(
    numbers: Numbers, exhibit: TestsExhibit, labels: LabelBook, language: str, statistics: tuple[str, ...], caption: str
) -> Part:
    entry = labels.specification_of(exhibit.specification)
    level = f"{(entry.level if entry else 0.95) * 100:g}"
    header = Row(
        (
            label(""),
            *(
                label(
                    labels.word("conf", language).format(level=level)
                    if statistic == "interval"
                    else labels.word(statistic, language),
                    align="right",
                )
                for statistic in statistics
            ),
        )
    )
    body: list[Row] = []
    for arm in labels.treated_arms:
        if len(labels.treated_arms) > 1:
            body.append(Row((label(labels.arm(arm, language), span=len(statistics) + 1),), role="block"))
        body += [
            Row(
                (
                    label(labels.outcome(outcome, language)),
                    *(_cell(numbers, exhibit, arm, key, statistic) for statistic in statistics),
                )
            )
            for key, outcome in exhibit.columns.items()
        ]
    return Part(header=(header,), body=tuple(body), caption=caption)


def _cell(numbers: Numbers, exhibit: TestsExhibit, arm: str, key: str, statistic: str) -> Cell:
    if statistic == "interval":
        return numbers.interval(exhibit.specification, key, arm)
    if statistic == "estimate":
        return numbers.estimate(exhibit.specification, key, arm)
    if statistic == "std_error":
        return numbers.cell(exhibit.specification, key, arm, statistic, pattern=numbers.style.beneath)
    return numbers.cell(exhibit.specification, key, arm, statistic)


def _notes(exhibit: TestsExhibit, frame: pd.DataFrame, numbers: Numbers, labels: LabelBook, language: str) -> list[str]:
    style = NumberStyle.of(language)
    entry = labels.specification_of(exhibit.specification)
    lines = [] if entry is None else [specification_note(exhibit.specification, entry, labels, language)]
    lines.append(_redraws(exhibit, frame, style, labels, language))
    lines.append(_family(exhibit, numbers, labels, language))
    lines.append(
        say(
            language,
            "Minste påvisbare effekt: funnet med 80 % sannsynlighet. «Mindre/større utelukkes»: ensidige grenser.",
            "Smallest detectable effect: found with 80% probability. 'Smaller/larger excluded': one-sided bounds.",
        )
    )
    if entry is not None:
        lines.append(inference_note([entry.vcov], [entry.level], frame, language))
    return lines


def _redraws(exhibit: TestsExhibit, frame: pd.DataFrame, style: NumberStyle, labels: LabelBook, language: str) -> str:
    """Say how the draw was repeated, how often, and what was drawn."""
    counts = frame[(frame["statistic"] == "count") & (frame["column"] == labels.treated)].set_index("row")["value"]
    if "possible_draws" in counts:
        draws = style.integer(counts["possible_draws"])
        how = say(
            language,
            f"alle de {draws} trekningene som var mulige innenfor cellene",
            f"all {draws} draws that were possible within cells",
        )
    else:
        draws = style.integer(counts["redraws"])
        how = say(
            language,
            f"trekningen gjentatt {draws} ganger innenfor cellene",
            f"the draw repeated {draws} times within cells",
        )
    text = say(
        language,
        f"Randomiseringstest: {how}, t-verdier; nullhypotesen er at trekningen ikke betyr noe for noen.",
        f"Randomisation test: {how}, t statistics; the null is that the draw matters for nobody.",
    )
    if "drawn_units" in counts:
        units = style.integer(counts["drawn_units"])
        text += say(
            language,
            f" Det var {units} klynger som ble trukket, og de trekkes hele om igjen.",
            f" What was drawn was {units} clusters, which are drawn again whole.",
        )
    return text


def _family(exhibit: TestsExhibit, numbers: Numbers, labels: LabelBook, language: str) -> str:
    """Say what the family is, and what all of it tells at once."""
    arms, count = labels.treated_arms, len(exhibit.columns)
    wide = len(arms) > 1 and exhibit.family == "arms_and_outcomes"
    over = say(language, f"de {count} utfallene i tabellen", f"the {count} outcomes of the table")
    if wide:
        over = say(
            language,
            f"de {count} utfallene for alle {len(arms)} gruppene",
            f"the {count} outcomes of all {len(arms)} arms",
        )
    elif len(arms) > 1:
        over = say(
            language, f"de {count} utfallene for hver gruppe for seg", f"the {count} outcomes of each arm by itself"
        )
    told = []
    for arm in arms:
        p = numbers.cell(exhibit.specification, "omnibus", arm, "p_value_ri").text
        if p:
            told.append(f"p = {p}" if len(arms) == 1 else f"{labels.arm(arm, language)} p = {p}")
    at_once = (
        say(language, "Alle under ett: ", "All at once: ") + "; ".join(told).replace("= <", "< ") + "." if told else ""
    )
    text = say(
        language,
        f"Familievise p-verdier (Westfall-Young, trinnvis, og Holm) og q-verdier gjelder {over}.",
        f"Family-wise p-values (Westfall-Young step-down, and Holm) and q-values are over {over}.",
    )
    if wide:
        text += say(
            language,
            " Trekningen er gjentatt for hver gruppe for seg, så de trinnvise p-verdiene kan være noe for høye.",
            " The draw is repeated for each arm by itself, so that the step-down p-values may be somewhat too high.",
        )
    return f"{text} {at_once}".strip()
