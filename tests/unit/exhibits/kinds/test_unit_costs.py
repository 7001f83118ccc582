"""Unit costs: published tables come out to the last krone, perspectives stay apart, months are those of the registers."""

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

from refino_eval.config.checking.checks import cross_check
from refino_eval.config.definitions import Definitions
from refino_eval.config.load import load_configuration
from refino_eval.config.model_errors import validate
from refino_eval.config.yaml_files import read_yaml
from refino_eval.economics.programme_costs import cost_table
from refino_eval.exhibits.aggregate import PersonFiles, Study, aggregate
from refino_eval.exhibits.render import table_of
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.published.compare import compare
from refino_eval.published.values import load_published, printed_numbers

ROOT = Path(__file__).resolve().parents[4]
FOLDER = ROOT / "config/evaluations/oppfolging_2020"
PUBLISHED = ROOT / "data/published/oppfolging_2020.csv"
ENTRIES = {
    "costs": read_yaml(FOLDER / "costs.yaml", "costs.yaml"),
    "exhibits": read_yaml(FOLDER / "exhibits/unit_costs.yaml", "unit_costs.yaml"),
}
DEFINITIONS = validate(ENTRIES, Definitions, "unit costs")
TREATED, CONTROL = "utvidet_oppfolging", "oppfolging"


def made(name, tmp_path, definitions=DEFINITIONS, months=None):
    """Return the numbers of an exhibit for two people in each arm."""
    people = [f"{k}" for k in range(4)]
    arms = [TREATED, TREATED, CONTROL, CONTROL]
    cohort = pd.DataFrame(
        {
            "person_id": people, "arm": arms, "treated": [int(arm == TREATED) for arm in arms],
            "draw_date": [dt.date(2019, 2, 1)] * 4, "cell": "a", "sample_analysed": True,
        }
    )  # fmt: skip
    cohort.to_parquet(tmp_path / "cohort.parquet")
    outcomes = {}
    for outcome, values in (months or {}).items():
        outcomes[outcome] = tmp_path / f"{outcome}.parquet"
        pd.DataFrame({"person_id": people, "value": values}).to_parquet(outcomes[outcome])
    files = PersonFiles(tmp_path / "cohort.parquet", outcomes, {}, published=PUBLISHED)
    study = Study(treated=TREATED, control=CONTROL, specifications={}, seed=1, costs=definitions.costs)
    return aggregate(name, definitions.exhibits[name], files=files, study=study)


def test_published_tables_come_out_to_the_last_krone(tmp_path):
    tables = ["table_6_1", "table_6_2", "table_6_3"]
    ours = pd.concat([made(name, tmp_path) for name in tables])
    result = compare(load_published(PUBLISHED), ours, exhibits=tables)
    assert len(result) == 16
    assert set(result["verdict"]) == {"equal"}
    excess = ours[ours["column"] == "ratio"].set_index("row")["value"]
    assert (round(100 * excess["cost_per_month"]), round(100 * excess["total_cost_in_period"])) == (22, 36)


def test_cost_per_additional_person_in_work_follows_from_published_differences(tmp_path):
    cost = (
        made("table_cost_per_person_in_work", tmp_path).query("column == 'cost_per_outcome'").set_index("row")["value"]
    )
    assert cost["adjusted"] == pytest.approx(1.09e6, rel=5e-3)
    assert cost["with_aap"] == pytest.approx(1.14e6, rel=5e-3)
    assert cost["without_aap"] == pytest.approx(285e3, rel=5e-3)
    assert cost["unadjusted"] == pytest.approx(420e3, rel=5e-3)


@pytest.mark.parametrize(("error", "status"), [(0.003, ""), (0.015, "ratio_rays")])
def test_a_standard_error_of_the_effect_gives_fiellers_set(error, status, tmp_path):
    costs = DEFINITIONS.costs["oppfolging_2020"].model_dump(mode="json", exclude_none=True)
    costs["effects"]["adjusted"]["std_error"] = {"value": error, "source": "assumed"}
    definitions = validate({**ENTRIES, "costs": {"oppfolging_2020": costs}}, Definitions, "changed")
    frame = made("table_cost_per_person_in_work", tmp_path, definitions)
    limits = frame[(frame["row"] == "adjusted") & frame["statistic"].str.startswith("conf")].set_index("statistic")
    extra = frame.loc[frame["row"] == "extra_cost", "value"].item()
    assert limits.loc["conf_low", "value"] == pytest.approx(
        extra / (0.015 + 1.959964 * error) if not status else extra / (0.015 - 1.959964 * error)
    )
    assert set(limits["status"].fillna("")) == {status}


