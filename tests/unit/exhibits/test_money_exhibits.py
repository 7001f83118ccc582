"""Exhibits about money: printed tables come out equal, net benefits are those of a regression, payments those of the rules."""

import datetime as dt
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from scipy import stats

from refino_eval import estimation as est
from refino_eval.config import load_configuration
from refino_eval.config.base import Label
from refino_eval.config.checking.checks import cross_check
from refino_eval.config.money.costs import Amount
from refino_eval.config.without_text import without_text
from refino_eval.exhibits.aggregate import PersonFiles, Study, aggregate
from refino_eval.exhibits.kinds.cost_per_outcome.model import CostPerOutcomeExhibit
from refino_eval.exhibits.kinds.model_inputs.layout import source_of
from refino_eval.exhibits.render import figure_notes, render, table_of
from refino_eval.exhibits.tidy import tidy_frame, write_tidy
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.published.compare import compare
from refino_eval.published.values import load_published
from refino_eval.seeds import derive_seed
from refino_eval.text import say

ROOT = Path(__file__).resolve().parents[3]
PUBLISHED = ROOT / "data/published/refino_2023.csv"
CONFIGURATION = load_configuration(ROOT, evaluation="refino")
DEFINITIONS, EVALUATION = CONFIGURATION.definitions, CONFIGURATION.evaluation
BOOK = LabelBook.of(EVALUATION, DEFINITIONS)
PEOPLE = 240


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Return files of a few hundred people with outcomes, months in programmes, and spells."""
    folder = tmp_path_factory.mktemp("money")
    rng = np.random.default_rng(8)
    ids = [f"{k:04d}" for k in range(PEOPLE)]
    treated = rng.permutation(np.arange(PEOPLE) % 2)
    cohort = pd.DataFrame(
        {
            "person_id": ids, "arm": np.where(treated == 1, "refino", "oppfolging"), "treated": treated,
            "draw_date": [dt.date(2019, 2, 1)] * PEOPLE, "cell": rng.choice(["a", "b"], PEOPLE), "sample_analysed": True,
        }
    )  # fmt: skip
    cohort.to_parquet(folder / "cohort.parquet")
    work = rng.integers(0, 2, PEOPLE).astype(float)
    months = {
        "refino_months_12": np.where(treated == 1, rng.integers(0, 13, PEOPLE) - 2.0 * work, 0.0).clip(0),
        "oppfolging_months_12": np.where(treated == 0, rng.integers(0, 13, PEOPLE), 0.0),
    }
    outcomes = {f"{name}_month_12": work for name in ("any_wage", "half_time", "full_time")} | months
    paths = {}
    for name, values in outcomes.items():
        paths[name] = folder / f"{name}.parquet"
        pd.DataFrame({"person_id": ids, "value": values}).to_parquet(paths[name])
    return folder, cohort, pd.DataFrame(outcomes), paths


def study():
    return Study(
        treated="refino",
        control="oppfolging",
        specifications={"main": DEFINITIONS.specifications["none"]},
        seed=1,
        costs=DEFINITIONS.costs,
        payments=DEFINITIONS.payments,
    )


def numbers(name, world, **files):
    folder, _, _, paths = world
    return aggregate(
        name,
        DEFINITIONS.exhibits[name],
        files=PersonFiles(folder / "cohort.parquet", paths, {}, published=PUBLISHED, **files),
        study=study(),
    )


@pytest.fixture(scope="module")
def effects(world):
    """Write the numbers of the exhibit that effects are taken from."""
    folder, cohort, outcomes, _ = world
    columns = {name: f"{name}_month_12" for name in ("any_wage", "half_time", "full_time")}
    table = est.itt(
        outcomes[list(columns.values())].rename(columns={v: k for k, v in columns.items()}),
        cohort["treated"].to_numpy(),
        cells=cohort["cell"],
    )
    rows = [
        {
            "exhibit": "table_8_1",
            "panel": "main",
            "row": "refino",
            "column": key,
            "statistic": statistic,
            "value": value,
        }
        for k, key in enumerate(table.outcomes)
        for statistic, value in (
            ("estimate", table.estimate[k]),
            ("std_error", table.std_error[k]),
            ("df", table.df[k]),
        )
    ]
    write_tidy(tidy_frame(rows), folder / "table_8_1.csv")
    return {"table_8_1": folder / "table_8_1.csv"}


def test_printed_costs_come_out_equal(world):
    printed = load_published(PUBLISHED)
    ours = pd.concat([numbers(name, world) for name in ("table_8_3", "table_8_4", "text_8_3")])
    told = compare(printed, ours, exhibits=["table_8_3", "table_8_4"])
    assert len(told) == 35
    assert set(told["verdict"]) == {"equal"}
    text = compare(printed, ours, exhibits=["text_8_3"]).set_index(["row", "column"])["verdict"]
    for key in (
        ("saving", "monthly_prices"), ("saving", "accounts"), ("saving", "example"), ("break_even", "example"),
        ("gain", "example"), ("gain", "upper"),
    ):  # fmt: skip
        assert text[key] == "equal", key


def test_net_benefit_is_that_of_a_regression_of_each_persons(world, effects):
    _, cohort, outcomes, _ = world
    found = numbers("table_break_even", world, aggregates=effects).set_index(["panel", "row", "column", "statistic"])[
        "value"
    ]
    monthly = {"refino": 54311000 / 11625 * 0.96, "oppfolging": 2668250000 / 416683 * 0.96}
    spent = sum(monthly[arm] * outcomes[f"{arm}_months_12"] for arm in monthly)
    direct = est.itt(
        pd.DataFrame({"cost": spent, "benefit": 3.2e6 * outcomes["half_time_month_12"] - spent}),
        cohort["treated"].to_numpy(),
        cells=cohort["cell"],
    )
    assert found["drawn", "cost", "difference", "estimate"] == pytest.approx(direct.estimate[0])
    assert found["drawn", "cost", "difference", "std_error"] == pytest.approx(direct.std_error[0])
    for statistic in ("estimate", "std_error", "conf_low", "conf_high"):
        assert found["drawn", "half_time", "example", statistic] == pytest.approx(getattr(direct, statistic)[1]), (
            statistic
        )
    effect = found["effect", "half_time", "refino", "estimate"]
    assert found["participant", "half_time", "example", "estimate"] == pytest.approx(
        3.2e6 * effect + 15808.13, abs=0.01
    )
    assert found["participant", "half_time", "example", "break_even"] == pytest.approx(-15808.13 / 3.2e6, abs=1e-8)


def test_the_set_of_the_cost_per_additional_person_ends_where_the_regression_of_both_rejects(world, effects):
    """A ratio r is at an end of Fieller's set when the regression of cost less r times the outcome has a t at the critical value."""
    folder, cohort, outcomes, paths = world
    text = {
        key: getattr(DEFINITIONS.exhibits["table_break_even"], key)
        for key in ("costs", "basis", "effects", "columns", "months")
    }
    exhibit = CostPerOutcomeExhibit.model_validate(
        {"kind": "cost_per_outcome", "title": {"nb": "x", "en": "x"}, **text}
    )
    files = PersonFiles(folder / "cohort.parquet", paths, {}, published=PUBLISHED, aggregates=effects)
    frame = aggregate("x", exhibit, files=files, study=study())
    found = frame.set_index(["panel", "row", "column", "statistic"])["value"]
    kinds = frame.set_index(["panel", "row", "column", "statistic"])["status"]
    monthly = {"refino": 54311000 / 11625 * 0.96, "oppfolging": 2668250000 / 416683 * 0.96}
    spent = sum(monthly[arm] * outcomes[f"{arm}_months_12"] for arm in monthly)
    ends = 0
    for key in exhibit.columns:
        cost, effect = found["drawn", "cost", "difference", "estimate"], found["effect", key, "effect", "estimate"]
        assert found["drawn", key, "ratio", "estimate"] == pytest.approx(cost / effect)
        if kinds["drawn", key, "ratio", "conf_low"] == "ratio_line":
            continue
        for limit in ("conf_low", "conf_high"):
            mixed = pd.DataFrame({"m": spent - found["drawn", key, "ratio", limit] * outcomes[f"{key}_month_12"]})
            fit = est.itt(mixed, cohort["treated"].to_numpy(), cells=cohort["cell"])
            assert abs(fit.estimate[0] / fit.std_error[0]) == pytest.approx(stats.t.ppf(0.975, fit.df[0]), rel=1e-6)
            ends += 1
    assert ends
    table = table_of("x", exhibit, frame, labels=BOOK, language="en", facts={"data_class": "synthetic"})
    assert any(" to " in cell.text for part in table.parts for row in part.body for cell in row.cells)
    assert list(exhibit.model_copy(update={"months": {"refino": "m", "oppfolging": "m"}}).faults("exhibit", None, None))


