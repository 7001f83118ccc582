"""The cost-benefit model: properties that hold for any inputs, and the report that it must reproduce."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from refino_eval.config.money.cost_benefit import ITEMS, PERSPECTIVES, Conventions, CostBenefit, Scenario
from refino_eval.cost_benefit.employment_paths import employment_paths
from refino_eval.cost_benefit.plus_minus import consequence, signs
from refino_eval.cost_benefit.programme_model import Model, quantile
from refino_eval.cost_benefit.valuation import discount_factors, programme_value
from refino_eval.errors import UserError
from refino_eval.published.compare import compare
from refino_eval.published.source import load_source
from refino_eval.published.values import KEYS, load_published, printed_numbers

ROOT = Path(__file__).parents[3]
PUBLISHED = ROOT / "data/published/omrade_2024.csv"
WRITTEN = yaml.safe_load((ROOT / "config/evaluations/omrade_2024/cost_benefit.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def model():
    return Model(CostBenefit.model_validate(WRITTEN["omrade"]), printed_numbers(PUBLISHED))


def changed(model, programme, **inputs):
    values = model.values(programme)
    return values | {name: np.array([float(value)]) for name, value in inputs.items()}


@pytest.mark.parametrize("programme", ["amo", "education"])
def test_a_programme_without_effect_creates_no_value(model, programme):
    nothing = {"effect_during": 0, "effect_after": 0, "separation_affected": 0.005}
    if programme == "education":
        nothing = {"income_during": 0, "income_after": 0}
    worth = model.worth(programme, changed(model, programme, **nothing))
    for perspective in PERSPECTIVES:
        assert worth.of("value_creation", perspective)[0] == worth.of("saved_benefits", perspective)[0] == 0.0
    assert worth.total()[0] < 0


def test_growth_equal_to_discount_gives_the_plain_sum(model):
    values = changed(model, "amo", wage_growth=0.04)
    plain = employment_paths(values, 240).effect.sum() * 45_000 * 0.88 * 1.4
    assert model.worth("amo", values).of("value_creation")[0] == pytest.approx(plain, rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_perspectives_add_up_to_society(model, data):
    programme = data.draw(st.sampled_from(list(model.definition.programmes)))
    draws = model.draws(programme, 20, seed=data.draw(st.integers(0, 1000)))
    draws |= {"displacement": np.linspace(0.0, 1.0, 20), "transfer": np.linspace(0.0, 30_000.0, 20)}
    conventions = Conventions(
        transfer_to=data.draw(st.sampled_from(["employer", "participant"])), tax_cost_on_taxes=data.draw(st.booleans())
    )
    worth = programme_value(draws, model.definition.programmes[programme].effect, conventions)
    for item in ITEMS:
        parts = sum(worth.of(item, perspective) for perspective in PERSPECTIVES if perspective != "society")
        np.testing.assert_allclose(parts, worth.of(item), rtol=1e-9, atol=1e-6, err_msg=item)


def test_employment_follows_the_recursion_month_by_month(model):
    values = {name: value[0] for name, value in model.values("oppfolging").items()}
    share, shares = 0.0, []
    for month in range(60):
        change = values["effect_during"] if month < 9 else values["effect_after"] if month < 48 else 0.0
        loss = 0.004 if month < 49 else 0.005
        share = share * (1 - loss) + (1 - share) * 0.03 * (1 + change)
        shares.append(share)
    np.testing.assert_allclose(employment_paths(model.values("oppfolging"), 60).employed[:, 0], shares, rtol=1e-12)


def test_discounting_from_the_first_month_discounts_one_month_more(model):
    values = model.values("amo")
    second, first = (
        discount_factors(values, 3, Conventions(discount_from=name)) for name in ("second_month", "first_month")
    )
    np.testing.assert_allclose(first[:, 0], second[:, 0] * (1.013 / 1.04) ** (1 / 12))
    assert second[0, 0] == 1.0


def test_values_of_the_report_are_reproduced_within_one_per_cent_or_explained(model):
    printed, links = load_published(PUBLISHED), load_source(ROOT / "data/published/omrade_2024.source.yaml")
    rows = []
    for programme in model.definition.programmes:
        worth = model.worth(programme)
        for item, value in {**{item: worth.of(item) for item in ITEMS}, "total": worth.total()}.items():
            for place in (("table_4_2", "", programme, item), ("table_4_7", "", item, programme)):
                rows.append(dict(zip(KEYS, (*place, "value"), strict=True), value=value[0]))
    compared = compare(printed, pd.DataFrame(rows), exhibits=["table_4_2", "table_4_7"], source=links)
    assert len(compared) == 62
    number = compared["printed"].str.replace(" ", "").astype(float)
    off = (compared["obtained"] - number).abs() > 0.01 * number.abs()
    errata = {"adviser_rate", "displaced_cost", "allowance", "full_month", "benefits_of_value", "wrong_items"}
    assert set(compared.loc[off, "reason"]) == errata
    assert "missing" not in set(compared["verdict"])
    value = compared["column"].eq("value_creation") | compared["row"].eq("value_creation")
    assert not off[value].any()


@pytest.mark.parametrize(
    ("scenario", "item", "expected"),
    [
        ("nothing_during", "value_creation", 619_337),
        ("ends_after_seven_years", "value_creation", 163_613),
        ("usual_position", "value_creation", 1_113_978),
        ("effect_15_years", "value_creation", -8_471),
        ("effect_16_years", "value_creation", 927),
        ("lower_five_months", "total", 7_262),
        ("lower_six_months", "total", -16_031),
        ("full_time_leisure_education", "leisure", -225_225),
        ("full_time_leisure_subsidy", "leisure", -121_275),
        ("adviser_rate_of_table_4_6", "adviser_time", -2_562),
        ("discounted_from_first_month", "value_creation", 39_856),
    ],
)
def test_statements_of_the_report_come_out(model, scenario, item, expected):
    entry = model.definition.scenarios[scenario]
    worth = model.worth_of(entry)
    assert (worth.total() if item == "total" else worth.of(item))[0] == pytest.approx(expected, abs=0.6)


def test_sums_of_the_report_follow_from_its_items(model):
    """Every printed sum of Table 4-7 is the sum of the printed items, errors included."""
    printed = load_published(PUBLISHED)
    table = printed[printed["exhibit"] == "table_4_7"]
    number = table["printed"].str.replace(" ", "").astype(float)
    sums = number.where(table["row"] != "total").groupby(table["column"]).sum()
    totals = number[table["row"] == "total"].set_axis(table.loc[table["row"] == "total", "column"])
    assert ((sums - totals).abs() <= 2).all()


@pytest.mark.parametrize(
    ("programme", "without", "expected"),
    [
        ("amo", None, 7.5),
        ("oppfolging", None, 4.5),
        ("utvidet_oppfolging", None, 7.5),
        ("oppfolging", "leisure", 7),
        ("utvidet_oppfolging", "leisure", 11),
    ],
)
def test_break_even_durations_are_those_of_the_report_to_half_a_month(model, programme, without, expected):
    margin = model.switching_value(
        programme, "duration", low=0.5, high=48, values=model.values(programme), without=without
    )
    assert abs(margin - expected) <= 0.5


def test_net_value_is_zero_at_a_switching_value_and_at_a_switching_factor(model):
    values = model.values("aft")
    position = model.switching_value("aft", "position", low=0, high=1, values=values)
    assert position == pytest.approx(0.175, abs=0.001)
    assert model.worth("aft", values | {"position": np.array([position])}).total()[0] == pytest.approx(0, abs=1e-3)
    factor = model.switching_factor("aft", ("gross_wage",), values=values)
    assert factor == pytest.approx(0.26, abs=0.001)
    assert np.isnan(
        model.switching_value("work_practice", "position", low=0, high=1, values=model.values("work_practice"))
    )


def test_shared_inputs_have_the_same_draws_in_all_programmes_and_own_inputs_do_not(model):
    amo, practice = model.draws("amo", 50, 7), model.draws("work_practice", 50, 7)
    np.testing.assert_array_equal(amo["gross_wage"], practice["gross_wage"])
    assert not np.array_equal(amo["effect_after"], practice["effect_after"])
    assert np.array_equal(amo["effect_after"], model.draws("amo", 50, 7)["effect_after"])


def test_quantiles_of_a_triangular_input_have_its_mean_and_ends(model):
    entry = model.definition.inputs_of("amo")["effect_after"]
    ends = quantile(entry, 0.15, np.array([0.0, 0.5, 1.0]))
    np.testing.assert_allclose(ends, [0.0, 0.15, 0.3])
    wage = model.definition.inputs_of("amo")["gross_wage"]
    draws = quantile(wage, 45_000.0, (np.arange(10_000) + 0.5) / 10_000)
    assert draws.mean() == pytest.approx((30_000 + 45_000 + 45_000) / 3, rel=1e-3)


def test_tornado_moves_one_input_at_a_time(model):
    bars = {name: (low, high) for name, low, high in model.tornado("amo", 0.9)}
    entry = model.definition.inputs_of("amo")["effect_after"]
    low, _ = quantile(entry, 0.15, np.array([0.05, 0.95]))
    assert bars["effect_after"][0] == pytest.approx(
        model.worth("amo", changed(model, "amo", effect_after=low)).total()[0]
    )
    assert set(bars) == set(model.uncertain("amo"))


def test_mvpf_is_gain_over_net_cost_or_infinite(model):
    worth = model.worth("oppfolging")
    assert worth.mvpf[0] == pytest.approx(-worth.total("participant")[0] / worth.total("public_budget")[0])
    assert np.isinf(model.worth("amo").mvpf[0])


@pytest.mark.parametrize(
    ("importance", "extent", "expected"),
    [
        ("large", "small_negative", "\N{MINUS SIGN} / \N{MINUS SIGN}\N{MINUS SIGN}"),
        ("medium", "small_positive", "0 / +"),
        ("large", "large_positive", "+++ / ++++"),
        ("medium", "medium_positive", "++"),
        ("large", "none", "0"),
    ],
)
def test_importance_and_extent_give_the_consequence_of_the_matrix(importance, extent, expected):
    assert signs(*consequence(importance, extent)) == expected


def test_unknown_inputs_wrong_units_and_missing_inputs_are_reported_together():
    written = yaml.safe_load(yaml.safe_dump(WRITTEN["omrade"]))
    written["inputs"]["discount"] = written["inputs"].pop("discount_rate")
    with pytest.raises(ValidationError, match=r"no input 'discount'.*discount_rate"):
        CostBenefit.model_validate(written)
    written["inputs"].pop("discount")
    written["inputs"]["benefit"]["unit"] = "kroner_per_month"
    written["inputs"]["payroll_tax"]["value"] = 14.1
    with pytest.raises(ValidationError) as caught:
        CostBenefit.model_validate(written)
    text = str(caught.value)
    for part in (
        "lacks the inputs discount_rate",
        "benefit has the unit kroner_per_month",
        "write 0.2 for 20 per cent",
    ):
        assert part in text


def test_a_published_number_that_does_not_exist_is_reported():
    written = yaml.safe_load(yaml.safe_dump(WRITTEN["omrade"]))
    written["inputs"]["tax_cost"] = {"unit": "share", "published": "text_4_4//tax_costs/all/share"}
    with pytest.raises(UserError, match="tax_costs"):
        Model(CostBenefit.model_validate(written), printed_numbers(PUBLISHED))


def test_a_scenario_that_changes_what_is_not_read_is_refused(model):
    written = yaml.safe_load(yaml.safe_dump(WRITTEN["omrade"]))
    written["scenarios"]["nothing_during"]["set"] = {"job_finding": 0.1}
    with pytest.raises(ValidationError, match="temporary_wage_subsidy does not read"):
        CostBenefit.model_validate(written)
    with pytest.raises(ValidationError, match="leave one of them out"):
        Scenario.model_validate(
            {"label": {"nb": "a", "en": "a"}, "programme": "amo", "set": {"position": 1}, "times": {"position": 1}}
        )
