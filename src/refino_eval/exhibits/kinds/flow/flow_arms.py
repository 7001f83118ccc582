"""The cohort flow of a trial with several treated arms: a column an arm, a line for everyone lost and why."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from refino_eval.exhibits.kinds.flow.flow_stages import Counts, Stage, alt_text, count_text, reason_label, stage_label
from refino_eval.exhibits.layout.drawing import Drawing, arms_of, source_line
from refino_eval.exhibits.layout.style import GRID, INK, QUIET
from refino_eval.exhibits.wording.number_format import NumberStyle

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from refino_eval.exhibits.kinds.flow.model import FlowExhibit
    from refino_eval.exhibits.wording.labels import LabelBook

WIDTH = 7.6


WORDS = 2.3
"""Inches for the names of stages and reasons, left of the columns."""


LINE, PAD = 0.16, 0.12


LARGEST, SMALLEST = 8.5, 7.0
"""Points of the names of the arms: as large as their longest word allows."""


LETTER = 0.0097
"""Inches that a bold letter is wide, for each point of its size."""


def several_arms_flow(stages: Sequence[Stage], exhibit: FlowExhibit, *, labels: LabelBook, source: str) -> Drawing:
    """Draw the flow as columns: everybody, each treated arm, the control arm; stages in boxes, losses between them."""
    from matplotlib.figure import Figure

    columns = [("all", INK), *((arm, series.color) for arm, series in arms_of(labels))]
    rows = _rows(stages, labels)
    step = (WIDTH - WORDS - 0.1) / len(columns)
    size, heads = arm_names([labels.arm(name) for name, _ in columns], step)
    top = LINE * max(map(len, heads)) + 2 * PAD
    height = top + sum(LINE * len(lines) + PAD for lines, _, _ in rows) + PAD
    foot = 0.26 if source else 0.0
    figure = Figure(figsize=(WIDTH, height + foot))
    ax = figure.add_axes((0.0, foot / (height + foot), 1.0, height / (height + foot)))
    figure.set_layout_engine("none")
    ax.set_axis_off()
    ax.set_xlim(0, WIDTH)
    ax.set_ylim(-height, 0)
    places = [WORDS + step * (k + 0.5) for k in range(len(columns))]
    for place, (_, color), lines in zip(places, columns, heads, strict=True):
        ax.text(place, -PAD, "\n".join(lines), color=color, ha="center", va="top", fontsize=size, fontweight="bold")
    y = -top
    for lines, counts, remains in rows:
        _line(ax, y, lines, counts, columns, places, step, remains=remains, style=NumberStyle.of(labels.language))
        y -= LINE * len(lines) + PAD
    source_line(figure, source)
    return Drawing(figure=figure, title=exhibit.title[labels.language], alt=alt_text(stages, labels))


def arm_names(names: Sequence[str], step: float) -> tuple[float, list[list[str]]]:
    """Return the size of the names of the arms and their lines, such that none is wider than its column."""
    longest = max(len(word) for name in names for word in name.split())
    size = min(LARGEST, max(SMALLEST, 0.97 * step / (LETTER * longest)))
    most = max(6, int(0.97 * step / (LETTER * size)))
    return size, [textwrap.wrap(" ".join(_parted(word, most) for word in name.split()), most) for name in names]


def _parted(word: str, most: int) -> str:
    """Return a word in parts of so many letters: hyphens stand behind an s that binds the parts of a compound, if there is one."""
    if len(word) <= most:
        return word
    bound = [place for place in range(4, most) if word[place - 1] == "s" and len(word) - place >= 4]
    place = min(bound, key=lambda at: abs(2 * at - len(word)), default=most - 1)
    return f"{word[:place]}- {_parted(word[place:], most)}"


def _rows(stages: Sequence[Stage], labels: LabelBook) -> list[tuple[list[str], Counts, bool]]:
    rows: list[tuple[list[str], Counts, bool]] = []
    for stage in stages:
        rows += [(textwrap.wrap(reason_label(row, labels), 34), counts, False) for row, counts in stage.out.items()]
        rows.append((textwrap.wrap(stage_label(stage.name, labels), 30), stage.counts, True))
    return rows


def _line(
    ax: Axes,
    y: float,
    lines: Sequence[str],
    counts: Counts,
    columns: Sequence[tuple[str, str]],
    places: Sequence[float],
    step: float,
    *,
    remains: bool,
    style: NumberStyle,
) -> None:
    """Draw one line: those who remain in boxes, joined by the arm's line; those lost in plain small type."""
    from matplotlib.patches import Rectangle

    tall = LINE * len(lines)
    middle = y - tall / 2
    weight, size = ("bold", 8.5) if remains else ("normal", 7.5)
    left = 0.1 if remains else 0.28
    ax.text(
        left, middle, "\n".join(lines), color=INK if remains else QUIET, va="center", fontsize=size, fontweight=weight
    )
    for (name, color), x in zip(columns, places, strict=True):
        ax.plot([x, x], [y + PAD, y], color=color if name != "all" else GRID, linewidth=1.0, zorder=1)
        if remains:
            box = Rectangle(
                (x - 0.42 * step, middle - tall / 2 - 0.02), 0.84 * step, tall + 0.04,
                facecolor="white", edgecolor=color if name != "all" else QUIET, linewidth=1.0, zorder=2,
            )  # fmt: skip
            ax.add_patch(box)
        else:
            ax.plot([x, x], [y, y - tall], color=color if name != "all" else GRID, linewidth=1.0, zorder=1)
        text = count_text(counts[name], style)
        ax.text(
            x if remains else x + 0.06, middle, text if remains else f"− {text}",
            color=color if remains else QUIET, ha="center" if remains else "left", va="center",
            fontsize=size, fontweight=weight, zorder=3,
        )  # fmt: skip
