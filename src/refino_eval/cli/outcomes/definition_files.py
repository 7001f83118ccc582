"""The text of definition files: locating an entry, adding a copy, and comparing with a git revision.

Files are edited as text, not parsed and written back: comments, quotes and line ends stay as the analyst left them.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yaml import MappingNode

from refino_eval.config.definitions import Definitions, Outcome
from refino_eval.config.entry_files import SHARED, STUDIES, EntryFile, entry_files, joined, listed_files
from refino_eval.config.load import Configuration
from refino_eval.config.model_errors import validate
from refino_eval.config.windows import WINDOWS, expanded
from refino_eval.config.without_text import descriptive_names
from refino_eval.config.yaml_files import parse_yaml, yaml_nodes, yaml_text
from refino_eval.errors import UserError, nearest
from refino_eval.exhibits.tidy import write_bytes

REMINDER = (
    "label and description: its name in both languages, and its meaning",
    "kind, state and window: what it reads, and in which periods",
    "unit, and role (a copy of a primary outcome is not in the plan: exploratory)",
    "examples: spells in, expected value out; at least one counted, one zero, one at the boundary, one missing",
    "version, changed and reason, where the copy has them: they are the history of the original",
)
_NAME = re.compile(r"^[a-z][a-z0-9_]{0,39}$")


@dataclass(frozen=True)
class Location:
    """The file of an entry, relative to the project's root, the keys that lead to it, and its lines (first, last; 1-based)."""

    file: str
    path: tuple[str, ...]
    first: int
    last: int
    column: int
    key_end: int


@dataclass(frozen=True)
class Change:
    """One difference between two states of the definitions.

    Attributes
    ----------
    kind, name
        The definition.
    what
        ``added``, ``removed`` or ``changed``.
    fields
        For a change: field, value before, value now (None: absent).
    """

    kind: str
    name: str
    what: str
    fields: tuple[tuple[str, Any, Any], ...] = ()

    @property
    def of_numbers(self) -> bool:
        """Whether more than text changed, so that numbers may change."""
        return self.what != "changed" or any(not _is_text(path) for path, _, _ in self.fields)


def locate(configuration: Configuration, kind: str, name: str) -> Location | None:
    """Return the location of a definition, by itself or as one of several windows; None if it has none."""
    files, _ = entry_files(listed_files(configuration.root), configuration.evaluation.name)
    for file in files:
        if file.kind == kind and not file.is_examples:
            text = (configuration.root / file.path).read_text(encoding="utf-8")
            node = _inside(yaml_nodes(text, file.path), file.keys)
            for keys in ((name,), *((base, WINDOWS, name) for base in _keys(node))):
                if _inside(node, keys) is not None:
                    return _find(text, (*file.keys, *keys), file.path)
    return None


def _keys(node: Any) -> list[str]:
    return [key.value for key, _ in node.value] if isinstance(node, MappingNode) else []


def _inside(node: Any, keys: tuple[str, ...]) -> Any:
    """Return the node that keys lead to, or None."""
    for step in keys:
        pairs = node.value if isinstance(node, MappingNode) else ()
        node = next((value for key, value in pairs if key.value == step), None)
    return node


def _find(text: str, path: tuple[str, ...], file: str) -> Location | None:
    """Return the location of a key in YAML text, by its path."""
    node = _inside(yaml_nodes(text, file), path[:-1])
    pairs = node.value if isinstance(node, MappingNode) else ()
    pair = next(((key, value) for key, value in pairs if key.value == path[-1]), None)
    if pair is None:
        return None
    key, value = pair
    lines = text.splitlines()
    last = min(value.end_mark.line + 1, len(lines))
    # A block ends where the next entry begins, but comments before that entry belong to it.
    while last > key.start_mark.line + 1 and _is_outside(lines[last - 1], key.start_mark.column):
        last -= 1
    return Location(file, path, key.start_mark.line + 1, last, key.start_mark.column, key.end_mark.column)


