"""Periods and windows in words, for the catalogue and the report."""

from __future__ import annotations

from refino_eval.config.base import Language, Unit
from refino_eval.config.definitions import Outcome

_UNIT = {("nb", "month"): "måned", ("nb", "week"): "uke", ("en", "month"): "month", ("en", "week"): "week"}
_DRAW = {
    ("nb", "month"): "trekkmåneden",
    ("nb", "week"): "trekkuken",
    ("en", "month"): "the draw month",
    ("en", "week"): "the draw week",
}


def period_words(event_time: int, unit: Unit, language: Language) -> str:
    """Say which period an event time is.

    Parameters
    ----------
    event_time
        Periods since that of the draw.
    unit
        ``month`` or ``week``.
    language
        ``nb`` or ``en``.

    Returns
    -------
    str
        For instance ``month 12 after the draw month``, ``month 3 before the draw month``, ``the draw month``.
    """
    draw = _DRAW[language, unit]
    if event_time == 0:
        return draw
    return f"{_UNIT[language, unit]} {abs(event_time)} {_side(event_time, language)} {draw}"


def window_words(outcome: Outcome, language: Language) -> str:
    """Say which periods an outcome reads, both ends included.

    Parameters
    ----------
    outcome
        The definition.
    language
        ``nb`` or ``en``.

    Returns
    -------
    str
        For instance ``months 1 to 12 after the draw month, both included``.
    """
    first, last = outcome.periods
    unit = outcome.clock
    if first == last:
        return period_words(first, unit, language)
    draw, both = _DRAW[language, unit], "begge medregnet" if language == "nb" else "both included"
    to = "til" if language == "nb" else "to"
    if first * last > 0:
        word = _UNIT[language, unit] + ("" if language == "nb" else "s")
        return f"{word} {abs(first)} {to} {abs(last)} {_side(first, language)} {draw}, {both}"
    begin, end = period_words(first, unit, language), period_words(last, unit, language)
    if last != 0:
        # The draw's period has been named already, at the beginning.
        end = end.removesuffix(draw) + ("den" if language == "nb" else "it")
    return f"fra og med {begin} til og med {end}" if language == "nb" else f"from {begin} to {end}, {both}"


def _side(event_time: int, language: Language) -> str:
    after, before = ("etter", "før") if language == "nb" else ("after", "before")
    return after if event_time > 0 else before
