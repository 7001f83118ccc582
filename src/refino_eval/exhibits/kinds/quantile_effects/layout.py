"""Effects at quantiles: quantiles as rows, outcomes as columns, the effect on the mean last."""

from __future__ import annotations

import pandas as pd

from refino_eval.covariances import is_clustered
from refino_eval.exhibits.keys import MEAN, quantile_row
from refino_eval.exhibits.kinds.quantile_effects.model import QuantileEffectsExhibit, QuantilesExhibit
from refino_eval.exhibits.layout.effect_rows import effect_rows, outcome_header
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.notes import specification_note
from refino_eval.exhibits.wording.number_format import NumberStyle


def layout(exhibit: QuantileEffectsExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out an effect for each quantile with its standard error, and the people behind them."""
    labels, columns = page.labels, exhibit.columns
    numbers = Numbers.of(frame, page.style)
    body: list[Row] = []
    for point in exhibit.quantiles:
        heading = labels.say("quantile_effects.quantile", quantile=page.style.of_text(f"{point:g}"))
        body += effect_rows(numbers, "", quantile_row(point), heading, columns, labels)
    body += effect_rows(numbers, "", MEAN, labels.say("quantile_effects.mean"), columns, labels)
    body.append(Row((label("N"), *(numbers.cell("", MEAN, key, "n") for key in columns))))
    parts = (Part(header=(outcome_header(columns, labels),), body=tuple(body)),)
    return page.table(exhibit, frame, parts, quantile_notes(exhibit, frame, labels))


def quantile_notes(exhibit: QuantilesExhibit, frame: pd.DataFrame, labels: LabelBook) -> list[str]:
    """Return notes that say what was computed, and how."""
    style, entry = NumberStyle.of(labels.language), labels.specification_of(exhibit.specification)
    lines = [] if entry is None else [specification_note(exhibit.specification, entry, labels)]
    clustered = "_clustered" if entry is not None and is_clustered(entry.vcov) else ""
    if exhibit.method == "regression":
        lines += [labels.say("quantile_effects.regression"), labels.say(f"quantile_effects.kernel{clustered}")]
    else:
        lines.append(labels.say("quantile_effects.unconditional"))
        lines.append(labels.say(f"quantile_effects.bootstrap{clustered}", draws=style.integer(exhibit.draws)))
    lost = frame.loc[frame["statistic"] == "n_left_out", "value"]
    if len(lost):
        lines.append(labels.say("quantile_effects.one_arm_cells", n=style.integer(lost.max())))
    return lines
