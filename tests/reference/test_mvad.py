"""Real dated spells through ingestion and months and back: the monthly calendar of McVicar and Anyadike-Danes (mvad)."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from refino_eval.config.definitions import Definitions
from refino_eval.months.engine import derive_panel
from refino_eval.registers.ingest import ingest
from support.builders import LABEL, source

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("REFINO_EVAL_SHARED", ROOT / ".." / "shared" / "data")) / "mvad"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the public mvad files are not there (REFINO_EVAL_SHARED)")

CODES = {"employment": "EM", "FE": "FE", "HE": "HE", "joblessness": "JL", "school": "SC", "training": "TR"}
STATES = sorted(CODES.values())
FIRST, MONTHS, PEOPLE, SPELLS = pd.Period("1993-09", "M"), 70, 712, 2205


def calendar_source():
    columns = {
        "person_id": ("id", "id"),
        "activity": ("state", "text"),
        "start": ("start_date", "date"),
        "stop": {"from": "end_date", "type": "date", "inclusive": True},
    }
    return source(
        "calendar", "spell", columns, delimiter=",", files=["mvad_spells_dated.csv"],
        coverage=("1993-09-01", "1999-06-30"),
        rules=[{"rule": name} for name in ("duplicate_row", "stop_before_start", "outside_coverage")],
    )  # fmt: skip


@pytest.fixture(scope="module")
def original():
    """The published calendar: people x 70 months of state codes, and the weights."""
    wide = pd.read_csv(DATA / "mvad.csv", dtype={"id": str}).set_index("id")
    names = [f"{period.strftime('%b.%y')}" for period in pd.period_range(FIRST, periods=MONTHS, freq="M")]
    return wide[names].replace(CODES), wide["weight"], wide["gcse5eq"]


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mvad")
    report = ingest(
        calendar_source(),
        DATA,
        codelists={},
        clean_path=folder / "clean.parquet",
        rejects_path=folder / "rejects.parquet",
    )
    assert (report.delivered, report.clean, report.rejected, report.people) == (SPELLS, SPELLS, 0, PEOPLE)
    return folder / "clean.parquet"


@pytest.fixture(scope="module", params=["any_day", "all_days"])
def panel(request, clean, original, tmp_path_factory):
    """The panel of six states; spells begin on the first of a month and end on its last, so both rules agree."""
    folder = tmp_path_factory.mktemp("panel")
    people = sorted(original[0].index)
    draw = FIRST.to_timestamp().date()
    pq.write_table(
        pa.table({"person_id": people, "draw_date": pa.array([draw] * len(people), pa.date32())}),
        folder / "cohort.parquet",
    )
    states = {
        code.lower(): {
            "label": LABEL, "description": "x", "unit": LABEL, "register": "calendar", "touch": request.param,
            "where": [{"column": "activity", "in": [code]}],
        }
        for code in STATES
    }  # fmt: skip
    derive_panel(
        Definitions.model_validate({"states": states}),
        {"calendar": calendar_source()},
        {},
        clock_unit="month",
        first=0,
        last=MONTHS - 1,
        states=list(states),
        cohort_path=folder / "cohort.parquet",
        clean_paths={"calendar": clean},
        out_path=folder / "panel.parquet",
    )
    return pd.read_parquet(folder / "panel.parquet")


@pytest.fixture(scope="module")
def sequences(panel):
    """People x months of state codes as the panel has them; exactly one state holds in each month."""
    values = panel[[code.lower() for code in STATES]].to_numpy()
    assert np.array_equal(values.sum(axis=1), np.ones(PEOPLE * MONTHS))
    codes = np.array(STATES)[values.argmax(axis=1)]
    people = panel["person_id"].to_numpy().reshape(PEOPLE, MONTHS)[:, 0]
    return pd.DataFrame(codes.reshape(PEOPLE, MONTHS), index=people)


@pytest.fixture(scope="module")
def published():
    return pd.read_csv(DATA / "published.csv", dtype=str).set_index(["table", "item"])["published"]


def printed(value, as_printed):
    return f"{value:.{len(as_printed.partition('.')[2])}f}" == as_printed


def spells_of(row):
    """Return a person's spells as (state, first month, months)."""
    starts = [0, *(np.flatnonzero(row[1:] != row[:-1]) + 1).tolist()]
    return [(row[a], a, b - a) for a, b in zip(starts, [*starts[1:], len(row)], strict=True)]


def test_spells_to_months_is_the_identity(sequences, original):
    assert sequences.size == 49_840
    assert (sequences.to_numpy() == original[0].loc[sequences.index].to_numpy()).all()


def test_months_back_to_spells_is_the_identity(sequences):
    delivered = pd.read_csv(DATA / "mvad_spells_dated.csv", dtype=str)
    made = [
        (
            person,
            state,
            str((FIRST + first).start_time.date()),
            str((FIRST + first + length - 1).end_time.date()),
            str(length),
        )
        for person, row in zip(sequences.index, sequences.to_numpy(), strict=True)
        for state, first, length in spells_of(row)
    ]
    assert len(made) == SPELLS
    assert sorted(made) == sorted(delivered.itertuples(index=False, name=None))


def test_state_shares_are_the_published_ones(sequences, original, published):
    weight = original[1].loc[sequences.index].to_numpy()
    shares = published.loc["state share by month (weighted)"]
    assert len(shares) == 48
    for item, as_printed in shares.items():
        state, month = item.split()
        place = (pd.Period(pd.to_datetime(month, format="%b.%y"), "M") - FIRST).n
        assert printed(weight[sequences[place] == state].sum() / weight.sum(), as_printed), item


def test_transition_rates_are_the_published_ones(sequences, original, published):
    weight = original[1].loc[sequences.index].to_numpy()
    codes = sequences.to_numpy()
    before, after = codes[:, :-1], codes[:, 1:]
    weights = np.broadcast_to(weight[:, None], before.shape)
    rates = published.loc["monthly transition rates (weighted)"]
    assert len(rates) == 36
    for item, as_printed in rates.items():
        one, other = item.split("->")
        rate = weights[(before == one) & (after == other)].sum() / weights[before == one].sum()
        assert printed(rate, as_printed), item


def test_the_first_five_people_are_printed_as_spells(sequences, published):
    source_text = pd.read_csv(DATA / "published.csv", dtype=str).set_index("item")["published_source"]
    for person in range(1, 6):
        told = "-".join(f"({state},{length})" for state, _, length in spells_of(sequences.loc[str(person)].to_numpy()))
        assert source_text[f"person {person}"].endswith(told)


def test_the_weights_add_up(original, published):
    _, weight, passed = original
    for item, value in (("<5 GCSE", "no"), (">=5 GCSE", "yes")):
        assert printed(weight[passed == value].sum(), published["weights", item])
