"""Figures of the release inside the page: small, in the page's colours, and dark where the reader's screen is dark.

A figure file repeats the outlines of its letters and states six decimals of a point. Inside the page, outlines that several
figures share occur once, positions have two decimals, and each colour is a property of the page, for which a dark screen has
another value of the same hue.
"""

from __future__ import annotations

import colorsys
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any
from xml.etree import ElementTree

LONG = re.compile(r"-?\d+\.\d{3,}")
COLOUR = re.compile(r"#[0-9a-f]{6}\b")
TURNED = re.compile(r"(?:translate|rotate)\([^)]*\)")
SHIFTED = re.compile(r"translate\(([-\d.]+)(?: 0)?\)")
REFERENCE = re.compile(r"url\(#([^)]+)\)")
GLYPH = "scale(0.015625)"
"""The transformation that matplotlib gives the outline of a letter, and nothing else."""
NARROW = 400
"""Width of a drawing in points, below which it is a narrow one."""
MARK = "\ue000{}{}\ue001"
"""A name that the page decides, between characters that no text has."""
NAMED = re.compile("\ue000([gfd])(\\d+)\ue001")
PLACED = ("d", "x", "y", "x1", "x2", "y1", "y2", "width", "height", "points", "cx", "cy", "r")
"""Attributes that hold positions in the units of the drawing."""


@dataclass
class InlineFigures:
    """Collects what the figures of one page share.

    Attributes
    ----------
    glyphs
        Name of each outline of a letter, by its path.
    colours
        Name of each colour, in order of first use.
    """

    glyphs: dict[str, str] = field(default_factory=dict)
    colours: dict[str, str] = field(default_factory=dict)
    _named: int = 0

    def placed(self, part: Mapping[str, Any]) -> str:
        """Return a figure (`DrawnSmall.as_part`) with the page's names of letters, colours and other elements."""
        names = {
            "g": [self.glyphs.setdefault(path, f"g{len(self.glyphs)}") for path in part["glyphs"]],
            "f": [self.colours.setdefault(colour, f"f{len(self.colours)}") for colour in part["colours"]],
            "d": [f"d{self._named + place + 1}" for place in range(part["named"])],
        }
        self._named += part["named"]
        return NAMED.sub(lambda mark: names[mark[1]][int(mark[2])], part["text"])

    @property
    def shared(self) -> str:
        """The outlines of letters, which the page holds once, as an element without size; nothing without figures."""
        if not self.glyphs:
            return ""
        paths = "".join(f'<path id="{name}" d="{d}" transform="{GLYPH}"/>' for d, name in self.glyphs.items())
        return f'<svg class="glyphs" width="0" height="0" aria-hidden="true"><defs>{paths}</defs></svg>'

    @property
    def style(self) -> str:
        """The values of the colours on light screens and paper, and on dark screens."""
        if not self.colours:
            return ""
        light = "".join(f"--{name}:{colour};" for colour, name in self.colours.items())
        dark = "".join(f"--{name}:{on_dark(colour)};" for colour, name in self.colours.items())
        return f":root {{ {light} }}\n@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"


