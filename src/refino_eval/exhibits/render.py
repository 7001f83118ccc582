"""From tidy numbers to files: one function, whatever the exhibit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from refino_eval.config.exhibits import Exhibit
from refino_eval.exhibits.arms import table_by_arm
from refino_eval.exhibits.balance import balance_table
from refino_eval.exhibits.descriptives import descriptives_table
from refino_eval.exhibits.design import design_table
from refino_eval.exhibits.draws import draws_figure
from refino_eval.exhibits.effects import effects_figure
from refino_eval.exhibits.effects_by_group import effects_notes
from refino_eval.exhibits.estimands import estimands_table
from refino_eval.exhibits.figures import Drawing, save_figure
from refino_eval.exhibits.flow import flow_figure
from refino_eval.exhibits.forms import write_table
from refino_eval.exhibits.interactions import interactions_table
from refino_eval.exhibits.itt import itt_table
from refino_eval.exhibits.labels import LabelBook
from refino_eval.exhibits.late import late_table
from refino_eval.exhibits.notes import exhibit_notes, say, specification_note
from refino_eval.exhibits.numbers import NumberStyle
from refino_eval.exhibits.paths import paths_figure
from refino_eval.exhibits.paths_by_group import paths_notes
from refino_eval.exhibits.style import house_style
from refino_eval.exhibits.tables import Table
from refino_eval.exhibits.tests import tests_table
from refino_eval.exhibits.tidy import validate

TABLES: Mapping[str, Callable[..., Table]] = {
    "descriptives": descriptives_table,
    "balance": balance_table,
    "itt": itt_table,
    "tests": tests_table,
    "estimands": estimands_table,
    "late": late_table,
    "interactions": interactions_table,
    "design": design_table,
}
FIGURES: Mapping[str, Callable[..., Drawing]] = {
    "draws": draws_figure,
    "paths": paths_figure,
    "effects": effects_figure,
    "flow": flow_figure,
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
) -> list[Path]:
    """Write one exhibit in one language.

    Parameters
    ----------
    exhibit_name
        For instance ``"table_8_1"``; the files are `<exhibit_name>.<language>.<ending>`.
    exhibit
        Its definition.
    tidy_frame
        Its tidy numbers.
    labels
        What to call things.
    language
        ``"nb"`` or ``"en"``.
    tables_dir, figures_dir
        Where tables (csv, md, html) and figures (svg, png) go; made when they are not there.
    facts
        What else the notes may say: `data_class`, and `notes`, a list of texts or `Label`s.

    Returns
    -------
    list of Path
        The files written, each at once or not at all.
    """
    frame = validate(tidy_frame)
    labels = labels.comparing(exhibit.arm, exhibit.against)
    if exhibit.kind in TABLES:
        make = partial(table_of, exhibit_name, exhibit, frame, labels=labels, language=language, facts=facts)
        return write_table(lambda style: make(style=style), Path(tables_dir), language=language)
    stem = f"{exhibit_name}.{language}"
    with house_style(stem):
        drawing = FIGURES[exhibit.kind](exhibit_name, exhibit, frame, labels=labels, language=language, facts=facts)
        return save_figure(drawing, Path(figures_dir), stem)


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
    lay_out = partial(
        TABLES[exhibit.kind],
        exhibit_name,
        exhibit,
        language=language,
        facts=facts,
        style=style or NumberStyle.of(language),
    )
    if len(labels.treated_arms) > 1 and exhibit.several_arms == "apart":
        return table_by_arm(lay_out, tidy_frame, labels, language)
    return lay_out(tidy_frame, labels=labels)


def figure_notes(
    exhibit: Exhibit, tidy_frame: pd.DataFrame, *, labels: LabelBook, language: str, facts: Mapping[str, Any]
) -> tuple[str, ...]:
    """Return the lines under a figure; a table carries its own."""
    own: list[str] = []
    if exhibit.kind == "paths":
        own.append(say(language, "Gjennomsnitt i hver gruppe med 95 % bånd.", "Means of each arm with 95% bands."))
        own.append(say(language, "0 er trekketidspunktet.", "0 is the time of the draw."))
        own += paths_notes(exhibit, tidy_frame, language)
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
    return exhibit_notes(exhibit, tidy_frame, labels, language, facts, own)
