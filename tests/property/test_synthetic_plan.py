"""Whatever the size and the seed, a delivery's draws keep their promises."""

from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from refino_eval.synthetic import load_recipe
from refino_eval.synthetic.assignment import (
    ANALYSED,
    LEFT_AREA,
    NOT_DRAWN,
    OUTSIDE_PERIOD,
    _systematic,
    make_plan,
    sizes,
)
from refino_eval.synthetic.calendar import NO_DAY
from refino_eval.synthetic.recipe import Mess
from refino_eval.synthetic.register_tables import Table

RECIPE = load_recipe(Path(__file__).parents[2] / "config" / "synthetic" / "refino.yaml")


@settings(max_examples=25, deadline=None)
@given(people=st.integers(20, 3000), seed=st.integers(0, 2**31))
def test_sizes_are_exact_at_any_size(people: int, seed: int) -> None:
    plan, size = make_plan(RECIPE, people, seed), sizes(RECIPE, people)
    count = {kind: int((plan.kind == kind).sum()) for kind in (ANALYSED, LEFT_AREA, OUTSIDE_PERIOD, NOT_DRAWN)}
    assert count == {
        ANALYSED: people,
        LEFT_AREA: size.left_area,
        OUTSIDE_PERIOD: size.outside,
        NOT_DRAWN: size.not_drawn,
    }
    analysed = plan.kind == ANALYSED
    assert int(plan.treated[analysed].sum()) == size.treated
    assert int(plan.no_demography.sum()) == size.no_demography
    assert not (plan.no_demography & plan.no_income_row).any()
    assert not (plan.no_demography & ~analysed).any()
    assert (plan.again_day > plan.day[plan.again_person]).all()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0.01, 0.99), min_size=2, max_size=200), st.integers(0, 2**31), st.data())
def test_systematic_sampling_takes_an_exact_number(shares: list[float], seed: int, data: st.DataObject) -> None:
    share = np.array(shares)
    total = data.draw(st.integers(1, max(1, int(share.sum()))))
    if (share * total / share.sum()).max() > 1:
        return
    assert int(_systematic(share, total, np.random.default_rng(seed)).sum()) == total


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.floats(0, 0.5), st.floats(0, 0.5))
def test_junk_rows_are_extra_rows(seed: int, rate: float, duplicates: float) -> None:
    from refino_eval.synthetic.register_faults import disorder

    rng = np.random.default_rng(seed)
    start = 16_500 + rng.integers(0, 2000, 50)
    table = Table(
        {
            "person_id": np.arange(50),
            "start": start,
            "stop": np.where(rng.random(50) < 0.3, NO_DAY, start + rng.integers(0, 400, 50)),
            "grade": rng.integers(1, 5, 50),
        }
    )
    mess = Mess(duplicates=duplicates, stop_before_start=rate, missing_start=rate, outside_coverage=rate)
    made = disorder(RECIPE, mess, "sickness", table, rng)
    assert len(made.rows) == len(table) + sum(made.planted.values())
    kept = {tuple(row) for row in np.column_stack(list(made.rows.columns.values())).tolist()}
    assert {tuple(row) for row in np.column_stack(list(table.columns.values())).tolist()} <= kept
