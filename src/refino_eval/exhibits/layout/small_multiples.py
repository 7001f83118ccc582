"""Small multiples: a row of panels a state, a column a group, with axes that are the same along each row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from refino_eval.config.exhibit_base import By, StatesExhibit
from refino_eval.exhibits.keys import groups_in, panel_of
from refino_eval.exhibits.layout.drawing import event_axis, number_axis
from refino_eval.exhibits.layout.style import QUIET
from refino_eval.exhibits.wording.group_labels import group_label
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.number_format import NumberStyle

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ABREAST = 6
"""No more panels than this stand beside one another."""


@dataclass(frozen=True)
class Strip:
    """The panels of one state.

    Attributes
    ----------
    state
        Its name.
    height
        Of the strip, in inches.
    axes
        One a group, in the groups' order.
    first, last
        Places of the panels that stand first and last in their line: where axis numbers and names of series stand.
    bottom
        Places of the panels with no other beneath them.
    """

    state: str
    height: float
    axes: tuple[Axes, ...]
    first: frozenset[int]
    last: frozenset[int]
    bottom: frozenset[int]


def _abreast(states: int, groups: int) -> int:
    """Return how many panels stand in a line: four groups of one state make a square, many run over lines of four."""
    if groups == 4 and states == 1:
        return 2
    return groups if groups <= ABREAST else 4


def strips(states: Sequence[str], groups: int) -> tuple[Figure, list[Strip]]:
    """Return a figure with a strip of panels for each state; long strips run over several lines."""
    from matplotlib.figure import Figure

    abreast = _abreast(len(states), groups)
    lines = -(-groups // abreast)
    height = 2.5 if abreast <= 2 else 1.75
    figure = Figure(figsize=(7.6, (height * lines + 0.3) * len(states) + 0.3))
    parts = figure.subfigures(len(states), 1, squeeze=False)[:, 0]
    drawn = []
    for state, part in zip(states, parts, strict=True):
        grid = part.subplots(lines, abreast, squeeze=False, sharex=True, sharey=True)
        axes = list(grid.ravel())
        for spare in axes[groups:]:
            spare.set_axis_off()
        places = range(groups)
        bottom = frozenset(k for k in places if k + abreast >= groups)
        for k in bottom:
            axes[k].tick_params(labelbottom=True)
        drawn.append(
            Strip(
                state=state,
                height=height * lines + 0.3,
                axes=tuple(axes[:groups]),
                first=frozenset(k for k in places if k % abreast == 0),
                last=frozenset(k for k in places if k % abreast == abreast - 1 or k == groups - 1),
                bottom=bottom,
            )
        )
    return figure, drawn


def draw_groups(
    exhibit: StatesExhibit,
    by: By,
    frame: pd.DataFrame,
    labels: LabelBook,
    *,
    draw: Callable[[Axes, str, str], None],
    times: Callable[[str], Iterable[int]],
    limits: Callable[[Sequence[str]], tuple[float, float | None]],
    heading: Callable[[str], tuple[str, str]],
) -> tuple[Figure, list[Strip]]:
    """Draw a panel for each state and group, with one scale along a row.

    Parameters
    ----------
    draw
        Draws the numbers of a panel of the aggregate, which is of a state.
    times
        Event times of a panel.
    limits
        Limits of the vertical axis that panels of one state share, when they are drawn.
    heading
        Unit of a state, and a text at the right end of its heading.
    """
    groups = listed_groups(by, frame, labels)
    figure, drawn = strips(grouped_states(exhibit.states, frame), len(groups))
    for row, strip in enumerate(drawn):
        panels = [panel_of(strip.state, key) for key, *_ in groups]
        along = [time for panel in panels for time in times(panel)]
        for k, (ax, panel, (_, name, people)) in enumerate(zip(strip.axes, panels, groups, strict=True)):
            draw(ax, panel, strip.state)
            head_group(ax, name, people, labels.language)
            if along:
                event_axis(ax, along, labels, exhibit.clock, most=9 if len(groups) <= 2 else 5)
            if k not in strip.bottom or row < len(drawn) - 1:
                ax.set_xlabel("")
            elif len(strip.bottom) > 2:
                # Panels are narrower than the name of their axis, which the first one has for all.
                ax.set_xlabel(ax.get_xlabel() if k == min(strip.bottom) else "", loc="left")
        strip.axes[0].set_ylim(*limits(panels))
        number_axis(strip.axes[0].yaxis, labels.language, most=5)
        unit, aside = heading(strip.state)
        head_strip(strip, row, len(drawn), labels.state(strip.state), unit, aside=aside)
    return figure, drawn


def head_strip(strip: Strip, place: int, count: int, title: str, unit: str, *, aside: str = "") -> None:
    """Write above a strip its letter, state and unit, and a word at the right end."""
    from refino_eval.exhibits.layout.drawing import LETTERS

    part = strip.axes[0].figure
    text = f"{LETTERS[place]}. {title}" if count > 1 else title
    part.suptitle(text, x=0.01, ha="left", fontsize=9.5, fontweight="bold")
    line = " · ".join(each for each in (unit, aside) if each)
    if line:
        # The layout puts the heading a tenth of an inch below the edge; small type stands on the same line.
        part.text(0.99, 1 - 0.125 / strip.height, line, ha="right", va="top", fontsize=7.5, color=QUIET)


def head_group(ax: Axes, title: str, people: int, language: str) -> None:
    """Write a group's name above its panel, and how many people it has."""
    count = NumberStyle.of(language).integer(people)
    ax.set_title(f"{title} (N = {count})" if people else title, fontsize=8.5, fontweight="normal", pad=4.0)


def people_in(frame: pd.DataFrame, group: str) -> int:
    """Return how many people a group has, in both arms."""
    chosen = (frame["panel"] == "groups") & (frame["row"] == group) & (frame["statistic"] == "count")
    return int(frame.loc[chosen, "value"].sum())


def grouped_states(states: Sequence[str], frame: pd.DataFrame) -> list[str]:
    """Return the states that have numbers for any group."""
    panels = set(frame["panel"])
    keys = [name.lower() for name in groups_in(frame)]
    return [state for state in states if any(panel_of(state, key) in panels for key in keys)]


def listed_groups(by: By, frame: pd.DataFrame, labels: LabelBook) -> list[tuple[str, str, int]]:
    """Return each group's key, label and people."""
    groups = groups_in(frame)
    return [(name.lower(), group_label(by, name, groups, labels), people_in(frame, name)) for name in groups]
