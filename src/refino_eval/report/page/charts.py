"""Figures over event time as data that the page draws itself, with values on hover and by the arrow keys.

The drawn figure of the release lies beneath: it is what a page without scripts shows, and what is printed.
"""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from refino_eval.config.exhibit_base import StatesExhibit
from refino_eval.exhibits.layout.drawing import by_event_time, scale_text, series_of, shared_limits
from refino_eval.exhibits.layout.state_units import scale_factor, state_unit
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.report.page.inline_figures import on_dark

NUMBER = r"-?\d+"


def chart_of(exhibit: StatesExhibit, frame: pd.DataFrame, labels: LabelBook) -> dict[str, Any] | None:
    """Return a figure over event time as panels of series; None where its numbers are of another form.

    Parameters
    ----------
    exhibit
        Its definition.
    frame
        Its tidy numbers: effects (column `difference`) or means by arm.
    labels
        What to call things, in the language of the page.
    """
    panels = [made for state in exhibit.states if (made := panel_of(exhibit, frame, state, labels))]
    units = {panel["state"]: panel["unit"] for panel in panels}
    limits = shared_limits({panel["state"]: panel["limits"] for panel in panels}, units)
    for panel in panels:
        panel["limits"] = limits[panel["state"]]
        panel["unit"] = scale_text(panel["state"], limits, units, labels)
    # A figure with more series than the page can draw (groups, years) is shown as it was released, so that nothing is lost.
    lines = frame[frame["statistic"].isin(["estimate", "mean"]) & frame["row"].str.fullmatch(NUMBER)]
    drawn = sum(len(panel["series"]) for panel in panels)
    if not panels or drawn < len(lines.drop_duplicates(["panel", "column"])):
        return None
    return {"panels": panels, "axis": labels.word(exhibit.clock), "period": period(exhibit, labels)}


def period(exhibit: StatesExhibit, labels: LabelBook) -> str:
    """Return what one step of event time is called."""
    return labels.say(f"report.period_{exhibit.clock}")


def panel_of(
    exhibit: StatesExhibit, frame: pd.DataFrame, state: str, labels: LabelBook, *, as_figure: bool = True
) -> dict[str, Any] | None:
    """Return one state's panel, shares in per cent as in the figure, or as they are where the page converts units itself."""
    series = []
    factor = scale_factor(exhibit, state, labels) if as_figure else 1.0
    effect = _series(frame, state, "difference", "estimate", factor)
    if effect is not None:
        series.append({"name": labels.word("estimate"), "form": "effect", **effect})
    for arm in (*labels.treated_arms, labels.control):
        form = "control" if arm == labels.control else "treated" if arm == labels.treated else "third"
        means = _series(frame, state, arm, "mean", factor)
        if means is not None:
            series.append({"name": labels.arm(arm), "form": form, **means})
    if not series:
        return None
    unit = state_unit(exhibit, state, labels, share="per_cent" if effect is None else "percentage_points")
    if not as_figure and exhibit.cumulate_from is None:
        unit = labels.state_unit(state)
    panel = {
        "state": state,
        "title": labels.state(state),
        "unit": unit,
        "effect": effect is not None,
        "series": series,
    }
    return panel | {"limits": _limits(panel)}


LIMITS = {"low": "conf_low", "high": "conf_high", "bandLow": "band_low", "bandHigh": "band_high"}


def _limits(panel: dict[str, Any]) -> tuple[float, float]:
    """Return the range of a panel: effects with zero in the middle, levels from zero."""
    lists = (series[name] for series in panel["series"] for name in ("y", *LIMITS) if name in series)
    numbers = [value for values in lists for value in values if value is not None]
    if panel["effect"]:
        reach = 1.08 * max(map(abs, numbers)) or 1.0
        return -reach, reach
    return min(0.0, *numbers), 1.05 * max(numbers) or 1.0


def arm_style(labels: LabelBook) -> str:
    """Return the colours of the arms as properties of the page, for light and for dark screens; figures have the same."""
    colours = {arm: series_of(labels, getattr(labels, arm)).color for arm in ("treated", "control")}
    light, dark = (
        "".join(f"--{arm}:{change(colour)};" for arm, colour in colours.items()) for change in (str, on_dark)
    )
    return f":root {{ {light} }}\n@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"


def _series(frame: pd.DataFrame, panel: str, column: str, statistic: str, factor: float) -> dict[str, Any] | None:
    values = _by_time(frame, (panel, column, statistic), factor)
    if not values:
        return None
    times = sorted(values)
    series: dict[str, Any] = {"x": times, "y": [values[time] for time in times]}
    for name, limit in LIMITS.items():
        limits = _by_time(frame, (panel, column, limit), factor)
        if limits:
            series[name] = [limits.get(time) for time in times]
    return series


def _by_time(frame: pd.DataFrame, key: tuple[str, str, str], factor: float) -> dict[int, float]:
    """Return the finite values of a panel, column and statistic by event time."""
    times, values, places = by_event_time(frame)
    here = places.get(key, [])
    pairs = zip(times[here].tolist(), (factor * values[here]).tolist(), strict=True)
    return {int(time): value for time, value in pairs if time == int(time) and math.isfinite(value)}
