"""What a user gets wrong: one paragraph that names file, key and nearest name, exit code 2, nothing half-written."""

import shutil

import pytest

from support.workflow import change, copy_project, refino_eval

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def delivered(tmp_path_factory, small_run):
    """A project with a delivery in place, and nothing run yet."""
    folder = tmp_path_factory.mktemp("bad") / "project"
    copy_project(folder)
    shutil.copytree(small_run / "data/synthetic", folder / "data/synthetic")
    path = folder / "config/evaluations/refino/evaluation.yaml"
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("synthetic:")]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    change(path, "data_class: synthetic", "data_class: confidential")
    return folder


@pytest.fixture
def project(delivered, tmp_path):
    copy = tmp_path / "project"
    shutil.copytree(delivered, copy)
    return copy


def fails(project, *said, evaluation="refino"):
    done = refino_eval(project, "run", "--evaluation", evaluation)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    for text in said:
        assert text in done.stderr, done.stderr
    half = [
        path for path in (project / "results").rglob("*") if path.is_file() and path.name.endswith((".part", ".tmp"))
    ]
    assert half == []
    return done


def test_a_missing_delivery(project):
    (project / "data/synthetic/refino/demografi_v1.csv").unlink()
    fails(project, "'persons'", "demografi_v*.csv", "in data/synthetic/refino.", "config/sources/persons.yaml")
    assert not (project / "results").exists()


def test_a_misspelt_key(project):
    change(project / "config/evaluations/refino/evaluation.yaml", "clocks:", "clokcs:")
    fails(project, "config/evaluations/refino/evaluation.yaml", "'clokcs'", "'clocks'")
    assert not (project / "results").exists()


def test_an_unknown_outcome_in_the_selection(project):
    change(
        project / "config/evaluations/refino/exhibits.yaml", "any_wage: any_wage_month_12", "any_wage: any_wag_month_12"
    )
    fails(project, "'any_wag_month_12'", "'any_wage_month_12'")
    assert not (project / "results").exists()


def test_a_stratum_that_is_not_there(project):
    change(project / "config/evaluations/refino/evaluation.yaml", "strata: [county,", "strata: [conty,")
    fails(project, "'conty'", "'county'")


def test_a_column_that_the_delivery_lacks(project):
    path = project / "data/synthetic/refino/demografi_v1.csv"
    text = path.read_bytes().replace(b"kjonn", b"kjoenn", 1)
    path.write_bytes(text)
    fails(project, "demografi_v1.csv", "kjonn", "kjoenn")
    assert not (project / "results/refino/person_level/cohort.parquet").exists()


def test_an_arm_that_is_neither(project):
    path = project / "data/synthetic/refino/trekning_p2018_p2021_v1.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[5] = lines[5].rsplit(";", 1)[0] + ";Q"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = fails(project, "'R' (refino) or 'O' (oppfolging)", "1 rows with other values ('Q')")
    assert lines[5].split(";")[0] not in done.stderr + done.stdout
    assert not (project / "results/refino/person_level/cohort.parquet").exists()


def test_a_treated_column_of_a_person_table_that_is_not_zero_or_one(project, shared):
    change(project / "config/evaluations/reference_trial.yaml", "treated: z", "treated: age")
    fails(project, "'1' (treated) or '0' (control)", "column age", evaluation="reference_trial")


def test_faults_of_several_jobs_come_together(project):
    for name, old, new in (("demografi_v1.csv", b"kjonn", b"sex"), ("skatt_inntekt_v1.csv", b"inntektsaar", b"aar")):
        path = project / "data/synthetic/refino" / name
        path.write_bytes(path.read_bytes().replace(old, new, 1))
    fails(project, "demografi_v1.csv", "skatt_inntekt_v1.csv")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "--evaluation", "refno"), "Did you mean 'refino'?"),
        (("run", "--until", "aggregate"), "Did you mean 'aggregates'?"),
        (("list", "outcome"), "Did you mean 'outcomes'?"),
        (("simulate", "--recipe", "refno"), "Did you mean 'refino'?"),
    ],
)
def test_a_misspelt_argument(project, arguments, said):
    done = refino_eval(project, *arguments)
    assert done.returncode == 2
    assert said in done.stderr


def test_outside_a_project(tmp_path):
    done = refino_eval(tmp_path, "run")
    assert done.returncode == 2
    assert "There is no config/config.yaml here" in done.stderr
