"""A run that skips Snakemake has nothing to do: every change of what it is made from, or of what it made, makes it look again."""

import shutil

import pytest

from refino_eval.checksums import FOLDER, begin_job, end_job
from refino_eval.cli.running import up_to_date
from refino_eval.cli.running.up_to_date import fingerprint, is_up_to_date, record_finished
from refino_eval.config import load_configuration
from refino_eval.workflow import Workflow
from support.workflow import ROOT, copy_project

EVALUATION = "reference_trial"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with all planned files, each recorded by a job; the paths of records are relative to it."""
    folder = copy_project(tmp_path / "project")
    (folder / "data" / "delivered").mkdir(parents=True)
    (folder / "data/delivered/trial.csv").write_text("id\n1\n")
    study = folder / f"config/evaluations/{EVALUATION}.yaml"
    study.write_text(
        study.read_text().replace("data: ${REFINO_EVAL_SHARED:-../shared/data}/reference_trial", "data: data/delivered")
    )
    monkeypatch.chdir(folder)
    for path in Workflow(load(folder)).files.planned(None):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(path)
        begin_job(folder / "results" / EVALUATION / FOLDER, [path])
        end_job(folder / "results" / EVALUATION / FOLDER, "rule", inputs=["data/delivered/trial.csv"], outputs=[path])
    return folder


def load(folder):
    return load_configuration(folder, evaluation=EVALUATION)


def nothing_to_do(folder):
    configuration = load(folder)
    return is_up_to_date(configuration, None, fingerprint(configuration, None))


def finish(folder):
    record_finished(load(folder), None, fingerprint(load(folder), None))


def append(path):
    path.write_text(path.read_text() + "\n# changed\n" if path.suffix != ".csv" else path.read_text() + "x\n")


CHANGES = {
    "a definition": lambda folder: append(next((folder / "config/definitions").rglob("*.yaml"))),
    "a code list": lambda folder: append(next((folder / "config/codelists").glob("*.csv"))),
    "a setting": lambda folder: append(folder / "config/config.yaml"),
    "the workflow": lambda folder: append(folder / "workflow/scripts/write_report.py"),
    "a published value": lambda folder: append(next((folder / "data/published").glob("*.csv"))),
    "a delivered file": lambda folder: append(folder / "data/delivered/trial.csv"),
    "a new delivered file": lambda folder: (folder / "data/delivered/second.csv").write_text("id\n"),
    "a result": lambda folder: append(folder / f"results/{EVALUATION}/run/verify.csv"),
    "a deleted result": lambda folder: (folder / f"results/{EVALUATION}/run/verify.csv").unlink(),
    "all results": lambda folder: shutil.rmtree(folder / "results"),
}


def test_every_change_is_noticed(project):
    assert not nothing_to_do(project), "no run has ended well"
    finish(project)
    assert nothing_to_do(project)
    saved = project.parent / "saved"
    shutil.copytree(project, saved)
    for what, change in CHANGES.items():
        change(project)
        assert not nothing_to_do(project), what
        for name in ("config", "workflow", "data", "results"):
            shutil.rmtree(project / name, ignore_errors=True)
            shutil.copytree(saved / name, project / name)
        assert nothing_to_do(project), f"{what} was put back"


def test_changed_code_and_another_target_are_noticed(project, tmp_path, monkeypatch):
    finish(project)
    assert not is_up_to_date(load(project), "aggregates", fingerprint(load(project), "aggregates"))
    package = tmp_path / "package"
    shutil.copytree(ROOT / "src/refino_eval/estimation", package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(up_to_date, "PACKAGE", package)
    finish(project)
    assert nothing_to_do(project)
    append(next(package.rglob("*.py")))
    assert not nothing_to_do(project)
