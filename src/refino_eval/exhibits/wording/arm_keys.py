"""What panels and rows are called where there are several treated arms."""

from __future__ import annotations

ALL_ARMS = "all_arms"
"""Row of the test that no treated arm has an effect."""


def arm_panel(arm: str, panel: str) -> str:
    """Return the panel that holds one arm's numbers, where each treated arm has its own."""
    return f"{arm}:{panel}" if panel else arm


def difference_row(first: str, second: str) -> str:
    """Return the row of the difference between two treated arms."""
    return f"{first}_minus_{second}"
