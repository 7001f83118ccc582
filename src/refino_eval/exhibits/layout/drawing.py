"""What all figures share: panels, axes, labels at line ends, and files with the same bytes on every run."""

from __future__ import annotations

import io
import math
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt
import pandas as pd

from refino_eval.exhibits.layout.style import ARMS, CONTROL, INK, PNG_DPI, QUIET, Series
from refino_eval.exhibits.round_steps import CLOCK_STEPS, round_step
from refino_eval.exhibits.tidy import write_bytes
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.number_format import NumberStyle

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

PICTURES = ("svg", "png", "pdf")


LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Drawing:
    """A drawn figure: the matplotlib figure, its title, and a text that says what it shows."""

    figure: Figure
    title: str
    alt: str


def empty_drawing(title: str, text: str) -> Drawing:
    """Return a figure that shows a text alone, for an exhibit that could not be computed."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.6, 2.0))
    figure.text(0.5, 0.5, "\n".join(textwrap.wrap(text, 100)), ha="center", va="center", fontsize=9, color=QUIET)
    return Drawing(figure, title, text)


def panels(count: int, *, abreast: int | None = None) -> tuple[Figure, list[Axes]]:
    """Return a figure with so many panels, and its axes.

    Parameters
    ----------
    abreast
        How many are side by side; default: two, or three where a fourth would be an empty space.
    """
    from matplotlib.figure import Figure

    columns = min(count, abreast or (3 if count == 3 else 2))
    rows = -(-count // columns)
    height = {1: 3.0, 2: 2.55}.get(columns, 2.35)
    figure = Figure(figsize=(7.6, height * rows + 0.35))
    grid = figure.subplots(rows, columns, squeeze=False)
    axes = list(grid.ravel())
    for spare in axes[count:]:
        spare.set_axis_off()
    return figure, axes[:count]


def abreast_of(ax: Axes) -> int:
    """Return how many panels are side by side where a panel is."""
    spec = ax.get_subplotspec()
    return 1 if spec is None else int(spec.get_gridspec().ncols)


def is_last_in_line(ax: Axes, place: int, count: int) -> bool:
    """Whether no panel is to the right of this one: it has the names of the series, for its whole line."""
    return place % abreast_of(ax) == abreast_of(ax) - 1 or place == count - 1


def name_ends(ax: Axes, place: int, count: int, ends: Sequence[tuple[float, str, Series]]) -> None:
    """Name the series of a line of panels, in its last panel."""
    if is_last_in_line(ax, place, count):
        end_labels(ax, ends, in_margin=place % abreast_of(ax) < abreast_of(ax) - 1)


def most_ticks(ax: Axes) -> int:
    """Return how many ticks of event time a panel has room for."""
    return {1: 9, 2: 8}.get(abreast_of(ax), 5)


LONGEST_TITLE, LONGEST_UNIT = {1: 74, 2: 33, 3: 21}, {1: 110, 2: 50, 3: 32}
"""Characters in a line of a panel's title and unit, by how many panels are abreast."""


def head_panel(ax: Axes, place: int, count: int, title: str, unit: str, *, aside: str = "") -> None:
    """Write a panel's title, its unit in small type beneath it in place of a turned axis label, and a word aside."""
    text = f"{LETTERS[place]}. {title}" if count > 1 else title
    columns = min(abreast_of(ax), 3)
    lines = textwrap.wrap(text, LONGEST_TITLE[columns], break_long_words=False)
    units = textwrap.wrap(unit, LONGEST_UNIT[columns], break_long_words=False)
    if aside and columns > 1:
        units, aside = [*units, aside], ""  # no room for both on one line
    ax.set_title("\n".join(lines), pad=16.0 + 9.5 * max(len(units) - 1, 0))
    for at, side, words in ((0.0, "left", "\n".join(units)), (1.0, "right", aside)):
        if words:
            # A title above them makes room; a long text would take width from the panel.
            ax.text(
                at,
                1.02,
                words,
                transform=ax.transAxes,
                ha=side,
                va="bottom",
                fontsize=8.0,
                color=QUIET,
                in_layout=not title,
            )