def test_net_benefit_over_values_begins_at_the_saving(world, effects):
    frame = numbers("figure_net_benefit", world, aggregates=effects)
    table = numbers("table_break_even", world, aggregates=effects).set_index(["panel", "row", "column", "statistic"])[
        "value"
    ]
    found = frame.set_index(["panel", "row", "statistic"])["value"]
    assert found["any_wage", "0", "estimate"] == pytest.approx(-table["drawn", "cost", "difference", "estimate"])
    assert found["any_wage", "0", "conf_low"] == pytest.approx(-table["drawn", "cost", "difference", "conf_high"])
    assert frame["row"].str.fullmatch(r"\d+").sum() == 2 * 51 * 3


@pytest.fixture(scope="module")
def clean(world):
    """Write spells: everybody starts; every third is hired for good at 80 per cent, every third for a month."""
    folder, cohort, _, _ = world
    start = dt.date(2019, 3, 1)
    programme = {"refino": "REFINO", "oppfolging": "INDOPPFAG"}
    rows = {
        "programmes": [
            {"person_id": p, "start": start, "stop": dt.date(2020, 1, 1), "programme": programme[arm]}
            for p, arm in zip(cohort["person_id"], cohort["arm"], strict=True)
        ],
        "jobs": [
            {
                "person_id": p, "start": dt.date(2019, 6, 1), "stop": None if k % 3 == 0 else dt.date(2019, 7, 1),
                "contract": "fast" if k % 3 == 0 else "midlertidig", "position_percent": 8000, "employer_id": "1",
            }
            for k, p in enumerate(cohort["person_id"])
            if k % 3 < 2
        ],
    }  # fmt: skip
    empty = {"person_id": [""], "start": [start], "stop": [start], "grade": [100]}
    found = {}
    for name in ("programmes", "jobs", "sickness", "disability", "aap"):
        found[name] = folder / f"{name}.parquet"
        pd.DataFrame(rows.get(name, empty)).to_parquet(found[name])
    return found


