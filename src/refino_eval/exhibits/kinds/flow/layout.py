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
from refino_eval.exhibits.layout.drawing import Drawing, source_line
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.style import CONTROL, GRID, INK, QUIET, TREATED, Series
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import data_class_note
from refino_eval.exhibits.wording.number_format import NumberStyle

if TYPE_CHECKING:
    from matplotlib.axes import Axes


WIDTH = 7.6
"""Inches, as every figure; the axis of this one is in inches too, so that boxes fit their text."""


CENTRE = WIDTH / 2


MAIN = 2.62
"""Distance of the arms' lines from the left and right edges."""


BOX = 1.06
"""Width of an arm's box."""


SIDE = 1.78
"""Width of a box of exclusions."""


LINE = 0.145
"""Height of a line of small type."""


BOX_HEIGHT = 0.36


ARM_HEIGHT = 0.46


GAP = 0.26


BETWEEN = 0.05
"""Air between two reasons."""


SMALL, NORMAL = 7.5, 9.0


WRAP = 27
"""Characters in a line of a reason beside its number."""


def layout(exhibit: FlowExhibit, frame: pd.DataFrame, page: Page) -> Drawing:
    """Draw the flow: stages and totals in the middle, an arm on each side, exclusions outermost."""
    labels = page.labels
    from matplotlib.figure import Figure

    stages = stages_of(frame)
    if len(labels.treated_arms) > 1:
        from refino_eval.exhibits.kinds.flow.flow_arms import several_arms_flow

        return several_arms_flow(stages, exhibit, labels=labels, source=data_class_note(page.facts, labels.language))
    arms = (labels.treated, labels.control)
    heights = [_gap_height(stage, arms, labels) for stage in stages[1:]]
    total = 2 * ARM_HEIGHT + GAP + BOX_HEIGHT * (len(stages) - 1) + sum(heights) + 0.16
    source = data_class_note(page.facts, labels.language)
    foot = 0.26 if source else 0.0
    figure = Figure(figsize=(WIDTH, total + foot))
    ax = figure.add_axes((0.0, foot / (total + foot), 1.0, total / (total + foot)))
    figure.set_layout_engine("none")
    ax.set_axis_off()
    ax.set_xlim(0, WIDTH)
    ax.set_ylim(-total, 0)
    pen = _Pen(ax, NumberStyle.of(labels.language), labels)
    top = -0.06
    pen.head(stages[0], top)
    top -= ARM_HEIGHT + GAP
    pen.arms(stages[0], top)
    top -= ARM_HEIGHT
    for stage, height in zip(stages[1:], heights, strict=True):
        pen.exclusions(stage, top, height)
        top -= height
        pen.stage(stage, top)
        top -= BOX_HEIGHT
    source_line(figure, source)
    return Drawing(figure=figure, title=exhibit.title[labels.language], alt=alt_text(stages, labels))


class _Pen:
    """Draws boxes and arrows in inches, from the top downwards."""

    def __init__(self, ax: Axes, style: NumberStyle, labels: LabelBook) -> None:
        self.ax, self.style, self.labels = ax, style, labels
        self.sides = ((labels.treated, TREATED, MAIN), (labels.control, CONTROL, WIDTH - MAIN))

    def head(self, stage: Stage, top: float) -> None:
        """Draw what was delivered, and the arrows to the arms."""
        half, middle = 0.85, top - ARM_HEIGHT / 2
        self._box(CENTRE, top, 2 * half, ARM_HEIGHT, INK)
        self._text(CENTRE, middle + LINE * 0.55, stage_label(stage.name, self.labels), weight="bold")
        self._text(CENTRE, middle - LINE * 0.55, self._n(stage.counts["all"]), weight="bold")
        for _, series, x in self.sides:
            edge = CENTRE - half if x < CENTRE else CENTRE + half
            self.ax.plot([edge, x], [middle, middle], color=series.color, linewidth=1.1, solid_capstyle="butt")
            self._arrow((x, middle), (x, top - ARM_HEIGHT - GAP), series)

    def arms(self, stage: Stage, top: float) -> None:
        """Draw the arms' first boxes with their names."""
        for arm, series, x in self.sides:
            lines = [*textwrap.wrap(self.labels.arm(arm), 16), self._n(stage.counts[arm])]
            self._box(x, top, BOX + 0.3, ARM_HEIGHT, series.color, fill=series.color)
            y = top - ARM_HEIGHT / 2 + LINE * 1.1 * (len(lines) - 1) / 2
            for place, line in enumerate(lines):
                self._text(x, y - LINE * 1.1 * place, line, color="white", weight="bold")

    def stage(self, stage: Stage, top: float) -> None:
        """Draw those who remain: the sample and its total in the middle, each arm in its box."""
        middle = top - BOX_HEIGHT / 2
        for arm, series, x in self.sides:
            self._box(x, top, BOX, BOX_HEIGHT, series.color)
            self._text(x, middle, self._n(stage.counts[arm]), color=series.color, weight="bold")
        lines = textwrap.wrap(stage_label(stage.name, self.labels), 19)
        lines = [*lines, self._n(stage.counts["all"])]
        y = middle + LINE * (len(lines) - 1) / 2
        for place, line in enumerate(lines):
            last = place == len(lines) - 1
            self._text(CENTRE, y - LINE * place, line, weight="bold" if last else "normal", size=8.2)

    def exclusions(self, stage: Stage, top: float, height: float) -> None:
        """Draw the way down to a stage, and at its side those who leave it."""
        for arm, series, x in self.sides:
            self._arrow((x, top), (x, top - height), series)
            if not stage.out:
                continue
            left = x < CENTRE
            lines = _reason_lines(stage, arm, self.labels, self.style)
            tall = _height(lines)
            middle = top - height / 2
            inner = SIDE + 0.06 if left else WIDTH - SIDE - 0.06
            self._box(inner - SIDE / 2 if left else inner + SIDE / 2, middle + tall / 2, SIDE, tall, QUIET)
            self._arrow((x, middle), (inner, middle), series)
            edge = inner - SIDE if left else inner
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
