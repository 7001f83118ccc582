"""The trail of a number: complete, clear about what is missing, and looked up by name."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from refino_eval.config.exhibits import MODELS
from refino_eval.config.money.cost_benefit import Input
from refino_eval.errors import UserError
from refino_eval.exhibits.tidy import not_made, write_tidy
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.report.page.summary_tables import verified_line
from refino_eval.report.report_inputs import ReportInputs
from refino_eval.report.trail.lookup import find_number
from refino_eval.report.trail.trails import Trails, input_text
from refino_eval.text import say
from support import finished_run as run

EFFECT = ("main", "refino", "any_wage", "estimate")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory) -> ReportInputs:
    return run.make_run(tmp_path_factory.mktemp("run"))


def trails(inputs, language="en"):
    return Trails(inputs, LabelBook.of(inputs.evaluation, inputs.definitions), language)


def facts(trail, section):
    return {fact.key: fact.text for part in trail.sections if part.key == section for fact in part.facts}


def test_a_trail_has_every_section(inputs):
    trail = trails(inputs).follow("table_8_1", EFFECT)
    assert trail.value == dict(trails(inputs).numbers("table_8_1"))[EFFECT][0]
    assert trail.address == "table_8_1:refino:any_wage:estimate:main"
    assert [part.key for part in trail.sections] == [
        "number", "definition", "sample", "specification", "code", "inputs", "verified", "published",
    ]  # fmt: skip
    assert "any_wage_month_12" in facts(trail, "definition")["outcome"]
    assert facts(trail, "specification")["formula"].startswith("any_wage_month_12 ~ refino")
    assert facts(trail, "specification")["formula"].endswith("| county^draw_month")
    assert facts(trail, "published") == {
        "printed": "-0.0096", "pages": "pages 76–78", "ours": "−0.0096", "verdict": "equal", "distance": "0.00 standard errors",
    }  # fmt: skip


def test_the_flow_leads_to_the_sample_and_no_further(inputs):
    flow = [
        f.text
        for part in trails(inputs).follow("table_8_1", EFFECT).sections
        if part.key == "sample"
        for f in part.facts
    ]
    assert flow[-5:] == [
        "= 5,120: Delivered",
        "− 219: The area left",
        "= 4,901: The population",
        "− 3: No demography",
        "= 4,898: The analysed sample",
    ]


def test_a_wider_sample_has_a_shorter_flow(inputs):
    follow = trails(inputs)
    entry = inputs.definitions.exhibits["table_8_1"].model_copy(update={"sample": "drawn"})
    wider = inputs.definitions.model_copy(update={"exhibits": {**inputs.definitions.exhibits, "table_8_1": entry}})
    follow.definitions = wider
    sample = next(part for part in follow.follow("table_8_1", EFFECT).sections if part.key == "sample")
    assert sample.facts[-1].text == "= 4,901: The population"


def with_exhibit(inputs, name, numbers, **entry):
    """Return trails of a run in which an exhibit has another definition and these numbers."""
    follow = trails(inputs)
    exhibit = MODELS[entry["kind"]].model_validate({"title": {"nb": "x", "en": "x"}, **entry})
    exhibits = {**inputs.definitions.exhibits, name: exhibit}
    follow.definitions = inputs.definitions.model_copy(update={"exhibits": exhibits})
    follow.numbers(name).update({key: (1.0, "", "") for key in numbers})
    return follow


def test_the_sample_is_that_of_the_number_where_an_exhibit_has_several(inputs):
    keys = [("main", "any_wage", sample, "estimate") for sample in ("analysed", "drawn")]
    entry = {"columns": {"any_wage": "any_wage_month_12"}, "sample": "drawn", "samples": ["analysed", "drawn"]}
    follow = with_exhibit(inputs, "table_8_1", keys, kind="specification_curve", **entry)
    names = [facts(follow.follow("table_8_1", key), "sample")["name"] for key in keys]
    assert names == [follow.labels.in_language("en").sample(sample) for sample in ("analysed", "drawn")]
    assert len(set(names)) == 2


def test_the_arms_are_those_that_the_exhibit_names(inputs):
    key = ("main", "other", "any_wage", "estimate")
    entry = {"columns": {"any_wage": "any_wage_month_12"}, "arm": "other", "against": "refino"}
    follow = with_exhibit(inputs, "table_8_1", [key], kind="itt", **entry)
    specification = facts(follow.follow("table_8_1", key), "specification")
    assert specification["arms"] == say("trail.versus", "en", treated="Other", control="Refino")
    assert specification["formula"].startswith("any_wage_month_12 ~ other")


def test_a_copied_number_is_not_called_computed(inputs):
    copied, computed = ("", "2018", "refino", "value"), ("", "cost", "refino", "value")
    follow = with_exhibit(inputs, "table_8_1", [copied, computed], kind="costs", costs="unit_costs", basis="prices")
    follow.definitions = follow.definitions.model_copy(
        update={"costs": {"unit_costs": SimpleNamespace(published="report", bases={}, values={}, effects={})}}
    )
    follow.labels = replace(follow.labels, definitions=follow.definitions)
    for key, note in ((copied, "trail.copied_input"), (computed, "trail.computed_from_inputs")):
        trail = follow.follow("table_8_1", key)
        assert facts(trail, "definition") == {"note": say(note, "en")}
        assert facts(trail, "sample") == {"note": say("trail.no_people", "en")}
        assert [fact.label for part in trail.sections if part.key == "inputs" for fact in part.facts] == [
            "data/published/report.csv"
        ]


@pytest.mark.parametrize(
    ("status", "text"), [("no_data", say("trail.status_no_data", "en")), ("new_status", "New status")]
)
def test_a_missing_number_says_why_also_where_the_reason_has_no_text(inputs, status, text):
    follow = trails(inputs)
    follow.numbers("table_8_1")[EFFECT] = (float("nan"), "", status)
    assert facts(follow.follow("table_8_1", EFFECT), "number")["status"] == text


def test_a_note_says_what_a_run_lacks(inputs):
    trail = trails(inputs).follow("table_8_1", ("main", "refino", "weekly_hours", "std_error"))
    assert facts(trail, "verified") == {"note": say("trail.no_verification", "en")}
    assert facts(trail, "published") == {"note": say("trail.no_published_number", "en")}
    assert facts(trail, "code")["commit"] == say("trail.not_under_version_control", "en")


def test_engines_are_shown_where_they_recomputed(tmp_path):
    inputs = run.make_run(tmp_path)
    (inputs.run_dir / "verify.csv").write_text(
        "exhibit,panel,row,column,statistic,value,engine,engine_value,difference,verdict,reason\n"
        "table_8_1,main,refino,any_wage,estimate,-0.0096,statsmodels,-0.0096,1e-15,agrees,\n"
        "table_8_1,main,refino,any_wage,estimate,-0.0096,pyfixest,-0.0097,1e-4,differs,\n"
        "table_8_1,main,refino,any_wage,mean_control,0.47,,,,not_reestimated,costs\n"
    )
    both = [
        f for part in trails(inputs).follow("table_8_1", EFFECT).sections if part.key == "verified" for f in part.facts
    ]
    assert [(fact.label, fact.text.split(":")[0]) for fact in both] == [
        ("statsmodels", "agrees"),
        ("pyfixest", "differs"),
    ]
    alone = trails(inputs).follow("table_8_1", ("main", "refino", "any_wage", "mean_control"))
    reason = f"{say('trail.verdict_not_reestimated', 'en')}: {say('trail.reason_costs', 'en')}"
    assert facts(alone, "verified") == {"note": reason}
    assert verified_line(inputs, "en") == say(
        "report.verified", "en", n="1", verdicts="agrees 1, differs 1", engines="pyfixest, statsmodels"
    )
    other = trails(inputs).follow("table_8_1", ("main", "refino", "weekly_hours", "estimate"))
    assert facts(other, "verified") == {"note": say("trail.not_recomputed", "en")}


def test_both_languages_have_the_same_sections(inputs):
    nb, en = (trails(inputs, language).follow("table_8_1", EFFECT) for language in ("nb", "en"))
    assert [[f.key for f in part.facts] for part in nb.sections] == [
        [f.key for f in part.facts] for part in en.sections
    ]
    assert facts(nb, "published")["printed"] == "-0.0096"  # as printed, whatever the language
    assert facts(nb, "published")["ours"] == "−0,0096"
    assert json.loads(json.dumps(nb.as_data()))["specification"] != en.as_data()["specification"]


def test_every_number_of_the_run_has_a_trail(inputs):
    follow = trails(inputs)
    for exhibit in inputs.evaluation.exhibits:
        for key in follow.numbers(exhibit):
            assert all(part.facts for part in follow.follow(exhibit, key).sections)


def test_a_number_is_found_with_and_without_its_panel(inputs):
    follow = trails(inputs)
    assert find_number(follow, "table_8_1:refino:any_wage:estimate") == ("table_8_1", EFFECT)
    assert find_number(follow, "table_8_1:refino:any_wage:estimate:main") == ("table_8_1", EFFECT)
    assert find_number(follow, "table_8_1:refino:any_wage:estimate", panel="main") == ("table_8_1", EFFECT)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("table_8_2:refino:any_wage:estimate", "no exhibit 'table_8_2'"),
        ("table_8_1:refin:any_wage:estimate", "no row 'refin'. Did you mean 'refino'?"),
        ("table_8_1:refino:any_wages:estimate", "no column 'any_wages'. Did you mean 'any_wage'?"),
        ("table_8_1:refino:any_wage:estimat", "no statistic 'estimat' there. Did you mean 'estimate'?"),
        ("table_8_1:refino:any_wage:estimate:mani", "no panel 'mani' there. Did you mean 'main'?"),
        ("table_8_1:refino", "does not name one number"),
    ],
)
def test_an_invalid_name_is_reported_with_the_nearest_valid_part(inputs, name, said):
    with pytest.raises(UserError) as caught:
        find_number(trails(inputs), name)
    assert said in caught.value.problems[0]


def test_the_trail_of_an_exhibit_that_was_not_made_says_why(inputs):
    path = inputs.aggregates_dir / "table_8_1.csv"
    before = path.read_bytes()
    write_tidy(not_made("table_8_1", ["Exhibit 'table_8_1': No cell has both arms."]), path)
    try:
        with pytest.raises(
            UserError, match="'table_8_1' could not be made, so it has no numbers to follow: No cell has"
        ):
            find_number(trails(inputs), "table_8_1:refino:any_wage:estimate")
    finally:
        path.write_bytes(before)


def test_an_input_of_a_model_is_in_the_readers_words():
    given = {
        "value": -0.58,
        "times": 12,
        "unit": "share_per_month",
        "source": {"nb": "Avsnitt 4.4", "en": "Section 4.4"},
    }
    assert input_text(Input(**given), "nb") == "−0,58 × 12 (andel per måned). Avsnitt 4.4"
    published = Input(published="text_4_4//wage/all/value", unit="kroner_per_month")
    assert input_text(published, "en") == "text_4_4//wage/all/value (kroner a month)"
