"""Outcomes over several windows: one entry that is written once and defines an outcome for each window.

    wage_sum:
      label: {nb: Lønn, en: Wage}
      description: {nb: Lønn lagt sammen over {window}., en: Wages added up over {window}.}
      kind: sum_over
      state: wage
      windows:
        wage_sum_12: {window: [1, 12], text: {nb: månedene 1 til 12, en: months 1 to 12}}
        wage_sum_24: {window: [1, 24], text: {nb: månedene 1 til 24, en: months 1 to 24}}

The names under `windows` are the outcomes' names. What a window says replaces what the entry says, and its `text` takes
the place of `{window}` in label and description.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

WINDOWS = "windows"
TEXT = "text"
PLACEHOLDER = "{window}"


def expanded(entries: Mapping[str, Any], file: str) -> tuple[dict[str, Any], list[str]]:
    """Return the outcomes of a file, those over several windows one by one, and a message for each problem."""
    outcomes: dict[str, Any] = {}
    problems: list[str] = []
    for name, entry in entries.items():
        if not isinstance(entry, dict) or WINDOWS not in entry:
            windowed = {name: entry}
        else:
            windows = entry[WINDOWS]
            if not isinstance(windows, dict) or not windows:
                problems.append(f"{file}: {name}.windows must be a mapping of outcomes' names to their windows.")
                continue
            shared = {key: value for key, value in entry.items() if key != WINDOWS}
            windowed = {str(outcome): _over(shared, window) for outcome, window in windows.items()}
        for outcome, definition in windowed.items():
            if outcome in outcomes:
                problems.append(f"{file}: the outcome '{outcome}' is defined twice. Give one of them another name.")
            if not _is_filled(definition):
                problems.append(
                    f"{file}: label or description of '{outcome}' says {PLACEHOLDER}, and its window has no `text` in that "
                    "language. Give it one: text: {nb: ..., en: ...}."
                )
            outcomes[outcome] = definition
    return outcomes, problems


def _over(shared: Mapping[str, Any], window: Any) -> Any:
    """Return the outcome of one window."""
    if not isinstance(window, dict):
        return window
    text = window.get(TEXT)
    outcome = {**shared, **{key: value for key, value in window.items() if key != TEXT}}
    for key in ("label", "description"):
        if isinstance(text, dict) and key in outcome:
            outcome[key] = _filled(outcome[key], text)
    return outcome


def _filled(written: Any, text: Mapping[Any, Any]) -> Any:
    """Put a window's text in the place of its placeholder: each language its own, text in one language the English one."""
    if isinstance(written, dict):
        return {language: _filled(part, {"en": text.get(language, PLACEHOLDER)}) for language, part in written.items()}
    return written.replace(PLACEHOLDER, str(text.get("en", PLACEHOLDER))) if isinstance(written, str) else written


def _is_filled(outcome: Any) -> bool:
    written = [outcome.get(key) for key in ("label", "description")] if isinstance(outcome, dict) else []
    texts = [text for part in written for text in (part.values() if isinstance(part, dict) else [part])]
    return not any(PLACEHOLDER in text for text in texts if isinstance(text, str))
