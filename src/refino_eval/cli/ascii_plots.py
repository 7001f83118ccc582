"""Small pictures made of characters: a window on the event-time axis, and a line chart of two arms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from refino_eval.catalogue.references import runs_of

DRAWN = {"axis": "─", "read": "━", "one": "●", "draw": "┼", "read_draw": "╋", "tick": "┬"}
PLAIN = {"axis": "-", "read": "=", "one": "o", "draw": "+", "read_draw": "#", "tick": "+"}
MARKS = ("●", "○")
PLAIN_MARKS = ("x", "o")


def window_picture(times: Sequence[int], first: int, last: int, *, width: int = 72, plain: bool = False) -> list[str]:
    """Draw which periods are read on the axis of event time.

    Parameters
    ----------
    times
        Event times that are read.
    first, last
        The axis; it is widened to hold the times and the draw (0).
    width
        Characters at most.
    plain
        Whether to keep to ASCII.

    Returns
    -------
    list of str
        The axis with what is read on it, and a line of event times below.
    """
    first, last = min([first, 0, *times]), max([last, 0, *times])
    marks = PLAIN if plain else DRAWN
    step = max(1, -(-(last - first + 1) // max(10, width)))
    each = max(1, min(3, width // (last - first + 1)))
    size = (last - first) // step * each + 1

    def at(time: int) -> int:
        return (time - first) // step * each

    axis = [marks["axis"]] * size
    for begin, end in runs_of(times):
        for place in range(at(begin), at(end) + 1):
            axis[place] = marks["one"] if begin == end else marks["read"]
    axis[at(0)] = marks["one"] if times == [0] else marks["read_draw" if 0 in times else "draw"]
    labels = [" "] * (size + 6)
    edges = [time for run in runs_of(times) for time in run]
    for time in dict.fromkeys([0, *edges, first, last]):
        text = str(time)
        begin = max(0, at(time) - (len(text) - 1 if time < 0 else 0))
        around = labels[max(0, begin - 1) : begin + len(text) + 1]
        if all(character == " " for character in around):
            labels[begin : begin + len(text)] = text
    return ["".join(axis), "".join(labels).rstrip()]


def chart(
    series: Mapping[str, Mapping[int, float]], *, width: int = 72, height: int = 10, plain: bool = False
) -> list[str]:
    """Draw one or two lines over event time.

    Parameters
    ----------
    series
        Values by event time, by name; a value that may not be shown is left out.
    width, height
        Characters at most, and rows.
    plain
        Whether to keep to ASCII.

    Returns
    -------
    list of str
        Rows from the top, the axis, its labels, and a legend; nothing when there is nothing to draw.
    """
    values = [value for line in series.values() for value in line.values()]
    if not values:
        return []
    times = sorted({time for line in series.values() for time in line})
    low, high = min(0.0, *values), max(values)
    high = high if high > low else low + 1
    names = [f"{high:.3g}", f"{low:.3g}"]
    margin = max(map(len, names)) + 1
    room = max(10, width - margin - 1)
    step = max(1, -(-(times[-1] - times[0] + 1) // room))
    marks = PLAIN_MARKS if plain else MARKS
    grid = [[" "] * ((times[-1] - times[0]) // step + 1) for _ in range(height)]
    for mark, line in reversed(list(zip(marks, series.values(), strict=False))):
        for time, value in sorted(line.items()):
            row = round((high - value) / (high - low) * (height - 1))
            grid[row][(time - times[0]) // step] = mark
    side, corner = ("|", "+") if plain else ("│", "└")
    rows = [
        f"{names[0] if k == 0 else names[1] if k == height - 1 else '':>{margin}}{side}{''.join(line).rstrip()}"
        for k, line in enumerate(grid)
    ]
    axis = [("-" if plain else "─")] * len(grid[0])
    labels = [" "] * (len(grid[0]) + 6)
    for time in [t for t in (0, times[0], times[-1]) if times[0] <= t <= times[-1]]:
        place = (time - times[0]) // step
        axis[place] = "+" if plain else "┴"
        if all(character == " " for character in labels[max(0, place - 1) : place + len(str(time)) + 1]):
            labels[place : place + len(str(time))] = str(time)
    rows.append(f"{'':>{margin}}{corner}{''.join(axis)}")
    rows.append(f"{'':>{margin}} {''.join(labels).rstrip()}")
    legend = "   ".join(f"{mark} {name}" for mark, name in zip(marks, series, strict=False))
    return [*rows, f"{'':>{margin}} {legend}"]
