"""A drawing that is made once and written in several forms.

Finding the place of every line, tick and text of a figure takes longer than writing it. `Recorder` is a renderer, as matplotlib
calls what artists draw with, that keeps what it is asked to draw; `Recorded` is a figure that asks the renderer of each form for
the same. Texts are measured once too, without hinting, so that they are in the same place in every form.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from matplotlib.backend_bases import FigureCanvasBase, GraphicsContextBase, RendererBase
from matplotlib.figure import Figure
from matplotlib.transforms import Affine2D, TransformedPath

POINTS = 72
"""Units of a recording in an inch."""

Call = Callable[[RendererBase, Affine2D], None]
"""Draws one thing with the renderer of a form, given what takes points to its units."""


class Recorder(RendererBase):
    """Keeps what a figure draws, in points from the lower left corner.

    Notes
    -----
    It draws paths and texts. A figure with pictures of pixels or shaded meshes, which no exhibit has, is refused by matplotlib.
    """

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []
        self._size = (0.0, 0.0)

    def record(self, figure: Figure) -> list[Call]:
        """Return what a figure draws."""
        figure.set_dpi(POINTS)
        self.calls, self._size = [], (figure.bbox.width, figure.bbox.height)
        figure.draw(self)
        return self.calls

    def get_canvas_width_height(self) -> tuple[float, float]:
        """Return the size of the figure in points."""
        return self._size

    def flipy(self) -> bool:
        """Whether heights are counted from above: they are not."""
        return False

    def open_group(self, s: str, gid: str | None = None) -> None:
        """Record that a group begins."""
        self.calls.append(lambda renderer, scale: renderer.open_group(s, gid))

    def close_group(self, s: str) -> None:
        """Record that a group ends."""
        self.calls.append(lambda renderer, scale: renderer.close_group(s))

    def draw_path(self, gc: GraphicsContextBase, path: Any, transform: Any, rgbFace: Any = None) -> None:
        """Record a path."""
        look = _copy(gc)
        self.calls.append(
            lambda renderer, scale: renderer.draw_path(_look(look, renderer, scale), path, transform + scale, rgbFace)
        )

    def draw_markers(
        self, gc: GraphicsContextBase, marker_path: Any, marker_trans: Any, path: Any, trans: Any, rgbFace: Any = None
    ) -> None:
        """Record a marker at each point of a path."""
        look = _copy(gc)
        self.calls.append(
            lambda renderer, scale: renderer.draw_markers(
                _look(look, renderer, scale), marker_path, marker_trans + scale, path, trans + scale, rgbFace
            )
        )

    def draw_path_collection(
        self,
        gc: GraphicsContextBase,
        master_transform: Any,
        paths: Any,
        all_transforms: Any,
        offsets: Any,
        offset_trans: Any,
        *looks: Any,
        **more: Any,
    ) -> None:
        """Record many paths."""
        look = _copy(gc)
        self.calls.append(
            lambda renderer, scale: renderer.draw_path_collection(
                _look(look, renderer, scale),
                (master_transform + scale).frozen(),
                paths,
                all_transforms,
                offsets,
                (offset_trans + scale).frozen(),
                *looks,
                **more,
            )
        )

    def draw_text(
        self,
        gc: GraphicsContextBase,
        x: float,
        y: float,
        s: str,
        prop: Any,
        angle: float,
        ismath: Any = False,
        mtext: Any = None,
    ) -> None:
        """Record a text."""
        look = _copy(gc)

        def draw(renderer: RendererBase, scale: Affine2D) -> None:
            across, up = scale.transform((x, y))
            down = renderer.get_canvas_width_height()[1] - up if renderer.flipy() else up
            renderer.draw_text(_look(look, renderer, scale), across, down, s, prop, angle, ismath=ismath, mtext=mtext)

        self.calls.append(draw)


@cache
def recorder() -> Recorder:
    """Return the recorder of all figures: matplotlib keeps the sizes of texts that a renderer has measured."""
    return Recorder()


class MeasuringCanvas(FigureCanvasBase):
    """The canvas of a figure whose texts have the sizes that they will have in a recording."""

    def get_renderer(self) -> Recorder:
        """Return what measures texts."""
        return recorder()


class Recorded(Figure):
    """A figure that draws what another one drew.

    Parameters
    ----------
    figure
        Laid out, without an engine that would lay it out again.
    """

    def __init__(self, figure: Figure) -> None:
        super().__init__(figsize=tuple(figure.get_size_inches()))
        self._calls = recorder().record(figure)

    def draw(self, renderer: RendererBase) -> None:
        """Draw with the renderer of a form, which has set the figure's dots per inch."""
        scale = Affine2D().scale(self.get_dpi() / POINTS)
        for call in self._calls:
            call(renderer, scale)


def _copy(gc: GraphicsContextBase) -> GraphicsContextBase:
    """Return a copy of what a path or text looks like: artists change the one that they have."""
    copy = GraphicsContextBase()
    copy.copy_properties(gc)
    if (rectangle := gc.get_clip_rectangle()) is not None:
        copy.set_clip_rectangle(rectangle.frozen())
    return copy


def _look(recorded: GraphicsContextBase, renderer: RendererBase, scale: Affine2D) -> GraphicsContextBase:
    """Return a recorded look in a renderer's own kind; widths of lines are in points in every renderer, and clips are not."""
    look = renderer.new_gc()
    look.copy_properties(recorded)
    if (rectangle := recorded.get_clip_rectangle()) is not None:
        look.set_clip_rectangle(rectangle.transformed(scale))
    clip: Any = recorded.get_clip_path()
    path, transform = clip
    if path is not None:
        look.set_clip_path(TransformedPath(path, transform + scale))
    return look
