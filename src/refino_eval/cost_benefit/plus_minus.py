"""The plus-minus method for impacts without a price: importance and extent give a consequence.

The matrix is that of DFØ's guide to economic analysis (Veileder i samfunnsøkonomiske analyser). A consequence is a range from
four minus (-4) to four plus (4); both ends are the same where the matrix has one sign.
"""

from __future__ import annotations

from collections.abc import Mapping

from refino_eval.config.money.cost_benefit import Extent, Importance

_SIZES: Mapping[str, Mapping[Importance, tuple[int, int]]] = {
    "large": {"small": (1, 2), "medium": (2, 3), "large": (3, 4)},
    "medium": {"small": (0, 1), "medium": (2, 2), "large": (2, 3)},
    "small": {"small": (0, 0), "medium": (0, 1), "large": (1, 2)},
}


def consequence(importance: Importance, extent: Extent) -> tuple[int, int]:
    """Return the consequence of an impact: the end nearer to zero, and the other."""
    size, _, direction = extent.partition("_")
    if not direction:
        return (0, 0)
    near, far = _SIZES[size][importance]
    return (near, far) if direction == "positive" else (-near, -far)


def signs(low: int, high: int) -> str:
    """Return a consequence as it is written: `0`, `+`, `0 / +`, `-- / ---`."""
    written = [("+" if value > 0 else "\N{MINUS SIGN}") * abs(value) or "0" for value in (low, high)]
    return written[0] if low == high else " / ".join(written)