def number_axis(axis: Axis, language: str, *, most: int = 6) -> None:
    """Write an axis' numbers in the language, all with the same decimals."""
    from matplotlib.ticker import Formatter, MaxNLocator

    style = NumberStyle.of(language)

    class Numbers(Formatter):
        """Writes a number with the decimals that the distance between the axis' numbers needs."""

        def format_ticks(self, values: Sequence[float]) -> list[str]:
            step = abs(values[1] - values[0]) if len(values) > 1 else 1.0
            decimals = len(f"{step:.6f}".rstrip("0").partition(".")[2])
            return [style.fixed(round(value, 9), decimals) for value in values]

        def __call__(self, value: float, pos: int | None = None) -> str:
            return self.format_ticks([value])[0]

    axis.set_major_locator(MaxNLocator(nbins=most, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(Numbers())


MANY = 60
"""More points than this are drawn as a line, and markers stand far apart."""


def event_axis(
    ax: Axes, times: Sequence[float], labels: LabelBook, clock: str, *, most: int = 9, unit: str | None = None
) -> None:
    """Set the event-time axis: ticks at round months, no more than about `most`, and a line at the draw.

    Time in another `unit` (days, years) has its ticks at round numbers.
    """
    first, last = min(times), max(times)
    span = max(last - first, 1)
    known = CLOCK_STEPS[clock] if unit is None else ()
    step = next((s for s in known if span / s <= most), None) or round_step(span, most, smallest=1.0)
    ticks = [int(step * k) for k in range(math.ceil(first / step), math.floor(last / step) + 1)]
    style = NumberStyle.of(labels.language)
    ax.set_xlim(first - 0.02 * span, last + 0.02 * span)
    ax.set_xticks(ticks, [style.integer(tick) for tick in ticks])
    ax.spines["bottom"].set_bounds(first, last)
    ax.set_xlabel(labels.word(clock) if unit is None else unit)
    if first < 0:
        ax.axvline(0, color=QUIET, linewidth=0.9, linestyle=(0, (2, 2)), zorder=1)


def draw_series(
    ax: Axes, x: Sequence[float], y: Sequence[float], series: Series, *, every: int | tuple[int, int] = 1
) -> None:
    """Draw one series with a marker at every so many points (or from a first point on).

    The dashed control line lies on top: where the arms coincide, the solid line shows between its dashes.
    """
    ax.plot(
        x,
        y,
        color=series.color,
        linestyle=series.linestyle,
        marker=series.marker,
        markevery=every,
        markerfacecolor="white" if series.hollow else series.color,
        markeredgecolor=series.color,
        markeredgewidth=1.0,
        zorder=4 if series.hollow else 3,
    )


def draw_band(
    ax: Axes, values: pd.Series, low: pd.Series, high: pd.Series, series: Series, *, every: int | tuple[int, int] = 1
) -> None:
    """Draw one series by event time with its confidence band, limits as the values' index has them."""
    ax.fill_between(
        values.index,
        low.reindex(values.index),
        high.reindex(values.index),
        color=series.color,
        alpha=0.16,
        linewidth=0,
        zorder=2,
    )
    draw_series(ax, values.index.tolist(), values.tolist(), series, every=every)


NAME_WIDTH = 17
"""Characters in a line of a series' name; a longer name goes on in a second line, so that panels keep their width."""


def moved_apart(heights: Sequence[float], tall: Sequence[float]) -> list[float]:
    """Return the middles of names, ascending, as near to where they should be as names so tall can be, within 0 and 1.

    Least squares under the least distances: with these taken off, the middles are an isotonic regression (pool adjacent violators).
    """
    steps = [0.0]
    for below, above in pairwise(tall):
        steps.append(steps[-1] + (below + above) / 2)
    pools: list[list[float]] = []  # sum and number of names that touch each other
    for height, step in zip(heights, steps, strict=True):
        pools.append([height - step, 1])
        while len(pools) > 1 and pools[-2][0] / pools[-2][1] > pools[-1][0] / pools[-1][1]:
            total, count = pools.pop()
            pools[-1][0] += total
            pools[-1][1] += count
    free = [total / count for total, count in pools for _ in range(int(count))]
    highest = max(0.98 - steps[-1], 0.02)
    return [min(max(place, 0.02), highest) + step for place, step in zip(free, steps, strict=True)]


def end_labels(
    ax: Axes, ends: Sequence[tuple[float, str, Series]], *, gap: float = 0.085, in_margin: bool = False
) -> None:
    """Name series to the right of their last points; names that would collide are moved apart.

    Parameters
    ----------
    ax
        With its limits set.
    ends
        Last value, name and look of each series.
    gap
        Least distance between lines of names, as a share of the axis' height.
    in_margin
        Whether there is empty space to the right, so that the panel need not give up width.
    """
    from matplotlib.transforms import offset_copy

    if not ends:  # disclosure control removed every series
        return
    low, high = ax.get_ylim()
    names = ["\n".join(textwrap.wrap(name, NAME_WIDTH, break_long_words=False)) for _, name, _ in ends]
    order = sorted(range(len(ends)), key=lambda place: ends[place][0])
    heights = [(ends[place][0] - low) / (high - low) for place in order]
    tall = [gap * (1 + names[place].count("\n")) for place in order]
    beside = ax.get_yaxis_transform()
    for place, height in zip(order, moved_apart(heights, tall), strict=True):
        series = ends[place][2]
        y = low + height * (high - low)
        mark = ax.plot(
            [1.0],
            [y],
            transform=offset_copy(beside, ax.get_figure(root=True), x=7, units="points"),
            marker=series.marker,
            color=series.color,
            markerfacecolor="white" if series.hollow else series.color,
            linestyle="none",
            clip_on=False,
        )[0]
        text = ax.text(
            1.0, y, names[place], transform=offset_copy(beside, ax.get_figure(root=True), x=12, units="points"),
            color=series.color, va="center", ha="left", fontsize=8.5, fontweight="bold", linespacing=1.0,
        )  # fmt: skip
        for artist in (mark, text):
            artist.set_in_layout(not in_margin)
    ax.set_ylim(low, high)


LEAST_SHARE = 1 / 3
"""Panels of one unit share a scale unless one would fill less than this of it: a line on the floor shows nothing."""

Limits = tuple[float, float]


def shared_limits(limits: Mapping[str, Limits], units: Mapping[str, str]) -> dict[str, Limits]:
    """Return the scale of each panel, by panel: the same for panels of one unit where all stay readable."""
    shared = dict(limits)
    for unit in dict.fromkeys(units[panel] for panel in limits):
        alike = [panel for panel in limits if units[panel] == unit]
        low, high = min(limits[panel][0] for panel in alike), max(limits[panel][1] for panel in alike)
        if all(limits[panel][1] - limits[panel][0] >= LEAST_SHARE * (high - low) for panel in alike):
            shared |= dict.fromkeys(alike, (low, high))
    return shared


def scale_text(panel: str, limits: Mapping[str, Limits], units: Mapping[str, str], labels: LabelBook) -> str:
    """Return a panel's unit, and that its scale is its alone where another panel of the unit has another one."""
    scales = {limits[other] for other in limits if units[other] == units[panel]}
    return units[panel] if len(scales) <= 1 else labels.say("labels.separate_scale", unit=units[panel])


def counts_beneath(ax: Axes, head: str, rows: Sequence[tuple[str, pd.Series, str]], language: str) -> None:
    """Write under the axis of time how many people each point of the curves rests on.

    Parameters
    ----------
    head
        What the numbers are.
    rows
        Name, counts by time, and colour.
    """
    style = NumberStyle.of(language)
    beneath: dict[str, Any] = {"textcoords": "offset points", "fontsize": 7.5, "annotation_clip": False}
    ax.annotate(head, (0, 0), xycoords="axes fraction", xytext=(-6, -46), ha="left", **{**beneath, "fontsize": 8.0},
                color=INK)  # fmt: skip
    for line, (name, counts, color) in enumerate(rows):
        down = -59 - 12 * line
        for tick in ax.get_xticks():
            if tick in counts.index and math.isfinite(counts[tick]):
                ax.annotate(
                    style.integer(counts[tick]), (tick, 0), xycoords=("data", "axes fraction"), xytext=(0, down),
                    ha="center", color=color, **beneath,
                )  # fmt: skip
        ax.annotate(
            name, (1, 0), xycoords="axes fraction", xytext=(14, down), ha="left", color=color, fontweight="bold", **beneath
        )  # fmt: skip


def series_of(labels: LabelBook, arm: str) -> Series:
    """Return the look of an arm: by its place in the evaluation, so that it is the same in every figure."""
    order = tuple(labels.colours) or (*labels.treated_arms, labels.control)
    place = order.index(arm) if arm in order else 0
    look = CONTROL if arm == order[-1] else ARMS[place % len(ARMS)]
    colour = labels.colours.get(arm)
    return look if colour is None else replace(look, color=colour)


def treated_series(labels: LabelBook) -> Series:
    """Return the look of the treated arm, in which its effects are drawn."""
    return series_of(labels, labels.treated)


def arms_of(labels: LabelBook) -> tuple[tuple[str, Series], ...]:
    """Return the arms with their looks, the treated first."""
    return tuple((arm, series_of(labels, arm)) for arm in (*labels.treated_arms, labels.control))


def draw_source(figure: Figure, text: str) -> None:
    """Write a source line as `source_line`, in lines that a narrow figure holds."""
    source_line(figure, "\n".join(textwrap.wrap(text, int(13.5 * figure.get_figwidth()))))


def source_line(figure: Figure, text: str) -> None:
    """Write a line under the whole figure (that the register is synthetic): a picture travels without its page."""
    if text:
        figure.supxlabel(text, fontsize=7.5, color=INK, x=0.01, ha="left", style="italic")


def draw_watermark(figure: Figure, text: str) -> None:
    """Write a text across a figure, so faint that the lines beneath stay readable; nothing where there is none."""
    if text:
        lines = "\n".join(textwrap.wrap(text, 36))
        figure.text(
            0.5, 0.5, lines, rotation=18, ha="center", va="center", fontsize=17, color=INK, alpha=0.16, zorder=100,
        )  # fmt: skip


def column(frame: pd.DataFrame, panel: str, name: str, statistic: str) -> pd.Series:
    """Return a statistic by event time (index, ascending); rows that are no event time are left out."""
    times, values, keys = by_event_time(frame)
    places = keys.get((panel, name, statistic), [])
    return pd.Series(values[places], index=times[places], dtype="float64").sort_index()


_ByTime = tuple[npt.NDArray[Any], npt.NDArray[Any], dict[tuple[str, str, str], list[int]]]
_latest: list[tuple[pd.DataFrame, _ByTime]] = []


def by_event_time(frame: pd.DataFrame) -> _ByTime:
    """Return event times, values, and the places of each statistic; a figure asks for hundreds of one frame: the latest is kept."""
    if not _latest or _latest[0][0] is not frame:
        timed = frame[frame["row"].str.fullmatch(r"-?\d+(\.\d+)?")]
        exact, values = timed["row"].astype(float).to_numpy(), timed["value"].to_numpy()
        times = exact.astype(int) if (exact % 1 == 0).all() else exact
        keys: dict[tuple[str, str, str], list[int]] = {}
        for place, key in enumerate(
            zip(*(timed[name].tolist() for name in ("panel", "column", "statistic")), strict=True)
        ):
            keys.setdefault(key, []).append(place)
        _latest[:] = [(frame, (times, values, keys))]
    return _latest[0][1]


def save_figure(drawing: Drawing, directory: Path, stem: str, *, formats: Sequence[str] = PICTURES) -> list[Path]:
    """Write a figure as SVG, PNG and PDF; the same drawing gives the same bytes.

    Parameters
    ----------
    drawing
        Drawn inside `style.house_style`.
    directory
        Where to; made when it is not there.
    stem
        File name without ending; every id inside the SVG begins with it, so that many can stand in one page.
    formats
        Some of `PICTURES`.

    Returns
    -------
    list of Path
        A file a format.
    """
    import matplotlib as mpl

    from refino_eval.exhibits.layout.drawn_once import Recorded

    paths = [directory / f"{stem}.{name}" for name in formats]
    # With this setting, a figure that has been laid out would have a layout engine again.
    with mpl.rc_context({"figure.constrained_layout.use": False}):
        _lay_out(drawing.figure)
        recorded = Recorded(drawing.figure)
        for name, path in zip(formats, paths, strict=True):
            write_bytes(path, _picture(recorded, drawing, name, stem))
    return paths


def _lay_out(figure: Figure) -> None:
    """Fit panels and texts to each other once for all forms: finding their places costs as much as drawing them."""
    from refino_eval.exhibits.layout.drawn_once import POINTS, MeasuringCanvas

    figure.set_dpi(POINTS)
    MeasuringCanvas(figure)
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            if not axis.label.get_text():
                # Nothing is written there, so that the labels of ticks need not be measured to find its place.
                axis.set_label_coords(0.0, 0.0)
    if figure.axes and (engine := figure.get_layout_engine()) is not None:
        engine.execute(figure)
    figure.set_layout_engine(None)


def _picture(recorded: Figure, drawing: Drawing, name: str, stem: str) -> bytes:
    """Return the bytes of one form, without a date and with the text that says what it shows."""
    metadata_of: dict[str, dict[str, str | None]] = {
        "svg": {"Date": None, "Creator": None},
        "png": {"Software": None, "Title": drawing.title, "Description": drawing.alt},
        "pdf": {
            "CreationDate": None,
            "Creator": None,
            "Producer": None,
            "Title": drawing.title,
            "Subject": drawing.alt,
        },
    }
    buffer = io.BytesIO()
    recorded.savefig(buffer, format=name, dpi=PNG_DPI, metadata=metadata_of[name])
    if name != "svg":
        return buffer.getvalue()
    svg = accessible_svg(buffer.getvalue().decode("utf-8"), stem=stem, title=drawing.title, alt=drawing.alt)
    return svg.encode()


def accessible_svg(svg: str, *, stem: str, title: str, alt: str) -> str:
    """Return an SVG a title and description for screen readers, and ids that are its own.

    Parameters
    ----------
    svg
        As matplotlib writes it.
    stem
        Put before each id.
    title, alt
        What the figure is, and what it shows.
    """
    prefix = re.sub(r"[^A-Za-z0-9_-]", "-", stem)
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', svg)
    svg = re.sub(r'((?:xlink:)?href)="#([^"]+)"', rf'\1="#{prefix}-\2"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", svg)
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    # Outlines carry their text as comments, which say nothing to anybody and double hyphens would break them.
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    head = f'role="img" aria-labelledby="{prefix}-title {prefix}-desc"'
    inside = f'<title id="{prefix}-title">{escape(title)}</title>\n<desc id="{prefix}-desc">{escape(alt)}</desc>'
    return re.sub(r"<svg\b([^>]*)>", rf"<svg {head}\1>\n{_literal(inside)}", svg, count=1)


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\")