@dataclass
class DrawnSmall:
    """Makes one figure small, whatever page it will be on."""

    _glyphs: dict[str, str] = field(default_factory=dict)
    _colours: dict[str, str] = field(default_factory=dict)
    _named: int = 0

    def as_part(self, svg: str) -> dict[str, Any]:
        """Return a figure file as an element of a page, without prologue, and as wide as the page allows; as plain data.

        Names of letters, colours and other elements are marked in its text, for `InlineFigures.placed`.

        Parameters
        ----------
        svg
            The text of an SVG file.
        """
        root = ElementTree.fromstring(svg[svg.index("<svg") :])
        for element in root.iter():
            element.tag = _plain(element.tag)
            element.attrib = {_plain(name): value for name, value in element.attrib.items()}
        for name in ("width", "height", "version"):
            root.attrib.pop(name, None)
        # A figure drawn narrow is legible on a telephone as it is, and would have huge letters if it were stretched.
        box = root.get("viewBox", "").split()
        if len(box) == 4 and float(box[2]) < NARROW:
            root.set("class", "narrow")
        names = dict(self._names(root))
        text = "".join(self._written(root, names))
        return {"text": text, "glyphs": list(self._glyphs), "colours": list(self._colours), "named": self._named}

    def _names(self, root: ElementTree.Element) -> Iterator[tuple[str, str]]:
        """Yield each id that the figure refers to, with its name on the page: shared for letters, short for the rest."""
        described = set((root.get("aria-labelledby") or "").split())
        referred = {value[1:] for each in root.iter() for name, value in each.items() if name == "href"}
        referred |= {
            used for each in root.iter() for value in each.attrib.values() for used in REFERENCE.findall(value)
        }
        for element in root.iter():
            name = element.get("id")
            if name in described:
                yield str(name), str(name)
            elif name in referred:
                if element.get("transform") == GLYPH:
                    outline = _path(element.get("d", ""))
                    yield str(name), self._glyphs.setdefault(outline, MARK.format("g", len(self._glyphs)))
                else:
                    yield str(name), MARK.format("d", self._named)
                    self._named += 1

    def _written(self, element: ElementTree.Element, names: dict[str, str]) -> Iterator[str]:
        """Yield the text of an element and what is in it, without what says nothing."""
        # How lines end and join is in the page's style sheet, once for all figures.
        if element.tag in ("metadata", "style") or element.get("transform") == GLYPH:
            return
        attributes = "".join(self._attributes(element, names))
        inside = escape((element.text or "").strip(), quote=False) + "".join(
            part + escape((child.tail or "").strip(), quote=False)
            for child in element
            for part in ["".join(self._written(child, names))]
        )
        if element.tag in ("g", "defs") and (not inside or (element.tag == "g" and not attributes)):
            yield inside
        elif inside:
            yield f"<{element.tag}{attributes}>{inside}</{element.tag}>"
        else:
            yield f"<{element.tag}{attributes}/>"

    def _attributes(self, element: ElementTree.Element, names: dict[str, str]) -> Iterator[str]:
        for name, value in element.items():
            text = value
            if name == "id":
                if value not in names:
                    continue
                text = names[value]
            elif name == "href":
                text = f"#{names.get(value[1:], value[1:])}"
            elif name == "d":
                text = _path(value)
            elif name in PLACED:
                text = _rounded(value)
            elif name == "transform":
                text = TURNED.sub(lambda turned: _rounded(turned[0]), value)
                moved = SHIFTED.fullmatch(text) if element.tag == "use" and "x" not in element.attrib else None
                if moved is not None:
                    name, text = "x", moved[1]
            elif name == "style":
                text = COLOUR.sub(self._colour, re.sub(r"(?<=[:;]) ", "", value))
            text = REFERENCE.sub(lambda used: f"url(#{names.get(used[1], used[1])})", text)
            yield f' {name}="{escape(text)}"'

    def _colour(self, match: re.Match[str]) -> str:
        return f"var(--{self._colours.setdefault(match[0], MARK.format('f', len(self._colours)))})"


def on_dark(colour: str) -> str:
    """Return the colour of the same hue for a dark screen: what is light becomes dark, and the other way round.

    Examples
    --------
    >>> on_dark("#ffffff"), on_dark("#000000")
    ('#171717', '#f0f0f0')
    """
    red, green, blue = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
    hue, light, saturation = colorsys.rgb_to_hls(red, green, blue)
    made = colorsys.hls_to_rgb(hue, 0.94 - 0.85 * light, saturation)
    return "#" + "".join(f"{round(255 * part):02x}" for part in made)


def _plain(name: str) -> str:
    """Return a name without its XML namespace, which an element of a page does not need."""
    return name.rsplit("}", 1)[-1]


def _path(d: str) -> str:
    return re.sub(r"\s*([A-Za-z])\s*", r"\1", _rounded(" ".join(d.split())))


def _rounded(text: str) -> str:
    """Return positions with two decimals, without zeros at the end."""
    return LONG.sub(lambda number: f"{float(number[0]):.2f}".rstrip("0").rstrip("."), text)
