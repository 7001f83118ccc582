"""The score of each evaluation compared with its published numbers, as a Markdown table."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path

import pandas as pd

COUNTED = ("equal", "last_digit", "within_sampling_error", "differs", "not_computed", "missing")
"""Verdicts that are counted; a number that the calculation starts from tests nothing."""


def score_table(comparisons: Mapping[str, pd.DataFrame]) -> str:
    """Count the verdicts of each evaluation.

    Parameters
    ----------
    comparisons
        Evaluation -> its comparison (`run/comparison.csv`); one without rows is left out.

    Returns
    -------
    str
        A Markdown table: one row per evaluation, one column per verdict that occurs. Inputs are not counted.
    """
    counts = {
        name: frame["verdict"].value_counts().to_dict() for name, frame in comparisons.items() if len(frame.index)
    }
    verdicts = [
        verdict for verdict in COUNTED if verdict in ("equal", "last_digit", "differs") or _any(counts, verdict)
    ]
    lines = [
        f"| evaluation | published numbers | {' | '.join(verdict.replace('_', ' ') for verdict in verdicts)} |",
        f"|---|--:|{'--:|' * len(verdicts)}",
    ]
    for name, count in counts.items():
        cells = " | ".join(str(count.get(verdict, 0)) for verdict in verdicts)
        lines.append(f"| `{name}` | {sum(count.get(verdict, 0) for verdict in COUNTED)} | {cells} |")
    return "\n".join(lines)


def scores_of(results: Path) -> dict[str, pd.DataFrame]:
    """Read the comparisons of all evaluations that were run, in order of name."""
    return {path.parts[-3]: pd.read_csv(path) for path in sorted(results.glob("*/run/comparison.csv"))}


def _any(counts: Mapping[str, Mapping[Hashable, int]], verdict: str) -> bool:
    return any(count.get(verdict, 0) for count in counts.values())
