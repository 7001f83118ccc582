"""The typeface of figures: DejaVu Sans, reduced once to the characters that figures have.

A PDF holds the characters of its own that it shows, and reading the whole typeface of 6,000 characters for that costs more than
drawing a figure. A character that the reduced typeface lacks comes from the whole one.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

WHOLE = "DejaVu Sans"
"""Comes with matplotlib: the same glyphs, hence the same bytes, on every machine."""

REDUCED = "DejaVu Sans Latin"
FILES = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique")

LETTERS = (*range(0x20, 0x180), *range(0x391, 0x3CA))
SIGNS = (*range(0x2010, 0x2030), 0x202F, 0x2032, 0x20AC, *range(0x2190, 0x2194), *map(ord, "∆∑−√∞≈≠≤≥"))
CHARACTERS = frozenset((*LETTERS, *SIGNS))
"""Latin letters of Europe, Greek letters, punctuation, arrows, and signs of mathematics."""

FAMILY, STYLE, FULL, POSTSCRIPT = 1, 2, 4, 6
"""Numbers of a typeface's names in its file."""


@cache
def typefaces() -> list[str]:
    """Make the reduced typeface known to matplotlib, and return the names of typefaces, the first to be tried first."""
    from matplotlib import font_manager, get_data_path

    # Kept as long as the process runs: matplotlib reads the files again for every figure.
    folder = Path(tempfile.mkdtemp(prefix="refino_eval_typeface_"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name in FILES:
        path = folder / f"{name}.ttf"
        _reduce(Path(get_data_path()) / "fonts" / "ttf" / f"{name}.ttf", path)
        font_manager.fontManager.addfont(path)
    return [REDUCED, WHOLE]


def _reduce(whole: Path, reduced: Path) -> None:
    """Write a typeface with fewer characters, under another name: nobody may take it for the whole one."""
    from fontTools import subset

    # Hints are not used (matplotlib hints by itself); of what is for setting type, kerning is. The plain table of pairs has the
    # same kerning as the OpenType tables, and every PDF embeds a part of the typeface: without those tables in a fifth of the time.
    options = subset.Options(
        hinting=False, layout_features=[], legacy_kern=True, name_IDs=[FAMILY, STYLE, FULL, POSTSCRIPT]
    )
    options.drop_tables += ["FFTM", "GDEF", "GPOS", "GSUB", "MATH"]
    font = subset.load_font(str(whole), options)
    subsetter = subset.Subsetter(options=options)
    subsetter.populate(unicodes=CHARACTERS)
    subsetter.subset(font)
    names = font["name"]
    for record in names.names:
        if record.nameID in (FAMILY, FULL):
            names.setName(str(record).replace(WHOLE, REDUCED), *_place(record))
        elif record.nameID == POSTSCRIPT:
            names.setName(str(record).replace("DejaVuSans", "DejaVuSansLatin"), *_place(record))
    font.save(reduced, reorderTables=False)


def _place(record: object) -> tuple[int, int, int, int]:
    """Return the number, platform, encoding and language of a name."""
    return tuple(getattr(record, part) for part in ("nameID", "platformID", "platEncID", "langID"))
