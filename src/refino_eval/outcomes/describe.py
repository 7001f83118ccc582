"""Outcomes, periods and windows in words, for the catalogue and the report."""

from __future__ import annotations

from refino_eval.config.base import Language, Unit
from refino_eval.config.definitions import Outcome
from refino_eval.text import say


def outcome_sentence(outcome: Outcome, state_label: str, language: Language) -> str:
    """State in one sentence what an outcome's value is.

    Parameters
    ----------
    outcome
        The definition.
    state_label
        The state's label in that language; an outcome over an expression shows the expression instead.
    language
        ``nb`` or ``en``.
    """
    times = [period_words(time, outcome.clock, language) for time in outcome.times or outcome.periods]
    return say(
        f"outcome_kinds.sentence_{outcome.kind}",
        language,
        state=state_label if outcome.expression is None else f"`{outcome.expression}`",
        window=window_words(outcome, language),
        times=say("outcome_kinds.joined", language, before=", ".join(times[:-1]), last=times[-1]),
        first=times[0],
        last=times[-1],
        at_least=str(outcome.at_least),
        spell=f"`{outcome.spell}`",
        trimmed=say("outcome_kinds.trimmed", language, before=str(outcome.trim[0]), after=str(outcome.trim[1])),
        unit=say(f"outcome_kinds.unit_{outcome.clock}", language),
    )


def period_words(event_time: int, unit: Unit, language: Language) -> str:
    """State which period an event time is.

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
    if event_time == 0:
        return say(f"outcome_kinds.period_draw_{unit}", language)
    return say(f"outcome_kinds.period_{_side(event_time)}_{unit}", language, time=abs(event_time))


def window_words(outcome: Outcome, language: Language) -> str:
    """State which periods an outcome reads, both ends included.

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
    if first * last > 0:
        return say(f"outcome_kinds.window_{_side(first)}_{unit}", language, first=abs(first), last=abs(last))
    # The window's beginning names the draw's period already, so that its end need not.
    end = (
        say(f"outcome_kinds.period_after_it_{unit}", language, time=last)
        if last
        else period_words(last, unit, language)
    )
    return say("outcome_kinds.window_across", language, begin=period_words(first, unit, language), end=end)


def _side(event_time: int) -> str:
    return "after" if event_time > 0 else "before"
