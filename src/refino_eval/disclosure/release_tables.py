"""What disclosure control takes and gives: tidy numbers with their metadata, protected numbers with reasons, and findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from refino_eval.config.evaluation import Evaluation
from refino_eval.config.exhibit_base import PlainExhibit
from refino_eval.disclosure.classes import DisclosureClass, class_of_kind

Status = Literal["unchanged", "rounded", "secondary", "primary"]
"""Of a cell, from best to worst: as computed; written with fewer digits; suppressed to protect another; suppressed by a rule."""

ORDER: tuple[Status, ...] = ("unchanged", "rounded", "secondary", "primary")

SUPPRESSED = "suppressed"
"""Status of a protected tidy row without a value: it does not say whether the cell is small or protects a small one."""


@dataclass(frozen=True)
class ReleaseExhibit:
    """The numbers of one exhibit, with what disclosure control must know about them.

    Attributes
    ----------
    name
        Its id, such as ``table_8_1``.
    kind
        Its kind; decides its class.
    frame
        Tidy numbers (see `refino_eval.exhibits.tidy`) with `n_persons`, the unweighted people behind each number.
    sample
        The sample that it is about.
    treated, control
        Names of the arms in its columns, so that `n_treated` and the treated arm's column are the same count.
    measures
        Outcome of each column that is one: exhibits with a common outcome are related.
    cumulative
        Whether counts run on from row to row, so that the difference of neighbouring rows is a count of people.
    computed_from_exhibits
        Whether it is computed from the numbers of other exhibits of the run.
    """

    name: str
    kind: str
    frame: pd.DataFrame
    sample: str = "analysed"
    treated: tuple[str, ...] = ()
    control: str = ""
    measures: Mapping[str, str] = field(default_factory=dict)
    cumulative: bool = False
    computed_from_exhibits: bool = False

    @property
    def disclosure_class(self) -> DisclosureClass:
        """The class of its kind; what is computed from other exhibits is about their people, whatever its kind."""
        kept = class_of_kind(self.kind)
        return "money" if kept == "published" and self.computed_from_exhibits else kept


@dataclass(frozen=True)
class ProtectedExhibit:
    """The protected numbers of one exhibit.

    Attributes
    ----------
    frame
        Tidy numbers in the order of the unprotected ones. A suppressed number has no value and the status `suppressed`; `n_persons`
        is protected as well. This frame, and what is made from it, may leave the secure zone.
    cells
        For each row of `frame`: `status` (see `Status`), `reasons` (rules, separated by spaces) and `step` (the number is written in
        multiples of it; 0 is exact). Stays in the secure zone: it says which of the suppressed cells are small.
    """

    name: str
    kind: str
    disclosure_class: DisclosureClass
    frame: pd.DataFrame
    cells: pd.DataFrame
    source: ReleaseExhibit = field(repr=False)

    @property
    def status(self) -> Status:
        """The worst status of its cells."""
        return max(self.cells["status"], key=ORDER.index, default="unchanged")


@dataclass(frozen=True)
class UtilityLost:
    """How many numbers a release loses, and how many it would lose if rows with a suppressed cell were suppressed as a whole."""

    cells: int
    primary: int
    secondary: int
    whole_rows: int

    @property
    def share(self) -> float:
        """Share of the numbers that are suppressed."""
        return (self.primary + self.secondary) / self.cells if self.cells else 0.0


@dataclass(frozen=True)
class ProtectedRelease:
    """All protected exhibits of a release."""

    profile: str
    exhibits: tuple[ProtectedExhibit, ...]
    utility: UtilityLost

    def __getitem__(self, name: str) -> ProtectedExhibit:
        return next(exhibit for exhibit in self.exhibits if exhibit.name == name)

    @property
    def frames(self) -> dict[str, pd.DataFrame]:
        """Protected tidy numbers by exhibit: what an earlier release is compared by."""
        return {exhibit.name: exhibit.frame for exhibit in self.exhibits}


@dataclass(frozen=True)
class EarlierRelease:
    """What an earlier release of the same people shows: protected tidy numbers by exhibit."""

    label: str
    frames: Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Finding:
    """A way to rebuild a hidden cell or a person's value from what is released.

    Attributes
    ----------
    path
        The attack: `margins`, `complement`, `increments`, `nested populations`, `rate`, `mean of few`, `digits`, `earlier release`.
    cells
        The cells that it uses and the one that it rebuilds, as `exhibit/panel/row/column/statistic`; no values.
    reason
        One sentence without numbers of people.
    """

    path: str
    cells: tuple[str, ...]
    reason: str


def release_exhibits(
    frames: Mapping[str, pd.DataFrame], exhibits: Mapping[str, PlainExhibit], evaluation: Evaluation
) -> tuple[ReleaseExhibit, ...]:
    """Attach the metadata of an evaluation to its tidy numbers.

    Parameters
    ----------
    frames
        Tidy numbers by exhibit.
    exhibits
        Their definitions, by the same names.
    evaluation
        The evaluation, for the names of its arms.
    """
    pooled = (evaluation.arms.pooled.name,) if evaluation.arms.pooled else ()
    treated = tuple(arm.name for arm in evaluation.arms.treated_arms) + pooled
    return tuple(
        ReleaseExhibit(
            name,
            (definition := exhibits[name]).kind,
            frame,
            sample=definition.sample,
            treated=treated,
            control=definition.against or evaluation.arms.control.name,
            measures=dict(definition.outcome_columns),
            cumulative=definition.kind in ("ever_started", "programme_starts"),
            computed_from_exhibits=bool(definition.exhibits_read),
        )
        for name, frame in frames.items()
    )
