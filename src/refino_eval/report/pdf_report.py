"""The report as PDF: the page, printed by a browser of the machine in the page's own print style (print.css).

The page is printed twice, because only the browser knows on which page a heading comes: first without the lines of the
figures, to learn the pages of the headings, and then with these in the contents. Nothing is fetched from a network: the page
needs none, and the browser is started without one. The same page gives the same bytes with the same browser and fonts.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from refino_eval.errors import MachineError, UserError
from refino_eval.exhibits.tidy import write_bytes

VARIABLE = "REFINO_EVAL_BROWSER"
"""Names the browser's program; of the machine's environment, since it belongs to no evaluation."""

PROGRAMS = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "microsoft-edge-stable",
    "msedge",
)  # fmt: skip
"""Looked for on the PATH, in this order."""

INSTALLED = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    r"{ProgramFiles}\Google\Chrome\Application\chrome.exe",
    r"{ProgramFiles(x86)}\Google\Chrome\Application\chrome.exe",
    r"{ProgramFiles}\Microsoft\Edge\Application\msedge.exe",
    r"{ProgramFiles(x86)}\Microsoft\Edge\Application\msedge.exe",
)
"""Where macOS and Windows have a browser that is not on the PATH."""

OPTIONS = (
    "--headless", "--disable-gpu", "--no-first-run", "--disable-extensions", "--disable-sync", "--disable-component-update",
    "--disable-background-networking", "--disable-domain-reliability", "--no-pings", "--host-resolver-rules=MAP * ~NOTFOUND",
    "--no-pdf-header-footer", "--export-tagged-pdf", "--generate-pdf-document-outline",
)  # fmt: skip
"""Tagged, with bookmarks, and without a network."""

TIME_LIMIT = 240
"""Seconds that a browser may take for one page."""

METADATA = re.compile(rb"/(?:Creator|Producer) \((?:[^()\\]|\\.)*\)|/(?:CreationDate|ModDate) \([^)]*\)")
"""What a PDF says of the program and the moment that made it."""

SCRIPT = re.compile(r"<script\b.*?</script>", re.DOTALL)
OTHER_FILE = re.compile(r'(<a\b[^>]*?) href="(?!#|https?:)[^"]*"')
"""A link to another file: in a PDF it would name the folder that the page was in."""

DRAWING = re.compile(r"(<svg\b[^>]*>).*?</svg>", re.DOTALL)
LINE_OF_CONTENTS = re.compile(r'(<a href="#([^"]+)"><span>[^<]*</span><i></i>)</a>')
OBJECT = re.compile(rb"(?m)^(\d+) 0 obj\s(.*?)\sendobj", re.DOTALL)
DESTINATION = re.compile(rb"/([^\s/\[\]<>()]+) \[(\d+) 0 R /XYZ")
ESCAPED = re.compile(r"#([0-9A-Fa-f]{2})")


@dataclass(frozen=True)
class NoBrowser(Exception):
    """There is no browser on this machine; `reason` says where it was looked for."""

    reason: str


def find_browser() -> str:
    """Return the program of a browser that prints PDF: the one of the environment, or one that is installed.

    Raises
    ------
    NoBrowser
        If there is none.
    UserError
        If the environment names a program that is not there.
    """
    chosen = os.environ.get(VARIABLE, "")
    if chosen:
        found = shutil.which(chosen)
        if found is None:
            raise UserError(
                f"{VARIABLE} names '{chosen}', which is no program on this machine, so no PDF can be made. "
                "Set it to the path of Chromium, Chrome or Edge, or unset it to use an installed one."
            )
        return found
    for name in (*PROGRAMS, *_installed()):
        found = shutil.which(name)
        if found is not None:
            return found
    raise NoBrowser(
        f"no Chromium, Chrome or Edge is on this machine's PATH. Install one, or set {VARIABLE} to its program; "
        "then `refino-eval pdf` makes the PDF of a finished run"
    )


def _installed() -> Iterator[str]:
    for place in INSTALLED:
        try:
            yield place.format_map(os.environ)
        except KeyError:
            continue


def print_report(page: Path, out_path: Path, *, browser: str) -> Path:
    """Print a report as PDF.

    Parameters
    ----------
    page
        The report as HTML.
    out_path
        The PDF; written at once or not at all.
    browser
        Program of the browser (`find_browser`).

    Returns
    -------
    Path
        `out_path`.

    Raises
    ------
    MachineError
        If the browser ends without a PDF.
    """
    text = OTHER_FILE.sub(r"\1", SCRIPT.sub("", page.read_text(encoding="utf-8")))
    # A confidential page has no copy outside its own folder; the browser's files are removed with it.
    with tempfile.TemporaryDirectory(prefix=".pdf", dir=out_path.parent) as place:
        folder = Path(place).absolute()
        # Three digits take the room of the number that comes in their place, so that lines break alike.
        first = _with_pages(DRAWING.sub(r"\1</svg>", text), {})
        pages = pages_of_headings(_printed(first, folder, browser))
        content = _printed(_with_pages(text, pages), folder, browser)
    write_bytes(out_path, without_metadata(content))
    return out_path


def _with_pages(text: str, pages: Mapping[str, int]) -> str:
    """Return a page whose contents have the pages of their headings; without one, three zeros."""
    return LINE_OF_CONTENTS.sub(lambda line: f"{line[1]}<b>{pages.get(line[2], '000')}</b></a>", text)


def _printed(text: str, folder: Path, browser: str) -> bytes:
    page, out = folder / "report.html", folder / "report.pdf"
    page.write_text(text, encoding="utf-8")
    out.unlink(missing_ok=True)
    options = [*OPTIONS, f"--user-data-dir={folder / 'profile'}", f"--print-to-pdf={out}"]
    # The sandbox of Chromium cannot start for the administrator of a container.
    if sys.platform == "linux" and os.geteuid() == 0:
        options.append("--no-sandbox")
    try:
        done = subprocess.run(
            [browser, *options, page.as_uri()],
            capture_output=True,
            timeout=TIME_LIMIT,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise MachineError(
            f"The browser {browser} had not printed the report after {TIME_LIMIT} seconds and was stopped. "
            f"Repeat the command when the machine is less busy, or name another browser in {VARIABLE}."
        ) from None
    if not out.is_file():
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or ["no message"]
        raise MachineError(
            f"The browser {browser} ended with code {done.returncode} and made no PDF ({last[0]}). "
            f"Start it by hand to see why, or name another one in {VARIABLE}."
        )
    return out.read_bytes()


def pages_of_headings(pdf: bytes) -> dict[str, int]:
    """Return the page, from 1, on which each heading that something links to is.

    Parameters
    ----------
    pdf
        As Chromium writes it: every object as plain text, streams apart.
    """
    objects = {int(match[1]): match[2] for match in OBJECT.finditer(pdf)}
    catalogue = next((each for each in objects.values() if b"/Type /Catalog" in each), b"")
    root, named = re.search(rb"/Pages (\d+) 0 R", catalogue), re.search(rb"/Dests (\d+) 0 R", catalogue)
    if root is None or named is None:
        return {}
    numbers = {name: place for place, name in enumerate(_leaves(objects, int(root[1])), start=1)}
    return {
        ESCAPED.sub(lambda code: chr(int(code[1], 16)), name.decode("latin-1")): numbers[int(target)]
        for name, target in DESTINATION.findall(objects.get(int(named[1]), b""))
        if int(target) in numbers
    }


def _leaves(objects: Mapping[int, bytes], node: int) -> Iterator[int]:
    """Yield the pages below a node of the tree of pages, in order."""
    kids = re.search(rb"/Kids \[([^\]]*)\]", objects.get(node, b""))
    if kids is None:
        yield node
        return
    for kid in re.findall(rb"(\d+) 0 R", kids[1]):
        yield from _leaves(objects, int(kid))


def without_metadata(pdf: bytes) -> bytes:
    """Return a PDF that does not say when and by which program it was made.

    Blanks take the room of what is removed, so that the positions of its objects, which the file lists, stay right.
    """
    end = pdf.find(b"endobj") + 1
    return METADATA.sub(lambda match: b" " * len(match.group()), pdf[:end]) + pdf[end:]
