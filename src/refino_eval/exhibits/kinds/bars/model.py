"""Model of exhibits of kind `bars`."""

from __future__ import annotations

from typing import ClassVar, Literal

from refino_eval.config.exhibit_base import Form, OutcomesExhibit, Several


class BarsExhibit(OutcomesExhibit):
    """Means of outcomes by arm, as bars with their intervals."""

    kind: Literal["bars"]
    form: ClassVar[Form] = "figure"
    several_arms: ClassVar[Several] = "together"
    units_in_heads: ClassVar[bool] = False
    from_regressions: ClassVar[bool] = False
