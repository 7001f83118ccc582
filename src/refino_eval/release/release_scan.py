"""Look through a folder for what must not leave: metadata, paths, ids, logs, and counts of few people in running text.

Every file is taken apart as far as a reader could: archives of Word and Excel, chunks of PNG, the trailer of PDF.
"""

from __future__ import annotations

import getpass
import io
import re
import socket
import zipfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from html import unescape
from pathlib import Path

ENDINGS = frozenset([".csv", ".md", ".html", ".tex", ".docx", ".xlsx", ".svg", ".png", ".pdf", ".json", ".sig"])
TEXT = frozenset([".csv", ".md", ".html", ".tex", ".svg", ".json"])
OFFICE = frozenset([".docx", ".xlsx"])
PNG_TEXTS = {b"Title", b"Description"}
"""Keys of text in a PNG that say what it shows."""

LEAST_ID = 6
"""Characters from which an id is looked for; shorter ones are also ordinary words and numbers."""

METADATA: Mapping[str, re.Pattern[bytes]] = {
    ".pdf": re.compile(rb"/(Author|Creator|Producer|CreationDate|ModDate|Company)\b|<x:xmpmeta"),
    ".svg": re.compile(rb"<metadata|<!--|dc:date|dc:creator|sodipodi:|inkscape:"),
    ".html": re.compile(rb"""<meta\s+name=["'](generator|author|date|created)""", re.IGNORECASE),
}
OFFICE_METADATA = re.compile(
    rb"<(dc:creator|cp:lastModifiedBy|Application|AppVersion|Company|Manager|cp:revision)\b[^>/]*>([^<]+)<|<w:(ins|del|comment)\s"
)
PATHS = re.compile(
    r"(?<![\w./:])(/(?:home|root|Users|work|mnt|srv|tmp|data|var|opt)/[\w.-]+|[A-Za-z]:\\\\?[\w.-]+|\\\\[\w-]+\\[\w$-]+|file://)"
)
FEW = re.compile(r"\b[nN]\s*=\s*(\d+)(?![\s.,]?\d)|(?<!\d)(?<!\d[\s.,])(\d+)\s(?:personer|person|people|persons)\b")
"""A count of people in running text; part of a longer number, with a space or comma for thousands, is none."""

WORDS = re.compile(rf"(?<![\w#])(?<!\d\.)\w{{{LEAST_ID},}}(?!\w)")
"""What an id could be: no decimals, and no colour."""

TAGS = re.compile(r"<[^>]*>")


def scan(folder: Path, *, ids: Collection[str] = (), threshold: int = 1) -> list[str]:
    """Return what must not leave, a line for each file and reason.

    Parameters
    ----------
    folder
        The files to look through.
    ids
        Ids of people; none of them may be in any text. Short ones are not looked for.
    threshold
        Smallest count of people that a text may state.
    """
    wanted = frozenset(name for name in map(str, ids) if len(name) >= LEAST_ID)
    own = _own_names()
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        found += [f"{name}: {reason}" for reason in dict.fromkeys(_reasons(path, wanted, own, threshold))]
    return found


def _own_names() -> tuple[str, ...]:
    """Return the names of this machine and its user that would show where files were made; common ones show nothing."""
    names = []
    with suppress(OSError):
        names.append(socket.gethostname())
    with suppress(OSError, KeyError, ImportError):
        names.append(getpass.getuser())
    return tuple(name for name in names if len(name) >= LEAST_ID)


def _reasons(path: Path, ids: frozenset[str], own: tuple[str, ...], threshold: int) -> Iterator[str]:
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        yield f"files of this kind ({ending or 'no ending'}) are not released"
        return
    content = path.read_bytes()
    if not content:
        yield "the file is empty"
    if ending in METADATA and (match := METADATA[ending].search(content)):
        yield f"metadata ({match.group().decode('latin-1')})"
    if ending == ".png":
        yield from _png_metadata(content)
    if ending in OFFICE:
        yield from _office_reasons(_office_parts(content))
    for text in _texts(ending, content):
        yield from _text_reasons(text, ids, own, threshold)


def _office_reasons(parts: Mapping[str, bytes]) -> Iterator[str]:
    """Yield metadata of a document or a workbook, and parts of it that name a path of a machine."""
    yield from (f"metadata ({name}: {m.group(1) or m.group(3)!r})" for name, m in _office_metadata(parts))
    for name, part in parts.items():
        if PATHS.search(part.decode("utf-8", "replace")):
            yield f"a path of a machine ({name})"


def _texts(ending: str, content: bytes) -> list[str]:
    """Return the texts that a reader of a file can see."""
    if ending in TEXT:
        return [content.decode("utf-8", "replace")]
    if ending == ".png":
        return [text.decode("utf-8", "replace") for text in _png_texts(content)]
    if ending in OFFICE:
        # Tags hold colours and sizes, which are numbers about nobody.
        return [TAGS.sub(" ", part.decode("utf-8", "replace")) for part in _office_parts(content).values()]
    return []


def _text_reasons(text: str, ids: frozenset[str], own: tuple[str, ...], threshold: int) -> Iterator[str]:
    if match := PATHS.search(text):
        yield f"a path of a machine ({match.group(1)})"
    if any(re.search(rf"\b{re.escape(name)}\b", text) for name in own):
        yield "the name of this machine or its user"
    if ids and not ids.isdisjoint(WORDS.findall(text)):
        yield "the id of a person"
    few = (int(match.group(1) or match.group(2)) for match in FEW.finditer(unescape(text).replace("\\,", " ")))
    if any(0 < count < threshold for count in few):
        yield f"a count of fewer than {threshold} people in running text"


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the type and the content of each chunk (PNG specification, section 5.3)."""
    place = 8
    while place + 8 <= len(content):
        length = int.from_bytes(content[place : place + 4], "big")
        yield content[place + 4 : place + 8], content[place + 8 : place + 8 + length]
        place += length + 12


def _png_texts(content: bytes) -> Iterator[bytes]:
    yield from (data for kind, data in _png_chunks(content) if kind in (b"tEXt", b"iTXt"))


def _png_metadata(content: bytes) -> Iterator[str]:
    for kind, data in _png_chunks(content):
        key = data.split(b"\0", 1)[0]
        if kind in (b"tIME", b"eXIf") or (kind in (b"tEXt", b"iTXt", b"zTXt") and key not in PNG_TEXTS):
            yield f"metadata ({kind.decode('latin-1')} {key.decode('latin-1', 'replace') if kind.endswith(b'Xt') else ''})"


def _office_parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        return {name: package.read(name) for name in package.namelist() if name.endswith((".xml", ".rels"))}


def _office_metadata(parts: Mapping[str, bytes]) -> Iterator[tuple[str, re.Match[bytes]]]:
    for name, content in parts.items():
        if name.startswith("docProps/") or "comments" in name or name.endswith("document.xml"):
            yield from ((name, match) for match in OFFICE_METADATA.finditer(content))
