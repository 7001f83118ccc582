"""The look of all figures: one typeface, two arms distinguished by shade, line and marker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from refino_eval.exhibits.layout.typeface import typefaces

INK = "#222222"


QUIET = "#6b6b6b"


GRID = "#e4e4e4"


PNG_DPI = 160


@dataclass(frozen=True)
class Series:
    """How one series is drawn; colour, dash and marker differ, so that any one of them is enough."""

    color: str
    linestyle: str
    marker: str
    hollow: bool


TREATED = Series(color="#0b3c5d", linestyle="-", marker="o", hollow=False)


CONTROL = Series(color="#c8500a", linestyle=(0, (5, 2)), marker="s", hollow=True)  # type: ignore[arg-type]


ARMS = (
    TREATED,
    Series(color="#00804d", linestyle=(0, (4, 1, 1, 1)), marker="^", hollow=False),  # type: ignore[arg-type]
    Series(color="#6666d9", linestyle=(0, (1, 1)), marker="D", hollow=False),  # type: ignore[arg-type]
    Series(color="#b30099", linestyle=(0, (6, 1, 1, 1, 1, 1)), marker="v", hollow=True),  # type: ignore[arg-type]
    Series(color="#660026", linestyle=(0, (3, 2)), marker="P", hollow=False),  # type: ignore[arg-type]
    Series(color="#00004d", linestyle=(0, (2, 1)), marker="X", hollow=True),  # type: ignore[arg-type]
)
"""Looks of treated arms, in order."""


def parameters(salt: str) -> dict[str, Any]:
    """Return matplotlib's settings; `salt` makes the ids inside an SVG file depend on the exhibit alone."""
    return {
        "font.family": typefaces(),
        "font.size": 9.0,
        "axes.titlesize": 10.0,
        "axes.labelsize": 9.0,
        "xtick.labelsize": 8.5,
        "ytick.labelsize": 8.5,
        "legend.fontsize": 8.5,
        "axes.titlelocation": "left",
        "axes.titlepad": 16.0,
        # Titles are above everything else of their panel: matplotlib need not measure all labels to place them.
        "axes.titley": 1.0,
        "axes.titleweight": "bold",
        "axes.edgecolor": QUIET,
        "axes.labelcolor": INK,
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.grid.axis": "y",
        "axes.axisbelow": True,
        "grid.color": GRID,
        "grid.linewidth": 0.7,
        "text.color": INK,
        "xtick.color": QUIET,
        "ytick.color": QUIET,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "lines.linewidth": 1.6,
        "lines.markersize": 4.0,
        "figure.facecolor": "white",
        "savefig.facecolor": "white",
        "figure.constrained_layout.use": True,
        "figure.constrained_layout.h_pad": 0.10,
        "figure.constrained_layout.w_pad": 0.08,
        # Texts are as wide in a picture of pixels as in the other forms, for which they are measured.
        "text.hinting": "no_hinting",
        # Glyphs as outlines: a reader without the typeface sees the same picture.
        "svg.fonttype": "path",
        # Text in a PDF stays text, in a form that journals and editors take.
        "pdf.fonttype": 42,
        "svg.hashsalt": salt,
        "path.simplify": False,
    }


@contextmanager
def house_style(salt: str) -> Iterator[None]:
    """Draw inside this: settings of the house on top of matplotlib's own defaults, no matter what a user has set."""
    import matplotlib as mpl

    mpl.use("Agg")
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.use("Agg")
        mpl.rcParams.update(parameters(salt))
        yield
