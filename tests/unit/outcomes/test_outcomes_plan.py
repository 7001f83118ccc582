"""The registered plan: words change nothing, numbers are reported with both hashes and the fields that differ."""

import csv
import datetime as dt
from pathlib import Path

import pytest

from refino_eval.config import load_configuration
from refino_eval.config.dependencies import used_outcomes
from refino_eval.errors import UserError
from refino_eval.outcomes.registered_plan import compare_plan, load_plan, make_plan, plan_lines, write_changes

ROOT = Path(__file__).parents[3]
CONFIGURATION = load_configuration(ROOT, evaluation="refino")
SHIPPED = CONFIGURATION.definitions
USED = used_outcomes(CONFIGURATION.evaluation, SHIPPED)
PLAN = make_plan(SHIPPED, evaluation="refino", outcomes=USED, registered=dt.date(2020, 1, 1))


def edited(kind, name, **parts):
    entries = getattr(SHIPPED, kind)
    entry = entries[name]
    data = {**entry.model_dump(by_alias=True, exclude_unset=True), **parts}
    return SHIPPED.model_copy(update={kind: {**entries, name: type(entry).model_validate(data)}})


def changes(definitions, outcomes=USED):
    return compare_plan(definitions, PLAN, outcomes=outcomes)


def test_nothing_changed_is_nothing_told():
    assert len(PLAN.primary) >= 8
    assert changes(SHIPPED) == []
    assert compare_plan(SHIPPED, None) == []


def test_words_examples_and_written_defaults_change_nothing():
    label = {"nb": "Annet", "en": "Other"}
    for definitions in (
        edited("outcomes", "wage_sum_12", label=label, description="Another text.", examples=[], version=7),
        edited("outcomes", "wage_sum_12", clock="month", missing="any"),
        edited("states", "wage", touch="any_day", absent=0),
    ):
        assert changes(definitions) == []


def test_a_changed_window_is_reported_with_both_hashes_and_the_field():
    (change,) = changes(edited("outcomes", "wage_sum_12", window=[0, 11]))
    assert (change.outcome, change.change) == ("wage_sum_12", "definition")
    assert change.fields == "outcome.window: [1, 12] -> [0, 11]"
    assert change.registered_sha256 == PLAN.primary["wage_sum_12"].sha256 != change.current_sha256
    assert change.registered_sha256[:12] in change.sentence
    assert change.current_sha256[:12] in change.sentence


def test_a_changed_threshold_of_a_state_reaches_every_outcome_above_it():
    found = changes(edited("states", "half_time", expression="weekly_hours_main_job >= 20"))
    assert {change.outcome for change in found} == {"half_time_month_12", "half_time_months_12"}
    assert all("states.half_time.expression" in change.fields for change in found)
    deeper = {change.outcome for change in changes(edited("states", "weekly_hours_main_job", touch="end_of_period"))}
    assert {"half_time_month_12", "full_time_month_12"} <= deeper
    assert "wage_sum_12" not in deeper


def test_roles_families_additions_and_removals_are_reported():
    assert [c.change for c in changes(edited("outcomes", "wage_sum_12", role="secondary"))] == ["role"]
    assert changes(edited("outcomes", "wage_sum_12", family="pay"))[0].fields == 'family: (nothing) -> "pay"'
    added = changes(edited("outcomes", "wage_sum_0_11", role="primary"), outcomes=[*USED, "wage_sum_0_11"])
    assert [(c.outcome, c.change) for c in added] == [("wage_sum_0_11", "added")]
    fewer = {name: entry for name, entry in SHIPPED.outcomes.items() if name != "wage_sum_12"}
    assert [c.change for c in changes(SHIPPED.model_copy(update={"outcomes": fewer}))] == ["removed"]


def test_a_plan_edited_by_hand_is_reported():
    primary = dict(PLAN.primary)
    definition = {**primary["wage_sum_12"].definition, "family": "invented"}
    primary["wage_sum_12"] = primary["wage_sum_12"].model_copy(update={"definition": definition})
    found = compare_plan(SHIPPED, PLAN.model_copy(update={"primary": primary}))
    assert [change.change for change in found] == ["edited"]


def test_changes_become_a_table(tmp_path):
    found = changes(edited("outcomes", "wage_sum_12", window=[0, 11]))
    write_changes(found, tmp_path / "plan.csv")
    rows = list(csv.DictReader((tmp_path / "plan.csv").open(encoding="utf-8")))
    assert rows[0]["outcome"] == "wage_sum_12"
    assert rows[0]["fields"] == "outcome.window: [1, 12] -> [0, 11]"
    write_changes([], tmp_path / "none.csv")
    assert (tmp_path / "none.csv").read_text() == "outcome,change,registered_sha256,current_sha256,fields\n"


def test_the_shipped_plan_is_kept():
    assert load_plan(ROOT, "job_corps") is None
    (line,) = plan_lines(CONFIGURATION)
    assert "as registered on 2026-11-22" in line


def test_another_evaluations_plan_is_refused(tmp_path):
    (tmp_path / "config/plans").mkdir(parents=True)
    text = (ROOT / "config/plans/refino.yaml").read_text(encoding="utf-8")
    (tmp_path / "config/plans/other.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match="says 'refino'; it must equal the file's name"):
        load_plan(tmp_path, "other")
