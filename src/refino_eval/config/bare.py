"""Definitions without their words, for jobs whose numbers do not depend on words.

A rule's params decide whether it runs again. A job that computes numbers gets its definitions with every label,
description and example blanked, so that mending a text reruns only what shows it.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

BLANK = {"nb": "-", "en": "-"}
TEXTS = ("description", "deprecated", "why", "owner")
LABELS = ("label", "title", "unit", "note")
DROPPED = ("examples", "changed", "version", "role")


def bare(model: BaseModel) -> dict[str, Any]:
    """Return a definition as plain data, its words blanked.

    Parameters
    ----------
    model
        Any configuration model.

    Returns
    -------
    dict
        What was written in the YAML, still valid for the model, with labels and texts replaced by a dash.
    """
    data: dict[str, Any] = _blanked(model.model_dump(mode="json", by_alias=True, exclude_unset=True))
    return data


def _blanked(data: Any) -> Any:
    if isinstance(data, list):
        return [_blanked(each) for each in data]
    if not isinstance(data, dict):
        return data
    out = {}
    for key, value in data.items():
        if key in DROPPED:
            continue
        if key in LABELS and isinstance(value, dict) and set(value) == {"nb", "en"}:
            out[key] = dict(BLANK)
        elif key in TEXTS and isinstance(value, str):
            out[key] = "-" * 10  # a reason for reading a column has at least ten characters
        else:
            out[key] = _blanked(value)
    return out
