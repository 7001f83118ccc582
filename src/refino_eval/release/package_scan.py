"""Look through a replication package for personal data, paths of a machine, and empty and duplicate files."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

TEXT = frozenset([".csv", ".txt", ".md", ".yaml", ".yml", ".json", ".py", ".smk", ".toml", ".html", ".tab", ".tsv"])
MAY_BE_EMPTY = frozenset(["__init__.py", "py.typed"])
DIRECT_IDS = re.compile(
    r"^(?:fnr|fodselsnr|f.dselsnummer|personnummer|pnr|cpr|ssn|navn|fornavn|etternavn|adresse|epost|e_?mail|telefon|phone|first_?name|last_?name)$",
    re.IGNORECASE,
)
PATHS = re.compile(r"""(?<![\w./:}])(?:/(?:home|root|Users|mnt|srv)/[\w.-]+|[A-Za-z]:\\(?:Users|home)\\)""")
ELEVEN_DIGITS = re.compile(r"(?<![\d.,])\d{11}(?![\d.,]\d|\d)")
WEIGHTS = ((3, 7, 6, 1, 8, 9, 4, 5, 2, 1), (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1))
"""Of the two check digits of a Norwegian birth number."""


def package_problems(folder: Path) -> Iterator[str]:
    """Yield what must not be in a package, a line for each file and reason."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        where = f"The package was not written: {name}"
        content = path.read_bytes()
        if not content.strip() and path.name not in MAY_BE_EMPTY:
            yield f"{where} is empty. Remove the file, or write what it is for."
        if path.suffix.lower() not in TEXT:
            continue
        text = content.decode("utf-8", "replace")
        if match := PATHS.search(text):
            yield f"{where} has a path of a machine ({match.group()}). Make it relative to the project."
        if path.suffix in (".csv", ".tab", ".tsv"):
            yield from (f"{where} {problem}" for problem in _personal(text, synthetic="data/synthetic/" in name))


def duplicates(folder: Path) -> list[list[str]]:
    """Return the names of files that have the same content; markers of packages and files without content are not among them."""
    same: dict[str, list[str]] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size > 64):
        if path.name not in MAY_BE_EMPTY:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            same.setdefault(digest, []).append(path.relative_to(folder).as_posix())
    return [names for names in same.values() if len(names) > 1]


def is_birth_number(text: str) -> bool:
    """Return whether eleven digits have the two check digits of a Norwegian birth number."""
    digits = [int(digit) for digit in text]
    return all(sum(w * d for w, d in zip(weights, digits, strict=False)) % 11 == 0 for weights in WEIGHTS)


def _personal(text: str, *, synthetic: bool) -> Iterator[str]:
    """Yield what looks like personal data; values of a synthetic register are about nobody."""
    head = re.split(r"[,;\t]", text.partition("\n")[0].strip())
    named = [column for column in (each.strip('" ') for each in head) if DIRECT_IDS.match(column)]
    if named:
        yield f"has columns that identify people ({', '.join(named)}). Leave them out."
    if not synthetic and any(is_birth_number(found) for found in ELEVEN_DIGITS.findall(text)):
        yield "holds numbers that are valid birth numbers. Leave the column out."