def test_payments_are_those_of_the_rules(world, clean):
    _, cohort, _, _ = world
    found = numbers("table_payments", world, clean=clean).set_index(["panel", "row", "column", "statistic"])["value"]
    hired = (np.arange(PEOPLE) % 3 == 0) & (cohort["treated"] == 1)
    n = int(cohort["treated"].sum())
    assert found["refino", "participants", "refino", "count"] == n
    assert found["refino", "mapping:paid", "refino", "count"] == n
    assert (
        found["refino", "hiring:paid", "refino", "count"]
        == found["refino", "retention:paid", "refino", "count"]
        == hired.sum()
    )
    assert found["refino", "least", "refino", "share"] == pytest.approx(0.2 + 0.8 * hired.mean() * PEOPLE / n)
    assert found["refino", "most", "refino", "value"] == pytest.approx(
        60000 * found["refino", "most", "refino", "share"]
    )
    assert found["refino", "retention:not_reached", "oppfolging", "count"] > 0


def test_at_the_break_even_price_payments_cover_the_months(world, clean):
    paid = numbers("table_payments", world, clean=clean).set_index(["panel", "row", "column", "statistic"])["value"]
    priced = numbers("table_provider_pricing", world, clean=clean)
    priced = priced.set_index(["panel", "row", "column", "statistic"])["value"]
    cost = DEFINITIONS.exhibits["table_provider_pricing"].cost_per_month.value
    for rules, row in (("refino", "least"), ("graded", "most")):
        for arm in ("refino", "oppfolging"):
            price = priced[rules, row, arm, "value"]
            released, months = paid[rules, row, arm, "share"], paid["", "duration", arm, "mean"]
            assert price * released == pytest.approx(cost * months)
    assert priced["bids", "high", "margin", "value"] > priced["bids", "low", "margin", "value"]
    assert priced["bids", "high", "loss", "share"] <= priced["bids", "low", "loss", "share"]
    assert priced["bids", "high", "score", "value"] == pytest.approx((10 / 1.17 + 8) / 2)


