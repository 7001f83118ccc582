"""A figure is drawn once for all forms: what each form shows is what matplotlib would draw in it."""

from __future__ import annotations

import io
import re

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from refino_eval.exhibits.layout.drawn_once import Recorded
from refino_eval.exhibits.layout.style import house_style


def _figure() -> Figure:
    """Return a figure with everything that exhibits draw: bands, hatches, markers, points, texts, clips."""
    figure = Figure(figsize=(4, 3))
    left, right = figure.subplots(1, 2)
    left.plot([0, 1, 2], [3, 1, 2], marker="o", linestyle=(0, (5, 2)))
    left.fill_between([0, 1, 2], [2.5, 0.5, 1.5], [3.5, 1.5, 2.5], alpha=0.3)
    left.set_ylim(0.8, 2.8)  # the band and the line are cut off
    left.annotate("a\ntext", (1, 1), (4, 12), textcoords="offset points", rotation=20)
    left.set_title("Weekly hours")
    right.scatter([1, 2, 3], [1, 3, 2], s=[10, 40, 90])
    right.vlines([1, 2, 3], [0, 2, 1], [2, 4, 3], colors=["#0b3c5d", "#c8500a", "#222222"])
    right.bar([1, 2], [2, 1], hatch="//", edgecolor="white")
    return figure


def _saved(figure: Figure, form: str) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format=form, dpi=160, metadata={"Date": None} if form == "svg" else None)
    return buffer.getvalue()


def test_a_recorded_figure_is_the_figure():
    with house_style("x"), matplotlib.rc_context({"figure.constrained_layout.use": False}):
        plain, recorded = (
            {form: _saved(figure, form) for form in ("png", "svg")} for figure in (_figure(), Recorded(_figure()))
        )
    pixels = [np.asarray(Image.open(io.BytesIO(each["png"])).convert("L")).astype(int) for each in (plain, recorded)]
    assert pixels[0].shape == pixels[1].shape
    assert (abs(pixels[0] - pixels[1]) > 60).mean() < 0.001  # a text may be a part of a pixel aside
    paths = [re.findall(r'<path d="([^"]*)"', each["svg"].decode()) for each in (plain, recorded)]
    assert len(paths[0]) > 20
    assert paths[0] == paths[1]
