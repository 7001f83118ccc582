"""Model of exhibits of kind `null_card`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from refino_eval.config.base import Name
from refino_eval.config.exhibit_base import OutcomesExhibit
from refino_eval.errors import nearest
from refino_eval.exhibits.kinds.tests.model import TestsExhibit

if TYPE_CHECKING:
    from refino_eval.config.definitions import Definitions
    from refino_eval.config.evaluation import Evaluation


class NullCardExhibit(OutcomesExhibit):
    """What a result that finds nothing rules out, in units, in per cent and in words; read from a `tests` exhibit."""

    kind: Literal["null_card"]
    rests_on_randomisation: ClassVar[bool] = True
    units_in_heads: ClassVar[bool] = False
    explanations: ClassVar[tuple[str, ...]] = (
        "itt",
        "families",
        "null_result",
    )
    tests: Name = Field(
        description="The exhibit of kind tests whose numbers it shows, with the same columns or some of them."
    )
    specification: Name = "main"

    @property
    def exhibits_read(self) -> tuple[str, ...]:
        """The exhibit with the tests."""
        return (self.tests,)

    def faults(self, where: str, study: Evaluation, definitions: Definitions) -> Iterator[str]:
        """Return what the definition says and cannot mean."""
        tests = definitions.exhibits.get(self.tests)
        if tests is None:
            return
        if not isinstance(tests, TestsExhibit):
            yield f"The {where} reads its numbers from '{self.tests}', which is of kind {tests.kind}. Name an exhibit of kind tests."
            return
        for key, outcome in self.columns.items():
            if tests.columns.get(key) != outcome:
                yield (
                    f"The {where} shows the column '{key}: {outcome}', which the exhibit '{self.tests}' does not have."
                    f"{nearest(key, tests.columns)}"
                )
        for what, mine, theirs in (
            ("sample", self.sample, tests.sample),
            ("specification", self.specification, tests.specification),
        ):
            if mine != theirs:
                yield (
                    f"The {where} has {what} '{mine}', but its numbers are computed in '{self.tests}' with {what} '{theirs}'. "
                    "Use the same in both."
                )
