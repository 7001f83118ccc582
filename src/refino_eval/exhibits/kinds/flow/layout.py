"""The cohort flow as a figure: from the delivered draws to each sample, arm by arm, with a reason for everyone lost.

Rows of the tidy numbers are `delivered`, a sample's name for those who remain, and `<step>:<reason>` for those taken
out on the way there; columns are `all` and the two arms. The figure shows these numbers and computes none.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from refino_eval.exhibits.kinds.flow.flow_stages import (
    Stage,
    alt_text,
    count_text,
    reason_label,
    stage_label,
    stages_of,
)
from refino_eval.exhibits.kinds.flow.model import FlowExhibit
from refino_eval.exhibits.layout.drawing import Drawing, arms_of, draw_source
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.style import GRID, INK, QUIET, Series
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import data_class_note
from refino_eval.exhibits.wording.number_format import NumberStyle

if TYPE_CHECKING:
    from matplotlib.axes import Axes


WIDTH = 4.4
"""Inches; the axis is in inches too, so that boxes fit their text. Narrow, so that it is legible on a telephone."""


CENTRE = WIDTH / 2


MIDDLE_GAP = 0.16
"""Between the columns of the arms."""


COLUMN = (WIDTH - MIDDLE_GAP) / 2 - 0.02
"""Width of an arm's column."""


WAY = 0.13
"""Distance of an arm's line from the outer edge of its column."""


SIDE = COLUMN - 0.3
"""Width of a box of exclusions, which leaves room for the line."""


LINE = 0.155
"""Height of a line of small type."""


BOX_HEIGHT = 0.32


GAP = 0.22


BETWEEN = 0.05
"""Air between two reasons."""


SMALL, NORMAL = 8.0, 9.5


WRAP = 24
"""Characters in a line of a reason beside its number."""


HEAD_LETTER = 0.046
"""Half the width of a bold letter."""


STAGE_WRAP = 44
"""Characters in a line of a stage's name, between the lines of the arms."""


NAME_WRAP = 18
"""Characters in a line of an arm's name."""


def layout(exhibit: FlowExhibit, frame: pd.DataFrame, page: Page) -> Drawing:
    """Draw the flow as CONSORT does: a column for each arm; those who leave are named beside the way down."""
    labels = page.labels
    from matplotlib.figure import Figure

    stages = stages_of(frame)
    source = data_class_note(page.facts, labels.language)
    if len(labels.treated_arms) > 1:
        from refino_eval.exhibits.kinds.flow.flow_arms import several_arms_flow

        return several_arms_flow(stages, exhibit, labels=labels, source=source)
    arms = (labels.treated, labels.control)
    heads = [textwrap.wrap(labels.arm(arm), NAME_WRAP) for arm in arms]
    arm_height = LINE * 1.1 * (1 + max(map(len, heads))) + 0.14
    heights = [_gap_height(stage, arms, labels) for stage in stages[1:]]
    names = [_stage_lines(stage, labels) for stage in stages[1:]]
    total = BOX_HEIGHT + GAP + arm_height + sum(heights) + 0.16
    total += sum(LINE * 1.1 * len(lines) + 0.08 + BOX_HEIGHT for lines in names)
    foot = 0.34 if source else 0.0
    figure = Figure(figsize=(WIDTH, total + foot))
    ax = figure.add_axes((0.0, foot / (total + foot), 1.0, total / (total + foot)))
    figure.set_layout_engine("none")
    ax.set_axis_off()
    ax.set_xlim(0, WIDTH)
    ax.set_ylim(-total, 0)
    pen = _Pen(ax, NumberStyle.of(labels.language), labels)
    top = -0.06
    pen.head(stages[0], top)
    top -= BOX_HEIGHT + GAP
    pen.arms(stages[0], heads, top, arm_height)
    top -= arm_height
    for stage, height, lines in zip(stages[1:], heights, names, strict=True):
        down = height + LINE * 1.1 * len(lines) + 0.08
        pen.exclusions(stage, top, height, down)
        top -= down
        pen.stage(stage, lines, top)
        top -= BOX_HEIGHT
    draw_source(figure, source)
    return Drawing(figure=figure, title=exhibit.title[labels.language], alt=alt_text(stages, labels))


def _stage_lines(stage: Stage, labels: LabelBook) -> list[str]:
    """Return the name and total of a stage, in lines."""
    total = f"n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}{count_text(stage.counts['all'], NumberStyle.of(labels.language))}"
    return textwrap.wrap(f"{stage_label(stage.name, labels)}: {total}", STAGE_WRAP, break_long_words=False)


