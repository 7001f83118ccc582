"""Validation of plain data by the models: every problem becomes a paragraph with file, key, value and what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from refino_eval.config.exhibits import MODELS, Exhibit
from refino_eval.errors import UserError, nearest

Model = TypeVar("Model", bound=BaseModel)
Location = tuple[str | int, ...]

UNWRITTEN = ("SpellState", "DerivedState", "GivenState", "one_language", "both_languages")
"""Forms that pydantic names in a location, and that the user did not write."""

MESSAGES = {
    "string_type": "must be text. Put it in quotes",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "tuple_type": "must be a list, for instance [a, b]",
    "list_type": "must be a list, for instance [a, b]",
    "dict_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping of keys to values",
    "model_attributes_type": "must be a mapping of keys to values",
    "none_required": "must be empty",
    "date_type": "must be a date, written as yyyy-mm-dd",
    "date_parsing": "must be a date, written as yyyy-mm-dd",
    "date_from_datetime_parsing": "must be a date, written as yyyy-mm-dd",
    "date_from_datetime_inexact": "must be a date without a time of day, written as yyyy-mm-dd",
    "string_pattern_mismatch": "has the wrong form; it must match the pattern {pattern}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} entries, and has {actual_length}",
    "too_long": "must have at most {max_length} entries, and has {actual_length}",
    "missing_argument": "must have more entries",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
}
"""Sentences for the types of errors that pydantic reports; they follow the key."""

SAME_IN_OTHER_PLACES = {"in": "equals", "equals": "in"}
"""Keys that say the same in different places: a condition has `in`, a covariate and a subgroup `equals`."""

NAME_PATTERN = r"^[a-z][a-z0-9_]{0,39}$"
NAME_RULE = "is not a valid name: lower-case letters without accents, digits and underscores, a letter first, at most 40 characters"


def validate(data: Any, model: type[Model], shown: str | Callable[[Location], str]) -> Model:
    """Turn plain data into a model.

    Parameters
    ----------
    data
        What was read from YAML.
    model
        The model that it must fit.
    shown
        The file that problems are reported in; or, for data from several files, a function of a key's location.

    Raises
    ------
    UserError
        With a paragraph for each problem.
    """
    file_of = shown if callable(shown) else lambda _: str(shown)
    if not isinstance(data, dict):
        raise UserError(f"{file_of(())}: the file must hold a mapping of keys to values.")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        paragraphs = (_paragraph(problem, model, file_of(problem["loc"])) for problem in error.errors())
        raise UserError(*dict.fromkeys(paragraphs)) from None


def _paragraph(problem: Any, model: type[BaseModel], shown: str) -> str:
    location = [str(part) for part in problem["loc"] if part not in (*UNWRITTEN, "[key]")]
    key = ".".join(location) or "(top level)"
    if problem["type"] == "extra_forbidden":
        valid = _keys_at(model, problem["loc"][:-1])
        meant = SAME_IN_OTHER_PLACES.get(str(problem["loc"][-1]))
        hint = f" Did you mean '{meant}'?" if meant in valid else nearest(str(problem["loc"][-1]), valid)
        return f"{shown}: the key '{key}' is not known.{hint}"
    if problem["type"] == "missing":
        return f"{shown}: the key '{key}' is missing. Add it."
    return f"{shown}: {key}: {_message(problem['type'], problem.get('ctx') or {}, problem.get('input'), str(problem['msg']))}"


def _message(kind: str, context: dict[str, Any], given: Any, said: str) -> str:
    """Return a sentence for a type of error that pydantic reports; an error of our own says it itself."""
    if kind == "union_tag_not_found":
        return f"the key {context['discriminator']} is missing. Add it."
    if kind == "union_tag_invalid":
        valid = [tag.strip().strip("'") for tag in context["expected_tags"].split(",")]
        named = context["discriminator"].strip("'")
        return f"there is no {named} '{context['tag']}'.{nearest(str(context['tag']), valid)}"
    value = f" (given: {given!r})" if isinstance(given, str | int | float | bool) else ""
    if kind == "literal_error":
        return f"must be one of {context['expected']}{value}."
    if kind == "string_pattern_mismatch" and context.get("pattern") == NAME_PATTERN:
        return f"{given!r} {NAME_RULE}."
    text = MESSAGES[kind].format(**context) if kind in MESSAGES else said.removeprefix("Value error, ")
    return f"{text}{value}."


def _keys_at(model: type[BaseModel], location: Location) -> list[str]:
    """Return the keys that are valid at a location inside a model, as the user writes them."""
    candidates = [model]
    for part in location:
        inner = [found for candidate in candidates for found in _inside(candidate, str(part))]
        candidates = inner or candidates
    return sorted({field.alias or name for candidate in candidates for name, field in candidate.model_fields.items()})


def _inside(model: type[BaseModel], part: str) -> list[type[BaseModel]]:
    """Return the models that a key leads to; a form of a union, which pydantic names by class or tag, is the model itself."""
    fields = {(field.alias or name): field.annotation for name, field in model.model_fields.items()}
    if part in fields:
        return _models_in(fields[part])
    return [model] if part in (model.__name__, _tag(model)) else []


def _tag(model: type[BaseModel]) -> str:
    """Return the discriminator's value that stands for a model of a union, when there is one."""
    for name in ("kind", "rule"):
        field = model.model_fields.get(name)
        values = get_args(field.annotation) if field is not None else ()
        if len(values) == 1:
            return str(values[0])
    return ""


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if annotation == Exhibit:
        return list(MODELS.values())
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_in(part)]
