"""Definitions without their words, for jobs whose numbers do not depend on words.

A rule's params decide whether it runs again. A job that computes numbers gets its definitions with every label,
description and example blanked, so that mending a text reruns only what shows it.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from refino_eval.config.definitions import Outcome

BLANK = {"nb": "-", "en": "-"}
TEXTS = ("description", "deprecated", "why", "owner")
LABELS = ("label", "title", "unit", "note")
DROPPED = ("examples", "changed", "version", "role", "chapter", "stars")


def bare(model: BaseModel, *, spelled_out: bool = True) -> dict[str, Any]:
    """Return a definition as plain data, its words blanked.

    Parameters
    ----------
    model
        Any configuration model.
    spelled_out
        Keep what was written though it is the default; without it, two definitions that mean the same are the same.

    Returns
    -------
    dict
        What was written in the YAML, still valid for the model, with labels and texts replaced by a dash.
    """
    # Of an outcome, why it was changed and what it is tested with; elsewhere these names mean something else.
    told = {"reason", "family"} if isinstance(model, Outcome) else None
    written = model.model_dump(
        mode="json", by_alias=True, exclude_unset=spelled_out, exclude_defaults=not spelled_out, exclude=told
    )
    data: dict[str, Any] = _blanked(written)
    return data


def _blanked(data: Any) -> Any:
    if isinstance(data, list):
        return [_blanked(each) for each in data]
    if not isinstance(data, dict):
        return data
    out: dict[str, Any] = {}
    for key, value in data.items():
        if key in DROPPED:
            continue
        if key in LABELS and _is_label(value):
            out[key] = dict(BLANK)
        elif key in TEXTS and (isinstance(value, str) or _is_label(value)):
            out[key] = "-" * 10  # a reason for reading a column has at least ten characters
        else:
            out[key] = _blanked(value)
    return out


def _is_label(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"nb", "en"}
