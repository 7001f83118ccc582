"""Read YAML 1.2 strictly (no key twice, no file that is too large, nested too deeply or full of aliases), and write it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from refino_eval.errors import UserError

MAX_BYTES = 2_000_000
"""A configuration file beyond this is a mistake, or an attack on the parser."""

MAX_ALIASES = 100


class _StrictConstructor:
    """What both loaders add to safe YAML: a key given twice is an error."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            key = str(getattr(key_node, "value", key_node))
            if key in seen and key != "<<":
                raise yaml.YAMLError(f"the key '{key}' is given twice (line {key_node.start_mark.line + 1})")
            seen.add(key)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep=deep)  # type: ignore[misc]
        return mapping


def _day(loader: Any, node: Any) -> Any:
    """Read a day; one that the calendar does not have stays text, which the models report with its key."""
    try:
        return loader.construct_yaml_timestamp(node)
    except ValueError:
        return loader.construct_scalar(node)


class _StrictLoader(_StrictConstructor, yaml.SafeLoader):
    """Strict YAML that also refuses a file that multiplies itself through aliases."""

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self._aliases = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            self._aliases += 1
            if self._aliases > MAX_ALIASES:
                raise yaml.YAMLError("too many aliases")
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if tag := getattr(event, "tag", None):
            # Numbers with a tag are read by the rules of YAML 1.1, and other tags give values that no key takes.
            raise yaml.YAMLError(
                f"the tag {tag.replace('tag:yaml.org,2002:', '!!')} in line {event.start_mark.line + 1} is not read; write the value "
                "without a tag, and text in quotation marks"
            )
        return super().compose_node(parent, index)


# YAML 1.1 reads 0331 as the octal number 217, NO and off as false and 12:30 as 750. Codes, names and labels are written
# like that, so only what YAML 1.2 and a reader agree on is a number or true or false: everything else is text.
_StrictLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.rsplit(":", 1)[1] not in ("bool", "int", "float")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_PLAIN = {
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    "float": (
        r"[-+]?(?:0|[1-9][0-9]*)?\.[0-9]+(?:[eE][-+]?[0-9]+)?|[-+]?(?:0|[1-9][0-9]*)(?:\.(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+.0123456789",
    ),
}
for _kind, (_form, _first) in _PLAIN.items():
    _StrictLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(f"^(?:{_form})$"), list(_first))
_StrictLoader.add_constructor("tag:yaml.org,2002:timestamp", _day)

_FastLoader: Any = None
"""The same rules over libyaml, five times as fast; None where PyYAML was built without it."""
if yaml.__with_libyaml__:

    class _LibyamlLoader(_StrictConstructor, yaml.CSafeLoader):
        yaml_implicit_resolvers = _StrictLoader.yaml_implicit_resolvers

    _LibyamlLoader.add_constructor("tag:yaml.org,2002:timestamp", _day)
    _FastLoader = _LibyamlLoader


MAX_DEPTH = 100


def _is_simple(text: str) -> bool:
    """Return whether libyaml can compose the text: it cannot bound aliases, overflows its stack in deep nesting, and obeys tags."""
    depth = aliases = 0
    for event in yaml.parse(text, Loader=_FastLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        aliases += isinstance(event, yaml.AliasEvent)
        if depth > MAX_DEPTH or aliases > MAX_ALIASES or getattr(event, "tag", None):
            return False
    return True


class _Dumper(yaml.CSafeDumper if yaml.__with_libyaml__ else yaml.SafeDumper):  # type: ignore[misc]
    """Put text in quotation marks wherever YAML 1.1 or this reader would take it for something else."""


_Dumper.yaml_implicit_resolvers = {
    first: [
        *yaml.SafeDumper.yaml_implicit_resolvers.get(first, []),
        *_StrictLoader.yaml_implicit_resolvers.get(first, []),
    ]
    for first in {*yaml.SafeDumper.yaml_implicit_resolvers, *_StrictLoader.yaml_implicit_resolvers}
}


def read_yaml(path: Path, shown: str) -> Any:
    """Read one YAML file; a missing or invalid one is reported under the name `shown`."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UserError(
                f"{shown}: the file is larger than {MAX_BYTES // 1_000_000} MB. Configuration files are small."
            )
        return parse_yaml(path.read_text(encoding="utf-8"), shown)
    except FileNotFoundError:
        raise UserError(f"{shown}: file not found. Create it or correct the reference.") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{shown}: the file is not UTF-8 text (byte {error.start}). Save it as UTF-8.") from None
    except OSError as error:
        raise UserError(f"{shown}: the file cannot be read ({error.strerror}).") from None


def parse_yaml(text: str, shown: str) -> Any:
    """Parse YAML text by the same strict rules."""
    # A text that libyaml refuses is read again in Python, whose messages say more.
    if _FastLoader is not None:
        with contextlib.suppress(yaml.YAMLError, ValueError):
            if _is_simple(text):
                return yaml.load(text, Loader=_FastLoader)
    return _read(text, shown, lambda text: yaml.load(text, Loader=_StrictLoader))  # a subclass of SafeLoader


def yaml_nodes(text: str, shown: str) -> Any:
    """Return the nodes of YAML text, which state the lines that keys and values are on."""
    return _read(text, shown, lambda text: yaml.compose(text, Loader=_StrictLoader))


def yaml_text(data: Mapping[str, Any]) -> str:
    """Write data as YAML text that this reader, and readers of YAML 1.1, read as the same data."""
    return yaml.dump(dict(data), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def _yaml_hint(problem: str) -> str:
    """Return what is mostly the reason for a problem of the parser."""
    if "'\\t'" in problem:
        return " YAML is indented by spaces: replace the tabulator."
    if (
        "block end" in problem
        or "mapping values are not allowed" in problem
        or "could not find expected ':'" in problem
    ):
        return " Look at the indentation here and in the line above: keys of one level begin in the same column, with a blank after the colon."
    return ""


def _read(text: str, shown: str, parse: Callable[[str], Any]) -> Any:
    try:
        return parse(text)
    except RecursionError:
        raise UserError(f"{shown}: the file is nested too deeply to be a configuration file.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = " ".join(str(getattr(error, "problem", None) or error).split())
        raise UserError(f"{shown}: not valid YAML{where}: {problem}.{_yaml_hint(problem)}") from None
    except ValueError as error:
        # A value that looks like a date or a number and is none, for instance 2020-13-01.
        raise UserError(f"{shown}: a value is not valid: {error}. Correct it, or put text in quotes.") from None
