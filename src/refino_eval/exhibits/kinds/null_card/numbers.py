"""Numbers of exhibits of kind `null_card`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from refino_eval.exhibits.keys import arm_panel
from refino_eval.exhibits.kinds.null_card.model import NullCardExhibit
from refino_eval.exhibits.numbers.number_sources import CopyOf
from refino_eval.exhibits.numbers.study import Context, Row, cell
from refino_eval.exhibits.tidy import read_made

IN_PERCENT = ("estimate", "conf_low", "conf_high", "mde", "rejected_below", "rejected_above", "margin")


CARD = (
    "estimate", "std_error", "p_value", "conf_low", "conf_high", "mean_control", "mde", "rejected_below", "rejected_above",
    "margin", "p_value_equivalence", "p_value_ri", "p_value_fwer", "n",
)  # fmt: skip


def numbers(exhibit: NullCardExhibit, context: Context) -> Iterator[Row]:
    """Yield the tests' numbers as they stand (panel `units`), and in per cent of the control mean (panel `percent`)."""
    files, study = context.files, context.study
    tests = read_made(files.aggregates[exhibit.tests])
    panels = (exhibit.specification, arm_panel(study.treated, exhibit.specification))
    tests = tests[tests["panel"].isin(panels) & (tests["column"] == study.treated)]
    numbers: dict[tuple[str, str], tuple[float, int | None]] = {
        (str(record["row"]), str(record["statistic"])): (
            float(record["value"]), None if pd.isna(record["n_persons"]) else int(record["n_persons"])
        )
        for record in tests.to_dict("records")
    }  # fmt: skip
    for key in exhibit.columns:
        mean = numbers.get((key, "mean_control"), (np.nan, None))[0]
        source = CopyOf(exhibit.tests, str(tests["panel"].iloc[0]) if len(tests) else "", key, study.treated)
        for statistic in CARD:
            if (key, statistic) not in numbers:
                continue
            value, people = numbers[key, statistic]
            yield cell(key, study.treated, statistic, value, people, panel="units", source=source)
            if statistic in IN_PERCENT:
                # Per cent of nothing, or of a negative level, is no number that a reader can use.
                percent = 100.0 * value / mean if mean > 0 else np.nan
                scaled = replace(source, factor=100.0 / mean) if mean > 0 else None
                yield cell(key, study.treated, statistic, percent, people, panel="percent", source=scaled)
