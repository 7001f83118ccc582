"""The receipt of a delivery as one self-contained HTML page: no network, no script, nothing beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from refino_eval.exhibits.tidy import write_text
from refino_eval.registers.delivery_receipt import ColumnReceipt, Receipt
from refino_eval.registers.receipt_output import HEADS, years_by_register
from refino_eval.registers.receipt_problems import ERROR, NOTE, WARNING

BAR_HEIGHT, BAR_WIDTH, BAR_STEP = 60, 9, 12
"""The years' bars, in units of their drawing."""


@dataclass(frozen=True)
class Bar:
    """One year's bar in the drawing of a register."""

    year: int
    rows: int
    x: int
    y: float
    height: float


@dataclass(frozen=True)
class Bars:
    """Clean rows of one register by start year."""

    register: str
    bars: tuple[Bar, ...]
    width: int
    most: int

    @property
    def told(self) -> str:
        """What the drawing shows, for whoever does not see it."""
        return ", ".join(f"{bar.year}: {bar.rows:,}" for bar in self.bars)


def write_receipt_html(receipt: Receipt, out_path: Path, *, label: str) -> Path:
    """Write the receipt as a page.

    Parameters
    ----------
    receipt
        The receipt.
    out_path
        The page; written at once or not at all.
    label
        What the evaluation is called.

    Returns
    -------
    Path
        `out_path`.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(str(files("refino_eval.report").joinpath("templates"))),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"count": lambda number: f"{number:,}", "percent": _percent}
    assets = files("refino_eval.report").joinpath("assets")
    style = "".join(
        assets.joinpath(name).read_text(encoding="utf-8") for name in ("report.css", "receipt.css", "print.css")
    )
    page = environment.get_template("receipt.html.j2").render(
        receipt=receipt,
        label=label,
        style=Markup(style),
        parts=[(severity, HEADS[severity], receipt.of(severity)) for severity in (ERROR, WARNING, NOTE)],
        errors=len(receipt.of(ERROR)),
        warnings=len(receipt.of(WARNING)),
        rows=sum(file.rows for file in receipt.files),
        columns=_by_file(receipt),
        years=[_bars(register, found) for register, found in years_by_register(receipt).items()],
        bar_width=BAR_WIDTH,
        bar_height=BAR_HEIGHT,
    )
    write_text(out_path, re.sub(r"\n\s*\n+", "\n", page))
    return out_path


def _percent(share: float) -> str:
    if 0 < share < 0.001:
        return "< 0.1"
    return f"{share * 100:.1f}"


def _by_file(receipt: Receipt) -> list[tuple[str, list[ColumnReceipt]]]:
    found: dict[str, list[ColumnReceipt]] = {}
    for column in receipt.columns:
        found.setdefault(column.file, []).append(column)
    return list(found.items())


def _bars(register: str, found: dict[int, int]) -> Bars:
    most = max(found.values())
    years = range(min(found), max(found) + 1)
    bars = []
    for place, year in enumerate(years):
        rows = found.get(year, 0)
        height = round(max(BAR_HEIGHT * rows / most, 1.0 if rows else 0.0), 2)
        bars.append(Bar(year, rows, place * BAR_STEP, round(BAR_HEIGHT - height, 2), height))
    return Bars(register, tuple(bars), len(bars) * BAR_STEP, most)
