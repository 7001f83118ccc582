"""Effects of the draw: outcomes as columns, one block of rows a specification."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import pandas as pd

from refino_eval.exhibits.kinds.itt.itt_listed import WIDEST, listed_parts
from refino_eval.exhibits.kinds.itt.model import IttExhibit
from refino_eval.exhibits.layout.model_rows import design_rows
from refino_eval.exhibits.layout.table import Numbers, Part, Row, Table, error_label, label
from refino_eval.exhibits.wording.arm_keys import ALL_ARMS, difference_row
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import exhibit_notes, inference_note, say, specification_note, window_notes
from refino_eval.exhibits.wording.number_format import NumberStyle


def layout(
    name: str,
    exhibit: IttExhibit,
    frame: pd.DataFrame,
    *,
    labels: LabelBook,
    language: str,
    facts: Mapping[str, Any],
    style: NumberStyle,
) -> Table:
    """Lay out effects, standard errors and intervals; means, N, covariance and cells once when they do not change."""
    numbers = Numbers.of(frame, style)
    specifications = [spec for spec in exhibit.specifications if (frame["panel"] == spec).any()]
    if len(exhibit.columns) > WIDEST:
        parts = listed_parts(exhibit, specifications, numbers, labels, language)
    else:
        parts = (_across(exhibit, specifications, numbers, labels, language),)
    return Table(
        exhibit=name,
        language=language,
        title=exhibit.title[language],
        parts=parts,
        notes=exhibit_notes(exhibit, frame, labels, language, facts, itt_notes(exhibit, frame, labels, language)),
    )


def _across(exhibit: IttExhibit, specifications: list[str], numbers: Numbers, labels: LabelBook, language: str) -> Part:
    """Lay out a column for each outcome, a block of rows for each specification."""
    header = Row(
        (label(""), *(label(labels.outcome(outcome, language), align="right") for outcome in exhibit.columns.values()))
    )
    designs = [
        design_rows(labels.specification_of(spec), len(exhibit.columns), labels, language) for spec in specifications
    ]
    alike = designs[:1] if all(design == designs[0] for design in designs) else []
    shared = _same_feet(numbers, exhibit, specifications, labels)
    body: list[Row] = []
    for spec, design in zip(specifications, designs, strict=True):
        if len(specifications) > 1:
            body.append(
                Row((label(labels.specification(spec, language), span=len(exhibit.columns) + 1),), role="block")
            )
        body += _effects(numbers, exhibit, spec, labels, language)
        if not shared:
            body += _feet(numbers, exhibit, spec, labels, language)
        if not alike:
            body += design
    if shared and specifications:
        body += _feet(numbers, exhibit, specifications[0], labels, language)
    if alike:
        body += alike[0]
    return Part(header=(header,), body=tuple(body))


def itt_notes(exhibit: IttExhibit, frame: pd.DataFrame, labels: LabelBook, language: str) -> list[str]:
    """Say the windows, the specifications and the inference of a table of effects."""
    defined = [(name, labels.specification_of(name)) for name in exhibit.specifications]
    known = [(name, entry) for name, entry in defined if entry is not None]
    lines = list(window_notes(exhibit, labels, language))
    lines.append(_compared(exhibit, labels, language))
    lines += _several_notes(exhibit, frame, labels, language)
    lines += [specification_note(name, entry, labels, language) for name, entry in known]
    if known:
        lines.append(inference_note([e.vcov for _, e in known], [e.level for _, e in known], frame, language))
    return [*lines, *_lost(exhibit, frame, labels, language)]


def _lost(exhibit: IttExhibit, frame: pd.DataFrame, labels: LabelBook, language: str) -> list[str]:
    """Say how many people lack which outcome: a table's columns rest on the people who have them all."""
    lost = frame[(frame["row"] == "lost") & frame["value"].gt(0)].drop_duplicates("column")
    if lost.empty:
        return []
    style = NumberStyle.of(language)
    listed = "; ".join(
        f"{labels.outcome(exhibit.columns.get(column, column), language)} ({style.integer(value)})"
        for column, value in zip(lost["column"], lost["value"], strict=True)
    )
    return [
        say(language, "Personer uten verdi er holdt utenfor: ", "People without a value are left out: ") + listed + "."
    ]


def _compared(exhibit: IttExhibit, labels: LabelBook, language: str) -> str:
    """Say what the effects are; between two treated arms the word is difference, since one of them may not be drawn."""
    if exhibit.against is not None:
        against = labels.arm(exhibit.against, language)
        return say(
            language,
            f"Forskjellen mellom {_arms(labels, language)} og {against}; lineær regresjon.",
            f"The difference between {_arms(labels, language)} and {against}; linear regression.",
        )
    return say(
        language,
        f"Effekten av å bli trukket til {_arms(labels, language)}, uansett faktisk deltakelse; lineær regresjon.",
        f"The effect of being drawn to {_arms(labels, language)}, whatever the actual participation; linear regression.",
    )


