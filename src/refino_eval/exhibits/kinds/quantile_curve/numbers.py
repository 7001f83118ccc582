"""Numbers of exhibits of kind `quantile_curve`: those of `quantile_effects`."""

from __future__ import annotations

from refino_eval.exhibits.kinds.quantile_effects.numbers import numbers

__all__ = ["numbers"]
