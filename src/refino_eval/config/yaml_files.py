"""Reading YAML files strictly: no key twice, no file that is too large, nested too deeply or full of aliases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from refino_eval.errors import UserError

MAX_BYTES = 2_000_000
"""A configuration file beyond this is a mistake, or an attack on the parser."""

MAX_ALIASES = 100


class _StrictLoader(yaml.SafeLoader):
    """Safe YAML that refuses a key given twice and a file that multiplies itself through aliases."""

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self._aliases = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            self._aliases += 1
            if self._aliases > MAX_ALIASES:
                raise yaml.YAMLError("too many aliases")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            key = str(getattr(key_node, "value", key_node))
            if key in seen and key != "<<":
                raise yaml.YAMLError(f"the key '{key}' is given twice (line {key_node.start_mark.line + 1})")
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


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
    try:
        return yaml.load(text, Loader=_StrictLoader)  # a subclass of SafeLoader
    except RecursionError:
        raise UserError(f"{shown}: the file is nested too deeply to be a configuration file.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = " ".join(str(getattr(error, "problem", None) or error).split())
        raise UserError(f"{shown}: not valid YAML{where}: {problem}.") from None
    except ValueError as error:
        # A value that looks like a date or a number and is none, for instance 2020-13-01.
        raise UserError(f"{shown}: a value is not valid: {error}. Correct it, or put text in quotes.") from None
