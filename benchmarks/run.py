"""Rerun the benchmarks and write what they found to benchmarks/RESULTS.md.

`python benchmarks/run.py` runs all; name some (`months estimation`) to run these. Every ratio compares works measured in
the same run, one after the other; run it on a machine that does nothing else. A million people in plain pandas takes
three minutes and 9 GB or more. `whole_run --other ../older_checkout` compares whole runs with those of another checkout.
"""

import argparse
import importlib
import inspect
import os
import platform
import sys
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

HERE = Path(__file__).parent
TITLES = {
    "estimation": "Estimation beside its peers",
    "months": "Person x month states beside plain pandas",
    "nation": "Person x month states of a whole country",
    "spark": "Panel and outcomes on Spark beside DuckDB",
    "outcomes": "Outcomes",
    "cost_benefit": "Joint draws of a cost-benefit model",
    "ingest": "Reading and checking a register",
    "whole_run": "A whole run beside an earlier checkout",
}


def table(rows):
    """Return rows (mappings, or tuples of work, seconds, MB) as a Markdown table."""
    found = [
        row if isinstance(row, dict) else dict(zip(("work", "seconds", "peak_mb"), row, strict=True)) for row in rows
    ]
    columns = list(dict.fromkeys(name for row in found for name in row))
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    return "\n".join(lines + ["| " + " | ".join(shown(row.get(name)) for name in columns) + " |" for row in found])


def shown(value):
    """Return a cell: three significant digits of a number, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def main():
    """Run the benchmarks that are there, in order."""
    there = [name for name in TITLES if (HERE / f"{name}.py").is_file()]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("which", nargs="*", default=there, choices=there)
    parser.add_argument(
        "--other",
        type=Path,
        help="An earlier checkout that `whole_run` measures as well (its folder, with git or without).",
    )
    arguments = parser.parse_args()
    chosen = arguments.which
    if arguments.other is not None:
        os.environ["REFINO_EVAL_OTHER_CHECKOUT"] = str(arguments.other.resolve())
    sys.path.insert(0, str(HERE))
    path = HERE / "RESULTS.md"
    sections = {}
    if path.is_file():
        for part in path.read_text(encoding="utf-8").split("\n## ")[1:]:
            title, _, body = part.partition("\n")
            sections[title] = body.strip()
    for name in chosen:
        print(f"{TITLES[name]} ...", flush=True)
        module = importlib.import_module(name)
        measure = module.run
        # A long benchmark prints its rows as they are measured, so that they are not lost if it is stopped.
        seen = (
            {"report": lambda row: print(row, flush=True)} if "report" in inspect.signature(measure).parameters else {}
        )
        rows = table(measure(**seen))
        machine = (
            f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, BLAS on one thread"
        )
        about = f"{module.about()} " if hasattr(module, "about") else ""
        sections[TITLES[name]] = f"{rows}\n\n{about}Measured on {machine}; load at the end {os.getloadavg()[0]:.1f}."
        print(rows, flush=True)
    text = "# Benchmarks\n\nWritten by `benchmarks/run.py`; ratios are of works measured in the same run.\n"
    # Sections that other programs wrote are kept, after those of this one.
    kept = {title: sections[title] for title in [*TITLES.values(), *sections] if title in sections}
    text += "".join(f"\n## {title}\n\n{body}\n" for title, body in kept.items())
    path.write_text(text, encoding="utf-8")
    print(f"written: {path.name}")


if __name__ == "__main__":
    main()