@pytest.mark.parametrize("language", ["nb", "en"])
def test_tables_and_figure_are_drawn_up(world, effects, clean, language, tmp_path):
    options = {"labels": BOOK, "language": language, "facts": {"data_class": "synthetic"}}
    told = {}
    for name in ("table_8_3", "text_8_3", "table_break_even", "table_payments", "table_provider_pricing"):
        frame = numbers(name, world, aggregates=effects, clean=clean)
        table = table_of(name, DEFINITIONS.exhibits[name], frame, **options)
        cells = [cell.text for part in table.parts for row in (*part.header, *part.body) for cell in row.cells]
        told[name] = " ".join([*cells, *(part.caption for part in table.parts), *table.notes]).replace("\u202f", " ")
        assert not any("_" in text for text in cells), name
    assert ("−10 248" if language == "nb" else "−10,248") in told["table_8_3"]
    # Nobody is behind printed inputs: no sample, and no synthetic register.
    assert "ynteti" not in told["table_8_3"] + told["text_8_3"]
    assert "ynthetic" in told["table_payments"] or "yntetisk" in told["table_payments"]
    assert ("15 808" if language == "nb" else "15,808") in told["text_8_3"]
    assert say("break_even.interval_includes", language) in told["table_break_even"]
    frame = numbers("figure_net_benefit", world, aggregates=effects)
    exhibit = DEFINITIONS.exhibits["figure_net_benefit"]
    first, again = (
        render("f", exhibit, frame, tables_dir=tmp_path / at, figures_dir=tmp_path / at, **options) for at in ("1", "2")
    )
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]
    assert any("95" in line for line in figure_notes(exhibit, frame, **options))


@pytest.mark.parametrize(
    ("exhibit", "change", "says"),
    [
        ("table_8_3", {"costs": "refin"}, "uses the costs 'refin', which does not exist"),
        ("table_8_3", {"basis": "account"}, "uses the basis 'account', which does not exist. Did you mean 'accounts'?"),
        ("text_8_3", {"values": ("exampel",)}, "uses the value 'exampel'"),
        ("table_break_even", {"effects": "table_8_9"}, "computed from the exhibit 'table_8_9'"),
        (
            "table_break_even",
            {"months": {"refino": "refino_months_12", "other": "refino_months_12"}},
            "uses the arm 'other'",
        ),
        ("table_payments", {"payments": ("refin",)}, "uses the payments 'refin'"),
    ],
)
def test_what_leads_nowhere_is_reported_before_anything_runs(exhibit, change, says):
    changed = DEFINITIONS.exhibits[exhibit].model_copy(update=change)
    definitions = DEFINITIONS.model_copy(update={"exhibits": {**DEFINITIONS.exhibits, exhibit: changed}})
    assert any(says in fault for fault in cross_check(EVALUATION, definitions, CONFIGURATION.sources))


def test_a_register_that_is_not_read_is_reported():
    less = EVALUATION.model_copy(update={"sources": tuple(s for s in EVALUATION.sources if s != "sickness")})
    faults = cross_check(less, DEFINITIONS, CONFIGURATION.sources)
    assert any("reads the register 'sickness'" in fault for fault in faults)


@pytest.fixture(scope="module")
def traits(world, tmp_path_factory):
    """Add covariates, and an outcome that they predict, to the people."""
    _, cohort, _, paths = world
    rng = np.random.default_rng(5)
    names = DEFINITIONS.exhibits["table_payment_comparison"].covariates
    people = cohort.assign(**{name: rng.normal(size=PEOPLE) for name in names}, sample_complete_controls=True)
    made = tmp_path_factory.mktemp("traits")
    people.to_parquet(made / "cohort.parquet")
    outcomes = dict(paths)
    for name in ("any_wage_months_12", "any_wage_month_12"):
        outcomes[name] = made / f"{name}.parquet"
        value = people[names[0]] + 0.2 * rng.normal(size=PEOPLE)
        pd.DataFrame({"person_id": people["person_id"], "value": value}).to_parquet(outcomes[name])
    return made / "cohort.parquet", outcomes


