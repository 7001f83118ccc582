"""What a failed run says is of an earlier run: files older than it, of jobs that it was to run."""

import os
from pathlib import Path

import pytest

from refino_eval.checksums import FOLDER, end_job
from refino_eval.cli.running.failed_run import end_failure, lift_notices, note_failure, refuse_after_failure
from refino_eval.config import load_configuration
from refino_eval.errors import UserError
from refino_eval.workflow.result_files import ResultFiles
from refino_eval.workflow_job import FAILED

ROOT = Path(__file__).resolve().parents[3]
NAME = "reference_trial"
SINCE = 2_000_000_000.0
LOG = """Job stats:
job               count
--------------  -------
all                   1
render_tables         1

Select jobs to execute...
"""


@pytest.fixture
def configuration(tmp_path, monkeypatch):
    found = load_configuration(ROOT, evaluation=NAME)
    monkeypatch.chdir(tmp_path)
    files = ResultFiles(found)
    for rule, paths in (("render_tables", files.rendered()), ("write_report", files.reports())):
        for path in paths:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text("<header><h1>Page</h1></header>", encoding="utf-8")
            os.utime(path, (SINCE - 60, SINCE - 60))
        end_job(found.results_folder / FOLDER, rule, inputs=[], outputs=paths)
    return found


def planned(text, *, at=SINCE + 1):
    Path("workflow.log").write_text(text, encoding="utf-8")
    os.utime("workflow.log", (at, at))
    return Path("workflow.log")


def marker(configuration):
    return (configuration.results_folder / FAILED).read_text(encoding="utf-8")


def test_what_no_planned_job_makes_is_current(configuration):
    (said,) = note_failure(configuration, SINCE, planned(LOG), ["A problem."])
    assert "no report, and the exhibits reference_balance" in said
    assert "  A problem." in marker(configuration)
    assert "report.en.html" not in marker(configuration)


def test_what_this_run_made_is_current(configuration):
    first = configuration.evaluation.exhibits[0]
    for path in ResultFiles(configuration).release_of(first):
        os.utime(path, (SINCE + 5, SINCE + 5))
    note_failure(configuration, SINCE, planned(LOG), ["A problem."])
    assert f"exhibit {first}\n" not in marker(configuration)
    assert f"exhibit {configuration.evaluation.exhibits[1]}\n" in marker(configuration)


def test_a_run_that_stops_before_its_plan_leaves_everything_marked_until_one_ends_well(configuration):
    page = Path(next(path for path in ResultFiles(configuration).reports() if path.endswith(".en.html")))
    before = page.read_bytes(), page.stat().st_mtime
    for _ in range(2):
        note_failure(configuration, SINCE, planned(LOG, at=SINCE - 60), ["<b> & c"])
    text = page.read_text(encoding="utf-8")
    assert text.count("The latest run did not finish.") == 1
    assert "reference_effects" in text
    with pytest.raises(UserError, match="failed, so that its results are of an earlier run"):
        refuse_after_failure(configuration)
    lift_notices(configuration)
    assert (page.read_bytes(), page.stat().st_mtime) == before
    assert end_failure(configuration)
    assert not end_failure(configuration)
    refuse_after_failure(configuration)


def test_a_first_run_that_fails_leaves_no_note_of_earlier_results(tmp_path, monkeypatch):
    found = load_configuration(ROOT, evaluation=NAME)
    monkeypatch.chdir(tmp_path)
    assert note_failure(found, SINCE, Path("workflow.log"), ["A problem."]) == ()
    assert not list(tmp_path.iterdir())
