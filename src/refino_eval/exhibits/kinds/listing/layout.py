"""Numbers of another exhibit as a table, a row for each and a column for each statistic unless chosen otherwise."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from refino_eval.exhibits.kinds.listing.model import ListingExhibit
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, label
from refino_eval.exhibits.tidy import KEYS
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.number_format import format_statistic

DIMENSIONS = KEYS[1:]
JOINED = " · "


def layout(exhibit: ListingExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out the numbers: what differs identifies rows, what is the same for all is said beneath."""
    labels = page.labels
    heads = list(dict.fromkeys(frame[exhibit.across]))
    down = [name for name in DIMENSIONS if name != exhibit.across]
    varying = [name for name in down if frame[name].nunique() > 1]
    header = Row((label(""), *(label(_named(head, exhibit, labels), align="right") for head in heads)))
    body = list(_body(exhibit, frame, heads, varying, page))
    same = [_named(frame[name].iloc[0], exhibit, labels) for name in down if name not in varying]
    same = [text for text in same if text]
    notes = [labels.say("listing.same_for_all_numbers", shown=JOINED.join(same))] if same else []
    notes.append(labels.say("listing.source_exhibit", exhibit=exhibit.numbers_of))
    return page.table(exhibit, frame, (Part(header=(header,), body=tuple(body)),), notes)


def _body(
    exhibit: ListingExhibit, frame: pd.DataFrame, heads: list[str], varying: list[str], page: Page
) -> Iterator[Row]:
    """Return a row for each combination of keys, under a heading for each panel where these differ."""
    labels, numbers = page.labels, Numbers.of(frame, page.style)
    down = [name for name in DIMENSIONS if name != exhibit.across]
    # Where panels have a heading each, their rows need not repeat it.
    blocks = "panel" in varying and len(varying) > 1
    listed = [name for name in varying if name != "panel" or not blocks]
    panel = None
    for values in frame[down].drop_duplicates().itertuples(index=False):
        keys = dict(zip(down, map(str, values), strict=True))
        if blocks and keys["panel"] != panel:
            panel = keys["panel"]
            yield Row((label(_named(panel, exhibit, labels), span=len(heads) + 1),), role="block")
        text = JOINED.join(_named(keys[name], exhibit, labels) for name in listed)
        yield Row((label(text), *(_cell({**keys, exhibit.across: head}, exhibit, numbers) for head in heads)))


def _cell(keys: dict[str, str], exhibit: ListingExhibit, numbers: Numbers) -> Cell:
    statistic = keys["statistic"]
    place = (keys["panel"], keys["row"], keys["column"])
    if statistic in exhibit.decimals:
        return numbers.cell(
            *place, statistic, write=lambda value: numbers.style.fixed(value, exhibit.decimals[statistic])
        )
    if statistic == "estimate":
        return numbers.estimate(*place)
    error = numbers.value(*place, "std_error")
    return numbers.cell(
        *place,
        statistic,
        write=lambda value: format_statistic(numbers.style, statistic, value, std_error=error if error > 0 else None),
    )


def _named(key: str, exhibit: ListingExhibit, labels: LabelBook) -> str:
    """Return what a panel, row, column or statistic is called; a key may name any kind of definition."""
    if key in exhibit.labels:
        return exhibit.labels[key][labels.language]
    if key in labels.arms:
        return labels.arm(key)
    if key in labels.definitions.outcomes or key in labels.outcomes:
        return labels.outcome(key)
    if key in labels.definitions.covariates:
        return labels.covariate(key)
    if key in labels.definitions.states:
        return labels.state(key)
    if key in labels.definitions.specifications:
        return labels.specification(key)
    if ":" in key:  # a panel of an arm or a group within a panel
        return JOINED.join(_named(part, exhibit, labels) for part in key.split(":"))
    # Cells, years and codes are shown as the data spell them; only the program's own names are made readable.
    return labels.word(key) if key == key.lower() and not key[:1].isdigit() else key
