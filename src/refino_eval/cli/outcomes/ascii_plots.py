"""Plots made of characters: a window on the event-time axis, and a line chart of two arms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from refino_eval.catalogue.references import runs_of


class _Style(NamedTuple):
    """The characters of the plots."""

    axis: str
    read: str
    one: str
    zero: str
    read_zero: str
    side: str
    corner: str
    tick: str
    marks: str


DRAWN = _Style(axis="─", read="━", one="●", zero="┼", read_zero="╋", side="│", corner="└", tick="┴", marks="●○")
PLAIN = _Style(axis="-", read="=", one="o", zero="+", read_zero="#", side="|", corner="+", tick="+", marks="xo")


def window_picture(times: Sequence[int], first: int, last: int, *, width: int = 72, plain: bool = False) -> list[str]:
    """Draw which periods are read on the axis of event time.

    Parameters
    ----------
    times
        Event times that are read.
    first, last
        The axis; it is widened to include the times and event time 0.
    width
        Maximum number of characters.
    plain
        Whether to use ASCII only.

    Returns
    -------
    list of str
        The axis with the periods that are read, and a line of event times below.
    """
    first, last = min([first, 0, *times]), max([last, 0, *times])
    style = PLAIN if plain else DRAWN
    # Several periods share a character on a long axis; a period has up to three characters on a short one.
    periods = max(1, -(-(last - first + 1) // max(10, width)))
    characters = max(1, min(3, width // (last - first + 1)))

    def column(time: int) -> int:
        return (time - first) // periods * characters

    axis = [style.axis] * (column(last) + 1)
    for start, stop in runs_of(times):
        for index in range(column(start), column(stop) + 1):
            axis[index] = style.one if start == stop else style.read
    axis[column(0)] = style.one if times == [0] else style.read_zero if 0 in times else style.zero
    edges = [time for run in runs_of(times) for time in run]
    labels = _labels(len(axis), ((column(time), time) for time in dict.fromkeys([0, *edges, first, last])))
    return ["".join(axis), labels]


def chart(
    series: Mapping[str, Mapping[int, float]], *, width: int = 72, height: int = 10, plain: bool = False
) -> list[str]:
    """Draw one or two lines over event time.

    Parameters
    ----------
    series
        Values by event time, by name; a value that may not be disclosed is left out.
    width, height
        Maximum number of characters, and number of rows.
    plain
        Whether to use ASCII only.

    Returns
    -------
    list of str
        Rows from the top, the axis, its labels and a legend; nothing if there are no values.
    """
    points = [point for line in series.values() for point in line.items()]
    if not points:
        return []
    style = PLAIN if plain else DRAWN
    times, values = zip(*points, strict=True)
    first, last = min(times), max(times)
    low, high = min(0.0, *values), max(values)
    high = high if high > low else low + 1
    scale = {0: f"{high:.3g}", height - 1: f"{low:.3g}"}
    margin = max(map(len, scale.values())) + 1
    periods = max(1, -(-(last - first + 1) // max(10, width - margin - 1)))
    size = (last - first) // periods + 1
    grid = [[" "] * size for _ in range(height)]
    # The first series is drawn last, so that it stays visible where the two coincide.
    for mark, line in reversed(list(zip(style.marks, series.values(), strict=False))):
        for time, value in line.items():
            grid[round((high - value) / (high - low) * (height - 1))][(time - first) // periods] = mark
    axis = [style.axis] * size
    ticks = [((time - first) // periods, time) for time in (0, first, last) if first <= time <= last]
    for index, _ in ticks:
        axis[index] = style.tick
    legend = "   ".join(f"{mark} {name}" for mark, name in zip(style.marks, series, strict=False))
    return [
        *(f"{scale.get(k, ''):>{margin}}{style.side}{''.join(line).rstrip()}" for k, line in enumerate(grid)),
        f"{'':>{margin}}{style.corner}{''.join(axis)}",
        f"{'':>{margin}} {_labels(size, ticks, shift_negative=False)}",
        f"{'':>{margin}} {legend}",
    ]


def _labels(size: int, ticks: Iterable[tuple[int, int]], *, shift_negative: bool = True) -> str:
    """Return a line of numbers below an axis; earlier ticks take precedence where there is no room for all.

    A negative number ends at its tick if `shift_negative`, so that its last digit is below it; others begin there.
    """
    line = [" "] * (size + 6)
    for index, time in ticks:
        text = str(time)
        start = max(0, index - (len(text) - 1 if time < 0 and shift_negative else 0))
        if not "".join(line[max(0, start - 1) : start + len(text) + 1]).strip():
            line[start : start + len(text)] = text
    return "".join(line).rstrip()
