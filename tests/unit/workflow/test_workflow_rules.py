"""What the rules of the workflow know of an evaluation: files, params and constraints."""

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
    assert len(files.release_of("table_8_1")) == 2 * len(files.formats("table"))
    figures = files.release_of("figure_8_1")
    assert figures[-1] == "results/refino/release/figures/figure_8_1.csv"
    assert [path for path in figures if path.endswith(".csv")] == figures[-1:]
    assert len(set(files.release())) == len(files.release())


def test_snakemake_plans_by_the_files_that_browsers_show_and_by_one_where_there_is_none():
    release = "results/refino/release"
    stated = {Path(path).name for path in REFINO.files.stated_of("table_8_1")}
    assert stated == {"table_8_1.nb.html", "table_8_1.en.html"}
    assert set(REFINO.files.report_figures()) <= set(REFINO.files.stated_release()) < set(REFINO.files.release())
    formats = REFINO.configuration.project.formats.model_copy(update={"tables": ("tex", "csv")})
    project = REFINO.configuration.project.model_copy(update={"formats": formats})
    files = Workflow(REFINO.configuration.__class__(**{**vars(REFINO.configuration), "project": project})).files
    assert files.stated_of("table_8_1") == [f"{release}/tables/table_8_1.nb.tex"]


def test_the_report_waits_for_its_pictures_and_for_no_other_file_of_an_exhibit():
    files = REFINO.files
    shown = {f"results/refino/release/figures/{name}.{language}.svg"
             for name in files.exhibits_of("figure") for language in ("nb", "en")}  # fmt: skip
    assert set(files.report_figures()) == shown <= set(files.rendered())


def test_pages_of_a_confidential_evaluation_are_internal():
    study = REFINO.configuration.evaluation.model_copy(update={"data_class": "confidential", "synthetic": None})
    secret = Workflow(REFINO.configuration.__class__(**{**vars(REFINO.configuration), "evaluation": study}))
    assert len(secret.files.release()) == len(REFINO.files.release())
    assert all(path.startswith("results/refino/internal/") for path in secret.files.release())
    assert secret.files.aggregates() == REFINO.files.aggregates()
    assert "results/refino/run/calibration.csv" not in secret.files.run()


def test_rules_apply_where_an_evaluation_has_something_for_them():
    assert REFINO.only_if(True) == "refino"
    assert REFINO.only_if(False) == NOTHING
    assert not re.fullmatch(NOTHING, "")


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
    names = REFINO.configuration.evaluation.exhibits
    assert changed.verification(names, str.upper) != REFINO.params.verification(names, str.upper)


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
    assert REFINO.files.table_files() == []
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


def plan_of(work_per_job, workflow=REFINO):
    """Return the jobs of each stage, where a job takes on so much work."""
    configuration = workflow.configuration
    project = configuration.project.model_copy(update={"work_per_job": work_per_job})
    plan = Workflow(configuration.__class__(**{**vars(configuration), "project": project})).jobs
    return {
        "registers": plan.registers(),
        "outcomes": plan.outcomes(),
        "estimates": plan.estimates(),
        "verification": plan.verification(),
        "tables": plan.renders("table"),
        "figures": plan.renders("figure"),
    }


@pytest.mark.parametrize("work_per_job", [1, 20_000, 100_000, 500_000, 10**9])
def test_each_result_is_made_by_one_job_however_the_work_is_split(work_per_job):
    wanted = {
        "registers": REFINO.configuration.evaluation.sources,
        "outcomes": REFINO.files.outcome_names(),
        "estimates": REFINO.configuration.evaluation.exhibits,
        "verification": REFINO.configuration.evaluation.exhibits,
        "tables": REFINO.files.exhibits_of("table"),
        "figures": REFINO.files.exhibits_of("figure"),
    }
    plan = plan_of(work_per_job)
    for stage, names in wanted.items():
        assert sorted(name for job in plan[stage] for name in job.names) == sorted(names), stage
        assert len({job.rule for job in plan[stage]}) == len(plan[stage]), stage
        gathering = [job for job in plan[stage] if job.gathers]
        assert len(gathering) == (stage in ("outcomes", "verification", "tables")), stage


def test_more_work_than_a_job_takes_on_is_split_and_little_work_is_not():
    assert all(len(jobs) == 1 for jobs in plan_of(10**9).values())
    counts = {stage: len(jobs) for stage, jobs in plan_of(1).items()}
    files, study = REFINO.files, REFINO.configuration.evaluation
    assert counts["registers"] == len(study.sources)
    # One more job puts the results together.
    assert counts["outcomes"] == len(files.outcome_names()) + 1
    assert counts["verification"] == len(study.exhibits) + 1
    assert counts["tables"] == len(files.exhibits_of("table")) + 1
    assert counts["figures"] == len(files.exhibits_of("figure"))
    # Exhibits that read others' numbers are computed in a job after all others.
    assert 30 < counts["estimates"] < len(study.exhibits)
    assert sum(len(jobs) for jobs in plan_of(500_000).values()) < 10


@pytest.mark.parametrize("work_per_job", [1, 30_000, 500_000])
def test_an_exhibit_is_computed_after_those_whose_numbers_it_reads(work_per_job):
    made_by, place = {}, {}
    for job in plan_of(work_per_job)["estimates"]:
        for name in job.names:
            made_by[name], place[name] = job.rule, len(place)
    for name in made_by:
        for other in REFINO.files.exhibit(name).exhibits_read:
            assert place[other] < place[name]
    # No two jobs wait for each other.
    after = {(made_by[n], made_by[o]) for n in made_by for o in REFINO.files.exhibit(n).exhibits_read}
    assert not {(a, b) for a, b in after if a != b and (b, a) in after}


def test_params_of_a_job_are_recorded_by_their_hash():
    one, other = REFINO.params.outcomes(["wage_month_12"]), REFINO.params.outcomes(["any_wage_month_12"])
    assert repr(one) == repr(REFINO.params.outcomes(["wage_month_12"]))
    assert repr(one) != repr(other)
    assert len(repr(one)) < 80
    changed = with_entry(REFINO, "outcomes", "wage_month_12", at=11)
    assert repr(changed.outcomes(["wage_month_12"])) != repr(one)


def panel_parts_of(people, **project):
    """Return the parts of the monthly panel of so many people."""
    configuration = REFINO.configuration
    study = configuration.evaluation
    synthetic = study.synthetic.model_copy(update={"people": people})
    changed = {
        "project": configuration.project.model_copy(update=project),
        "evaluation": study.model_copy(update={"synthetic": synthetic}),
    }
    return Workflow(configuration.__class__(**{**vars(configuration), **changed})).jobs.panel_parts("month")


def test_a_panel_is_split_above_a_million_people_or_as_configured():
    assert panel_parts_of(1_000_000) == []
    folder = "results/refino/person_level/panel_month_parts"
    assert panel_parts_of(2_000_001) == [f"{folder}/{part}_of_3.parquet" for part in (1, 2, 3)]
    assert len(panel_parts_of(5_000, panel_parts=20)) == 20
    assert panel_parts_of(5_000_000, panel_parts=1) == panel_parts_of(5_000_000, engine="spark") == []
