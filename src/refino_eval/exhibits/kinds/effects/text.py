"""What the report says about exhibits of kind `effects`."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from refino_eval.config.definitions import Specification
from refino_eval.exhibits.keys import group_key, groups_in
from refino_eval.exhibits.kinds.effects.model import EffectsExhibit
from refino_eval.exhibits.report_parts import DesignCheck
from refino_eval.exhibits.tidy import Key, statistics_at
from refino_eval.exhibits.wording.formulas import regression
from refino_eval.exhibits.wording.group_labels import group_label
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.number_format import NumberStyle


def formula(
    exhibit: EffectsExhibit,
    key: Key,
    outcome: str | None,
    specification: Specification | None,
    labels: LabelBook,
) -> str:
    """Return the regression behind a number: the state at one event time on assignment."""
    return "" if specification is None else regression(f"{key[0]}[{key[1]}]", specification, labels)


def design_checks(exhibit: EffectsExhibit, frame: pd.DataFrame, labels: LabelBook) -> Iterator[DesignCheck]:
    """Return the joint tests of the periods before random assignment, one for each state and group."""
    for panel in dict.fromkeys(frame.loc[frame["row"] == "placebo", "panel"]):
        p = statistics_at(frame, panel, "placebo", "difference").get("p_value")
        if p is not None:
            state, _, group = panel.partition(":")
            names = [labels.state(state)]
            if exhibit.by is not None:
                spelt = {group_key(name): name for name in groups_in(frame)}
                names.append(group_label(exhibit.by, spelt.get(group, group), spelt.values(), labels))
            p_text = NumberStyle.of(labels.language).p_value(p)
            yield DesignCheck(labels.say("summary.check_placebo", state=", ".join(names), p=p_text), p)
