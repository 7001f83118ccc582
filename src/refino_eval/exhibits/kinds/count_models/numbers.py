"""Numbers of exhibits of kind `count_models`: those of `binary_models`, for counts."""

from __future__ import annotations

from collections.abc import Iterator

from refino_eval.exhibits.kinds.binary_models.numbers import response_numbers
from refino_eval.exhibits.kinds.count_models.model import CountModelsExhibit
from refino_eval.exhibits.numbers.study import Context, Row


def numbers(exhibit: CountModelsExhibit, context: Context) -> Iterator[Row]:
    """Row the outcome, columns `linear`, `poisson` (effect on the expected number), `log_rate` and `rate_ratio`."""
    yield from response_numbers(exhibit, context, exposure=exhibit.exposure)
