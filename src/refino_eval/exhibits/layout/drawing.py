"""What all figures share: panels, axes, labels at line ends, and files with the same bytes on every run."""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from refino_eval.exhibits.layout.style import ARMS, CONTROL, INK, PNG_DPI, QUIET, TREATED, Series
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


def panels(count: int) -> tuple[Figure, list[Axes]]:
    """Return a figure with so many panels, two abreast (one wide one when there is one), and its axes."""
    from matplotlib.figure import Figure

    columns = min(count, 2)
    rows = -(-count // columns)
    figure = Figure(figsize=(7.6, (2.55 if columns == 2 else 3.0) * rows + 0.35))
    grid = figure.subplots(rows, columns, squeeze=False)
    axes = list(grid.ravel())
    for spare in axes[count:]:
        spare.set_axis_off()
    return figure, axes[:count]


def head_panel(ax: Axes, place: int, count: int, title: str, unit: str, *, aside: str = "") -> None:
    """Write a panel's title, its unit in small type beneath it in place of a turned axis label, and a word aside."""
    ax.set_title(f"{LETTERS[place]}. {title}" if count > 1 else title)
    if unit:
        ax.text(0.0, 1.02, unit, transform=ax.transAxes, ha="left", va="bottom", fontsize=8.0, color=QUIET)
    if aside:
        ax.text(1.0, 1.02, aside, transform=ax.transAxes, ha="right", va="bottom", fontsize=7.5, color=QUIET)


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


def event_axis(ax: Axes, times: Sequence[int], labels: LabelBook, clock: str, *, most: int = 9) -> None:
    """Set the event-time axis: ticks at round months, no more than about `most`, and a line at the draw."""
    first, last = min(times), max(times)
    span = max(last - first, 1)
    steps = (1, 2, 4, 13, 26, 52, 104) if clock == "week" else (1, 2, 3, 6, 12, 24, 48)
    step = next((s for s in steps if span / s <= most), steps[-1])
    ticks = [tick for tick in range(-(-first // step) * step, last + 1, step)]
    style = NumberStyle.of(labels.language)
    ax.set_xlim(first - 0.02 * span, last + 0.02 * span)
    ax.set_xticks(ticks, [style.integer(tick) for tick in ticks])
    ax.spines["bottom"].set_bounds(first, last)
    ax.set_xlabel(labels.word(clock))
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
        zorder=3 if series is TREATED else 4,
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


def end_labels(ax: Axes, x: float, ends: Sequence[tuple[float, str, Series]], *, gap: float = 0.085) -> None:
    """Name series beside their last points; names that would collide are moved apart.

    Parameters
    ----------
    ax
        With its limits set.
    x
        Last position of the series.
    ends
        Last value, name and look of each series.
    gap
        Least distance between names, as a share of the axis' height.
    """
    if not ends:  # disclosure control removed every series
        return
    low, high = ax.get_ylim()
    left, right = ax.get_xlim()
    order = sorted(range(len(ends)), key=lambda place: ends[place][0])
    heights = [(ends[place][0] - low) / (high - low) for place in order]
    middle = sum(heights) / len(heights)
    for upper in range(1, len(heights)):
        heights[upper] = max(heights[upper], heights[upper - 1] + gap)
    shift = middle - sum(heights) / len(heights)
    shift = min(max(shift, 0.02 - heights[0]), 0.98 - heights[-1])
    for place, height in zip(order, heights, strict=True):
        _, name, series = ends[place]
        y = low + (height + shift) * (high - low)
        step = (right - x) + (right - left) * 0.02
        ax.plot(
            [x + step],
            [y],
            marker=series.marker,
            color=series.color,
            markerfacecolor="white" if series.hollow else series.color,
            linestyle="none",
            clip_on=False,
        )
        ax.text(
            x + step + (right - left) * 0.025, y, name,
            color=series.color, va="center", ha="left", fontsize=8.5, fontweight="bold",
        )  # fmt: skip
    ax.set_xlim(left, right)
    ax.set_ylim(low, high)


def arms_of(labels: LabelBook) -> tuple[tuple[str, Series], ...]:
    """Return the arms with their looks, the treated first."""
    return (*zip(labels.treated_arms, ARMS, strict=False), (labels.control, CONTROL))


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
    return _by_event_time(frame).get(
        (panel, name, statistic), pd.Series(index=pd.Index([], dtype="int64"), dtype="float64")
    )


_latest: list[tuple[pd.DataFrame, dict[tuple[str, str, str], pd.Series]]] = []


def _by_event_time(frame: pd.DataFrame) -> dict[tuple[str, str, str], pd.Series]:
    """Return every statistic by event time; a figure asks for hundreds of the same frame, so the latest is kept."""
    if not _latest or _latest[0][0] is not frame:
        timed = frame[frame["row"].str.fullmatch(r"-?\d+")]
        times, values = timed["row"].astype(int).to_numpy(), timed["value"].to_numpy()
        keys: dict[tuple[str, str, str], list[int]] = {}
        for place, key in enumerate(
            zip(*(timed[name].tolist() for name in ("panel", "column", "statistic")), strict=True)
        ):
            keys.setdefault(key, []).append(place)
        series = {
            key: pd.Series(values[places], index=times[places], dtype="float64").sort_index()
            for key, places in keys.items()
        }
        _latest[:] = [(frame, series)]
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
    paths = [directory / f"{stem}.{name}" for name in formats]
    with _laid_out(drawing.figure):
        for name, path in zip(formats, paths, strict=True):
            write_bytes(path, _picture(drawing, name, stem))
    return paths


@contextmanager
def _laid_out(figure: Figure) -> Iterator[None]:
    """Fit panels and texts to each other once for all forms: finding their places costs as much as drawing them."""
    import matplotlib as mpl

    figure.set_dpi(PNG_DPI)
    figure.draw_without_rendering()
    # With this setting, saving a figure would give it a layout engine again.
    with mpl.rc_context({"figure.constrained_layout.use": False}):
        figure.set_layout_engine(None)
        yield


def _picture(drawing: Drawing, name: str, stem: str) -> bytes:
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
    drawing.figure.savefig(buffer, format=name, dpi=PNG_DPI, metadata=metadata_of[name])
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