class _Pen:
    """Draws boxes and arrows in inches, from the top downwards."""

    def __init__(self, ax: Axes, style: NumberStyle, labels: LabelBook) -> None:
        self.ax, self.style, self.labels = ax, style, labels
        left = 0.02 + COLUMN / 2
        self.sides = tuple(
            (arm, series, x) for (arm, series), x in zip(arms_of(labels), (left, WIDTH - left), strict=True)
        )

    def head(self, stage: Stage, top: float) -> None:
        """Draw what was delivered, and the arrows to the arms."""
        text = f"{stage_label(stage.name, self.labels)}: {self._n(stage.counts['all'])}"
        half, middle = min(HEAD_LETTER * len(text) + 0.1, CENTRE - 2 * WAY), top - BOX_HEIGHT / 2
        self._box(CENTRE, top, 2 * half, BOX_HEIGHT, INK)
        self._text(CENTRE, middle, text, weight="bold")
        for _, series, x in self.sides:
            edge, way = (CENTRE - half, WAY + 0.02) if x < CENTRE else (CENTRE + half, WIDTH - WAY - 0.02)
            self.ax.plot([edge, way], [middle, middle], color=series.color, linewidth=1.1, solid_capstyle="butt")
            self._arrow((way, middle), (way, top - BOX_HEIGHT - GAP), series)

    def arms(self, stage: Stage, names: Sequence[Sequence[str]], top: float, height: float) -> None:
        """Draw the arms' first boxes with their names."""
        for (arm, series, x), name in zip(self.sides, names, strict=True):
            lines = [*name, self._n(stage.counts[arm])]
            self._box(x, top, COLUMN, height, series.color, fill=series.color)
            y = top - height / 2 + LINE * 1.1 * (len(lines) - 1) / 2
            for place, line in enumerate(lines):
                self._text(x, y - LINE * 1.1 * place, line, color="white", weight="bold")

    def stage(self, stage: Stage, lines: Sequence[str], top: float) -> None:
        """Draw those who remain: the sample and its total over the boxes of the arms."""
        for place, line in enumerate(reversed(lines)):
            self._text(CENTRE, top + 0.06 + LINE * (0.5 + 1.1 * place), line, weight="bold", size=SMALL + 0.5)
        for arm, series, x in self.sides:
            self._box(x, top, COLUMN, BOX_HEIGHT, series.color)
            self._text(x, top - BOX_HEIGHT / 2, self._n(stage.counts[arm]), color=series.color, weight="bold")

    def exclusions(self, stage: Stage, top: float, height: float, down: float) -> None:
        """Draw the way down to a stage, and beside it those who leave it."""
        for arm, series, x in self.sides:
            left = x < CENTRE
            way = WAY + 0.02 if left else WIDTH - WAY - 0.02
            self._arrow((way, top), (way, top - down), series)
            if not stage.out:
                continue
            lines = _reason_lines(stage, arm, self.labels, self.style)
            tall = _height(lines)
            middle = top - height / 2
            edge = x + COLUMN / 2 - SIDE if left else x - COLUMN / 2
            self._box(edge + SIDE / 2, middle + tall / 2, SIDE, tall, QUIET)
            self._arrow((way, middle), (edge if left else edge + SIDE, middle), series)
            self._listed(lines, edge, middle + tall / 2)

    def _listed(self, lines: Sequence[tuple[str, str]], edge: float, top: float) -> None:
        y = top - LINE * 0.95
        for place, (text, number) in enumerate(lines):
            weight = "bold" if place == 0 else "normal"
            self._text(edge + 0.07, y, text, size=SMALL, align="left", weight=weight)
            if number:
                self._text(edge + SIDE - 0.07, y, number, size=SMALL, align="right", weight=weight)
            y -= LINE + (BETWEEN if number else 0.0)

    def _n(self, count: float) -> str:
        return f"n = {count_text(count, self.style)}"

    def _box(self, x: float, top: float, width: float, height: float, color: str, *, fill: str = "white") -> None:
        from matplotlib.patches import Rectangle

        edge = GRID if color == QUIET else color
        face = "#f7f7f7" if color == QUIET else fill
        at = (x - width / 2, top - height)
        self.ax.add_patch(Rectangle(at, width, height, facecolor=face, edgecolor=edge, linewidth=1.0, zorder=3))

    def _text(
        self, x: float, y: float, text: str,
        *, color: str = INK, size: float = NORMAL, weight: str = "normal", align: str = "center",
    ) -> None:  # fmt: skip
        self.ax.text(
            x, y, text, color=color, fontsize=size, fontweight=weight, ha=align, va="center_baseline", zorder=4
        )

    def _arrow(self, start: tuple[float, float], end: tuple[float, float], series: Series) -> None:
        look = {
            "arrowstyle": "-|>",
            "color": series.color,
            "linewidth": 1.1,
            "shrinkA": 0,
            "shrinkB": 0,
            "mutation_scale": 9,
        }
        self.ax.annotate("", xy=end, xytext=start, arrowprops=look, zorder=2)


def _gap_height(stage: Stage, arms: Sequence[str], labels: LabelBook) -> float:
    if not stage.out:
        return GAP
    style = NumberStyle.of(labels.language)
    return max(_height(_reason_lines(stage, arm, labels, style)) for arm in arms) + GAP


def _height(lines: Sequence[tuple[str, str]]) -> float:
    """Return the height of a box of such lines; a number ends a reason."""
    return LINE * (len(lines) + 0.9) + BETWEEN * (sum(bool(number) for _, number in lines) - 1)


def _reason_lines(stage: Stage, arm: str, labels: LabelBook, style: NumberStyle) -> list[tuple[str, str]]:
    """Return the lines of an exclusion box: the total first, then each reason, its number at its last line."""
    total = sum(counts[arm] for counts in stage.out.values())
    lines = [(labels.word("excluded"), count_text(total, style))]
    for row, counts in stage.out.items():
        wrapped = textwrap.wrap(reason_label(row, labels), WRAP)
        lines += [(text, "") for text in wrapped[:-1]]
        lines.append((wrapped[-1], count_text(counts[arm], style)))
    return lines