def _arms(labels: LabelBook, language: str) -> str:
    """Return the treated arms in a sentence."""
    names = [labels.arm(arm, language) for arm in labels.treated_arms]
    return names[0] if len(names) == 1 else say(language, " eller ", " or ").join([", ".join(names[:-1]), names[-1]])


def _several_notes(exhibit: IttExhibit, frame: pd.DataFrame, labels: LabelBook, language: str) -> list[str]:
    """Say how several treated arms are compared."""
    if len(labels.treated_arms) == 1:
        return []
    control = labels.arm(labels.control, language)
    pairwise = say(
        language,
        f"Hver gruppe sammenlignes med {control} for seg, blant dem som ble trukket til en av de to.",
        f"Each arm is compared with {control} by itself, among those drawn to one of the two.",
    )
    joint = say(
        language,
        f"Alle gruppene sammenlignes med {control} i én regresjon.",
        f"All arms are compared with {control} in one regression.",
    )
    lines = [pairwise if exhibit.comparison == "pairwise" else joint]
    if (frame["row"] == ALL_ARMS).any():
        between = exhibit.between_arms and exhibit.comparison == "pairwise"
        lines.append(
            say(
                language,
                f"Testen av at ingen gruppe har effekt{' og forskjellene mellom gruppene' if between else ''} er fra regresjonen "
                "med alle gruppene.",
                f"The test that no arm has an effect{' and the differences between arms are' if between else ' is'} from the "
                "regression with all arms.",
            )
        )
    return lines


def _effects(numbers: Numbers, exhibit: IttExhibit, spec: str, labels: LabelBook, language: str) -> list[Row]:
    """Return the rows of one specification: effect, standard error and interval of each arm, then what all arms say."""
    arms = labels.treated_arms
    rows = [
        row for arm in arms for row in _effect(numbers, exhibit, spec, arm, labels.arm(arm, language), labels, language)
    ]
    if len(arms) > 1 and exhibit.between_arms:
        for first, second in combinations(arms, 2):
            head = f"{labels.arm(first, language)} − {labels.arm(second, language)}"
            rows += _effect(numbers, exhibit, spec, difference_row(first, second), head, labels, language)
    return rows


def _effect(
    numbers: Numbers, exhibit: IttExhibit, spec: str, row: str, head: str, labels: LabelBook, language: str
) -> list[Row]:
    columns = list(exhibit.columns)
    entry = labels.specification_of(spec)
    level = f"{(entry.level if entry else 0.95) * 100:g}"
    return [
        Row((label(head), *(numbers.estimate(spec, row, c) for c in columns))),
        Row(
            (
                error_label(numbers, labels, language),
                *(numbers.cell(spec, row, c, "std_error", pattern=numbers.style.beneath) for c in columns),
            ),
            role="beneath",
        ),
        Row(
            (
                label(labels.word("conf", language).format(level=level)),
                *(numbers.interval(spec, row, c) for c in columns),
            ),
            role="beneath",
        ),
    ]


def _feet(numbers: Numbers, exhibit: IttExhibit, spec: str, labels: LabelBook, language: str) -> list[Row]:
    rows = [
        Row((label(head), *(numbers.cell(spec, arm, column, statistic) for column in exhibit.columns)), role="foot")
        for head, arm, statistic in _facts(numbers, exhibit, spec, labels, language)
    ]
    if len(labels.treated_arms) > 1:
        for word, statistic in (("all_arms", "f_stat"), ("all_arms_p", "p_value")):
            cells = (numbers.cell(spec, ALL_ARMS, column, statistic) for column in exhibit.columns)
            rows.append(Row((label(labels.word(word, language)), *cells), role="foot"))
    return rows


def _facts(
    numbers: Numbers, exhibit: IttExhibit, spec: str, labels: LabelBook, language: str
) -> Iterator[tuple[str, str, str]]:
    """Give the rows of control means and N: once when they are the same for every arm, else arm by arm."""
    for statistic in ("mean_control", "n"):
        word = labels.word(statistic, language)
        told = {
            tuple(numbers.cell(spec, arm, column, statistic).text for column in exhibit.columns)
            for arm in labels.treated_arms
        }
        if len(told) == 1:
            yield word, labels.treated, statistic
            continue
        for arm in labels.treated_arms:
            yield labels.word("of_arm", language).format(word=word, arm=labels.arm(arm, language)), arm, statistic


def _same_feet(numbers: Numbers, exhibit: IttExhibit, specifications: list[str], labels: LabelBook) -> bool:
    """Whether control means and N are the same under every specification; the joint test never is."""
    if len(labels.treated_arms) > 1 and len(specifications) > 1:
        return False
    rows = {
        tuple(
            numbers.cell(spec, labels.treated, column, statistic).text
            for column in exhibit.columns
            for statistic in ("mean_control", "n")
        )
        for spec in specifications
    }
    return len(rows) <= 1
