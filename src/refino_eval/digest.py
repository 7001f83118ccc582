"""Which code a workflow script runs, as one hash: so that a rule reruns when the code behind it changes.

Snakemake reruns a rule when its script changes, and not when a module does that the script imports. The hash is taken
over the script's imports within this package, followed to the end, so it is right by construction.
"""

from __future__ import annotations

import ast
import hashlib
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
    for path in sorted(files_behind(script, kind)):
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
    shared = _reached(frozenset(_imports(Path(script))), "")
    kinds = {path for module in shared for path in _loaded(module, kind)}
    modules = shared | _reached(frozenset(kinds), kind)
    shows_texts = any(module.parent == TEXTS for module in modules)
    assets = {asset for module in modules for asset in _assets(module.parent)}
    # Texts lie next to the code that computes numbers; a change of wording must rerun only what shows it.
    return modules | (assets | _texts() if shows_texts else assets - _texts())


@lru_cache(maxsize=256)
def _reached(start: frozenset[Path], kind: str) -> frozenset[Path]:
    """Return modules with all that they import, followed to the end; of modules loaded by name, those of one kind."""
    modules: set[Path] = set()
    waiting = list(start)
    while waiting:
        module = waiting.pop()
        if module not in modules:
            modules.add(module)
            waiting += [*_imports(module), *(_loaded(module, kind) if kind else ())]
    return frozenset(modules)


@lru_cache(maxsize=2048)
def _loaded(module: Path, kind: str) -> tuple[Path, ...]:
    """Return the modules of a kind that a module loads by name."""
    return tuple(path for pattern in _loads(module) for path in PACKAGE.glob(pattern.replace("{kind}", kind)))


@lru_cache(maxsize=2048)
def _named_content(path: Path) -> bytes:
    """Return the name of a file in the package and the hash of its content."""
    return path.relative_to(PACKAGE).as_posix().encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest()


@lru_cache(maxsize=512)
def _imports(path: Path) -> tuple[Path, ...]:
    """Return the package's modules that a file imports, with the packages that contain them."""
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(dict.fromkeys(module for name in names for module in _modules(name)))


@lru_cache(maxsize=512)
def _loads(path: Path) -> tuple[str, ...]:
    """Return what a module imports by name: the patterns of its constant `LOADS`."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and [getattr(name, "id", "") for name in node.targets] == ["LOADS"]:
            return tuple(ast.literal_eval(node.value))
    return ()


def _modules(name: str) -> list[Path]:
    parts = name.split(".")
    if parts[0] != NAME:
        return []
    found = []
    for depth in range(1, len(parts) + 1):
        place = PACKAGE.joinpath(*parts[1:depth])
        for candidate in (place / "__init__.py", place.with_suffix(".py")):
            if candidate.is_file():
                found.append(candidate)
    return found


@lru_cache(maxsize=1)
def _texts() -> frozenset[Path]:
    """Return the catalogues of texts: the shared ones and those in the folders of exhibit kinds."""
    return frozenset((*TEXTS.glob("*.yaml"), *PACKAGE.glob("exhibits/kinds/*/text.yaml")))


@lru_cache(maxsize=64)
def _assets(folder: Path) -> tuple[Path, ...]:
    if folder == PACKAGE:
        return ()
    return tuple(path for path in folder.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc"))
