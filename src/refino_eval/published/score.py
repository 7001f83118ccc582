"""The score of each evaluation against its published numbers, as a Markdown table."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path

import pandas as pd

SHOWN = ("equal", "last_digit", "within_sampling_error", "differs", "not_computed", "missing")
"""Verdicts that are counted: a number that the calculation starts from is no test of it."""

HEADS = {
    "equal": "equal",
    "last_digit": "last digit",
    "within_sampling_error": "within sampling error",
    "differs": "differs",
    "not_computed": "not computed",
    "missing": "missing",
}


def score_table(comparisons: Mapping[str, pd.DataFrame]) -> str:
    """Count the verdicts of each evaluation.

    Parameters
    ----------
    comparisons
        Evaluation -> its comparison (`run/comparison.csv`); one without rows is left out.

    Returns
    -------
    str
        A Markdown table: one row an evaluation, one column a verdict that some number has. Inputs are not counted.
    """
    counts = {
        name: frame["verdict"].value_counts().to_dict() for name, frame in comparisons.items() if len(frame.index)
    }
    verdicts = [verdict for verdict in SHOWN if verdict in ("equal", "last_digit", "differs") or _any(counts, verdict)]
    lines = [
        f"| evaluation | printed numbers | {' | '.join(HEADS[verdict] for verdict in verdicts)} |",
        f"|---|--:|{'--:|' * len(verdicts)}",
    ]
    for name, found in counts.items():
        told = " | ".join(str(found.get(verdict, 0)) for verdict in verdicts)
        lines.append(f"| `{name}` | {sum(found.get(verdict, 0) for verdict in SHOWN)} | {told} |")
    return "\n".join(lines)


def scores_of(results: Path) -> dict[str, pd.DataFrame]:
    """Read the comparisons of all evaluations that were run, in order of name."""
    return {path.parts[-3]: pd.read_csv(path) for path in sorted(results.glob("*/run/comparison.csv"))}


def _any(counts: Mapping[str, Mapping[Hashable, int]], verdict: str) -> bool:
    return any(found.get(verdict, 0) for found in counts.values())
