"""A run is up to date only if its last attempt succeeded and every file is what its job wrote."""

import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest

from refino_eval.workflow_job import FAILED
from support.workflow import ROOT, change, choose_exhibits, copy_project, planned, refino_eval, study_file

pytestmark = pytest.mark.slow
DATA = ROOT.parent / "shared" / "data" / "reference_trial"
NAME = "reference_trial"
RESULTS = f"results/{NAME}"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A small evaluation of a file, run to its end."""
    if not DATA.is_dir():
        pytest.skip("the reference trial is not there")
    folder = tmp_path_factory.mktemp("vouched") / "project"
    folder.mkdir()
    copy_project(folder)
    shutil.copytree(DATA, folder / "data" / NAME)
    path = study_file(folder, NAME)
    text = path.read_text(encoding="utf-8").replace(
        "data: ${REFINO_EVAL_SHARED:-../shared/data}/reference_trial", f"data: data/{NAME}"
    )
    path.write_text(text, encoding="utf-8")
    choose_exhibits(folder, ["reference_balance", "reference_effects"], evaluation=NAME)
    done = run(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def project(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "project")
    return tmp_path / "project"


def run(folder):
    return refino_eval(folder, "run", "--evaluation", NAME, "--cores", "2")


def report_pages(folder):
    index = [*(folder / "results").glob("index.*.html")]
    return {path.name: path.read_bytes() for path in [*(folder / RESULTS).glob("release/report.*.html"), *index]}


def assert_marked_as_earlier(folder, *exhibits, said):
    marker = (folder / RESULTS / FAILED).read_text(encoding="utf-8")
    assert said in marker
    for text in (*(f"exhibit {name}" for name in exhibits), "release/report.en.html"):
        assert text in marker
    pages = report_pages(folder)
    for name, head in (
        ("report.en.html", "The latest run did not finish."),
        ("report.nb.html", "Siste kjøring ble ikke fullført."),
    ):
        assert pages[name].decode().count(head) == 1, name
    assert "The latest run did not finish" in pages["index.en.html"].decode()


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted((folder / RESULTS / "aggregates").iterdir())}


def edit(path, content):
    """Change a file and put its time back, or delete it."""
    stat = path.stat()
    if content is None:
        path.unlink()
        return
    time.sleep(0.01)
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_a_copied_project_is_up_to_date(project):
    assert "Everything is up to date." in run(project).stdout


def test_a_failed_run_fails_again_until_its_cause_is_gone(project):
    before, pages = contents(project), report_pages(project)
    table = project / "data" / NAME / "trial.csv"
    whole = table.read_bytes()
    first = whole.splitlines(keepends=True)[1]
    # A file that the run refuses before it plans anything, and one that a job refuses.
    for wrong, said in ((whole.replace(b"pid", b"pdi", 1), "the column 'pid'"), (whole + first, "1 row repeats one")):
        table.write_bytes(wrong)
        done = run(project)
        assert done.returncode == 2, done.stdout + done.stderr
        assert "up to date" not in done.stdout
        assert "Results of an earlier run are still in" in done.stderr.strip().splitlines()[-1]
        assert_marked_as_earlier(project, "reference_effects", said=said)
    refused = refino_eval(project, "replication-package", "--evaluation", NAME)
    assert refused.returncode == 2
    assert "its results are of an earlier run" in refused.stderr
    table.write_bytes(whole)
    done = run(project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert contents(project) == before
    assert "Everything is up to date." in run(project).stdout
    assert not (project / RESULTS / FAILED).exists()
    assert report_pages(project) == pages


def test_changed_and_deleted_files_are_named_and_made_again(project):
    before = contents(project)
    results = project / RESULTS
    edit(results / "aggregates/reference_effects.csv", before["reference_effects.csv"][:-3] + b"999")
    edit(results / "aggregates/reference_balance.parquet", b"cut")
    edit(results / "person_level/outcomes.parquet", None)
    table = results / "release/tables/reference_effects.nb.docx"
    edit(table, None)
    done = run(project)
    assert done.returncode == 0, done.stdout + done.stderr
    for said in (
        "aggregates/reference_effects.csv is not what its job wrote",
        "aggregates/reference_balance.parquet is not what its job wrote",
        "person_level/outcomes.parquet was deleted",
        "release/tables/reference_effects.nb.docx was deleted",
    ):
        assert f"{RESULTS}/{said}" in done.stdout
    assert contents(project) == before
    assert table.is_file()
    assert "Everything is up to date." in run(project).stdout


def test_snakemake_by_itself_warns_of_a_changed_file(project):
    path = project / RESULTS / "aggregates/reference_effects.csv"
    edit(path, path.read_bytes()[:-3] + b"999")
    change(project / "config/config.yaml", "evaluation: refino", f"evaluation: {NAME}")
    assert not {"read_person_table", "estimate_exhibits"} & set(planned(project))
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "-n"], cwd=project, capture_output=True, text=True, check=False
    )
    assert "reference_effects.csv is not what its job wrote" in done.stdout + done.stderr
    assert "--forcerun" in done.stdout + done.stderr


def test_watching_runs_again_what_depends_on_a_saved_definition(project):
    command = [sys.executable, "-m", "refino_eval.cli.main", "run", "--evaluation", NAME, "--watch"]
    process = subprocess.Popen(
        command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    lines = queue.Queue()
    threading.Thread(target=lambda: [lines.put(line) for line in process.stdout], daemon=True).start()

    def until(words, seconds=120):
        """Return what is printed up to a line with some words."""
        said = ""
        while words not in said:
            said += lines.get(timeout=seconds)
        return said

    exhibits = study_file(project, NAME)
    reports = {path: path.read_bytes() for path in (project / RESULTS / "release").glob("report.*.html")}
    whole = exhibits.read_text(encoding="utf-8")
    try:
        assert "Everything is up to date." in until("Waiting")
        # A definition that is broken is reported, and the next change awaited.
        exhibits.write_text(whole.replace("exhibits:", "exhibit:", 1), encoding="utf-8")
        said = until("Waiting")
        assert f"Changed: {exhibits.relative_to(project).as_posix()}" in said
        assert "'exhibits'" in said
        exhibits.write_text(whole.replace("The reference trial", "The watched trial"), encoding="utf-8")
        said = until("Waiting")
        assert "Estimating" not in said
        assert "Writing the report" in said
        for path, before in reports.items():
            assert path.read_bytes() != before
        assert "The watched trial" in (project / RESULTS / "release/report.en.html").read_text(encoding="utf-8")
        os.killpg(process.pid, signal.SIGINT)
        assert "Stopped." in until("Stopped.")
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()
