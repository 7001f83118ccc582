"""Builders of small definitions: a test says what it is about, the rest is filled in."""

from collections.abc import Mapping
from typing import Any

from refino_eval.config.sources import Source

LABEL = {"nb": "x", "en": "x"}


def label(nb: str, en: str) -> dict[str, str]:
    """Return a text in both languages, as it is written in YAML."""
    return {"nb": nb, "en": en}


def column(spec: str | tuple[str, str] | Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a column from its type alone, from (name in the file, type), or from the keys of its definition."""
    if isinstance(spec, str):
        spec = {"type": spec}
    elif isinstance(spec, tuple):
        spec = {"from": spec[0], "type": spec[1]}
    return {"from": name, "why": "needed for this test", **spec}


def source(
    register: str, temporality: str, columns: Mapping[str, str | tuple[str, str] | Mapping[str, Any]], **more: Any
) -> Source:
    """Return a source; `coverage` may be a pair of days, and any other key of a source may be given.

    The id of the person is added where no column gives it.
    """
    if isinstance(coverage := more.get("coverage"), tuple):
        more["coverage"] = {"first": coverage[0], "last": coverage[1]}
    keys = {
        "register": register,
        "label": LABEL,
        "owner": "x",
        "temporality": temporality,
        "files": ["x"],
        "columns": {name: column(spec, name) for name, spec in {"person_id": "id", **columns}.items()},
    }
    return Source.model_validate(keys | more)
