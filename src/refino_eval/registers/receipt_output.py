"""Write the receipt as text for the terminal, and as CSV files for a spreadsheet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from refino_eval.csv_output import csv_text
from refino_eval.registers.delivery_receipt import Receipt
from refino_eval.registers.linkage import COLUMNS
from refino_eval.registers.receipt_problems import ERROR, NOTE, SEVERITIES, WARNING, Problem

BARS = "▁▂▃▄▅▆▇█"
HEADS = {ERROR: "Errors", WARNING: "Warnings", NOTE: "Notes"}
MISSING_SHOWN = 5


def receipt_text(receipt: Receipt, *, severities: Sequence[str] = SEVERITIES) -> Iterator[str]:
    """Yield the receipt as short, aligned lines, with the problems of some severities."""
    rows = sum(file.rows for file in receipt.files)
    yield f"{receipt.evaluation}: {len(receipt.files)} files of {receipt.registers} registers, {rows:,} rows, in {receipt.folder}"
    yield f"  letter: {receipt.letter or 'none (delivery.yaml), so what was sent is unknown'}"
    yield ""
    head = ("register", "file", "rows", "people", "starts", "repeated", "rejected", "letter")
    table = [
        (
            file.register, file.file, f"{file.rows:,}", f"{file.people:,}",
            f"{file.first} - {file.last}" if file.first else "", f"{file.duplicates:,}", f"{file.rejected:,}", file.letter or "-",
        )
        for file in receipt.files
    ]  # fmt: skip
    yield from _aligned([head, *table], "llrrlrrl")
    yield from _missing_lines(receipt)
    yield from _year_lines(receipt)
    for severity, title in HEADS.items():
        problems = receipt.of(severity) if severity in severities else ()
        if problems:
            yield ""
            yield f"{title} ({len(problems)}):"
            # What to do about the others is in the page and the CSV, which have room for it.
            yield from (f"  - {problem_text(problem, advice=severity == ERROR)}" for problem in problems)
    yield from _linkage_lines(receipt)
    yield from _repair_lines(receipt)
    if not receipt.problems:
        yield ""
        yield "No problems found."


def problem_text(problem: Problem, *, advice: bool = True) -> str:
    """Write a problem in one line: where, what, first rows, what to do."""
    where = " ".join(part for part in (problem.file or problem.register, problem.column) if part)
    if problem.rule in ("cannot_be_read", "linkage"):
        return problem.what
    more = " ..." if problem.rows > len(problem.first_rows) else ""
    first = f" Rows {', '.join(str(row) for row in problem.first_rows)}{more}." if problem.first_rows else ""
    return f"{where}: {problem.what}{first}{' ' + problem.do if advice else ''}"


def _aligned(rows: Sequence[Sequence[str]], sides: str) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [
            text.rjust(width) if side == "r" else text.ljust(width)
            for text, width, side in zip(row, widths, sides, strict=True)
        ]
        yield ("  " + "  ".join(cells)).rstrip()


def _missing_lines(receipt: Receipt) -> Iterator[str]:
    by_file: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for column in receipt.columns:
        if column.missing:
            by_file[column.file].append((column.share, column.delivered_as))
    if by_file:
        yield ""
        yield "Missing, per cent of rows:"
        lines = []
        for file, columns in by_file.items():
            worst = sorted(columns, key=lambda column: (-column[0], column[1]))
            shares = ", ".join(f"{name} {_percent(share)}" for share, name in worst[:MISSING_SHOWN])
            lines.append(
                (file, shares + (f", and {len(worst) - MISSING_SHOWN} more" if len(worst) > MISSING_SHOWN else ""))
            )
        yield from _aligned(lines, "ll")


def _percent(share: float) -> str:
    return "<0.1" if 0 < share < 0.001 else f"{share * 100:.1f}"


def _year_lines(receipt: Receipt) -> Iterator[str]:
    totals = years_by_register(receipt)
    if totals:
        yield ""
        yield "Clean rows by start year:"
        lines = []
        for register, years in totals.items():
            first, last, most = min(years), max(years), max(years.values())
            bars = "".join(_bar(years.get(year, 0), most) for year in range(first, last + 1))
            lines.append(
                (register, f"{first}", bars, f"{last}", f"most {most:,} in {max(years, key=lambda y: years[y])}")
            )
        yield from _aligned(lines, "lllll")


def _repair_lines(receipt: Receipt) -> Iterator[str]:
    if receipt.repairs:
        yield ""
        yield "Kept, and changed by a rule that the source chose:"
        lines = [
            (repair.register, repair.rule, f"{repair.rows:,} rows", f"{repair.people:,} people")
            for repair in receipt.repairs
        ]
        yield from _aligned(lines, "llrr")


def _linkage_lines(receipt: Receipt) -> Iterator[str]:
    if receipt.linkages:
        yield ""
        yield "People drawn who are found in each register:"
        head = ("register", "found", "of", "share", "treated", "control", "ids only there")
        lines = [
            (
                link.register, f"{link.found:,}", f"{link.people:,}", f"{_percent(link.share)} %",
                _share(link.treated_found, link.treated), _share(link.control_found, link.control), f"{link.ids_only_there:,}",
            )
            for link in receipt.linkages
        ]  # fmt: skip
        yield from _aligned([head, *lines], "lrrrrrr")


def _share(found: int, people: int) -> str:
    return f"{_percent(found / people)} %" if people else "-"


def _bar(rows: int, most: int) -> str:
    return BARS[min(len(BARS) - 1, rows * len(BARS) // (most + 1))] if rows else "."


def years_by_register(receipt: Receipt) -> dict[str, dict[int, int]]:
    """Return clean rows by register and start year."""
    totals: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for year in receipt.years:
        totals[year.register][year.year] += year.rows
    return {register: dict(years) for register, years in totals.items()}


def write_receipt_csv(receipt: Receipt, folder: Path) -> list[Path]:
    """Write `receipt_<part>.csv` for files, columns, years, repairs, linkage and problems."""
    columns = [{**asdict(column), "missing_share": round(column.share, 6)} for column in receipt.columns]
    problems = [
        {**asdict(problem), "first_rows": " ".join(str(row) for row in problem.first_rows)}
        for problem in receipt.problems
    ]
    parts: dict[str, tuple[list[dict[str, Any]], tuple[str, ...]]] = {
        "files": (
            [asdict(file) for file in receipt.files],
            ("register", "file", "rows", "clean", "rejected", "people", "first", "last", "duplicates", "unknown_codes",
             "size", "sha256", "letter"),
        ),
        "columns": (columns, ("register", "file", "column", "delivered_as", "rows", "missing", "missing_share")),
        "years": ([asdict(year) for year in receipt.years], ("register", "file", "year", "rows")),
        "repairs": ([asdict(repair) for repair in receipt.repairs], ("register", "rule", "rows", "people")),
        "linkage": ([asdict(link) for link in receipt.linkages], COLUMNS),
        "problems": (
            problems, ("severity", "register", "file", "column", "rule", "rows", "first_rows", "what", "do"),
        ),
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, (rows, names) in parts.items():
        lines = [names, *([row[column] for column in names] for row in rows)]
        written.append(folder / f"receipt_{name}.csv")
        written[-1].write_text(csv_text(lines), encoding="utf-8")
    return written