def _is_outside(line: str, column: int) -> bool:
    text = line.strip()
    return not text or text.startswith("#") or len(line) - len(line.lstrip()) <= column


def add_copy(configuration: Configuration, name: str, like: str) -> Location:
    """Append a copy of an outcome under a new name to the outcomes.

    Parameters
    ----------
    configuration
        The project; the outcome copied may be a shared one or the evaluation's own.
    name
        The new outcome.
    like
        The outcome that is copied.

    Returns
    -------
    Location
        The copy's: in the file of the one copied, unless that is an evaluation's only file. Worked examples that
        are in a file next to it are copied there.

    Raises
    ------
    UserError
        For a name that is taken or invalid, or an outcome that does not exist. Nothing is written then.
    """
    outcomes = configuration.definitions.outcomes
    if not _NAME.match(name):
        raise UserError(
            f"'{name[:80]}' is not a valid name. Use lower-case letters without accents, digits and underscores, beginning with a "
            "letter, at most 40 characters."
        )
    if name in outcomes:
        raise UserError(f"The outcome '{name}' exists already. Choose another name.")
    source = locate(configuration, "outcomes", like)
    if source is None:
        raise UserError(f"No outcome '{like[:80]}' to copy.{nearest(like[:80], outcomes)}")
    root = configuration.root
    file = f"{SHARED}/outcomes.yaml" if source.path[0] == "definitions" else source.file
    examples = EntryFile(source.file, "outcomes").examples_path
    header = [f"# A copy of {like}: change the definition, its role and its examples, then delete this line."]
    entry, has_examples = _copied(configuration, source, name, like)
    written = [_appended(root, file, [*header, *entry])]
    text = (root / examples).read_text(encoding="utf-8") if has_examples else ""
    if has_examples and (location := _find(text, (like,), examples)) is not None:
        header = [f"# A copy of the examples of {like}: change them, then delete this line."]
        written.append(_appended(root, examples, [*header, *_renamed(text, location, name)]))
    location = _checked(written[0][1].decode("utf-8"), written[0][2].decode("utf-8"), name, file)
    for path, after, _ in written:
        write_bytes(path, after)
    return location


def _copied(configuration: Configuration, source: Location, name: str, like: str) -> tuple[list[str], bool]:
    """Return the lines of a copy, and whether its worked examples are in a file of their own."""
    examples = configuration.root / EntryFile(source.file, "outcomes").examples_path
    text = (configuration.root / source.file).read_text(encoding="utf-8")
    if WINDOWS not in source.path:
        return _renamed(text, source, name), examples.is_file()
    # One of several windows has no text of its own: it is written out.
    entries, _ = expanded({source.path[-3]: _parsed(text, source.file)[source.path[-3]]}, source.file)
    written = yaml_text({name: entries[like]})
    return written.splitlines(), examples.is_file()


def _renamed(text: str, source: Location, name: str) -> list[str]:
    """Return an entry's lines under another name, moved to the left margin."""
    copied = text.splitlines()[source.first - 1 : source.last]
    lines = [line[source.column :] if line[: source.column].isspace() or not line else line for line in copied]
    return [name + lines[0][source.key_end - source.column :], *lines[1:]]


def _appended(root: Path, file: str, lines: list[str]) -> tuple[Path, bytes, bytes]:
    """Return a file, its bytes with lines added after an empty one, and its bytes before."""
    path = root / file
    before = path.read_bytes() if path.is_file() else b""
    newline = "\r\n" if b"\r\n" in before else "\n"
    ends = b"" if not before or before.endswith(b"\n") else newline.encode()
    return path, before + ends + (newline.join(["", *lines]) + newline).encode(), before


def _checked(text: str, before: str, name: str, file: str) -> Location:
    """Return the location of the new outcome, having checked that it is valid and that no other entry changed."""
    read = parse_yaml(text, file)
    if {key: entry for key, entry in read.items() if key != name} != (parse_yaml(before, file) or {}):
        raise ValueError(f"adding {name} to {file} would change other entries")
    validate(read[name], Outcome, f"{file}: {name}")
    location = _find(text, (name,), file)
    assert location is not None
    return location


