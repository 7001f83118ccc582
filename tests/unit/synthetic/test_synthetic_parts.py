"""The generator's parts by themselves."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from refino_eval.synthetic import Recipe
from refino_eval.synthetic.assignment import ANALYSED, make_plan
from refino_eval.synthetic.calendar import (
    DAYS_PER_MONTH,
    NO_DAY,
    curve,
    day_number,
    first_day,
    month_number,
    month_of_day,
)
from refino_eval.synthetic.employment import FULL, HALF, NONE, _agreed, draw_latent, make_world
from refino_eval.synthetic.job_spells import employer, runs
from refino_eval.synthetic.population import make_people
from refino_eval.synthetic.programmes import _durations, draw_take_up
from refino_eval.synthetic.recipe import FileColumn, RegisterFile
from refino_eval.synthetic.register_tables import Table, dates, decimals, digits, person_ids, render, stack


def test_curves_join_points_and_stay_flat_beyond() -> None:
    assert curve({0: 0.0, 10: 1.0}, np.array([-5, 0, 5, 10, 99])).tolist() == [0.0, 0.0, 0.5, 1.0, 1.0]


def test_months_and_days_agree_with_the_calendar() -> None:
    day = day_number(dt.date(2020, 2, 29))
    month = month_number("2020-02")
    assert month_of_day(np.array([day])).tolist() == [month]
    assert first_day(np.array([month, month + 1])).tolist() == [day - 28, day + 1]


def test_text_of_values() -> None:
    assert digits(np.array([0, 42, 99_999_999]), 8).to_pylist() == ["00000000", "00000042", "99999999"]
    assert digits(np.array([12_345_678_901]), 11).to_pylist() == ["12345678901"]
    day = day_number(dt.date(2021, 12, 31))
    assert dates(np.array([day, NO_DAY]), "%d.%m.%Y").to_pylist() == ["31.12.2021", None]
    assert decimals(np.array([3750, 5, 100_000]), ",").to_pylist() == ["37,50", "0,05", "1000,00"]


def test_rendered_parquet_keeps_exact_types() -> None:
    form = RegisterFile(
        file="x.parquet",
        format="parquet",
        columns={
            "amount": FileColumn(name="a", type="ore"),
            "start": FileColumn(name="s", type="date"),
            "period": FileColumn(name="p", type="month"),
        },
    )
    table = Table(
        {"amount": np.array([1_234_567_89, 5]), "start": np.array([0, NO_DAY]), "period": np.array([202001, 202002])}
    )
    made = render(table, form, 1)
    assert made["a"].to_pylist() == [Decimal("1234567.89"), Decimal("0.05")]
    assert made["s"].to_pylist() == [dt.date(1970, 1, 1), None]
    assert made.schema.field("p").type == pa.int32()


def test_tables_sort_the_same_by_one_key_and_by_many() -> None:
    rng = np.random.default_rng(1)
    columns = {name: rng.integers(-5, 5, 200) for name in "abc"}
    small = Table(columns).sorted_by("a", "b").columns
    large = Table({**columns, "a": columns["a"] * 2**58}).sorted_by("a", "b").columns
    assert (small["c"] == large["c"]).all()
    assert len(stack([Table(columns), Table(columns)])) == 400


def test_ids_never_repeat() -> None:
    ids = person_ids(np.arange(300_000), 20180501)
    assert len(np.unique(ids)) == len(ids)
    assert ids.min() >= 0
    assert ids.max() < 10**8


def test_runs_are_stretches_within_a_row() -> None:
    row, begin, end = runs(np.array([[1, 1, -1, 2], [2, 2, 2, 2], [-1, -1, 3, 4]]))
    assert list(zip(row.tolist(), begin.tolist(), end.tolist(), strict=True)) == [
        (0, 0, 1),
        (0, 3, 3),
        (1, 0, 3),
        (2, 2, 2),
        (2, 3, 3),
    ]


def test_employers_of_different_slots_differ() -> None:
    number, since = np.arange(1000), np.zeros(1000, dtype=np.int64)
    slots = [set(employer(number, since, slot).tolist()) for slot in range(3)]
    assert not slots[0] & slots[1]
    assert not slots[0] & slots[2]
    assert not slots[1] & slots[2]


def test_levels_are_as_in_the_recipe(recipe: Recipe) -> None:
    n, months = 30_000, 25
    people = make_people(recipe, np.full(n, recipe.treated / recipe.people), np.random.default_rng(3))
    event = np.broadcast_to(np.arange(months), (n, months))
    latent = draw_latent(recipe, people, event, np.random.default_rng(4))
    world = make_world(recipe, latent, event, month_number("2019-01"), None)
    for state, obtained in {
        "any_wage": world.wage > 0,
        "half_time": world.main >= 1875,
        "full_time": world.main >= 3750,
    }.items():
        wanted = curve(recipe.work.levels[state], np.arange(months))
        assert np.abs(obtained.mean(axis=0) - wanted).max() < 0.012, state
    for further in (world.second, world.third):
        assert (further <= np.maximum(world.main, -1)).all(), "no further job may be larger than the main job"
    assert (world.since[world.main >= 0] >= 0).all()


def test_agreed_hours_lie_in_their_state(recipe: Recipe) -> None:
    pick = np.random.default_rng(1).random((500, 4), dtype=np.float32)
    for group, low, high in ((FULL, 3750, 4001), (HALF, 1875, 3750), (NONE, -1, 0)):
        hours = _agreed(recipe, np.full(pick.shape, group), pick)
        assert hours.min() >= low
        assert hours.max() < high


def test_take_up_shares_and_traits(recipe: Recipe) -> None:
    people = make_people(recipe, np.full(40_000, 0.37), np.random.default_rng(1))
    take_up = draw_take_up(recipe, people, np.random.default_rng(2))
    for arm, starts in zip((recipe.arms.treated, recipe.arms.control), take_up.own, strict=True):
        assert (starts <= 11).mean() == pytest.approx(arm.start_share, abs=0.008)
    assert not ((take_up.own[0] <= 11) & (take_up.other[0] <= 11)).any(), "nobody takes both"


def test_participations_have_their_mean_and_their_bumps(recipe: Recipe) -> None:
    for arm in (recipe.arms.treated, recipe.arms.control):
        months = _durations(arm, 200_000, np.random.default_rng(1)) / DAYS_PER_MONTH
        assert months.mean() == pytest.approx(arm.mean_duration, rel=0.01)
        leaves = [((months >= m) & (months < m + 1)).sum() / (months >= m).sum() for m in range(12)]
        (bump,) = arm.exit_bumps
        usual = np.mean([leaves[m] for m in range(1, 11) if m != bump])
        assert leaves[bump] > usual + 0.7 * arm.exit_bumps[bump]


def test_draws_within_cells_do_not_depend_on_people(recipe: Recipe) -> None:
    plan = make_plan(recipe, 20_000, 5)
    analysed = plan.kind == ANALYSED
    people = make_people(recipe, plan.share, np.random.default_rng(6))
    expected = plan.share[analysed]
    assert abs(np.corrcoef(plan.treated[analysed] - expected, people.age[analysed])[0, 1]) < 0.025
    assert plan.treated[analysed].mean() == pytest.approx(recipe.treated / recipe.people, abs=1e-4)