def by_key(name, traits, clean, **change):
    entry = DEFINITIONS.exhibits[name].model_copy(update=change)
    frame = aggregate(name, entry, files=PersonFiles(traits[0], traits[1], {}, clean=clean), study=study())
    return frame.set_index(["panel", "row", "column", "statistic"])["value"]


def test_the_same_participants_are_paid_under_each_set_of_rules_by_position(world, clean, traits):
    _, cohort, _, _ = world
    found = by_key("table_payment_comparison", traits, clean)
    k, own = np.arange(PEOPLE), (cohort["treated"] == 1).to_numpy()
    assert found["", "none", "refino", "count"] == np.count_nonzero((k % 3 == 2) & own)
    assert found["", "above", "refino", "count"] == np.count_nonzero((k % 3 < 2) & own)
    assert found["refino", "none", "refino", "mean"] == pytest.approx(0.2)
    permanent = np.count_nonzero((k % 3 == 0) & own) / np.count_nonzero((k % 3 < 2) & own)
    assert found["refino", "above", "refino", "mean"] == pytest.approx(0.2 + 0.8 * permanent)
    # 80 per cent of a full position is where the graded rules pay in full: nobody here is paid differently.
    assert found["refino:graded", "all", "refino", "count"] == 0
    payment = np.where(k % 3 == 0, 1.0, 0.2)[own]
    outcome = pd.read_parquet(traits[1]["any_wage_months_12"])["value"].to_numpy()
    predicted = est.predicted_without_treatment(
        outcome,
        pd.read_parquet(traits[0])[list(DEFINITIONS.exhibits["table_payment_comparison"].covariates)],
        own.astype(float),
        folds=5,
        seed=derive_seed(1, "table_payment_comparison"),
    )
    rho = stats.spearmanr(payment, predicted[own]).statistic
    assert found["refino", "predicted", "refino", "estimate"] == pytest.approx(rho)
    gain = stats.spearmanr(payment, (outcome - predicted)[own]).statistic
    assert found["refino", "gain", "refino", "estimate"] == pytest.approx(gain)


def test_exits_before_the_limit_are_counted_among_those_observed_so_long(world, clean, traits):
    _, cohort, _, _ = world
    own = (cohort["treated"] == 1).to_numpy()
    # Everybody leaves ten months after the start.
    assert by_key("table_selective_exits", traits, clean)["exits", "all", "refino", "share"] == 0
    late = by_key("table_selective_exits", traits, clean, within_months=11)
    assert late["exits", "all", "refino", "share"] == 1
    assert late["exits", "all", "refino", "n"] == np.count_nonzero(own)
    assert (
        sum(late["exits", f"group_{g}", arm, "n"] for g in (1, 2, 3, 4) for arm in ("refino", "oppfolging")) == PEOPLE
    )
    unobserved = by_key("table_selective_exits", traits, clean, observed_to=dt.date(2019, 5, 1))
    assert np.isnan(unobserved["exits", "all", "refino", "share"])
    assert np.isnan(unobserved["slopes", "slope", "difference", "estimate"])


def test_every_input_states_its_source_in_the_readers_language():
    for evaluation in ("refino", "omrade_2024"):
        configuration = load_configuration(ROOT, evaluation=evaluation)
        book = LabelBook.of(configuration.evaluation, configuration.definitions)
        model = configuration.definitions.cost_benefit[evaluation.removesuffix("_2024")]
        inputs = [
            *model.inputs.values(),
            *(entry for each in model.programmes.values() for entry in each.inputs.values()),
        ]
        english, norwegian = (
            [source_of(entry, book.in_language(language)) for entry in inputs] for language in ("en", "nb")
        )
        assert any("Usikkerhet: vår antakelse" in text for text in norwegian)
        assert not [text for text in norwegian if re.search(r"\b(the|our|report|section|of|Chapter|Table)\b", text)]
        assert not [text for text in english if re.search(r"\b(vår|avsnitt|rapporten|Kapittel|Tabell)\b", text)]
        again = type(model).from_params(without_text(model))
        assert [(entry.value, entry.published) for entry in again.inputs.values()] == [
            (entry.value, entry.published) for entry in model.inputs.values()
        ]
    with pytest.raises(ValidationError, match="source is empty"):
        Amount(value=1, source=Label(nb=" ", en="A letter"))
