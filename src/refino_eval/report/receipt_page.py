"""The receipt of a delivery as one self-contained HTML page: no network, no scripts, no other files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from refino_eval.registers.delivery_receipt import ColumnReceipt, Receipt
from refino_eval.registers.receipt_output import HEADS, years_by_register
from refino_eval.registers.receipt_problems import ERROR, NOTE, WARNING
from refino_eval.report.html import write_page

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
    def alternative(self) -> str:
        """The drawing in words, for screen readers."""
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
        The evaluation's label.

    Returns
    -------
    Path
        `out_path`.
    """
    return write_page(
        out_path,
        "receipt.html.j2",
        "en",
        styles=("report.css", "receipt.css", "print.css"),
        receipt=receipt,
        label=label,
        parts=[(severity, HEADS[severity], receipt.of(severity)) for severity in (ERROR, WARNING, NOTE)],
        errors=len(receipt.of(ERROR)),
        warnings=len(receipt.of(WARNING)),
        rows=sum(file.rows for file in receipt.files),
        columns=_by_file(receipt),
        years=[_bars(register, rows) for register, rows in years_by_register(receipt).items()],
        bar_width=BAR_WIDTH,
        bar_height=BAR_HEIGHT,
        count=lambda number: f"{number:,}",
        percent=_percent,
    )


def _percent(share: float) -> str:
    if 0 < share < 0.001:
        return "< 0.1"
    return f"{share * 100:.1f}"


def _by_file(receipt: Receipt) -> list[tuple[str, list[ColumnReceipt]]]:
    files: dict[str, list[ColumnReceipt]] = {}
    for column in receipt.columns:
        files.setdefault(column.file, []).append(column)
    return list(files.items())


def _bars(register: str, rows_by_year: dict[int, int]) -> Bars:
    most = max(rows_by_year.values())
    bars = []
    for index, year in enumerate(range(min(rows_by_year), max(rows_by_year) + 1)):
        rows = rows_by_year.get(year, 0)
        # A year with few rows still gets a bar that can be seen.
        height = round(max(BAR_HEIGHT * rows / most, 1.0 if rows else 0.0), 2)
        bars.append(Bar(year, rows, index * BAR_STEP, round(BAR_HEIGHT - height, 2), height))
    return Bars(register, tuple(bars), len(bars) * BAR_STEP, most)
