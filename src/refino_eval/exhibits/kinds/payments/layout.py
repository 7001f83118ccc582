"""What providers would have been paid: a grid for each set of rules, milestones as blocks, arms as columns."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import pandas as pd

from refino_eval.config.payments import PaymentRules
from refino_eval.exhibits.kinds.payments.model import PaymentsExhibit
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import exhibit_notes, say
from refino_eval.exhibits.wording.number_format import NumberStyle

STATUSES = ("paid", "undecided", "running", "not_reached")


def layout(
    name: str,
    exhibit: PaymentsExhibit,
    frame: pd.DataFrame,
    *,
    labels: LabelBook,
    language: str,
    facts: Mapping[str, Any],
    style: NumberStyle,
) -> Table:
    """Lay out participants, milestones by status with the reasons of what is undecided, and the payment a participant."""
    numbers = Numbers.of(frame, style)
    arms = tuple(exhibit.programmes)
    parts = tuple(
        _part(
            rules,
            exhibit,
            arms,
            list(dict.fromkeys(frame.loc[frame["panel"] == rules, "row"])),
            numbers,
            labels,
            language,
        )
        for rules in exhibit.payments
    )
    return Table(
        exhibit=name,
        language=language,
        title=exhibit.title[language],
        parts=parts,
        notes=exhibit_notes(exhibit, frame, labels, language, facts, _notes(exhibit, numbers, labels, language)),
    )


def _part(
    rules: str,
    exhibit: PaymentsExhibit,
    arms: tuple[str, ...],
    rows: list[str],
    numbers: Numbers,
    labels: LabelBook,
    language: str,
) -> Part:
    defined = labels.definitions.payments[rules]
    header = Row((label(""), *(label(labels.arm(arm, language), align="right") for arm in arms)))
    body = [
        Row(
            (
                label(labels.word("participants", language)),
                *(numbers.cell(rules, "participants", arm, "count") for arm in arms),
            )
        ),
        Row(
            (
                label(say(language, "Måneder i tiltaket, gjennomsnitt", "Months in the programme, mean")),
                *(
                    numbers.cell("", "duration", arm, "mean", write=partial(numbers.style.fixed, decimals=1))
                    for arm in arms
                ),
            )
        ),
    ]
    for milestone in defined.milestones:
        share = numbers.style.percent(milestone.share, 0)
        head = f"{milestone.label[language]} ({share})"
        body.append(Row((label(head, span=len(arms) + 1),), role="block"))
        body += _milestone(rules, milestone.name, defined, arms, rows, numbers, labels, language)
    body += list(_totals(rules, exhibit, arms, numbers, language))
    return Part(header=(header,), body=tuple(body), caption=defined.label[language])


def _milestone(
    rules: str,
    milestone: str,
    defined: PaymentRules,
    arms: tuple[str, ...],
    rows: list[str],
    numbers: Numbers,
    labels: LabelBook,
    language: str,
) -> Iterator[Row]:
    for status in STATUSES:
        row = f"{milestone}:{status}"
        if status != "paid" and not any(numbers.value(rules, row, arm, "count") > 0 for arm in arms):
            continue
        yield Row((label(labels.word(status, language)), *(_counted(rules, row, arm, numbers) for arm in arms)))
        prefix = f"{row}:"
        for reason in (row for row in rows if row.startswith(prefix)):
            told = f"\N{EN DASH} {defined.reasons[reason.removeprefix(prefix)][language]}"
            cells = (numbers.cell(rules, reason, arm, "count") for arm in arms)
            yield Row((label(told), *(cell if cell.text else Cell("0", number=0.0) for cell in cells)))


def _counted(rules: str, row: str, arm: str, numbers: Numbers) -> Cell:
    """Return a count with its share of the participants."""
    share = numbers.value(rules, row, arm, "share")
    behind = f" ({numbers.style.percent(share)})" if math.isfinite(share) and not numbers.style.machine else ""
    return numbers.cell(rules, row, arm, "count", pattern="{}" + behind)


def _totals(
    rules: str, exhibit: PaymentsExhibit, arms: tuple[str, ...], numbers: Numbers, language: str
) -> Iterator[Row]:
    style = numbers.style
    settled, all_of_it = say(language, "avklart", "settled"), say(language, "med alt uavklart", "with all undecided")
    for row, which in (("least", settled), ("most", all_of_it)):
        head = say(
            language,
            f"Betaling per deltaker, andel av tilbudet, {which}",
            f"Payment a participant, share of the bid, {which}",
        )
        cells = (numbers.cell(rules, row, arm, "share", write=style.percent) for arm in arms)
        yield Row((label(head), *cells), role="foot")
    if exhibit.bid is not None:
        bid = style.integer(exhibit.bid)
        for row, which in (("least", settled), ("most", all_of_it)):
            head = say(
                language,
                f"Kroner per deltaker ved et tilbud på {bid}, {which}",
                f"Kroner a participant at a bid of {bid}, {which}",
            )
            yield Row(
                (label(head), *(numbers.cell(rules, row, arm, "value", write=style.integer) for arm in arms)),
                role="foot",
            )


def _notes(exhibit: PaymentsExhibit, numbers: Numbers, labels: LabelBook, language: str) -> list[str]:
    style = numbers.style
    started = ", ".join(
        f"{labels.arm(arm, language)} {style.integer(numbers.value(exhibit.payments[0], 'participants', arm, 'count'))} / "
        f"{style.integer(numbers.value('', 'drawn', arm, 'count'))}"
        for arm in exhibit.programmes
    )
    last = exhibit.observed_to
    example = say(
        language,
        " Tilbudet i kroner er et regneeksempel." if exhibit.bid is not None else "",
        " The bid in kroner is an illustration." if exhibit.bid is not None else "",
    )
    day = f"{last.day}.{last.month}.{last.year}" if language == "nb" else f"{last.day} {last:%B} {last.year}"
    return [
        say(
            language,
            f"Deltakere er de som begynte i tiltaket de ble trukket til (av trukne: {started}). Milepæler nådd til og med {day}.",
            f"Participants are those who started the programme that they were drawn to (of those drawn: {started}). Milestones met "
            f"by {day}.",
        ),
        say(
            language,
            "Reglene er brukt på registrerte forløp: jobbens faktiske lengde står for kontraktens. «Uavklart» er det reglene lar stå åpent, "
            "eller registrene ikke viser; «løper» kan bli betalt senere.",
            "The rules are applied to registered spells: a job's actual length stands for the contract's. 'Undecided' is what the rules "
            "leave open, or registers do not show; what is 'running' may be paid later.",
        ),
        say(
            language,
            "Samme forløp er holdt opp mot hvert regelsett: hvordan leverandørene hadde handlet under andre regler, sier tallene ikke. "
            "Påslag i en periode er regnet med." + example,
            "The same spells are held against each set of rules: how providers would have acted under other rules, the numbers do not say. "
            "Surcharges of a period are included." + example,
        ),
    ]
