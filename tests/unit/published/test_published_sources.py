"""Transcriptions: as many numbers as recorded, each on its line of the document, and relations that speak of something."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pandas as pd
import pytest
import yaml

from refino_eval.published.audit.other_documents import named_documents
from refino_eval.published.relations import FOLLOWING, GROUPED, Relation, load_relations, match
from refino_eval.published.values import KEYS, load_published
from support.relation_checks import check_relations

ROOT = Path(__file__).parents[3]
DATA = ROOT / "data" / "published"
SHARED = Path(os.environ.get("REFINO_EVAL_SHARED", ROOT.parent / "shared" / "data"))
TEXTS = SHARED.parent / "seeds"
SOURCES = sorted(path.name.removesuffix(".source.yaml") for path in DATA.glob("*.source.yaml"))
NEAR = 2
"""Lines to either side of `source_line` on which a number may stand: a row of a table may be broken."""


def _source(name: str) -> dict[str, object]:
    return dict(yaml.safe_load((DATA / f"{name}.source.yaml").read_text(encoding="utf-8")))


def _plain(text: str) -> str:
    """Return a text without the kinds of space and minus that differ between print and transcription."""
    text = re.sub("[\u00a0\u2009\u202f\u2007]", " ", text).replace("\u2212", "-").replace("\\*", "*")
    text = re.sub(r"\b\d{1,2}\.\d{1,2}\.(?=\d{4}\b)", "", text)  # of a date, only the year is a number of ours
    return text.replace(" prosent", " %")


def stands_in(printed: str, text: str) -> bool:
    """Return whether a number stands in a text by itself, not as part of a longer number.

    The text may name the per cent once for several numbers, so a sign that it leaves out is no difference.
    """
    text = _plain(text)
    for form in dict.fromkeys((printed, printed.removesuffix(" %"))):
        if re.search(rf"(?<![\d.,]){re.escape(form)}(?![\d*]|[.,]\d)", text):
            return True
    return False


@pytest.mark.parametrize("name", SOURCES)
def test_every_number_is_on_its_line_of_the_document(name: str) -> None:
    path = TEXTS / str(_source(name)["text"])
    if not path.is_file():
        pytest.skip("the source documents are not here")
    lines = path.read_text(encoding="utf-8").split("\n")
    strayed = [
        f"{record['exhibit']}/{record['row']}/{record['column']} {record['printed']} on line {record['source_line']}"
        for record in load_published(DATA / f"{name}.csv").to_dict("records")
        if not stands_in(
            str(record["printed"]),
            "\n".join(lines[int(record["source_line"]) - 1 - NEAR : int(record["source_line"]) + NEAR]),
        )
    ]
    assert strayed == []


@pytest.mark.parametrize("name", SOURCES)
def test_numbers_are_as_many_as_recorded(name: str) -> None:
    source, published = _source(name), load_published(DATA / f"{name}.csv")
    assert published.groupby("exhibit", sort=False).size().to_dict() == source["exhibits"]
    assert len(published) == source["numbers"]
    assert not [key for key in published[list(KEYS)].to_numpy().ravel() if key != key.lower()]


def _speaks(relation: Relation, published: pd.DataFrame) -> bool:
    if relation.kind in (*FOLLOWING, *GROUPED):
        return len(check_relations((relation,), published)) > 0
    keys = [tuple(map(str, row)) for row in published[list(KEYS)].to_numpy()]
    return all(any(match(pattern, key) is not None for key in keys) for pattern in relation.of)


@pytest.mark.parametrize("name", SOURCES)
def test_every_relation_matches_published_numbers(name: str) -> None:
    # A misspelt key would silence a relation without a word.
    relations = load_relations(DATA / f"{name}.relations.yaml")
    published = load_published(DATA / f"{name}.csv")
    for other in named_documents(relations):
        numbers = load_published(DATA / f"{other}.csv")
        published = pd.concat([published, numbers.assign(exhibit=f"{other}:" + numbers["exhibit"])], ignore_index=True)
    silent = [(r.kind, r.is_, r.of) for r in relations if not _speaks(r, published)]
    assert silent == []


def test_a_number_is_found_by_itself() -> None:
    assert stands_in("23 %", "mellom 23\u00a0prosent og 4")
    assert stands_in("(0.0059)", "0.0011** (0.0059)")
    assert stands_in("45", "på 45 og 46 prosent")
    assert not stands_in("45", "i 1945 og 45,5 og 456")
    assert not stands_in("0,15", "0,150***")
    assert not stands_in("0,15**", "0,15***")
    assert not stands_in("7 265", "17 265")


def test_both_models_of_one_regression_are_the_same_columns() -> None:
    # The stepwise table leaves cells empty; a column shifted by one would break every one of these.
    published = load_published(DATA / "oppfolging_2020.csv").query("statistic == 'estimate'")
    by_column = {column: dict(zip(part["row"], part["printed"], strict=True))
                 for column, part in published.groupby(published["exhibit"] + "/" + published["column"])}  # fmt: skip
    assert len(by_column["table_v1/model_5"]) == 17
    assert by_column["table_v1/model_5"] == by_column["table_4_3/employed_month_12"]
