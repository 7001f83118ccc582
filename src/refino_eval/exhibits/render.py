"""From tidy numbers to files: one function, whatever the exhibit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from refino_eval import text
from refino_eval.config.exhibits import Exhibit
from refino_eval.exhibits.attrition import attrition_table
from refino_eval.exhibits.balance import balance_table
from refino_eval.exhibits.binary_models import binary_models_table
from refino_eval.exhibits.break_even import break_even_table
from refino_eval.exhibits.compliers import compliers_table
from refino_eval.exhibits.costs import costs_table, social_costs_table
from refino_eval.exhibits.counts import counts_table
from refino_eval.exhibits.descriptives import descriptives_table
from refino_eval.exhibits.design import design_table
from refino_eval.exhibits.draws import draws_figure
from refino_eval.exhibits.effects import effects_figure
from refino_eval.exhibits.effects_by_group import effects_notes
from refino_eval.exhibits.estimands import estimands_table
from refino_eval.exhibits.ever_started import ever_started_table
from refino_eval.exhibits.fall_back import fall_back_table
from refino_eval.exhibits.figures import PICTURES, Drawing, save_figure
from refino_eval.exhibits.flow import flow_figure
from refino_eval.exhibits.interactions import interactions_table
from refino_eval.exhibits.itt import itt_table
from refino_eval.exhibits.labels import LabelBook
from refino_eval.exhibits.late import late_table
from refino_eval.exhibits.leave_one_out import leave_one_out_table
from refino_eval.exhibits.net_benefit import net_benefit_figure, net_benefit_notes
from refino_eval.exhibits.notes import EN_DASH, exhibit_notes, say, specification_note, stars_note
from refino_eval.exhibits.null_card import null_card_table
from refino_eval.exhibits.numbers import NumberStyle
from refino_eval.exhibits.paths import paths_figure
from refino_eval.exhibits.paths_by_group import paths_notes
from refino_eval.exhibits.payments import payments_table
from refino_eval.exhibits.specification_curve import curve_notes, specification_curve_figure
from refino_eval.exhibits.spell_survival import spell_survival_figure, spell_survival_notes
from refino_eval.exhibits.starters import starters_table
from refino_eval.exhibits.stepwise import stepwise_table
from refino_eval.exhibits.style import house_style
from refino_eval.exhibits.subgroups import subgroups_table
from refino_eval.exhibits.tables import Table
from refino_eval.exhibits.tables_by_arm import table_by_arm
from refino_eval.exhibits.take_up import take_up_figure, take_up_notes
from refino_eval.exhibits.tests import tests_table
from refino_eval.exhibits.tidy import tidy_text, validate, write_text
from refino_eval.exhibits.time_to_event import survival_notes, time_to_event_figure
from refino_eval.exhibits.writing import TABLE_FORMS, Laid, write_table

TABLES: Mapping[str, Callable[..., Table]] = {
    "descriptives": descriptives_table,
    "balance": balance_table,
    "itt": itt_table,
    "tests": tests_table,
    "estimands": estimands_table,
    "late": late_table,
    "fall_back": fall_back_table,
    "compliers": compliers_table,
    "attrition": attrition_table,
    "ever_started": ever_started_table,
    "starters": starters_table,
    "interactions": interactions_table,
    "design": design_table,
    "costs": costs_table,
    "social_costs": social_costs_table,
    "break_even": break_even_table,
    "payments": payments_table,
    "subgroups": subgroups_table,
    "leave_one_out": leave_one_out_table,
    "stepwise": stepwise_table,
    "null_card": null_card_table,
    "binary_models": binary_models_table,
    "counts": counts_table,
}
FIGURES: Mapping[str, Callable[..., Drawing]] = {
    "draws": draws_figure,
    "paths": paths_figure,
    "effects": effects_figure,
    "take_up": take_up_figure,
    "spell_survival": spell_survival_figure,
    "flow": flow_figure,
    "net_benefit": net_benefit_figure,
    "specification_curve": specification_curve_figure,
    "time_to_event": time_to_event_figure,
}


def render(
    exhibit_name: str,
    exhibit: Exhibit,
    tidy_frame: pd.DataFrame,
    *,
    labels: LabelBook,
    language: str,
    tables_dir: Path | str,
    figures_dir: Path | str,
    facts: Mapping[str, Any],
    formats: Sequence[str] | None = None,
) -> list[Path]:
    """Write one exhibit in one language.

    Parameters
    ----------
    exhibit_name
        For instance ``"table_8_1"``; the files are `<exhibit_name>.<language>.<format>`, but the numbers behind a figure,
        which have no language, `<exhibit_name>.csv`.
    exhibit
        Its definition.
    tidy_frame
        Its tidy numbers.
    labels
        What to call things.
    language
        ``"nb"`` or ``"en"``.
    tables_dir, figures_dir
        Where tables and figures go; made when they are not there.
    facts
        What else is known: `data_class`; `notes`, a list of texts or `Label`s; `stars`, levels of p.
    formats
        Of a table, keys of `writing.TABLE_FORMS`; of a figure, `figures.PICTURES` and ``"csv"``. Default: all.

    Returns
    -------
    list of Path
        The files written, each at once or not at all.
    """
    frame = validate(tidy_frame)
    labels = labels.comparing(exhibit.arm, exhibit.against)
    if exhibit.kind in TABLES:
        laid = laid_out(exhibit_name, exhibit, frame, labels=labels, language=language, facts=facts)
        return write_table(laid, Path(tables_dir), formats=tuple(TABLE_FORMS) if formats is None else formats)
    wanted = (*PICTURES, "csv") if formats is None else formats
    stem, written = f"{exhibit_name}.{language}", []
    if "csv" in wanted:
        written.append(Path(figures_dir) / f"{exhibit_name}.csv")
        write_text(written[0], tidy_text(frame))
    with house_style(stem):
        drawing = FIGURES[exhibit.kind](exhibit_name, exhibit, frame, labels=labels, language=language, facts=facts)
        pictures = [name for name in wanted if name in PICTURES]
        return [*save_figure(drawing, Path(figures_dir), stem, formats=pictures), *written]


def laid_out(
    exhibit_name: str,
    exhibit: Exhibit,
    tidy_frame: pd.DataFrame,
    *,
    labels: LabelBook,
    language: str,
    facts: Mapping[str, Any],
) -> Laid:
    """Lay out a table for every form it may be written in (see `render`)."""
    make = partial(table_of, exhibit_name, exhibit, tidy_frame, labels=labels, language=language, facts=facts)
    return Laid.out(lambda style: make(style=style), tidy_frame, language=language)


def table_of(
    exhibit_name: str,
    exhibit: Exhibit,
    tidy_frame: pd.DataFrame,
    *,
    labels: LabelBook,
    language: str,
    facts: Mapping[str, Any],
    style: NumberStyle | None = None,
) -> Table:
    """Lay out a table without writing it (see `render`); the report shows the same one."""
    labels = labels.comparing(exhibit.arm, exhibit.against)
    levels = tuple(facts.get("stars", ())) if exhibit.stars is None else exhibit.stars
    style = replace(style or NumberStyle.of(language), stars=tuple(sorted(levels, reverse=True)))
    lay_out = partial(TABLES[exhibit.kind], exhibit_name, exhibit, language=language, facts=facts, style=style)
    if len(labels.treated_arms) > 1 and exhibit.several_arms == "apart":
        table = table_by_arm(lay_out, tidy_frame, labels, language)
    else:
        table = lay_out(tidy_frame, labels=labels)
    if any(cell.text == EN_DASH for part in table.parts for row in part.body for cell in row.cells):
        table = replace(
            table,
            notes=(
                *table.notes,
                text.say("notes.cannot_be_computed", language),
            ),
        )
    if not any(cell.mark for part in table.parts for row in part.body for cell in row.cells):
        return table
    return replace(table, notes=(*table.notes, stars_note(style, language)))


def figure_notes(
    exhibit: Exhibit, tidy_frame: pd.DataFrame, *, labels: LabelBook, language: str, facts: Mapping[str, Any]
) -> tuple[str, ...]:
    """Return the lines under a figure; a table carries its own."""
    own: list[str] = []
    if exhibit.kind == "paths":
        own.append(say(language, "Gjennomsnitt i hver gruppe med 95 % bånd.", "Means of each arm with 95% bands."))
        own.append(say(language, "0 er trekketidspunktet.", "0 is the time of the draw."))
        own += paths_notes(exhibit, tidy_frame, language)
    if exhibit.kind == "take_up":
        own += take_up_notes(language)
    if exhibit.kind == "spell_survival":
        own += spell_survival_notes(exhibit, tidy_frame, labels, language)
    if exhibit.kind == "effects":
        entry = labels.specification_of(exhibit.specification)
        if entry is not None:
            own.append(specification_note(exhibit.specification, entry, labels, language))
        own.append(
            say(
                language,
                "Streker: intervall for hvert tidspunkt for seg. Flate: bånd som holder for hele forløpet samtidig. "
                "Åpne punkter ligger før trekking.",
                "Lines: an interval for each time by itself. Shading: a band that holds for the whole path at once. "
                "Open points lie before the draw.",
            )
        )
        own += effects_notes(exhibit, tidy_frame, language)
    if exhibit.kind == "net_benefit":
        own += net_benefit_notes(exhibit, labels, language)
    if exhibit.kind == "specification_curve":
        own += curve_notes(exhibit, labels, language)
    if exhibit.kind == "time_to_event":
        own += survival_notes(exhibit, tidy_frame, labels, language)
    return exhibit_notes(exhibit, tidy_frame, labels, language, facts, own)
