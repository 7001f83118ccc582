"""Funnels: counts by stage are the published ones, sums and shares follow from them, and impossible ones are refused."""

from pathlib import Path

import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from refino_eval.config import load_configuration
from refino_eval.errors import UserError
from refino_eval.exhibits.aggregate import aggregate
from refino_eval.exhibits.kinds.funnel.model import FunnelExhibit
from refino_eval.exhibits.numbers.study import PersonFiles, Study
from refino_eval.published.compare import compare
from refino_eval.published.values import load_published

ROOT = Path(__file__).resolve().parents[3]
PUBLISHED = ROOT / "data/published/refin_2014.csv"
WORD = {"nb": "ord", "en": "word"}


def numbers(exhibit, name="funnel"):
    files = PersonFiles(Path(), {}, {}, published=PUBLISHED)
    return aggregate(name, exhibit, files=files, study=Study("t", "c", {}, 1))


def funnel(**stages):
    areas = {"north": {"label": WORD}, "south": {"label": WORD}}
    named = {name: {"label": WORD, **stage} for name, stage in stages.items()}
    return FunnelExhibit.model_validate({"kind": "funnel", "title": WORD, "areas": areas, "stages": named})


def counts(north, south):
    return {"counts": {"north": {"value": north, "source": "x"}, "south": {"value": south, "source": "x"}}}


def test_both_tables_of_the_report_come_out_equal():
    exhibits = load_configuration(ROOT, evaluation="refin_2014").definitions.exhibits
    ours = pd.concat([numbers(exhibits[name], name) for name in ("table_4_1", "table_5_1")])
    compared = compare(load_published(PUBLISHED), ours, exhibits=["table_4_1", "table_5_1"])
    assert len(compared) == 32
    assert set(compared["verdict"]) == {"equal"}
    found = ours.set_index(["exhibit", "row", "column", "statistic"])["value"]
    # "24 per cent of those with whom a meeting was held" (Proba 2014-12, section 4.4).
    assert round(100 * found["table_4_1", "not_admitted", "all", "share"]) == 24
    phases = ("mapping_phase", "hiring_phase", "follow_up_phase")
    assert sum(found["table_5_1", phase, "all", "count"] for phase in phases) == 69


def test_shares_of_an_earlier_stage_have_wilsons_interval_and_what_is_left_is_the_rest():
    exhibit = funnel(
        referred=counts(40, 12), declined=counts(8, 0), admitted={"left_of": ["referred", "declined"], "of": "referred"}
    )
    found = numbers(exhibit).set_index(["row", "column", "statistic"])["value"]
    assert [found["admitted", area, "count"] for area in ("north", "south", "all")] == [32, 12, 44]
    low, high = proportion_confint(32, 40, method="wilson")
    assert found["admitted", "north", "conf_low"] == pytest.approx(low)
    assert found["admitted", "north", "conf_high"] == pytest.approx(high)


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ({"a": counts(1, 2), "b": {**counts(3, 1), "of": "a"}}, "'b' has 3 in 'north', and 'a'"),
        ({"a": counts(1, 2), "b": counts(2, 2), "c": {"left_of": ["a", "b"]}}, "would be negative"),
        ({"a": counts(1.5, 2)}, "whole number"),
    ],
)
def test_counts_that_cannot_be_are_refused(stages, message):
    with pytest.raises(UserError, match=message):
        numbers(funnel(**stages))


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ({"a": {**counts(1, 2), "of": "b"}, "b": counts(3, 4)}, "not before it"),
        ({"a": {"counts": {"north": {"value": 1, "source": "x"}}}}, "each area"),
        ({"a": {**counts(1, 2), "left_of": ["a", "a"]}}, "either"),
    ],
)
def test_stages_that_do_not_hang_together_are_refused(stages, message):
    with pytest.raises(ValueError, match=message):
        funnel(**stages)
