"""Outcomes computed on Spark against those computed from arrays: every kind, the same files."""

import itertools
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from refino_eval.config.definitions import Definitions, Outcome
from refino_eval.config.outcome_kinds import OUTCOME_KINDS
from refino_eval.outcomes.build import derive_outcomes
from support.builders import LABEL

FIRST, LAST = -3, 36
PEOPLE = 300
STATES = ("p", "q", "x")
TRUTHS = ("p", "p and not q", "x > 1 or q")
NUMBERS = ("x", "p", "x * 1.1 - q", "1 / x")
KEYS = {
    "at": (0, 36),
    # Windows of 7, 8, 23 and 40 periods: sums of fewer than eight terms are added in another order than those of more.
    "window": ((-3, 36), (0, 6), (2, 9), (4, 26), (0, 0)),
    "times": ((1, 3), (4, -1), (0, 2, 5, 9), (30, 31)),
    "at_least": (1, 2, 4),
    "censored": ("last", "missing"),
    "spell": ("q",),
    "trim": ((0, 0), (1, 1), (2, 0)),
}


def every_outcome():
    """Every kind with every rule for missing periods, on windows and times of several lengths."""
    made = {}
    for kind, entry in OUTCOME_KINDS.items():
        texts = itertools.cycle(TRUTHS if entry.reads_truth else NUMBERS)
        for values in itertools.product(*(KEYS[key] for key in entry.keys), ("any", "all")):
            for text in itertools.islice(texts, 2):
                data = {"label": LABEL, "description": "x", "kind": kind, "unit": LABEL}
                data |= {"state" if text in STATES else "expression": text}
                data |= dict(zip((*entry.keys, "missing"), values, strict=True))
                try:
                    made[f"o{len(made)}"] = Outcome.model_validate(data)
                except ValueError:
                    continue  # a combination that the model refuses
    return made


OUTCOMES = every_outcome()
DEFINITIONS = Definitions.model_validate(
    {
        "states": {
            "p": {"label": LABEL, "description": "x", "unit": LABEL, "register": "jobs"},
            "q": {"label": LABEL, "description": "x", "unit": LABEL, "register": "jobs"},
            "x": {"label": LABEL, "description": "x", "unit": LABEL, "register": "jobs", "combine": "sum", "value": "wage"},
        }
    }
)  # fmt: skip


@pytest.fixture(scope="module")
def panel(tmp_path_factory):
    """A panel with gaps: amounts of all magnitudes, so that a sum depends on the order of its terms."""
    chance = random.Random(1)
    rows = []
    for person in range(PEOPLE):
        gaps = chance.choice([0, 0, 0.05, 0.5, 1])
        for time in range(FIRST, LAST + 1):
            row = {
                "p": float(chance.random() < 0.6),
                "q": float(chance.random() < 0.3),
                "x": chance.lognormvariate(3, 6),
            }
            row["x"] = chance.choice([row["x"], -row["x"], 0.0, 1.0, 0.1])
            known = {name: None if chance.random() < gaps else value for name, value in row.items()}
            rows.append({"person_id": f"p{person:03d}", "event_time": time, **known})
    schema = pa.schema([("person_id", pa.string()), ("event_time", pa.int32()), *((s, pa.float64()) for s in STATES)])
    path = tmp_path_factory.mktemp("panel") / "panel.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema), path, row_group_size=999)
    return path


def test_every_kind_gives_the_same_files_on_spark(panel, tmp_path):
    assert {outcome.kind for outcome in OUTCOMES.values()} == set(OUTCOME_KINDS)
    tables = {}
    for engine in ("duckdb", "spark"):
        paths = {name: tmp_path / engine / f"{name}.parquet" for name in OUTCOMES}
        tables[engine] = derive_outcomes(panel, OUTCOMES, out_paths=paths, definitions=DEFINITIONS, engine=engine)
    assert tables["spark"].schema == tables["duckdb"].schema
    for name in tables["duckdb"].column_names:
        differs = tables["spark"][name].combine_chunks() != tables["duckdb"][name].combine_chunks()
        assert not differs, (name, OUTCOMES.get(name))
    for path in sorted((tmp_path / "duckdb").iterdir()):
        assert (tmp_path / "spark" / path.name).read_bytes() == path.read_bytes(), path.name


def test_a_panel_that_lacks_a_row_is_refused(panel, tmp_path):
    table = pq.read_table(panel)
    pq.write_table(table.slice(1), tmp_path / "p")
    with pytest.raises(ValueError, match="every person once at every event time"):
        derive_outcomes(tmp_path / "p", {"o0": OUTCOMES["o0"]}, definitions=DEFINITIONS, engine="spark")


def test_a_panel_without_rows_gives_no_rows(panel, tmp_path):
    pq.write_table(pq.read_table(panel).slice(0, 0), tmp_path / "p")
    made = {
        engine: derive_outcomes(tmp_path / "p", {"o0": OUTCOMES["o0"]}, engine=engine) for engine in ("spark", "duckdb")
    }
    assert made["spark"].num_rows == 0
    assert made["spark"].schema == made["duckdb"].schema
