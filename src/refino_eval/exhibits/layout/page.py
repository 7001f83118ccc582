"""What a layout gets in addition to an exhibit and its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from refino_eval.config.exhibits import Exhibit
from refino_eval.exhibits.layout.table import Part, Table
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import exhibit_notes
from refino_eval.exhibits.wording.number_format import NumberStyle


@dataclass(frozen=True)
class Page:
    """Where an exhibit is laid out.

    Attributes
    ----------
    name
        The exhibit's name, for instance ``"table_8_1"``.
    labels
        Labels and texts, bound to a language.
    facts
        What else is known: `data_class`, and `notes`, further lines to show.
    style
        How numbers are written.
    """

    name: str
    labels: LabelBook
    facts: Mapping[str, Any]
    style: NumberStyle

    def table(self, exhibit: Exhibit, frame: pd.DataFrame, parts: Sequence[Part], notes: Sequence[str] = ()) -> Table:
        """Return the finished table: its parts under the exhibit's title, with the lines that every exhibit has.

        A spreadsheet shows no lines beneath a table.
        """
        return Table(
            exhibit=self.name,
            language=self.labels.language,
            title=exhibit.title[self.labels.language],
            parts=tuple(parts),
            notes=() if self.style.machine else exhibit_notes(exhibit, frame, self.labels, self.facts, notes),
        )
