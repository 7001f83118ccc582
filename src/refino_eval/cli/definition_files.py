"""The text of definition files: where an entry stands, adding one beside the others, and comparing with a revision.

Files are edited as text, never read and written back: comments, quotes and line ends stay as the analyst left them.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from refino_eval.config.definitions import Definitions, Outcome
from refino_eval.config.load import Configuration, read_yaml, validate
from refino_eval.config.without_text import descriptive_names
from refino_eval.errors import UserError, nearest
from refino_eval.exhibits.tidy import write_bytes

FOLDER = "config/definitions"
REMINDER = (
    "label and description: what it is called in both languages, and what it means",
    "kind, state and window: what it reads, and when",
    "unit, and role (a copy of a primary outcome is not in the plan: exploratory)",
    "examples: spells in, expected value out; at least one counted, one zero, one at the boundary, one missing",
    "version, changed and reason, where the copy has them: they tell the other's history",
)
_NAME = re.compile(r"^[a-z][a-z0-9_]{0,39}$")


@dataclass(frozen=True)
class Place:
    """Where an entry stands: the file from the project's root, and its lines (first, last; 1-based)."""

    file: str
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
        Which definition.
    what
        ``added``, ``removed`` or ``changed``.
    fields
        For a change: field, value before, value now (None: not there).
    """

    kind: str
    name: str
    what: str
    fields: tuple[tuple[str, Any, Any], ...] = ()

    @property
    def of_numbers(self) -> bool:
        """Whether more than words changed, so that numbers may."""
        return self.what != "changed" or any(not _is_words(path) for path, _, _ in self.fields)


def place_of(configuration: Configuration, kind: str, name: str) -> Place | None:
    """Return where a definition stands: in the shared file, or in the evaluation's own."""
    own = f"config/evaluations/{configuration.evaluation.name}.yaml"
    for file, path in ((f"{FOLDER}/{kind}.yaml", (name,)), (own, ("definitions", kind, name))):
        full = configuration.root / file
        if full.is_file():
            place = _find(full.read_text(encoding="utf-8"), path, file)
            if place is not None:
                return place
    return None


def _find(text: str, path: tuple[str, ...], file: str) -> Place | None:
    """Find a key by its path in YAML text."""
    node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    place = None
    for step in path:
        if not isinstance(node, yaml.MappingNode):
            return None
        found = next(((key, value) for key, value in node.value if key.value == step), None)
        if found is None:
            return None
        key, node = found
        lines = text.splitlines()
        last = min(node.end_mark.line + 1, len(lines))
        # A block ends where the next thing begins: what stands between is that one's.
        while last > key.start_mark.line + 1 and _is_apart(lines[last - 1], key.start_mark.column):
            last -= 1
        place = Place(file, key.start_mark.line + 1, last, key.start_mark.column, key.end_mark.column)
    return place


def _is_apart(line: str, column: int) -> bool:
    text = line.strip()
    return not text or text.startswith("#") or len(line) - len(line.lstrip()) <= column


def add_copy(configuration: Configuration, name: str, like: str) -> Place:
    """Append a copy of an outcome under a new name to the shared outcomes.

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
    Place
        Where the copy stands.

    Raises
    ------
    UserError
        For a name that is taken or is no name, or an outcome that there is not. Nothing is written then.
    """
    outcomes = configuration.definitions.outcomes
    if not _NAME.match(name):
        raise UserError(
            f"'{name}' is not a name: lower case letters without accents, digits and underscores, a letter first, at most "
            "40 characters."
        )
    if name in outcomes:
        raise UserError(f"There is an outcome '{name}' already; give the new one another name.")
    source = place_of(configuration, "outcomes", like)
    if source is None:
        raise UserError(f"There is no outcome '{like}' to copy.{nearest(like, outcomes)}")
    file = f"{FOLDER}/outcomes.yaml"
    path = configuration.root / file
    before = path.read_bytes() if path.is_file() else b""
    newline = "\r\n" if b"\r\n" in before else "\n"
    copied = (configuration.root / source.file).read_text(encoding="utf-8").splitlines()[source.first - 1 : source.last]
    lines = [line[source.column :] if line[: source.column].isspace() or not line else line for line in copied]
    lines[0] = name + lines[0][source.key_end - source.column :]
    ends = b"" if not before or before.endswith(b"\n") else newline.encode()
    header = ["", f"# A copy of {like}: change what it says, its role and its examples, then take this line out."]
    after = before + ends + (newline.join([*header, *lines]) + newline).encode()
    place = _checked(after.decode("utf-8"), before.decode("utf-8"), name, file)
    write_bytes(path, after)
    return place


