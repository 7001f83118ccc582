"""Files that hold definitions: where they may be, and how their entries come together.

Shared definitions are in `config/definitions/<kind>.yaml`, or by theme in `config/definitions/<kind>/<theme>.yaml`. A
study's own are under `definitions` in its file `config/evaluations/<study>.yaml`; a larger study has a folder
`config/evaluations/<study>/` with `evaluation.yaml` and files of definitions like the shared ones. Worked examples may be
in a file next to their definitions, `<theme>.examples.yaml`, under the same names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from refino_eval.config.definitions import Definitions
from refino_eval.config.windows import expanded
from refino_eval.errors import nearest

SHARED = "config/definitions"
STUDIES = "config/evaluations"
STUDY_FILE = "evaluation.yaml"
EXAMPLES = ".examples"
KINDS = tuple(Definitions.model_fields)
KINDS_WITH_EXAMPLES = ("states", "outcomes")


@dataclass(frozen=True)
class EntryFile:
    """A file with definitions of one kind.

    Attributes
    ----------
    path
        From the project's root.
    kind
        Kind of its definitions.
    keys
        Keys inside the file that lead to them.
    is_shared
        Whether every evaluation can use them.
    """

    path: str
    kind: str
    keys: tuple[str, ...] = ()
    is_shared: bool = True

    @property
    def is_examples(self) -> bool:
        """Whether the file holds worked examples of the definitions in the file next to it."""
        return PurePosixPath(self.path).stem.endswith(EXAMPLES)

    @property
    def examples_path(self) -> str:
        """The file next to it that may hold its worked examples."""
        return self.path.removesuffix(".yaml") + EXAMPLES + ".yaml"


@dataclass
class Entries:
    """Definitions as they were written, by kind and name, and the files that they come from."""

    data: dict[str, dict[str, Any]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    origin: dict[tuple[str, str], EntryFile] = field(default_factory=dict)
    examples_origin: dict[tuple[str, str], str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def file_of(self, location: tuple[str | int, ...]) -> str:
        """Return the file that a location (kind, name, key, ...) is in; an empty text if it is in none."""
        if len(location) < 2:
            return ""
        name = (str(location[0]), str(location[1]))
        # Of a state, its form comes between name and key.
        if "examples" in location[2:4] and name in self.examples_origin:
            return self.examples_origin[name]
        return self.origin[name].path if name in self.origin else ""


def study_files(paths: Iterable[str]) -> dict[str, str]:
    """Return the file of each evaluation, by name."""
    sources: dict[str, str] = {}
    for path in sorted(paths):
        parts = PurePosixPath(path).relative_to(STUDIES).parts if path.startswith(f"{STUDIES}/") else ()
        if len(parts) == 1 and path.endswith(".yaml"):
            sources[PurePosixPath(path).stem] = path
        elif len(parts) == 2 and parts[1] == STUDY_FILE:
            sources.setdefault(parts[0], path)
    return sources


def listed_files(root: Path) -> list[str]:
    """Return all YAML files of definitions and evaluations, from the project's root."""
    folders = (root / SHARED, root / STUDIES)
    return sorted(path.relative_to(root).as_posix() for folder in folders for path in folder.rglob("*.y*ml"))


def entry_files(paths: Iterable[str], study: str) -> tuple[list[EntryFile], list[str]]:
    """Return the files of definitions that an evaluation can use, and a message for each file that is none.

    Parameters
    ----------
    paths
        Files of definitions and evaluations, from the project's root.
    study
        Name of the evaluation.
    """
    files: list[EntryFile] = []
    problems: list[str] = []
    names = sorted(paths)
    single, folder = f"{STUDIES}/{study}.yaml", f"{STUDIES}/{study}"
    if single in names and f"{folder}/{STUDY_FILE}" in names:
        problems.append(f"{single}: the evaluation has the folder {folder} too. Keep one of them.")
    for path in names:
        if path in (single, f"{folder}/{STUDY_FILE}"):
            files += [EntryFile(path, kind, ("definitions", kind), is_shared=False) for kind in KINDS]
            continue
        base = next((base for base in (SHARED, folder) if path.startswith(f"{base}/")), None)
        if base is None:
            continue
        kind = PurePosixPath(path).relative_to(base).parts[0].removesuffix(".yaml").removesuffix(EXAMPLES)
        file = EntryFile(path, kind, is_shared=base == SHARED)
        allowed = KINDS_WITH_EXAMPLES if file.is_examples else KINDS
        if not path.endswith(".yaml"):
            problems.append(f"{path}: the file is not read. Its name must end with .yaml.")
        elif kind not in allowed:
            what = "has worked examples" if file.is_examples else "can be defined"
            problems.append(f"{path}: nothing called '{kind}' {what}.{nearest(kind, allowed)}")
        else:
            files.append(file)
    return files, problems


def joined(files: Iterable[EntryFile], contents: Mapping[str, Any]) -> Entries:
    """Join the entries of files.

    Parameters
    ----------
    files
        Files of definitions; those of the same kind must not define a name twice.
    contents
        What was read from each file.

    Returns
    -------
    Entries
        With windows expanded and worked examples put in their definitions, and a message for each problem.
    """
    result = Entries()
    ordered = sorted(files, key=lambda file: file.is_examples)
    for file in ordered:
        written: Any = contents[file.path]
        for key in file.keys:
            written = written.get(key) if isinstance(written, dict) else None
        if written is None:
            continue
        if not isinstance(written, dict):
            result.problems.append(
                f"{file.path}: {'.'.join(file.keys) or 'the file'} must be a mapping of names to entries."
            )
        elif file.is_examples:
            _add_examples(result, file, written)
        else:
            _add(result, file, written)
    return result


def _add(result: Entries, file: EntryFile, written: Mapping[Any, Any]) -> None:
    entries = {str(name): entry for name, entry in written.items()}
    if file.kind == "outcomes":
        entries, problems = expanded(entries, file.path)
        result.problems += problems
    for name, entry in entries.items():
        earlier = result.origin.get((file.kind, name))
        if earlier is not None:
            result.problems.append(
                f"{file.path}: {file.kind}.{name} is defined in {earlier.path} already; one name means one thing. Give one of "
                "them another name."
            )
            continue
        result.data[file.kind][name] = entry
        result.origin[file.kind, name] = file


def _add_examples(result: Entries, file: EntryFile, written: Mapping[Any, Any]) -> None:
    """Put worked examples into the definitions of the file next to theirs."""
    entries = result.data[file.kind]
    neighbours = [
        name
        for (kind, name), origin in result.origin.items()
        if kind == file.kind and origin.examples_path == file.path
    ]
    for name, examples in ((str(name), examples) for name, examples in written.items()):
        if name not in neighbours:
            result.problems.append(
                f"{file.path}: there is no '{name}' in {file.path.removesuffix(EXAMPLES + '.yaml')}.yaml."
                f"{nearest(name, neighbours)}"
            )
        elif not isinstance(entries[name], dict):
            continue
        elif "examples" in entries[name]:
            result.problems.append(f"{file.path}: '{name}' has examples in its own file too. Keep them in one place.")
        else:
            entries[name] = {**entries[name], "examples": examples}
            result.examples_origin[file.kind, name] = file.path
