"""Validation of plain data by the models: every problem becomes a paragraph with file, key, value and what to do."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, get_args, get_origin

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

FORMS = (
    "string_type", "int_type", "float_type", "bool_type", "tuple_type", "list_type", "dict_type", "model_type", "model_attributes_type",
    "none_required",
)  # fmt: skip
"""Errors of a value that has the form of something else; a value of several forms has one of each form."""

OTHER_WORDS = {
    **dict.fromkeys(
        ("cluster", "clusters"),
        "Clusters are of the evaluation (`cluster` under person_table, panel or population); a specification has a covariance (`vcov`).",
    ),
    **dict.fromkeys(
        ("fe", "fixed_effects"),
        "Fixed effects are those of the strata (`strata: true`), or of the columns under `absorb`.",
    ),
    **dict.fromkeys(("robust", "vce", "se", "std_errors"), "The covariance is `vcov`, for instance HC1."),
    **dict.fromkeys(("if", "subset"), "People are chosen by a sample of the evaluation (`sample`)."),
}
"""Keys that other programs have -> what takes their place."""

OTHER_COVARIANCES = {
    **dict.fromkeys(("robust", "hetero", "vce(robust)", "hc"), "HC1"),
    **dict.fromkeys(("ols", "classical", "unadjusted", "nonrobust", "homoskedastic"), "iid"),
    **dict.fromkeys(("cluster", "clustered", "crv", "cr1"), "CRV1"),
}
"""Names of covariances in other programs -> ours."""

PERCENTAGES = tuple(map(str, range(2, 100)))
LETTERS = str.maketrans({"æ": "ae", "ø": "o", "å": "a", "ß": "ss", "đ": "d", "ð": "d", "þ": "th"})

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
        problems = [_placed(found, data) for found in error.errors()]
        raise UserError(*dict.fromkeys(_paragraphs(problems, model, file_of))) from None


@dataclass(frozen=True)
class _Problem:
    """What pydantic reports of one value, and its place as the user wrote it.

    ``forms`` are the parts of pydantic's location that name a form which was tried, such as the kind of an exhibit, by number.
    """

    place: Location
    forms: frozenset[int]
    found: Any

    @property
    def kind(self) -> str:
        """The type of the error."""
        return str(self.found["type"])

    @property
    def key(self) -> str:
        """The place, for a message."""
        return ".".join(map(str, self.place)) or "(top level)"


def _placed(found: Any, data: Any) -> _Problem:
    """Divide a location into keys that the user wrote and forms that pydantic names in it, such as the kind of an exhibit."""
    place: list[str | int] = []
    forms: set[int] = set()
    here, last, entered = data, len(found["loc"]) - 1, True
    for k, part in enumerate(found["loc"]):
        # The kind of an entry comes once after its key, and may be the name of one of its own keys (kind: column, column: age).
        is_kind = isinstance(here, dict) and entered and k < last and part in (here.get("kind"), here.get("rule"))
        is_key = isinstance(here, dict) and not is_kind and (part in here or (k == last and found["type"] == "missing"))
        is_item = isinstance(here, list | tuple) and isinstance(part, int) and part < len(here)
        # Where a model has changed what the user wrote, its own words are shown, but for names of forms.
        is_changed = here is None and part not in UNWRITTEN and "[" not in str(part)
        if is_key or is_item or is_changed:
            place.append(part)
        else:
            forms.add(k)
        if is_key or is_item:
            here, entered = (here[part], True) if k < last else (here, False)
        elif is_kind:
            entered = False
        elif isinstance(part, int):
            here = None
    return _Problem(tuple(place), frozenset(forms), found)


def _paragraphs(
    problems: Sequence[_Problem], model: type[BaseModel], file_of: Callable[[Location], str]
) -> Iterator[str]:
    """Return a paragraph for each problem; forms of one value that were tried in vain are one problem."""
    by_place: dict[Location, list[_Problem]] = {}
    for problem in problems:
        by_place.setdefault(problem.place, []).append(problem)
    missing = {place: problem for place, (problem, *_) in by_place.items() if problem.kind == "missing"}
    replaced = _replaced(by_place, missing)
    for place, same in by_place.items():
        inside = any(len(other) > len(place) and other[: len(place)] == place for other in by_place)
        if place in replaced.values() or (inside and all(problem.kind in (*FORMS, "too_short") for problem in same)):
            continue
        where = file_of(place)
        if place in replaced:
            meant = replaced[place][-1]
            yield f"{where}: the key '{same[0].key}' is not known, and '{meant}' is missing in its place. Write `{meant}`."
            continue
        of_form = [problem for problem in same if problem.kind in FORMS]
        others = [problem for problem in same if problem.kind not in FORMS]
        if others or len(of_form) == 1:
            yield from (_paragraph(problem, model, where) for problem in others or of_form)
        else:
            wanted = dict.fromkeys(
                re.split(r"[.,] ", _form(problem).removeprefix("must be "))[0] for problem in of_form
            )
            yield f"{where}: {same[0].key}: must be {' or '.join(wanted)}{_given(same[0].found.get('input'))}."


def _replaced(
    by_place: Mapping[Location, Sequence[_Problem]], missing: Mapping[Location, object]
) -> dict[Location, Location]:
    """Return unknown keys for which the only missing key beside them is probably meant: unknown place -> missing place."""
    unknown: dict[Location, list[Location]] = {}
    for place, (problem, *_) in by_place.items():
        if problem.kind == "extra_forbidden":
            unknown.setdefault(place[:-1], []).append(place)
    lacking: dict[Location, list[Location]] = {}
    for place in missing:
        lacking.setdefault(place[:-1], []).append(place)
    return {
        places[0]: lacking[parent][0]
        for parent, places in unknown.items()
        if len(places) == len(lacking.get(parent, ())) == 1
    }


def _paragraph(problem: _Problem, model: type[BaseModel], shown: str) -> str:
    key, name = problem.key, str(problem.place[-1]) if problem.place else ""
    if problem.kind == "extra_forbidden":
        valid = _keys_at(model, problem)
        meant = SAME_IN_OTHER_PLACES.get(name)
        hint = f" Did you mean '{meant}'?" if meant in valid else nearest(name, valid)
        if name in OTHER_WORDS and "Did you mean" not in hint:
            hint = f" {OTHER_WORDS[name]}"
        return f"{shown}: the key '{key}' is not known.{hint}"
    if problem.kind == "missing":
        return f"{shown}: the key '{key}' is missing. Add it."
    if problem.kind in FORMS:
        example = _example(problem, model)
        return f"{shown}: {key}: {_form(problem)}{_given(problem.found.get('input'))}.{example}"
    return f"{shown}: {key}: {_message(problem)}"


def _form(problem: _Problem) -> str:
    """Return what a value must be, where it has the form of something else."""
    given = problem.found.get("input")
    if problem.kind == "string_type" and isinstance(given, dict | list | tuple):
        return "must be text"
    if problem.kind == "literal_error":
        return f"must be one of {problem.found['ctx']['expected']}"
    return MESSAGES[problem.kind]


def _given(value: Any) -> str:
    if isinstance(value, str | int | float | bool):
        return f" (given: {value!r})"
    return " (given: a list)" if isinstance(value, list | tuple) else ""


def _example(problem: _Problem, model: type[BaseModel]) -> str:
    """Return what to write for a value that lacks its brackets or braces, where that is plain."""
    given, kind = problem.found.get("input"), problem.kind
    if kind in ("list_type", "tuple_type") and isinstance(given, str | int | float):
        fields = [list(_required(one)) for one in _models_at(model, problem)]
        if fields:
            single = next((names[0] for names in fields if len(names) == 1), None)
            return f" Write [{{{single}: {given}}}]." if single else ""
        return f" Write [{given}]." if str(given).isidentifier() else ""
    if kind == "dict_type" and isinstance(given, list) and given and all(isinstance(part, str) for part in given):
        return f" Write {{{', '.join(f'{part}: {part}' for part in given[:2])}{', ...' if len(given) > 2 else ''}}}."
    if kind in ("model_type", "model_attributes_type") and isinstance(given, str):
        named = (problem.found.get("ctx") or {}).get("class_name")
        fields = [list(_required(one)) for one in _models_at(model, problem) if one.__name__ == named]
        if fields and 1 <= len(fields[0]) <= 2:
            return f" Write {{{', '.join(f'{name}: {given}' for name in fields[0])}}}."
    return ""


def _required(model: type[BaseModel]) -> Iterator[str]:
    return (field.alias or name for name, field in model.model_fields.items() if field.is_required())


def _message(problem: _Problem) -> str:
    """Return a sentence for a type of error that pydantic reports; an error of our own says it itself."""
    kind, context, given = problem.kind, problem.found.get("ctx") or {}, problem.found.get("input")
    if kind == "union_tag_not_found":
        return f"the key {context['discriminator']} is missing. Add it."
    if kind == "union_tag_invalid":
        valid = [tag.strip().strip("'") for tag in context["expected_tags"].split(",")]
        named = context["discriminator"].strip("'")
        return f"there is no {named} '{context['tag']}'.{nearest(str(context['tag']), valid)}"
    if kind == "literal_error":
        return f"must be one of {context['expected']}{_given(given)}.{_meant(str(given), str(context['expected']))}"
    if kind == "string_pattern_mismatch" and context.get("pattern") == NAME_PATTERN:
        plain = _plain_name(str(given))
        return f"{given!r} {NAME_RULE}." + (f" Write '{plain}'." if plain else "")
    said = str(problem.found["msg"]).removeprefix("Value error, ")
    text = MESSAGES[kind].format(**context) if kind in MESSAGES else said
    share = kind in ("less_than", "less_than_equal") and str(given) in PERCENTAGES and context.get("lt") == 1
    shown = _given(given) if not isinstance(given, list | tuple) else ""
    return f"{text}{shown}." + (f" Shares are written from 0 to 1: {int(given) / 100:g}." if share else "")


def _meant(given: str, expected: str) -> str:
    """Return a hint for a word of another program, or of other case."""
    valid = re.findall(r"'([^']+)'", expected)
    by_case = {name.lower(): name for name in valid}
    meant = by_case.get(given.lower()) or OTHER_COVARIANCES.get(given.lower())
    if meant in valid:
        return f" Did you mean '{meant}'?"
    hint = nearest(given, valid)
    return hint if "Did you mean" in hint else ""


def _plain_name(given: str) -> str:
    """Return a valid name that is like the one given, or nothing if none is."""
    plain = given.lower().translate(LETTERS)
    plain = re.sub(r"[^a-z0-9]+", "_", unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()).strip(
        "_"
    )
    return plain if re.fullmatch(NAME_PATTERN, plain) else ""


def _keys_at(model: type[BaseModel], problem: _Problem) -> list[str]:
    """Return the keys that are valid beside an unknown one, as the user writes them."""
    candidates = _models_at(model, problem, end=-1) or [model]
    return sorted({field.alias or name for candidate in candidates for name, field in candidate.model_fields.items()})


def _models_at(model: type[BaseModel], problem: _Problem, end: int | None = None) -> list[type[BaseModel]]:
    """Return the models that the value of a problem, or its entries, can be; none for other values."""
    candidates, is_entry = [model], False
    for k, part in enumerate(problem.found["loc"][:end]):
        if k in problem.forms:
            candidates = [one for one in candidates if str(part) in (one.__name__, _tag(one))] or candidates
        elif is_entry or isinstance(part, int):
            is_entry = False  # the name of an entry, which may be that of a field
        else:
            annotations = [_fields(one)[part] for one in candidates if part in _fields(one)]
            if annotations:
                candidates = [inner for annotation in annotations for inner in _models_in(annotation)]
            is_entry = any(map(_is_mapping, annotations))
    return candidates


def _is_mapping(annotation: Any) -> bool:
    return get_origin(annotation) is dict or (
        get_origin(annotation) is not tuple and any(map(_is_mapping, get_args(annotation)))
    )


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    """Return the annotations of a model's fields, by the keys that the user writes."""
    return {(field.alias or name): field.annotation for name, field in model.model_fields.items()}


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