def _checked(text: str, before: str, name: str, file: str) -> Place:
    """Make sure that the new text says what the old one said, and one valid outcome more."""
    read = yaml.safe_load(text)
    if {key: entry for key, entry in read.items() if key != name} != (yaml.safe_load(before) or {}):
        raise ValueError(f"adding {name} to {file} would change other entries")
    validate(read[name], Outcome, f"{file}: {name}")
    place = _find(text, (name,), file)
    assert place is not None
    return place


def history_of(root: Path, place: Place, path: tuple[str, ...]) -> list[str] | None:
    """Return the commits that touched an entry, newest first; None where there is no repository to ask."""
    committed = _git(root, "show", f"HEAD:./{place.file}")
    if committed is None:
        return None
    then = _find(committed, path, place.file)
    if then is None:
        return ["not committed yet"]
    span = f"{then.first},{then.last}:{place.file}"
    log = _git(root, "log", "-s", "--date=short", "--format=%h  %ad  %s", "-L", span)
    return None if log is None else [line for line in log.splitlines() if line.strip()]


def changes_since(configuration: Configuration, revision: str) -> list[Change]:
    """Compare every definition of a revision with what stands now.

    Parameters
    ----------
    configuration
        The project as it is now; the evaluation's own definitions are compared with the shared ones.
    revision
        Anything that git takes for a commit.

    Raises
    ------
    UserError
        When there is no repository, or no such revision.
    """
    root = configuration.root
    if _git(root, "rev-parse", "--git-dir") is None:
        raise UserError(
            "The project's folder is not in a git repository (or git is not installed), so there is no earlier state of the "
            "definitions to compare with."
        )
    if revision.startswith("-") or _git(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}") is None:
        raise UserError(
            f"git knows no revision '{revision}'. Name a commit, a tag or a branch, for instance HEAD or HEAD~1."
        )
    changes: list[Change] = []
    for kind in Definitions.model_fields:
        before, now = _entries_then(configuration, kind, revision), _entries_now(configuration, kind)
        for name in dict.fromkeys([*before, *now]):
            if name not in before:
                changes.append(Change(kind, name, "added"))
            elif name not in now:
                changes.append(Change(kind, name, "removed"))
            elif before[name] != now[name]:
                changes.append(Change(kind, name, "changed", tuple(_differences(before[name], now[name]))))
    return changes


def _entries_now(configuration: Configuration, kind: str) -> dict[str, Any]:
    return _entries(
        kind,
        configuration,
        lambda file: text_of(configuration.root / file),
    )


def _entries_then(configuration: Configuration, kind: str, revision: str) -> dict[str, Any]:
    return _entries(kind, configuration, lambda file: _git(configuration.root, "show", f"{revision}:./{file}"))


def text_of(path: Path) -> str | None:
    """Return a file's text, or None when there is no file."""
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _entries(kind: str, configuration: Configuration, text: Any) -> dict[str, Any]:
    shared = _parsed(text(f"{FOLDER}/{kind}.yaml"), f"{FOLDER}/{kind}.yaml")
    own_file = f"config/evaluations/{configuration.evaluation.name}.yaml"
    own = (_parsed(text(own_file), own_file).get("definitions") or {}).get(kind) or {}
    return {**shared, **own}


def _parsed(text: str | None, shown: str) -> dict[str, Any]:
    """Read YAML text by the house's strict rules."""
    if text is None:
        return {}
    with tempfile.TemporaryDirectory(prefix="refino_eval_diff_") as folder:
        path = Path(folder) / "then.yaml"
        path.write_text(text, encoding="utf-8")
        read = read_yaml(path, shown)
    return read if isinstance(read, dict) else {}


def _differences(before: Any, now: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield field, value before and value now, down to the smallest part that differs."""
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


def _is_words(path: str) -> bool:
    return bool({*re.split(r"[.\[\]]", path)} & descriptive_names(Definitions))


def _git(root: Path, *arguments: str) -> str | None:
    """Run git in a folder; None when it fails or is not there."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
