"""Net value of estimated effects: the weighted sum of monthly effects, its standard error, and what is extrapolated."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from refino_eval import estimation as est
from refino_eval.config.definitions import Definitions
from refino_eval.config.evaluation import Arms
from refino_eval.config.money.cost_benefit import Conventions, Extrapolation
from refino_eval.cost_benefit.estimated_effects import persistence, present_months
from refino_eval.exhibits.aggregate import aggregate
from refino_eval.exhibits.kinds.net_value.text import summary
from refino_eval.exhibits.numbers.study import PersonFiles, Study
from refino_eval.exhibits.verification import require_agreement, verify
from refino_eval.exhibits.wording.labels import LabelBook

WORD = {"nb": "ord", "en": "word"}
SHARES = {
    "tax_cost": 0.2,
    "position": 0.8,
    "wage_tax": 0.25,
    "payroll_tax": 0.14,
    "benefit_tax": 0.1,
    "displacement": 0.0,
}
PRICES = {"t": 1250.0, "c": 2500.0}
LAST = 6


def inputs(**uncertain):
    units = {name: "share" for name in SHARES}
    units |= {"discount_rate": "share_per_year", "wage_growth": "share_per_year", "years": "years"}
    units |= {"gross_wage": "kroner_per_month", "labour_cost_factor": "ratio", "benefit": "kroner_per_year"}
    values = {
        **SHARES,
        "discount_rate": 0.04,
        "wage_growth": 0.01,
        "years": 2,
        "gross_wage": 1000,
        "labour_cost_factor": 1.5,
    }
    values |= {"benefit": 6000}
    return {
        name: {"value": value, "unit": units[name], "source": "test", "uncertainty": uncertain.get(name)}
        for name, value in values.items()
    }


@pytest.fixture(scope="module")
def definitions():
    amounts = {arm: {"value": price, "source": "test"} for arm, price in PRICES.items()}
    months = {arm: {"value": 1, "source": "test"} for arm in PRICES}
    rules = {
        "observed": {"label": WORD, "kind": "none"},
        "holds": {"label": WORD, "kind": "hold", "until": 12},
    }
    wide = {"distribution": "uniform", "low": 500, "high": 1500, "source": "test"}
    return Definitions.model_validate(
        {
            "specifications": {"main": {"label": WORD, "description": "x", "controls": [], "vcov": "HC1"}},
            "costs": {
                "money": {
                    "label": WORD, "price_year": "2020", "duration": months, "vat_rate": {"value": 0.25, "source": "test"},
                    "tax_cost": {"value": 0.2, "source": "test"},
                    "bases": {"paid": {"kind": "accounts", "label": WORD, "payments": amounts, "participant_months": months}},
                }
            },
            "cost_benefit": {
                "worth": {
                    "label": WORD, "price_year": "2020", "inputs": inputs(gross_wage=wide),
                    "programmes": {"own": {"label": WORD, "effect": "estimated"}},
                }
            },
            "exhibits": {
                "net": {
                    "kind": "net_value", "title": WORD, "model": "worth", "programme": "own", "state": "work", "last": LAST,
                    "costs": "money", "basis": "paid", "months": {"t": "in_t", "c": "in_c"}, "extrapolations": rules,
                    "draws": 2000,
                }
            },
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    folder, rng, n = tmp_path_factory.mktemp("net"), np.random.default_rng(3), 240
    ids = [f"{k:03d}" for k in range(n)]
    cell, z = rng.integers(0, 5, n), rng.integers(0, 2, n)
    work = (rng.random((n, LAST)) < 0.3 + 0.1 * z[:, None]).astype(float)
    months = {"in_t": rng.integers(0, 7, n) * z, "in_c": rng.integers(0, 7, n) * (1 - z)}
    cohort = pd.DataFrame({"person_id": ids, "treated": z, "cell": cell.astype(str), "sample_analysed": True})
    cohort.to_parquet(folder / "cohort.parquet")
    panel = pd.DataFrame(
        {"person_id": np.repeat(ids, LAST), "event_time": np.tile(np.arange(1, LAST + 1), n), "work": work.ravel()}
    )
    panel.to_parquet(folder / "panel_month.parquet")
    for name, values in months.items():
        pd.DataFrame({"person_id": ids, "value": values.astype(float)}).to_parquet(folder / f"{name}.parquet")
    files = PersonFiles.listed(
        cohort=str(folder / "cohort.parquet"),
        outcomes=[str(folder / f"{name}.parquet") for name in months],
        panels=[str(folder / "panel_month.parquet")],
    )
    return files, cohort, work, months


@pytest.fixture(scope="module")
def study(definitions):
    arms = Arms.model_validate({"treated": {"name": "t", "label": WORD}, "control": {"name": "c", "label": WORD}})
    return Study.of(definitions, arms, 5), arms


@pytest.fixture(scope="module")
def frame(definitions, trial, study):
    return aggregate("net", definitions.exhibits["net"], files=trial[0], study=study[0])


def number(frame, row, column, statistic):
    rows = frame[(frame["row"] == row) & (frame["column"] == column) & (frame["statistic"] == statistic)]
    return float(rows["value"].iloc[0])


@pytest.mark.parametrize(("rule", "months"), [("observed", LAST), ("holds", 12)])
def test_net_value_is_the_effect_on_what_each_person_is_worth(frame, trial, rule, months):
    """With everybody observed, the sum of monthly effects is the effect on a sum, standard error included."""
    _, cohort, work, spent = trial
    factor = (1.01 / 1.04) ** (np.arange(24) / 12)
    weights = factor[:LAST].copy()
    weights[-3:] += factor[LAST:months].sum() / 3
    of_month = 1000 * 0.8 * 1.5 + 0.2 * 500 * 0.9
    cost = sum(PRICES[arm] / 1.25 * 1.2 * spent[f"in_{arm}"] for arm in PRICES)
    worth = pd.DataFrame({"worth": work @ weights * of_month - cost})
    one = est.itt(worth, cohort["treated"], cells=cohort["cell"], vcov="HC1")
    assert number(frame, "total", rule, "estimate") == pytest.approx(one.estimate[0], rel=1e-9)
    assert number(frame, "total", rule, "std_error") == pytest.approx(one.std_error[0], rel=1e-9)
    assert number(frame, "total", rule, "conf_low") == pytest.approx(one.conf_low[0], rel=1e-9)


def test_items_and_perspectives_add_up_to_net_value(frame):
    total = number(frame, "total", "holds", "estimate")
    for rows in (
        ("value_creation", "saved_benefits", "cost_nav"),
        ("participant", "public_budget", "employer", "others"),
    ):
        assert sum(number(frame, row, "holds", "estimate") for row in rows) == pytest.approx(total)


def test_the_interval_of_draws_has_both_sources_of_uncertainty(frame):
    reach = number(frame, "total", "observed", "bound_high") - number(frame, "total", "observed", "bound_low")
    from_effects = 2 * 1.645 * number(frame, "total", "observed", "std_error")
    assert reach > 1.01 * from_effects
    drivers = frame[frame["panel"] == "drivers"]
    assert set(drivers["row"]) == {"effect_on_work", "effect_on_cost", "gross_wage"}
    widths = drivers.pivot(index="row", columns="column", values="value").diff(axis=1).iloc[:, 1].abs()
    assert list(dict.fromkeys(drivers["row"])) == list(widths.sort_values(ascending=False).index)


def test_every_estimate_is_verified_by_other_programs(definitions, frame, trial, study):
    found = verify(definitions.exhibits, {"net": frame}, files=trial[0], study=study[0])
    require_agreement(found)
    assert set(found["verdict"]) == {"agrees"}, found[found["verdict"] != "agrees"].to_string()


def test_the_sentence_names_value_interval_and_condition(definitions, frame, study):
    labels = LabelBook(definitions=definitions, treated="t", control="c", arms=study[1].labels)
    (sentence,) = summary(definitions.exhibits["net"], frame, labels)
    assert sentence.startswith("Provided that the effect on work is gone after month 6, word is worth")
    assert "difference in programme cost" in sentence


def rule(**keys):
    return Extrapolation.model_validate({"label": WORD, **keys})


def test_extrapolation_follows_its_rule():
    times = np.array([25.0, 36.0, 48.0, 60.0])
    assert persistence(rule(kind="none"), times, 24).tolist() == [0, 0, 0, 0]
    assert persistence(rule(kind="hold", until=48), times, 24).tolist() == [1, 1, 1, 0]
    assert persistence(rule(kind="half_life", months=12), times, 24)[1:3] == pytest.approx([0.5, 0.25])
    assert persistence(rule(kind="fade", until=48), times, 24) == pytest.approx([23 / 24, 0.5, 0, 0])


def test_a_constant_effect_that_holds_is_worth_its_number_of_months():
    values = {"wage_growth": np.array([0.04]), "discount_rate": np.array([0.04]), "years": np.array([20.0])}
    weights = present_months(values, rule(kind="hold", until=60), first=1, last=24, base=3, conventions=Conventions())
    assert weights.sum() == pytest.approx(60)
    assert weights[:21, 0] == pytest.approx(np.ones(21))


@pytest.mark.parametrize("keys", [{"kind": "hold"}, {"kind": "half_life", "until": 30}, {"kind": "none", "months": 3}])
def test_a_rule_without_its_number_is_refused(keys):
    with pytest.raises(ValidationError, match="is needed there"):
        rule(**keys)
