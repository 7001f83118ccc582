"""The summary: sentences that carry what the numbers carry, and no more.

An effect is said with its interval; one whose interval holds zero is said to be no detectable effect, with the range that
the data do not rule out. Nothing is called large, small, promising or proven.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from refino_eval.exhibits.kinds.balance.model import BalanceExhibit
from refino_eval.exhibits.kinds.itt.model import IttExhibit
from refino_eval.exhibits.kinds.late.model import LateExhibit
from refino_eval.exhibits.kinds.tests.model import TestsExhibit
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import say, window_text
from refino_eval.exhibits.wording.number_format import NumberStyle, decimals_for, format_statistic
from refino_eval.report.report_inputs import ReportInputs


@dataclass(frozen=True)
class Summary:
    """What is said first, the effects one by one, and what holds for them together."""

    lead: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    close: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.lead or self.effects or self.close)


def summarise_numbers(
    inputs: ReportInputs, frames: Mapping[str, pd.DataFrame], labels: LabelBook, language: str
) -> Summary:
    """Return the summary.

    Parameters
    ----------
    inputs
        The run.
    frames
        Tidy numbers by exhibit.
    labels
        What to call things.
    language
        ``"nb"`` or ``"en"``.

    Notes
    -----
    All primary outcomes are told, in the order of the tables (all outcomes where none is primary): choosing among them by
    their results would be a finding of its own.
    """
    itt = [
        (name, exhibit)
        for name in inputs.evaluation.exhibits
        if isinstance(exhibit := inputs.definitions.exhibits[name], IttExhibit) and name in frames
    ]
    lead: list[str] = []
    effects: list[str] = []
    close: list[str] = []
    several = len(labels.treated_arms) > 1
    for arm in labels.treated_arms:
        # With several treated arms each has its own finding, said under its name.
        own = replace(labels, treated=arm, several=())
        name = f"{labels.arm(arm, language)}: " if several else ""
        primary = _primary(inputs, itt)
        lead += _people(itt[0], frames, own, language) if itt else []
        lead += [name + text for text in _headline(itt, primary, frames, own, language)]
        effects += [name + text for text in _effects(itt, primary, frames, own, language)]
        close += [name + text for text in _tally(itt, frames, own, language)] if itt else []
        close += [name + text for text in _together(inputs, frames, own, language)]
    lead += _balance(inputs, frames, language)
    close = [*([_reading(language)] if effects else []), *close, *_taking_part(inputs, frames, labels, language)]
    return Summary(tuple(lead), tuple(effects), tuple(close))


def _effects(
    itt: list[tuple[str, IttExhibit]],
    primary: set[str] | None,
    frames: Mapping[str, pd.DataFrame],
    labels: LabelBook,
    language: str,
) -> list[str]:
    """Say each primary effect once (each effect where none is primary), as its first table has it."""
    said: dict[str, str] = {}
    for name, exhibit in itt:
        for column, outcome in exhibit.columns.items():
            if outcome not in said and (primary is None or outcome in primary):
                said[outcome] = effect_sentence(
                    frames[name], exhibit.specifications[0], column, outcome, labels, language
                )
    return [sentence for sentence in said.values() if sentence]


def _headline(
    itt: list[tuple[str, IttExhibit]],
    primary: set[str] | None,
    frames: Mapping[str, pd.DataFrame],
    labels: LabelBook,
    language: str,
) -> list[str]:
    """Say first what the main outcomes have in common: of how many the interval leaves zero out, and which these are."""
    outside: dict[str, bool] = {}
    for name, exhibit in itt:
        for column, outcome in exhibit.columns.items():
            cell = _cell(frames[name], exhibit.specifications[0], labels.treated, column)
            low, high = cell.get("conf_low", math.nan), cell.get("conf_high", math.nan)
            if (primary is None or outcome in primary) and math.isfinite(low) and math.isfinite(high):
                outside.setdefault(outcome, not low <= 0.0 <= high)
    if not outside:
        return []
    found = [labels.outcome(outcome, language) for outcome, out in outside.items() if out]
    kind = "" if primary is None else say(language, "primære ", "primary ")
    if not found:
        return [
            say(
                language,
                f"Ingen påviselig effekt av trekningen på noe av de {len(outside)} {kind}utfallene: alle intervallene rommer null.",
                f"No detectable effect of the draw on any of the {len(outside)} {kind}outcomes: every interval holds zero.",
            )
        ]
    named = ", ".join(f"«{label}»" if language == "nb" else f"'{label}'" for label in found)
    return [
        say(
            language,
            f"For {len(outside) - len(found)} av de {len(outside)} {kind}utfallene rommer intervallet null, og det er ingen påviselig effekt. "
            f"Intervallet utelukker null for {named}.",
            f"For {len(outside) - len(found)} of the {len(outside)} {kind}outcomes the interval holds zero, and there is no detectable effect. "
            f"The interval leaves zero out for {named}.",
        )
    ]


def _together(inputs: ReportInputs, frames: Mapping[str, pd.DataFrame], labels: LabelBook, language: str) -> list[str]:
    """Say what is left when the outcomes of a table of tests are tested together, family-wise."""
    style = NumberStyle.of(language)
    for name in inputs.evaluation.exhibits:
        exhibit = inputs.definitions.exhibits[name]
        if not isinstance(exhibit, TestsExhibit) or name not in frames:
            continue
        cells = {key: _cell(frames[name], exhibit.specification, key, labels.treated) for key in exhibit.columns}
        known = {
            key: cell["p_value_fwer"]
            for key, cell in cells.items()
            if math.isfinite(cell.get("p_value_fwer", math.nan))
        }
        if len(known) < 2:
            continue
        least = min(known, key=lambda key: known[key])
        count = sum(p < 0.05 for p in known.values())
        which = labels.outcome(exhibit.columns[least], language)
        shown = style.p_value(known[least])
        return [
            say(
                language,
                f"Prøvd samlet, med familievise p-verdier for {len(known)} utfall, er {count or 'ingen'} under 0,05; den minste er {shown} ({which}).",
                f"Tested together, with family-wise p-values over {len(known)} outcomes, {count or 'none'} {'is' if count == 1 else 'are'} below 0.05; "
                f"the smallest is {shown} ({which}).",
            )
        ]
    return []


def _taking_part(
    inputs: ReportInputs, frames: Mapping[str, pd.DataFrame], labels: LabelBook, language: str
) -> list[str]:
    """Say how much the draw moved people into the programme, which an effect of the draw must be read against."""
    style = NumberStyle.of(language)
    for name in inputs.evaluation.exhibits:
        exhibit = inputs.definitions.exhibits[name]
        if not isinstance(exhibit, LateExhibit) or name not in frames:
            continue
        cell = _cell(frames[name], exhibit.specification, "first_stage", next(iter(exhibit.columns)))
        estimate, treated, control = (cell.get(key, math.nan) for key in ("estimate", "mean_treated", "mean_control"))
        if not all(map(math.isfinite, (estimate, treated, control))):
            continue
        arms = labels.arm(labels.treated, language), labels.arm(labels.control, language)
        taken = labels.outcome(exhibit.take_up, language) if exhibit.take_up else say(language, "Deltok", "Took part")
        return [
            say(
                language,
                f"Deltakelse («{taken}»): {style.percent(treated, 0)} av dem som ble trukket til {arms[0]}, mot {style.percent(control, 0)} "
                f"av dem som ble trukket til {arms[1]}.",
                f"Take-up ('{taken}'): {style.percent(treated, 0)} of those drawn to {arms[0]}, against {style.percent(control, 0)} of those "
                f"drawn to {arms[1]}.",
            )
        ]
    return []


def _reading(language: str) -> str:
    return say(
        language,
        "Et intervall som rommer null, sier at dataene ikke skiller effekten fra null, ikke at den er null: alle verdier i "
        "intervallet er forenlige med dataene.",
        "An interval that holds zero says that the data do not tell the effect from zero, not that it is zero: every value inside "
        "the interval is compatible with the data.",
    )


def _primary(inputs: ReportInputs, itt: list[tuple[str, IttExhibit]]) -> set[str] | None:
    """Return the primary outcomes of the tables; None where none is primary."""
    names = {outcome for _, exhibit in itt for outcome in exhibit.columns.values()}
    found = {
        name
        for name in names
        if (entry := inputs.definitions.outcomes.get(name)) is not None and entry.role == "primary"
    }
    return found or None


def _people(
    first: tuple[str, IttExhibit], frames: Mapping[str, pd.DataFrame], labels: LabelBook, language: str
) -> list[str]:
    name, exhibit = first
    column = next(iter(exhibit.columns))
    cell = _cell(frames[name], exhibit.specifications[0], labels.treated, column)
    treated, control = cell.get("n_treated", math.nan), cell.get("n_control", math.nan)
    if not (math.isfinite(treated) and math.isfinite(control)):
        return []
    style = NumberStyle.of(language)
    arms = labels.arm(labels.treated, language), labels.arm(labels.control, language)
    return [
        say(
            language,
            f"Vi sammenligner {style.integer(treated)} personer som ble trukket til {arms[0]} med {style.integer(control)} "
            f"som ble trukket til {arms[1]}. Effektene gjelder trekningen, uansett hvem som faktisk deltok.",
            f"We compare {style.integer(treated)} people drawn to {arms[0]} with {style.integer(control)} drawn to "
            f"{arms[1]}. The effects are those of the draw, whoever actually took part.",
        )
    ]


def _balance(inputs: ReportInputs, frames: Mapping[str, pd.DataFrame], language: str) -> list[str]:
    style = NumberStyle.of(language)
    for name in inputs.evaluation.exhibits:
        exhibit = inputs.definitions.exhibits[name]
        if not isinstance(exhibit, BalanceExhibit) or name not in frames:
            continue
        p = _cell(frames[name], "", "joint_test", "joint").get("p_value", math.nan)
        if not math.isfinite(p):
            continue
        shown = style.p_value(p) if p < 0.001 else f"= {style.p_value(p)}"
        shown = shown.replace("<", "< ")
        if p < 0.05:
            return [
                say(
                    language,
                    f"Kjennetegn før trekking henger samlet sammen med gruppen (p {shown}): balansen bør granskes før effektene leses.",
                    f"Characteristics before the draw are jointly related to the arm (p {shown}): look into the balance before reading the effects.",
                )
            ]
        return [
            say(
                language,
                f"Kjennetegn før trekking henger ikke påviselig sammen med gruppen (samlet test, p {shown}).",
                f"Characteristics before the draw are not detectably related to the arm (joint test, p {shown}).",
            )
        ]
    return []


def effect_sentence(
    frame: pd.DataFrame, specification: str, column: str, outcome: str, labels: LabelBook, language: str
) -> str:
    """Say one effect with its interval; empty when it was not estimated or was taken out."""
    cell = _cell(frame, specification, labels.treated, column)
    if any(not math.isfinite(cell.get(key, math.nan)) for key in ("estimate", "std_error", "conf_low", "conf_high")):
        return ""
    style = NumberStyle.of(language)
    entry = labels.definitions.outcomes.get(outcome)
    # A share's effect is told in percentage points: 0.01 of a share is a number that few can picture.
    points = entry is not None and labels.outcome_is_share(entry)
    scale = 100.0 if points else 1.0
    decimals = decimals_for(cell["std_error"] * scale, 2)
    # All three with the decimals of the standard error: more of them would be noise.
    estimate, low, high = (style.fixed(cell[key] * scale, decimals) for key in ("estimate", "conf_low", "conf_high"))
    unit = say(language, "prosentpoeng", "percentage points") if points else entry.unit[language] if entry else ""
    measured = any(map(str.isdigit, unit))  # a unit such as 100 000 kr does not stand well behind a number
    about = [window_text(entry, language).split(" (")[0]] if entry else []
    about += [say(language, f"målt i {unit}", f"measured in {unit}")] if measured else []
    what = labels.outcome(outcome, language) + (f" ({', '.join(about)})" if about else "")
    behind = f" {unit}" if unit and not measured else ""
    spec = labels.specification_of(specification)
    level = f"{(spec.level if spec else 0.95) * 100:g}"
    mean = cell.get("mean_control", math.nan)
    against = ""
    if math.isfinite(mean):
        shown = style.percent(mean, 0) if points else format_statistic(style, "mean_control", mean) + behind
        against = say(language, f", mot {shown} i kontrollgruppen", f", against {shown} in the control group")
    text = say(
        language,
        f"{what}: effekten er anslått til {estimate}{behind} ({level} % intervall {low} til {high}){against}. ",
        f"{what}: the effect is estimated at {estimate}{behind} ({level}% interval {low} to {high}){against}. ",
    )
    if cell["conf_low"] <= 0.0 <= cell["conf_high"]:
        return text + say(language, "Ingen påviselig effekt.", "No detectable effect.")
    return text + say(language, "Intervallet utelukker null.", "The interval leaves zero out.")


def _tally(
    itt: list[tuple[str, IttExhibit]], frames: Mapping[str, pd.DataFrame], labels: LabelBook, language: str
) -> list[str]:
    """Say how many of the different outcomes' intervals leave zero out, and how many would by chance."""
    tested: dict[str, bool] = {}
    levels = set()
    for name, exhibit in itt:
        spec = labels.specification_of(exhibit.specifications[0])
        levels.add(spec.level if spec else 0.95)
        for column, outcome in exhibit.columns.items():
            cell = _cell(frames[name], exhibit.specifications[0], labels.treated, column)
            low, high = cell.get("conf_low", math.nan), cell.get("conf_high", math.nan)
            if math.isfinite(low) and math.isfinite(high):
                tested.setdefault(outcome, not low <= 0.0 <= high)
    if len(tested) < 2 or len(levels) != 1:
        return []
    level = levels.pop()
    style = NumberStyle.of(language)
    outside, expected = sum(tested.values()), style.fixed((1.0 - level) * len(tested), 1)
    subject = say(
        language,
        f"{outside or 'Ingen'} av de {len(tested)} utfallene",
        f"{outside or 'None'} of the {len(tested)} outcomes",
    )
    return [
        say(
            language,
            f"{subject} har et {level * 100:g} % intervall som utelukker null. "
            f"Uten noen effekt i det hele tatt ville vi ventet om lag {expected}; utfallene henger sammen, så tellingen er ingen test.",
            f"{subject} {'has' if outside < 2 else 'have'} a {level * 100:g}% interval that leaves zero out. "
            f"Without any effect at all one would expect about {expected}; the outcomes are related, so the count is no test.",
        )
    ]


def _cell(frame: pd.DataFrame, panel: str, row: str, column: str) -> dict[str, float]:
    part = frame[(frame["panel"] == panel) & (frame["row"] == row) & (frame["column"] == column)]
    return dict(zip(part["statistic"], part["value"].astype(float), strict=True))
