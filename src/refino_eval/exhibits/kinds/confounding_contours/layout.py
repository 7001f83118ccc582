"""Contours of the difference adjusted for an unobserved trait, by its strength with treatment and with the outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from refino_eval.exhibits.kinds.confounding_contours.model import ConfoundingContoursExhibit
from refino_eval.exhibits.kinds.unobserved_confounding.layout import benchmark_name, conclusion
from refino_eval.exhibits.kinds.unobserved_confounding.model import ALL_CONTROLS
from refino_eval.exhibits.layout.drawing import (
    Drawing,
    head_panel,
    number_axis,
    panels,
    source_line,
    treated_series,
)
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.style import INK, QUIET
from refino_eval.exhibits.layout.table import Numbers
from refino_eval.exhibits.wording.labels import LabelBook, inside
from refino_eval.exhibits.wording.notes import data_class_note, errors_note, specification_note
from refino_eval.exhibits.wording.number_format import NumberStyle

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ZERO = "#b00020"
"""Colour of the line where the difference is zero: of no arm."""

NAME_GAP = 0.075
"""Least distance between names of benchmarks, as a share of the axis' height."""

EDGE, TINY = 0.93, 1e-12
"""Share of an axis beyond which a contour's name has no room, and what is below any difference."""

POINTS = 120
"""Grid of each axis."""


def layout(exhibit: ConfoundingContoursExhibit, frame: pd.DataFrame, page: Page) -> Drawing:
    """Draw a panel for each outcome: contours, the line where the difference is zero, and the benchmarks."""
    labels = page.labels
    figure, axes = panels(len(exhibit.columns))
    numbers = Numbers.of(frame, page.style)
    for place, (ax, (key, outcome)) in enumerate(zip(axes, exhibit.columns.items(), strict=True)):
        _contours(ax, exhibit, numbers, key, labels)
        head_panel(ax, place, len(axes), labels.outcome(outcome), "")
        number_axis(ax.xaxis, labels.language)
        number_axis(ax.yaxis, labels.language)
        ax.set_xlabel(labels.say("confounding_contours.with_treatment"))
        ax.set_ylabel(labels.say("confounding_contours.with_outcome"))
    source_line(figure, data_class_note(page.facts, labels.language))
    return Drawing(figure=figure, title=exhibit.title[labels.language], alt=_alt(exhibit, frame, labels))