def test_the_two_perspectives_are_separate_rows(tmp_path):
    costs = DEFINITIONS.costs["oppfolging_2020"].model_dump(mode="json", exclude_none=True)
    costs |= {"vat_rate": {"value": 0.25, "source": "law"}, "tax_cost": {"value": 0.2, "source": "guideline"}}
    definitions = validate({**ENTRIES, "costs": {"oppfolging_2020": costs}}, Definitions, "changed")
    ours = made("table_6_3", tmp_path, definitions).set_index(["row", "column"])["value"]
    assert ours["total_cost_in_period", CONTROL] == pytest.approx(46113.57, abs=0.01)
    # VAT is on what is bought alone; the cost of taxes is on everything.
    assert ours["social_cost", CONTROL] == pytest.approx(1.2 * (44835.425 / 1.25 + 1278.144), abs=0.01)
    assert ours["social_cost", TREATED] == pytest.approx(1.2 * 62511.02, abs=0.01)


def test_months_of_the_registers_have_a_standard_error(tmp_path):
    exhibit = {
        "kind": "measured_costs", "title": {"nb": "Målt", "en": "Measured"}, "costs": "oppfolging_2020", "basis": "main",
        "months": {TREATED: "months_own", CONTROL: "months_bought"},
    }  # fmt: skip
    definitions = validate({**ENTRIES, "exhibits": {"table_months": exhibit}}, Definitions, "measured")
    # The second person in the control arm never started.
    frame = made("table_months", tmp_path, definitions, {"months_own": [8, 10, 0, 0], "months_bought": [0, 0, 6, 0]})
    ours = frame.set_index(["row", "column", "statistic"])
    value, price = ours["value"], cost_table(definitions.costs["oppfolging_2020"], "main", printed_numbers(PUBLISHED))
    assert value["months_measured", TREATED, "mean"] == 9
    assert value["months_measured", TREATED, "std_error"] == pytest.approx(1.0)
    assert value["participant_months", TREATED, "value"] == 18
    assert (
        value["months_measured", CONTROL, "mean"],
        ours.loc[("months_measured", CONTROL, "mean"), "n_persons"],
    ) == (6, 1)
    monthly = price.arms[TREATED].monthly_price
    assert value["cost_measured", TREATED, "mean"] == pytest.approx(9 * monthly)
    assert value["cost_measured", TREATED, "std_error"] == pytest.approx(monthly)
    assert value["cost_measured", CONTROL, "mean"] == pytest.approx(
        6 * price.arms[CONTROL].monthly_price + 1278.144, abs=0.01
    )


@pytest.mark.parametrize("language", ["nb", "en"])
def test_tables_are_laid_out_in_both_languages(language, tmp_path):
    arms = {
        role: {"name": name, "code": name, "label": {"nb": name.replace("_", " "), "en": name.replace("_", " ")}}
        for role, name in (("treated", TREATED), ("control", CONTROL))
    }
    names = {"arms": arms, "samples": {}, "strata": [], "strata_labels": {}, "outcomes": {}, "flow": {}}
    labels = LabelBook.named(names, DEFINITIONS)
    for name in [name for name, exhibit in DEFINITIONS.exhibits.items() if exhibit.kind == "unit_costs"]:
        frame = made(name, tmp_path)
        table = table_of(name, DEFINITIONS.exhibits[name], frame, labels=labels, language=language, facts={})
        cells = [cell.text for part in table.parts for row in (*part.header, *part.body) for cell in row.cells]
        assert len(table.parts[0].body) >= 3
        assert not any("_" in text for text in cells), cells
    assert ("standardfeil ikke publisert" if language == "nb" else "standard error not published") in cells


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"basis": "accounts"}, "is of kind accounts"),
        ({"show": "per_outcome"}, "have no `effects` to divide by"),
        ({"effects": ("adjusted",)}, "have no effect 'adjusted'"),
    ],
)
def test_what_unit_costs_lack_is_reported_before_the_run(change, says):
    refino = load_configuration(ROOT, evaluation="refino")
    exhibit = DEFINITIONS.exhibits["table_6_3"].model_copy(update={"costs": "refino", "basis": "accounts", **change})
    exhibits = {**refino.definitions.exhibits, "table_8_3": exhibit}
    definitions = refino.definitions.model_copy(update={"exhibits": exhibits})
    assert any(says in fault for fault in cross_check(refino.evaluation, definitions, refino.sources))
