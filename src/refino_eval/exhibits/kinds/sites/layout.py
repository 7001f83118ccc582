"""What documents state of each site, and the people counted there, a row for each site."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import replace

import pandas as pd

from refino_eval.config.base import text_in
from refino_eval.exhibits.keys import WITHOUT_GROUP
from refino_eval.exhibits.kinds.sites.model import Site, SitesExhibit
from refino_eval.exhibits.layout.page import Page
from refino_eval.exhibits.layout.table import Cell, Numbers, Part, Row, Table, label
from refino_eval.exhibits.wording.labels import LabelBook


def layout(exhibit: SitesExhibit, frame: pd.DataFrame, page: Page) -> Table:
    """Lay out a row for each site: its texts, its stated numbers, and its people by arm."""
    labels, numbers = page.labels, Numbers.of(frame, page.style)
    arms = (*labels.treated_arms, labels.control)
    of_text = {name for name in exhibit.columns if not any(name in site.stated for site in exhibit.sites.values())}
    rows = [_site(exhibit, name, numbers, labels) for name in exhibit.sites]
    rows.append(Row(tuple(_sums(exhibit, of_text, numbers, labels)), role="foot"))
    names = [*exhibit.sites, "all"]
    body = [
        replace(row, cells=(*row.cells, *(numbers.cell("", name, arm, "count") for arm in arms)))
        for name, row in zip(names, rows, strict=True)
    ]
    notes = [labels.say("sites.explained")]
    elsewhere = [numbers.value("", WITHOUT_GROUP, arm, "count") for arm in arms]
    if sum(people > 0 for people in elsewhere):
        notes.append(labels.say("sites.elsewhere", n=page.style.integer(sum(p for p in elsewhere if p > 0))))
    header = Row(tuple(_heads(exhibit, of_text, arms, labels)))
    return page.table(exhibit, frame, (Part(header=(header,), body=tuple(body)),), notes)


def _heads(exhibit: SitesExhibit, of_text: Container[str], arms: Sequence[str], labels: LabelBook) -> Iterator[Cell]:
    """Yield the headings of the columns; texts are on the left."""
    yield label("")
    if exhibit.values_head is not None:
        yield label(exhibit.values_head[labels.language])
    for name, column in exhibit.columns.items():
        yield label(column.label[labels.language], align="left" if name in of_text else "right")
    for arm in arms:
        yield label(labels.say("sites.people_of_arm", arm=labels.arm(arm)), align="right")


def _site(exhibit: SitesExhibit, name: str, numbers: Numbers, labels: LabelBook) -> Row:
    """Return what documents state of a site."""
    site = exhibit.sites[name]
    listed = () if exhibit.values_head is None else (Cell(_listed(exhibit, site, labels), align="left"),)
    stated = (_stated(name, column, site, numbers, labels) for column in exhibit.columns)
    return Row((label(site.label[labels.language]), *listed, *stated))


def _sums(exhibit: SitesExhibit, of_text: Container[str], numbers: Numbers, labels: LabelBook) -> Iterator[Cell]:
    """Yield the cells of the last line, which has the sums of stated numbers."""
    yield label(labels.word("all"))
    if exhibit.values_head is not None:
        yield Cell("", align="left")
    for column in exhibit.columns:
        yield Cell("", align="left") if column in of_text else _number("all", column, numbers)


def _listed(exhibit: SitesExhibit, site: Site, labels: LabelBook) -> str:
    return ", ".join(labels.value(exhibit.by, value) for value in site.values)


def _stated(name: str, column: str, site: Site, numbers: Numbers, labels: LabelBook) -> Cell:
    if column in site.stated:
        return _number(name, column, numbers)
    return Cell(text_in(site.texts[column], labels.language) if column in site.texts else "", align="left")


def _number(row: str, column: str, numbers: Numbers) -> Cell:
    """Return a stated number; a year is written without a separator of thousands."""
    style = numbers.style
    return numbers.cell("", row, column, "stated", write=lambda value: _written(value, style.integer(value)))


def _written(value: float, text: str) -> str:
    return f"{value:.0f}" if 1900 <= value < 2100 and value == round(value) else text
