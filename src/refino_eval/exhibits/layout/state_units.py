"""In what unit figures show a state: shares in per cent and effects on them in percentage points, other states as they are."""

from __future__ import annotations

from refino_eval.config.exhibit_base import StatesExhibit
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.number_format import NumberStyle, format_statistic


def scale_factor(exhibit: StatesExhibit, state: str, labels: LabelBook) -> float:
    """Return what a figure multiplies a state's numbers by: 100 for a share."""
    return 100.0 if exhibit.cumulate_from is None and labels.in_per_cent(state) else 1.0


def state_unit(exhibit: StatesExhibit, state: str, labels: LabelBook, *, share: str = "per_cent") -> str:
    """Return a text on the unit; a sum over time of a share is a number of periods.

    Parameters
    ----------
    share
        The word for a share: ``"per_cent"``, or ``"percentage_points"`` for a difference between shares.
    """
    unit = labels.state_unit(state)
    if exhibit.cumulate_from is None:
        return labels.word(share) if labels.in_per_cent(state) else unit
    period = labels.word(f"period_{exhibit.clock}")
    if labels.state_is_share(state):
        unit = labels.word(f"periods_{exhibit.clock}")
    summed = labels.word("cumulative").format(origin=period, first=exhibit.cumulate_from)
    return f"{unit}, {summed}" if unit else summed


def state_level(exhibit: StatesExhibit, state: str, labels: LabelBook, value: float) -> str:
    """Return a mean of a state in words, in the unit of its figure."""
    style = NumberStyle.of(labels.language)
    if scale_factor(exhibit, state, labels) > 1:
        return style.percent(value)
    return format_statistic(style, "mean", value)


def state_effect(exhibit: StatesExhibit, state: str, labels: LabelBook, value: float) -> str:
    """Return an effect on a state in words, in the unit of its figure without the unit's name."""
    style = NumberStyle.of(labels.language)
    if scale_factor(exhibit, state, labels) > 1:
        return style.fixed(100 * value, 1)
    return format_statistic(style, "estimate", value)
