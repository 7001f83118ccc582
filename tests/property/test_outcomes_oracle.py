"""Random panels: every kind under every rule for missing periods, engine against plain loops."""

import itertools
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from refino_eval.config.definitions import Outcome
from refino_eval.config.outcome_kinds import OUTCOME_KINDS
from refino_eval.expressions import parse
from refino_eval.expressions.plain import evaluate
from refino_eval.outcomes.build import derive_outcomes
from refino_eval.outcomes.kinds import plain_outcome
from support.builders import LABEL

FIRST, LAST = -2, 5
KINDS = {"p": "boolean", "q": "boolean", "x": "number"}
READ = ("p", "p and not q", "x > 1 or q", "x / (x - 1) > 0")
NUMBERS = ("x", "p", "x * 2 - q", "1 / x", "max(x, 1)")


def every_outcome():
    made = {}
    keys = {
        "at": (0, 5),
        "window": ((-2, 5), (1, 3), (0, 0)),
        "times": ((1, 3), (4, -1), (0, 2, 5)),
        "at_least": (1, 2, 3),
        "censored": ("last", "missing"),
        "spell": ("q",),
        "trim": ((0, 0), (1, 1), (0, 2)),
    }
    for kind, entry in OUTCOME_KINDS.items():
        takes = entry.keys
        for values in itertools.product(*(keys[key] for key in takes)):
            for missing in ("any", "all"):
                for text in READ if entry.reads_truth else NUMBERS:
                    given_keys = dict(zip(takes, values, strict=True)) | {"missing": missing}
                    what = {"state": text} if text in KINDS else {"expression": text}
                    data = {"label": LABEL, "description": "x", "kind": kind, "unit": LABEL, **what, **given_keys}
                    try:
                        made[f"o{len(made)}"] = Outcome.model_validate(data)
                    except ValueError:
                        continue  # a combination that the model refuses
    return made


OUTCOMES = every_outcome()
truth = st.none() | st.sampled_from([0.0, 1.0])
number = st.none() | st.sampled_from([-1.5, 0.0, 1.0, 2.25])
periods = st.fixed_dictionaries({"p": truth, "q": truth, "x": number})
life = st.lists(periods, min_size=LAST - FIRST + 1, max_size=LAST - FIRST + 1)
# Lives with few gaps as well: among many gaps most outcomes are missing and nothing is tried.
whole = st.lists(
    st.fixed_dictionaries({"p": st.sampled_from([0.0, 1.0]), "q": st.sampled_from([0.0, 1.0]), "x": number}),
    min_size=LAST - FIRST + 1, max_size=LAST - FIRST + 1,
)  # fmt: skip
panels = st.lists(life | whole, min_size=1, max_size=5)


def test_every_kind_is_tried():
    assert {outcome.kind for outcome in OUTCOMES.values()} == set(OUTCOME_KINDS)
    assert len(OUTCOMES) > 150


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(people=panels, shuffle=st.booleans())
def test_engine_and_plain_loops_agree(people, shuffle):
    rows = [
        {"person_id": f"p{number}", "event_time": FIRST + time, **values}
        for number, person in enumerate(people)
        for time, values in enumerate(person)
    ]
    schema = pa.schema(
        [("person_id", pa.string()), ("event_time", pa.int32()), *((name, pa.float64()) for name in KINDS)]
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "panel.parquet"
        pq.write_table(pa.Table.from_pylist(rows[::-1] if shuffle else rows, schema), path, row_group_size=7)
        table = derive_outcomes(path, OUTCOMES).to_pylist()
    for number, person in enumerate(people):
        assert table[number]["person_id"] == f"p{number}"
        for name, outcome in OUTCOMES.items():
            tree = parse(outcome.reads, KINDS, where=name)
            seen = [evaluate(tree, person[time - FIRST]) for time in outcome.read]
            value, flag = plain_outcome(outcome, seen)
            assert table[number][name] == pytest.approx(value, abs=1e-9), (outcome, seen)
            assert table[number].get(f"{name}_censored") == flag, (outcome, seen)