def _root(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.sqrt(np.maximum(values, 0.0))


def _contours(ax: Axes, exhibit: ConfoundingContoursExhibit, numbers: Numbers, key: str, labels: LabelBook) -> None:
    """Draw one outcome: |estimate| - scale sqrt(R2 R2 / (1 - R2)), and where this (or its interval) reaches zero."""
    estimate, scale, reach = (
        numbers.value("difference", "full", key, "estimate"),
        numbers.value("robustness", "bias_scale", key, "value"),
        numbers.value("robustness", "interval_scale", key, "value"),
    )
    marks = _marks(exhibit, numbers, key)
    furthest = numbers.value("robustness", "robustness_value", key, "r_squared")
    right = min(1.35 * max([furthest, *(mark.with_treatment for mark in marks)]), 0.99)
    top = min(1.35 * max([furthest, *(mark.with_outcome for mark in marks)]), 0.99)
    if not all(map(np.isfinite, (estimate, scale, reach, right, top))):
        return
    # Axes of square roots, that is of partial correlations: benchmarks are weak, and would lie on each other near zero.
    for set_scale in (ax.set_xscale, ax.set_yscale):
        set_scale("function", functions=(_root, np.square))
    steps = np.square(np.linspace(0, 1, POINTS))
    x, y = np.meshgrid(right * steps, top * steps)
    adjusted = np.sign(estimate) * (abs(estimate) - scale * np.sqrt(x * y / (1 - x)))
    style = NumberStyle.of(labels.language)
    lines = ax.contour(x, y, adjusted, levels=9, colors=QUIET, linewidths=0.7, linestyles="solid", zorder=1)
    # The line of no difference is drawn below, and named in the note.
    named = [level for level in lines.levels if abs(level) > TINY]
    texts = ax.clabel(lines, named, fontsize=7, fmt=lambda value: style.significant(value, 2))
    for text in texts:
        across, up = (np.sqrt(place / most) for place, most in zip(text.get_position(), (right, top), strict=True))
        if max(across, up) > EDGE:
            # It would be cut by the frame.
            text.remove()
    ax.contour(x, y, adjusted, levels=[0.0], colors=[ZERO], linewidths=1.8, linestyles="solid", zorder=2)
    nearest = np.abs(estimate) - scale * np.sqrt(x * y / (1 - x)) - reach * np.sqrt((1 - y) / (1 - x))
    ax.contour(x, y, nearest, levels=[0.0], colors=[ZERO], linewidths=1.4, linestyles="dashed", zorder=2)
    ax.plot([0], [0], marker="^", color=INK, markersize=6, clip_on=False, zorder=4)
    ax.set_xlim(0, right)
    ax.set_ylim(0, top)
    _name_marks(ax, exhibit, marks, (right, top), labels)


def _name_marks(
    ax: Axes, exhibit: ConfoundingContoursExhibit, marks: Sequence[Mark], limits: tuple[float, float], labels: LabelBook
) -> None:
    """Draw the benchmarks and name each at its strongest point; names that would collide are moved apart."""
    style = NumberStyle.of(labels.language)
    color = treated_series(labels).color
    names = []
    for name in (*exhibit.benchmarks, ALL_CONTROLS):
        mine = [mark for mark in marks if mark.covariate == name]
        if not mine:
            continue
        across, up = [mark.with_treatment for mark in mine], [mark.with_outcome for mark in mine]
        ax.plot(across, up, color=color, marker="D", markersize=4, linewidth=0.8, clip_on=False, zorder=4)
        times = ", ".join(style.of_text(f"{mark.times:g}") for mark in mine)
        names.append((across[-1], up[-1], f"{times} × {inside(benchmark_name(name, labels))}"))
    height = -1.0
    for x, y, text in sorted(names, key=lambda each: each[1]):
        # Axes are of square roots (see `_contours`).
        place = (x / limits[0]) ** 0.5, (y / limits[1]) ** 0.5
        height = max(place[1] + 0.02, height + NAME_GAP)
        left = place[0] > 0.6
        ax.annotate(
            text, place, xytext=(place[0] + (-0.03 if left else 0.03), height), xycoords="axes fraction",
            textcoords="axes fraction", ha="right" if left else "left", va="center", fontsize=7.5, color=color, zorder=5,
            arrowprops={"arrowstyle": "-", "color": color, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 3},
            bbox={"facecolor": "white", "alpha": 0.85, "pad": 0.6, "linewidth": 0},
        )  # fmt: skip


@dataclass(frozen=True)
class Mark:
    """A trait `times` as strong as a benchmark: its partial R2 with treatment and with the outcome."""

    covariate: str
    times: float
    with_treatment: float
    with_outcome: float


def _marks(exhibit: ConfoundingContoursExhibit, numbers: Numbers, key: str) -> list[Mark]:
    """Return traits like the benchmarks, as far as they can exist."""
    marks = []
    for name in (*exhibit.benchmarks, ALL_CONTROLS):
        for times in exhibit.multiples if name != ALL_CONTROLS else exhibit.multiples[:1]:
            with_treatment, with_outcome = (
                numbers.value(f"bounds:{name}", f"{times:g}:{part}", key, "r_squared")
                for part in ("treatment", "outcome")
            )
            if np.isfinite(with_treatment) and np.isfinite(with_outcome):
                marks.append(Mark(name, times, with_treatment, with_outcome))
    return marks


def _alt(exhibit: ConfoundingContoursExhibit, frame: pd.DataFrame, labels: LabelBook) -> str:
    sentences = [conclusion(exhibit, frame, key, labels) for key in exhibit.columns]
    return " ".join([labels.say("confounding_contours.alt"), *filter(None, sentences)])


def notes(exhibit: ConfoundingContoursExhibit, frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    """Return what each outcome's panel says, and how it was drawn."""
    lines = [conclusion(exhibit, frame, key, labels) for key in exhibit.columns]
    lines.append(labels.say("confounding_contours.explained"))
    entry = labels.specification_of(exhibit.specification)
    if entry is not None:
        lines += [specification_note(exhibit.specification, entry, labels), errors_note([entry.vcov], labels.language)]
    return [line for line in lines if line]