def history_of(root: Path, location: Location) -> list[str] | None:
    """Return the commits that changed an entry, newest first; None without a git repository."""
    committed = _git(root, "show", f"HEAD:./{location.file}")
    if committed is None:
        return None
    then = _find(committed, location.path, location.file)
    if then is None:
        return ["not committed yet"]
    span = f"{then.first},{then.last}:{location.file}"
    log = _git(root, "log", "-s", "--date=short", "--format=%h  %ad  %s", "-L", span)
    return None if log is None else [line for line in log.splitlines() if line.strip()]


def changes_since(configuration: Configuration, revision: str) -> list[Change]:
    """Compare every definition of a revision with the present ones.

    Parameters
    ----------
    configuration
        The project as it is now; the evaluation's own definitions are compared with the shared ones.
    revision
        Anything that git accepts as a commit.

    Raises
    ------
    UserError
        When there is no repository or no such revision.
    """
    root = configuration.root
    if _git(root, "rev-parse", "--git-dir") is None:
        raise UserError(
            "The project's folder is not in a git repository, or git is not installed, so there are no earlier definitions to "
            "compare with."
        )
    if revision.startswith("-") or _git(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}") is None:
        raise UserError(
            f"git has no revision '{revision[:80]}'. Name a commit, a tag or a branch, for instance HEAD or HEAD~1."
        )
    then = _entries(configuration, _git_files(root, revision), lambda file: _git(root, "show", f"{revision}:./{file}"))
    now = _entries(configuration, listed_files(root), lambda file: (root / file).read_text(encoding="utf-8"))
    changes: list[Change] = []
    for kind in Definitions.model_fields:
        before, after = then[kind], now[kind]
        for name in dict.fromkeys([*before, *after]):
            if name not in before:
                changes.append(Change(kind, name, "added"))
            elif name not in after:
                changes.append(Change(kind, name, "removed"))
            elif before[name] != after[name]:
                changes.append(Change(kind, name, "changed", tuple(_differences(before[name], after[name]))))
    return changes


def _git_files(root: Path, revision: str) -> list[str]:
    return (_git(root, "ls-tree", "-r", "-z", "--name-only", revision, SHARED, STUDIES) or "").split("\0")


def _entries(
    configuration: Configuration, paths: list[str], text: Callable[[str], str | None]
) -> dict[str, dict[str, Any]]:
    """Return the definitions that an evaluation could use, from whatever files they are or were in."""
    files, _ = entry_files(filter(None, paths), configuration.evaluation.name)
    contents = {file: _parsed(text(file), file) for file in dict.fromkeys(file.path for file in files)}
    return joined(files, contents).data


def _parsed(text: str | None, shown: str) -> dict[str, Any]:
    """Read YAML text by the strict rules for configuration files."""
    read = parse_yaml(text, shown) if text is not None else None
    return read if isinstance(read, dict) else {}


def _differences(before: Any, now: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield field, value before and value now, for the smallest parts that differ."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for key in dict.fromkeys([*before, *now]):
            if before.get(key) != now.get(key) or (key in before) != (key in now):
                yield from _differences(before.get(key), now.get(key), f"{path}.{key}" if path else str(key))
    elif (
        isinstance(before, list) and isinstance(now, list) and len(before) == len(now) and _deep(before) and _deep(now)
    ):
        for number, (old, new) in enumerate(zip(before, now, strict=True), start=1):
            if old != new:
                yield from _differences(old, new, f"{path}[{number}]")
    else:
        yield path, before, now


def _deep(values: list[Any]) -> bool:
    return all(isinstance(value, Mapping) for value in values)


def _is_text(path: str) -> bool:
    return bool({*re.split(r"[.\[\]]", path)} & descriptive_names(Definitions))


def _git(root: Path, *arguments: str) -> str | None:
    """Run git in a folder and return its output; None if it fails or is not installed."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
