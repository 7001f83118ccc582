"""Colours of arms: legible on white, and distinct to readers whose colour vision differs.

Sources: contrast of WCAG 2.2 (relative luminance, success criterion 1.4.3); colour vision of Machado, Oliveira and Fernandes
(2009, IEEE Transactions on Visualization and Computer Graphics 15(6), Table 1, severity 1); difference of colours in CIELAB 1976.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Annotated

from pydantic import AfterValidator

Vector = tuple[float, float, float]

LEAST_CONTRAST = 4.5
"""Against white: names of arms are written in their colours."""

LEAST_DIFFERENCE = 20.0
"""Between two arms in CIELAB; below it, two thin lines are taken for one colour."""

VISION: Mapping[str, tuple[Vector, Vector, Vector]] = {
    "full colour vision": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "red-blindness": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "green-blindness": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "blue-blindness": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)),
}  # fmt: skip
"""What light of red, green and blue becomes for a reader, by kind of colour vision."""

TO_XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
WHITE = (0.9505, 1.0, 1.089)


def _six_digits(colour: str) -> str:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        raise ValueError(
            f"'{colour}' is no colour of the form #rrggbb, for instance #0b3c5d (in quotes: # begins a comment)"
        )
    return colour.lower()


Colour = Annotated[str, AfterValidator(_six_digits)]
"""A colour as `#rrggbb`."""


def contrast_with_white(colour: str) -> float:
    """Return the contrast ratio with white, from 1 (white) to 21 (black)."""
    return 1.05 / (_times(TO_XYZ, _light(colour))[1] + 0.05)


def difference(one: str, other: str, vision: str = "full colour vision") -> float:
    """Return how different two colours look (CIELAB 1976), for a kind of colour vision in `VISION`."""
    a, b = (_lab(_times(VISION[vision], _light(colour))) for colour in (one, other))
    return float(sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) ** 0.5)


def colour_problems(colours: Mapping[str, str | None]) -> Iterator[str]:
    """Return what readers could not see of the colours of arms, by the arm's name; none may be absent if one is given."""
    given = {name: colour for name, colour in colours.items() if colour is not None}
    if given and len(given) < len(colours):
        lacking = ", ".join(name for name in colours if name not in given)
        yield f"give every arm a `colour` or none; without one: {lacking}"
    for name, colour in given.items():
        ratio = contrast_with_white(colour)
        if ratio < LEAST_CONTRAST:
            yield (
                f"the colour {colour} of '{name}' has a contrast of {ratio:.1f} with white and needs {LEAST_CONTRAST}: "
                "names are written in it. Choose a darker one"
            )
    for (name, one), (second, other) in combinations(given.items(), 2):
        seen = {vision: difference(one, other, vision) for vision in VISION}
        worst = min(seen, key=lambda vision: seen[vision])
        if seen[worst] < LEAST_DIFFERENCE:
            yield (
                f"the colours {one} of '{name}' and {other} of '{second}' look alike with {worst} (difference "
                f"{seen[worst]:.0f}, at least {LEAST_DIFFERENCE:.0f} needed). Choose colours that also differ in lightness"
            )


def _light(colour: str) -> Vector:
    """Return red, green and blue of a colour as amounts of light."""
    red, green, blue = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
    return _linear(red), _linear(green), _linear(blue)


def _linear(value: float) -> float:
    # The transfer function of sRGB (IEC 61966-2-1): screens store about the root of the light, with a straight line near black.
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def _times(matrix: tuple[Vector, Vector, Vector], light: Vector) -> Vector:
    a, b, c = (sum(m * value for m, value in zip(row, light, strict=True)) for row in matrix)
    return a, b, c


def _lab(light: Vector) -> Vector:
    """Return CIELAB coordinates; light outside what a screen shows is cut off."""
    clipped = tuple(min(max(value, 0.0), 1.0) for value in light)
    x, y, z = (_root(value / white) for value, white in zip(_times(TO_XYZ, clipped), WHITE, strict=True))  # type: ignore[arg-type]
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _root(value: float) -> float:
    # CIE 1976: lightness follows the cube root, with a straight line near black.
    return float(value ** (1 / 3)) if value > 0.008856 else 7.787 * value + 16 / 116
