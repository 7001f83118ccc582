"""Costs: the printed numbers of the Refino report follow from its printed inputs, step by step."""

from pathlib import Path

import pytest

from refino_eval.config.definitions import Definitions
from refino_eval.config.model_errors import validate
from refino_eval.config.money.costs import Amount, Costs
from refino_eval.config.yaml_files import read_yaml
from refino_eval.economics.programme_costs import arm_cost, cost_table, outcome_values
from refino_eval.errors import UserError
from refino_eval.published.values import load_published, parse_printed

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def costs() -> Costs:
    shown = "config/evaluations/refino/costs.yaml"
    return validate({"costs": read_yaml(ROOT / shown, shown)}, Definitions, shown).costs["refino"]


@pytest.fixture(scope="module")
def printed() -> dict[str, float]:
    frame = load_published(ROOT / "data/published/refino_2023.csv")
    keys = frame[["exhibit", "panel", "row", "column", "statistic"]].agg("/".join, axis=1)
    return {key: float(parse_printed(text).value) for key, text in zip(keys, frame["printed"], strict=True)}


def test_table_8_3_follows_to_the_last_digit(costs, printed):
    table = cost_table(costs, "monthly_prices", printed)
    for arm, price, paid in (("refino", 5504, 46230), ("oppfolging", 6492, 56479)):
        assert round(table.arms[arm].monthly_price) == price
        assert round(table.arms[arm].paid) == paid
    assert round(table.difference("monthly_price", "refino", "oppfolging")) == -988
    assert round(table.difference("paid", "refino", "oppfolging")) == -10248
    assert round(table.difference("social", "refino", "oppfolging")) == -9838


def test_table_8_4_follows_to_the_last_digit(costs, printed):
    table = cost_table(costs, "accounts", printed)
    for arm, price, paid in (("refino", 4672, 39244), ("oppfolging", 6404, 55711)):
        assert round(table.arms[arm].monthly_price) == price
        assert round(table.arms[arm].paid) == paid
    assert round(table.difference("monthly_price", "refino", "oppfolging")) == -1732
    assert round(table.difference("paid", "refino", "oppfolging")) == -16467
    assert round(table.difference("social", "refino", "oppfolging")) == -15808


def test_no_other_vat_rate_gives_the_published_difference(costs, printed):
    paid = cost_table(costs, "monthly_prices", printed).difference("paid", "refino", "oppfolging")
    fits = [rate for rate in range(0, 41) if round(paid / (1 + rate / 100) * 1.2) == -9838]
    assert fits == [25]


def test_steps_of_one_arm_by_hand():
    cost = arm_cost(monthly_price=1000, duration=10, vat_rate=0.25, tax_cost=0.20)
    assert (cost.paid, cost.without_vat, cost.social, cost.monthly_social) == pytest.approx((10000, 8000, 9600, 960))


def test_values_of_an_outcome(costs, printed):
    assert outcome_values(costs, printed) == pytest.approx({"example": 3_200_000, "upper": 4_700_000})


def test_all_missing_inputs_are_reported_at_once(costs, printed):
    less = {key: value for key, value in printed.items() if not key.startswith("table_8_4//payments")}
    with pytest.raises(UserError) as fault:
        cost_table(costs, "accounts", less)
    assert len(fault.value.problems) == 2
    assert "table_8_4//payments/refino/value" in fault.value.problems[0]


@pytest.mark.parametrize(
    ("entry", "says"),
    [({}, "either a `value`"), ({"value": 1}, "needs its `source`"), ({"published": "table_8_3"}, "pattern")],
)
def test_an_amount_has_one_origin(entry, says):
    with pytest.raises(ValueError, match=says):
        Amount.model_validate(entry)


def test_arms_must_agree(costs):
    data = costs.model_dump(mode="json", exclude_none=True)
    data["duration"].pop("refino")
    with pytest.raises(ValueError, match="names other arms than duration"):
        Costs.model_validate(data)
