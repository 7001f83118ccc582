"""Definitions without their text, for jobs whose numbers do not depend on text.

A rule's params decide whether it runs again. A job that computes numbers is given its definitions without labels,
descriptions and examples (`without_text`) and reads them back with `Model.from_params`, so that correcting a text
reruns only the jobs that show it.
"""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from refino_eval.config.base import descriptive_fields


def without_text(model: BaseModel, *, with_defaults: bool = True) -> dict[str, Any]:
    """Return a definition as plain data, without its descriptive fields.

    Parameters
    ----------
    model
        Any configuration model.
    with_defaults
        Keep values that were written although they are the default; without them, two definitions with the same
        meaning are equal.

    Returns
    -------
    dict
        What was written in the YAML, by the keys of the YAML.
    """
    # Only what was written is kept, so that a new key with a default reruns nothing.
    data: dict[str, Any] = {}
    hidden = descriptive_fields(type(model))
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        is_default = not field.is_required() and value == field.get_default(call_default_factory=True)
        if name in model.model_fields_set and name not in hidden and (with_defaults or not is_default):
            data[field.alias or name] = _plain(value, with_defaults)
    return data


def _plain(value: Any, with_defaults: bool) -> Any:
    if isinstance(value, BaseModel):
        return without_text(value, with_defaults=with_defaults)
    if isinstance(value, dict):
        return {key: _plain(entry, with_defaults) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry, with_defaults) for entry in value]
    return to_jsonable_python(value)


def descriptive_names(model: type[BaseModel]) -> frozenset[str]:
    """Return the names of the descriptive fields of a model and of every model inside it."""
    names: set[str] = set()
    waiting, seen = [model], {model}
    while waiting:
        current = waiting.pop()
        names |= descriptive_fields(current)
        for field in current.model_fields.values():
            inner = _models_in(field.annotation) - seen
            seen |= inner
            waiting += inner
    return frozenset(names)


def _models_in(annotation: Any) -> set[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {annotation}
    return {model for part in get_args(annotation) for model in _models_in(part)}
