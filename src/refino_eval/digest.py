"""Which code a workflow script runs, as one hash: so that a rule reruns when the code behind it changes.

Snakemake reruns a rule when its script changes, and not when a module does that the script imports. The hash is taken
over the script's imports within this package, followed to the end, so it is right by construction.
"""

from __future__ import annotations

import ast
import fnmatch
import hashlib
import os
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

PACKAGE = Path(__file__).parent
NAME = PACKAGE.name
TEXTS = PACKAGE / "text"


def source_digest(script: Path | str, kind: str = "*") -> str:
    """Return a hash of a script and of every module of this package that it can import.

    Parameters
    ----------
    script, kind
        As `files_behind`.

    Returns
    -------
    str
        Sixteen hexadecimal digits.
    """
    digest = hashlib.sha256(Path(script).read_bytes())
    for path in sorted(_behind(os.fspath(script), kind)):
        digest.update(_named_content(path))
    return digest.hexdigest()[:16]


def files_behind(script: Path | str, kind: str = "*") -> frozenset[Path]:
    """Return every file of this package that a script can import or read.

    Parameters
    ----------
    script
        A Python file outside the package.
    kind
        The kind of exhibit that the script works on, of those that modules load by name; default: all of them.

    Returns
    -------
    frozenset of Path
        Modules, those imported inside functions among them, with the templates and styles in their folders. The catalogues
        of texts are among them only where the script shows texts.
    """
    return frozenset(map(Path, _behind(os.fspath(script), kind)))


def read_package() -> None:
    """Read every module of the package, which many digests are made from."""
    for path in _files():
        _named_content(path)
        if path.endswith(".py"):
            _imports(path)


def _behind(script: str, kind: str) -> frozenset[str]:
    shared, places = _shared(script)
    own = _reached([path for module in places for path in _loaded(module, kind)], kind, shared)
    return _with_assets(shared | own)


@lru_cache(maxsize=64)
def _shared(script: str) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return what a script imports, followed to the end, whatever the kind; and the modules that load kinds by name."""
    shared = _reached(_imports(script), "", frozenset())
    return shared, tuple(module for module in sorted(shared) if names_in(module)[1])


def _reached(start: Iterable[str], kind: str, known: frozenset[str]) -> frozenset[str]:
    """Return modules with all that they import, followed to the end; of modules loaded by name, those of one kind.

    What is `known` already is not followed again.
    """
    modules: set[str] = set()
    waiting = [path for path in start if path not in known]
    while waiting:
        module = waiting.pop()
        if module not in modules:
            modules.add(module)
            following = (*_imports(module), *(_loaded(module, kind) if kind else ()))
            waiting += [path for path in following if path not in known]
    return frozenset(modules)


def _with_assets(modules: frozenset[str]) -> frozenset[str]:
    folders = {os.path.dirname(module) for module in modules}
    assets = {asset for folder in folders for asset in _assets(folder)}
    # Texts lie next to the code that computes numbers; a change of wording must rerun only what shows it.
    return modules | (assets | _texts() if str(TEXTS) in folders else assets - _texts())


@lru_cache(maxsize=2048)
def _loaded(module: str, kind: str) -> tuple[str, ...]:
    """Return the modules of a kind that a module loads by name."""
    _, patterns = names_in(module)
    wanted = [f"{PACKAGE}/{pattern.replace('{kind}', kind)}" for pattern in patterns]
    return tuple(
        path
        for pattern in wanted
        for path in (fnmatch.filter(_files(), pattern) if "*" in pattern else [pattern] if pattern in _files() else [])
    )


@lru_cache(maxsize=1)
def _files() -> dict[str, None]:
    """Return every file of the package; one walk is quicker than asking for each."""
    return {
        f"{folder}/{name}": None
        for folder, _, names in os.walk(PACKAGE)
        for name in sorted(names)
        if not name.endswith(".pyc")
    }


@lru_cache(maxsize=2048)
def _named_content(path: str) -> bytes:
    """Return the name of a file in the package and the hash of its content."""
    name = Path(path).relative_to(PACKAGE).as_posix()
    return name.encode() + b"\0" + hashlib.sha256(Path(path).read_bytes()).digest()


@lru_cache(maxsize=2048)
def _imports(path: str) -> tuple[str, ...]:
    """Return the package's modules that a file imports, with the packages that contain them."""
    names, _ = names_in(path)
    return tuple(dict.fromkeys(module for name in names for module in _modules(name)))


_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+(?P<origin>[\w.]+)[ \t]+import[ \t]+(?P<names>\((?:[^)#]|#[^\n]*)*\)|[^\n#]*)|import[ \t]+(?P<modules>[^\n#]*))",
    re.MULTILINE,
)
"""An import statement, as the formatter of the project writes it. Parsing every file instead would take a second of each run."""

_LOADS = re.compile(r"^LOADS = (\([^()]*\))$", re.MULTILINE)
_NAME = re.compile(r"[\w.]+")


@lru_cache(maxsize=2048)
def names_in(path: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what a file imports of this package, and the patterns of its constant `LOADS`: what it imports by name."""
    text = Path(path).read_text(encoding="utf-8")
    names: list[str] = []
    for match in _IMPORT.finditer(text):
        listed = re.sub(r"#[^\n]*", "", match["names"] or match["modules"]).strip("()").split(",")
        imported = [name[0] for name in map(_NAME.search, listed) if name]
        names += (
            imported if match["modules"] else [match["origin"], *(f"{match['origin']}.{name}" for name in imported)]
        )
    loads = _LOADS.search(text)
    patterns = ast.literal_eval(loads[1]) if loads else ()
    return tuple(name for name in names if name.split(".")[0] == NAME), patterns


@lru_cache(maxsize=4096)
def _modules(name: str) -> tuple[str, ...]:
    parts = name.split(".")
    places = ["/".join((str(PACKAGE), *parts[1:depth])) for depth in range(1, len(parts) + 1)]
    return tuple(path for place in places for path in (f"{place}/__init__.py", f"{place}.py") if path in _files())


@lru_cache(maxsize=1)
def _texts() -> frozenset[str]:
    """Return the catalogues of texts: the shared ones and those in the folders of exhibit kinds."""
    return frozenset(
        path
        for path in _files()
        if (path.startswith(f"{TEXTS}/") and path.endswith(".yaml"))
        or fnmatch.fnmatch(path, f"{PACKAGE}/exhibits/kinds/*/text.yaml")
    )


@lru_cache(maxsize=2048)  # more than there are folders: a smaller cache would be emptied by every kind of exhibit
def _assets(folder: str) -> tuple[str, ...]:
    if folder == str(PACKAGE):
        return ()
    return tuple(path for path in _files() if path.startswith(f"{folder}/") and not path.endswith(".py"))
