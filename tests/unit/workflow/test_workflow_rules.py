"""What the rules are told of an evaluation: files, params and constraints."""

import re
from pathlib import Path

import pytest

from refino_eval.config import Definitions
from refino_eval.config.evaluation import Arms, PersonTable, Population
from refino_eval.config.load import evaluation_names
from refino_eval.workflow import NOTHING, JobParams, Workflow

ROOT = Path(__file__).resolve().parents[3]
REFINO = Workflow.load(ROOT, "refino")
TABLE = Workflow.load(ROOT, "akm2011")


def edited(workflow, **changes):
    """Return the params of an evaluation whose definitions were changed."""
    definitions = workflow.configuration.definitions.model_copy(update=changes)
    return JobParams(
        workflow.configuration.__class__(**{**vars(workflow.configuration), "definitions": definitions}),
        workflow.params.plan,
    )


def with_entry(workflow, kind, name, **changes):
    """Return the params of an evaluation in which one definition was changed."""
    entries = getattr(workflow.configuration.definitions, kind)
    return edited(workflow, **{kind: {**entries, name: entries[name].model_copy(update=changes)}})


@pytest.mark.parametrize("name", evaluation_names(ROOT))
def test_every_evaluation_has_files_and_params_for_each_of_its_exhibits(name):
    workflow = Workflow.load(ROOT, name)
    for exhibit in workflow.configuration.evaluation.exhibits:
        definitions = Definitions.from_params(workflow.params.estimation(exhibit))
        assert list(definitions.exhibits) == [exhibit]
        assert workflow.files.exhibit_outcomes(exhibit) == [
            f"results/{name}/person_level/outcomes/{outcome}.parquet"
            for outcome in definitions.exhibits[exhibit].outcomes
        ]
    assert set(workflow.files.rendered()) <= set(workflow.files.release())


def test_a_table_has_a_file_in_every_language_and_format_and_a_figures_numbers_one():
    files = REFINO.files
    assert len(files.patterns("table")) == 2 * len(files.formats("table"))
    figures = files.patterns("figure")
    assert figures[-1] == "results/{evaluation}/release/figures/{exhibit}.csv"
    assert [path for path in figures if path.endswith(".csv")] == figures[-1:]
    assert len(set(files.release())) == len(files.release())


def test_nothing_of_a_confidential_evaluation_is_released():
    study = REFINO.configuration.evaluation.model_copy(update={"data_class": "confidential", "synthetic": None})
    secret = Workflow(REFINO.configuration.__class__(**{**vars(REFINO.configuration), "evaluation": study}))
    assert secret.files.release() == []
    assert secret.files.aggregates() == REFINO.files.aggregates()
    assert "results/refino/run/calibration.csv" not in secret.files.run()


def test_rules_apply_where_an_evaluation_has_something_for_them():
    assert REFINO.only_if(True) == "refino"
    assert REFINO.only_if(False) == NOTHING
    assert re.fullmatch(REFINO.exhibits_of("table"), "table_8_1")
    assert not re.fullmatch(REFINO.exhibits_of("table"), "figure_8_1")
    assert not re.fullmatch(REFINO.exhibits_of("figure"), "table_8_1")
    assert Workflow.load(ROOT, "iwws_balance").exhibits_of("figure") == NOTHING


def test_wording_changes_the_params_of_jobs_that_show_it_alone():
    reworded = with_entry(REFINO, "outcomes", "wage_month_12", description="Another text.")
    assert reworded.labels("table_8_1") != REFINO.params.labels("table_8_1")
    assert reworded.labels("table_2_3") == REFINO.params.labels("table_2_3")
    assert reworded.outcome("wage_month_12") == REFINO.params.outcome("wage_month_12")
    assert reworded.comparison_with_plan() == REFINO.params.comparison_with_plan()
    title = with_entry(REFINO, "exhibits", "table_8_1", note=None, chapter="methods")
    assert title.estimation("table_8_1") == REFINO.params.estimation("table_8_1")
    assert title.exhibit("table_8_1") != REFINO.params.exhibit("table_8_1")


def test_a_definition_changes_the_params_of_its_own_jobs_alone():
    changed = with_entry(REFINO, "outcomes", "wage_month_12", at=11)
    assert changed.outcome("wage_month_12") != REFINO.params.outcome("wage_month_12")
    assert changed.outcome("any_wage_month_12") == REFINO.params.outcome("any_wage_month_12")
    changed = with_entry(REFINO, "states", "wage", divide_by=1.0)
    assert changed.outcome_states("any_wage_month_12") != REFINO.params.outcome_states("any_wage_month_12")
    assert changed.outcome_states("half_time_month_12") == REFINO.params.outcome_states("half_time_month_12")
    changed = with_entry(REFINO, "specifications", "linear", vcov="HC3")
    assert changed.estimation("table_8_1") == REFINO.params.estimation("table_8_1")
    assert changed.verification() != REFINO.params.verification()


def test_the_plan_is_compared_by_role_and_family_too():
    changed = with_entry(REFINO, "outcomes", "wage_month_12", role="exploratory")
    assert changed.comparison_with_plan() != REFINO.params.comparison_with_plan()


def test_who_is_in_the_evaluation_is_described_by_registers_or_by_a_table():
    people = REFINO.params.people()
    assert people["registers"] == REFINO.files.cohort_registers()
    assert set(people["sources"]) == set(people["registers"])
    assert Population.from_params(people["population"]).register_name == "draws"
    people = TABLE.params.people()
    assert PersonTable.from_params(people["table"]).files
    assert Arms.from_params(people["arms"]).control.name
    assert REFINO.files.person_table() == []
    assert TABLE.files.cohort_registers() == []


def test_the_whole_configuration_is_validated_as_it_was_written():
    written = REFINO.params.whole_configuration()
    again = Definitions.model_validate(written["definitions"])
    assert again.model_dump(mode="json") == REFINO.configuration.definitions.model_dump(mode="json")
    assert "unemployment" in REFINO.params.other_sources()
    assert not set(REFINO.params.other_sources()) & set(REFINO.configuration.sources)


def test_a_figure_by_subgroups_is_given_their_definitions():
    entries = {name: REFINO.files.exhibit(name) for name in REFINO.configuration.evaluation.exhibits}
    by_subgroup = {
        name: sorted(entry.by)
        for name, entry in entries.items()
        if entry.kind == "paths" and isinstance(entry.by, tuple)
    }
    assert by_subgroup
    for name, subgroups in by_subgroup.items():
        assert list(REFINO.params.estimation(name)["subgroups"]) == subgroups
