"""`refino-eval exhibits`: every kind of table and figure, its keys with meaning and default, an example, and what it looks like."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from refino_eval.cli.output import check_option, table_lines, width
from refino_eval.config.exhibits import KINDS, model_of
from refino_eval.config.yaml_files import read_yaml, yaml_text
from refino_eval.workflow.shipped_files import shipped_folder

WIDTH = 110
MOST_LINES = 40
"""Lines of a table that are shown."""


def kind_lines() -> Iterator[str]:
    """Yield a line for each kind: what it shows, and whether it is a table or a figure."""
    rows = [(kind, model_of(kind).form, meaning(kind).partition("\n")[0]) for kind in KINDS]
    yield from table_lines(("kind", "form", "what it shows"), rows)
    yield ""
    yield "`refino-eval exhibits KIND` explains one: its keys, an example, and one that was made in this project."


def explain_kind(kind: str, root: Path | None) -> Iterator[str]:
    """Yield the explanation of one kind.

    Parameters
    ----------
    root
        The project, in whose finished runs an exhibit of the kind is looked for; None outside a project.

    Raises
    ------
    UserError
        For a kind that does not exist.
    """
    check_option("exhibits", kind, KINDS)
    yield f"{kind}: a {model_of(kind).form}"
    yield from _wrapped(meaning(kind), "")
    yield ""
    yield "Keys:"
    for key, value, default, description in key_rows(kind):
        yield f"  {key}: {value}; {default if default == 'required' else f'default {default}'}"
        yield from _wrapped(description, "      ")
    example = examples().get(kind)
    if example is not None:
        yield ""
        yield "Example, under `exhibits` of the definitions:"
        name, entry = example
        yield from (f"  {line}" for line in yaml_text({name: entry}).splitlines())
    yield ""
    yield from _made(kind, root)


def meaning(kind: str) -> str:
    """Return what a kind shows, as its model says."""
    return (model_of(kind).__doc__ or "").strip()


def key_rows(kind: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield the keys of a kind: name, what it accepts, its default, and its meaning."""
    schema = model_of(kind).model_json_schema()
    for key, entry in schema["properties"].items():
        if key != "kind":
            default = "required" if key in schema.get("required", ()) else f"`{entry.get('default')}`"
            yield key, _accepted(entry), default, " ".join(entry.get("description", "").split())


@lru_cache(maxsize=1)
def examples() -> dict[str, tuple[str, Any]]:
    """Return the shortest exhibit of each kind among those of the shipped evaluations."""
    shortest: dict[str, tuple[str, Any]] = {}
    for path in sorted((shipped_folder() / "config" / "evaluations").rglob("*.yaml")):
        content = read_yaml(path, path.name)
        exhibits = content if path.stem == "exhibits" else (content.get("definitions") or {}).get("exhibits") or {}
        for name, exhibit in exhibits.items():
            kind = exhibit["kind"]
            if kind not in shortest or len(str(exhibit)) < len(str(shortest[kind][1])):
                shortest[kind] = (name, exhibit)
    return shortest


def _accepted(entry: dict[str, Any]) -> str:
    """Say in a few words what the schema of a key accepts."""
    if "enum" in entry:
        return ", ".join(f"`{value}`" for value in entry["enum"])
    if "const" in entry:
        return f"`{entry['const']}`"
    if "$ref" in entry:
        return str(entry["$ref"].rpartition("/")[2])
    if parts := entry.get("anyOf") or entry.get("oneOf"):
        return " or ".join(dict.fromkeys(_accepted(part) for part in parts if part.get("type") != "null"))
    kind = str(entry.get("type", "anything"))
    if kind == "array":
        return f"list of {_accepted(entry.get('items', {}))}"
    if kind == "object":
        rest = entry.get("additionalProperties")
        return f"mapping to {_accepted(rest)}" if isinstance(rest, dict) else "mapping"
    return {"string": "text", "integer": "whole number", "boolean": "true or false"}.get(kind, kind)


def _made(kind: str, root: Path | None) -> Iterator[str]:
    """Show an exhibit of the kind that a run of this project has made: a table as text, a figure by its file."""
    found = next(_finished(kind, root), None) if root is not None else None
    if found is None:
        yield "None has been made in this project yet; `refino-eval run` makes those that an evaluation names."
        return
    evaluation, name, path = found
    assert root is not None
    yield f"'{name}' of the evaluation {evaluation}, as it was made ({path.relative_to(root).as_posix()}):"
    if path.suffix == ".md":
        lines = path.read_text(encoding="utf-8").splitlines()
        yield from (f"  {line}" for line in lines[:MOST_LINES])
        if len(lines) > MOST_LINES:
            yield f"  ... {len(lines) - MOST_LINES} more lines"


def _finished(kind: str, root: Path) -> Iterator[tuple[str, str, Path]]:
    """Yield evaluation, exhibit and file of the exhibits of a kind that are in the release of a finished run."""
    for config in sorted((root / "results").glob("*/run/run_config.yaml")):
        content = read_yaml(config, config.relative_to(root).as_posix())
        release = config.parents[1] / "release"
        for name, exhibit in (content.get("definitions", {}).get("exhibits") or {}).items():
            if exhibit.get("kind") == kind:
                paths = [
                    release / "tables" / f"{name}.en.md",
                    *(release / "figures" / f"{name}.en.{ending}" for ending in ("png", "svg")),
                ]
                yield from ((config.parents[1].name, name, path) for path in paths if path.is_file())


def _wrapped(text: str, indent: str) -> Iterator[str]:
    for paragraph in text.split("\n\n"):
        yield from textwrap.wrap(
            " ".join(paragraph.split()), min(width() or WIDTH, WIDTH), initial_indent=indent, subsequent_indent=indent
        )
