"""A file is vouched for by its recorded checksum alone: not by its time, and not after its job began again."""

import os
import time
from pathlib import Path

import pytest

from refino_eval import checksums
from refino_eval.checksums import begin_job, end_job, read_records, require_as_written, unvouched
from refino_eval.errors import UserError


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Two jobs that ended well: raw -> clean, and clean -> table."""
    monkeypatch.chdir(tmp_path)
    for name, text in (("raw", "1"), ("clean", "2"), ("table", "3"), ("table.parquet", "4")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    folder = tmp_path / "records"
    end_job(folder, "ingest", inputs=["raw"], outputs=["clean"])
    end_job(folder, "estimate", inputs=["clean"], outputs=["table", "table.parquet"])
    return folder


PLANNED = ["clean", "table"]


def edit(name, text, *, keep_time=True):
    """Change a file, and put its modification time back."""
    stat = os.stat(name)
    time.sleep(0.01)
    with open(name, "w", encoding="utf-8") as stream:
        stream.write(text)
    if keep_time:
        os.utime(name, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def reasons(folder):
    return {file.path: file.reason for file in unvouched(folder, PLANNED)}


def test_files_as_their_jobs_left_them_are_vouched_for(project):
    assert reasons(project) == {}
    assert reasons(project) == {}


@pytest.mark.parametrize("text", ["X", "longer", ""])
def test_an_edit_with_its_time_kept_is_found(project, text):
    edit("table", text)
    assert reasons(project) == {"table": "table is not what its job wrote"}


def test_an_edit_of_a_second_output_is_found_and_the_job_is_named_by_a_planned_file(project):
    edit("table.parquet", "x")
    assert reasons(project) == {"table": "table.parquet is not what its job wrote"}


def test_a_file_that_snakemake_has_no_record_of_is_made_again_where_it_plans_by_it(project):
    end_job(project, "estimate", inputs=["clean"], outputs=["table", "table.parquet"], stated=["table"])
    assert unvouched(project, PLANNED, ["table"]) == []
    (found,) = unvouched(project, PLANNED, ["table.parquet"])
    assert found.path == "table.parquet"
    assert "Snakemake has no record of it" in found.reason
    os.remove("table.parquet")
    (found,) = unvouched(project, ["table.parquet"])
    assert (found.path, found.reason) == ("table", "table.parquet was deleted")


def test_a_deleted_intermediate_file_is_found(project):
    os.remove("clean")
    assert reasons(project) == {"clean": "clean was deleted"}


def test_a_changed_input_is_found_though_its_time_was_kept(project):
    edit("raw", "9")
    assert reasons(project) == {"clean": "raw has changed since it was read"}


def test_a_job_that_began_again_and_did_not_end_vouches_for_nothing(project):
    begin_job(project, ["clean"])
    assert reasons(project) == {"clean": ""}


def test_a_result_of_other_content_than_its_reader_read_makes_the_reader_run(project):
    edit("clean", "other", keep_time=False)
    end_job(project, "ingest", inputs=["raw"], outputs=["clean"])
    assert reasons(project) == {"table": "clean has changed since it was read"}


def test_a_job_that_begins_removes_the_records_of_other_jobs_that_made_its_files(project):
    Path("other").write_text("5", encoding="utf-8")
    end_job(project, "estimate_1", inputs=["clean"], outputs=["other", "table"])
    begin_job(project, ["table.parquet"])
    assert {record.rule for record in read_records(project)} == {"ingest", "estimate_1"}
    begin_job(project, ["new", "table"])
    assert [record.rule for record in read_records(project)] == ["ingest"]


def test_a_touched_file_of_the_same_content_is_vouched_for(project):
    os.utime("table")
    assert reasons(project) == {}


def test_a_file_that_no_job_recorded_is_not_vouched_for(project):
    assert [file.path for file in unvouched(project, [*PLANNED, "report"])] == ["report"]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"rule": "x"}', '{"rule": "x", "inputs": {}, "outputs": {"table": 7}}']
)
def test_a_damaged_record_vouches_for_nothing(project, text):
    for path in project.glob("*.json"):
        if path.name != checksums.CACHE and "table" in path.read_text(encoding="utf-8"):
            path.write_text(text, encoding="utf-8")
    assert reasons(project) == {"table": ""}


def test_files_are_read_once_while_nothing_touches_them(project, monkeypatch):
    os.utime("table")
    reasons(project)
    monkeypatch.setattr(checksums, "_sha256", lambda path: pytest.fail(f"{path} was read again"))
    assert reasons(project) == {}


def test_a_record_is_written_whole(project):
    assert {record.rule for record in read_records(project)} == {"ingest", "estimate"}
    assert not [path for path in project.iterdir() if path.name.startswith(".")]
    record = next(record for record in read_records(project) if record.rule == "estimate")
    assert set(record.inputs) == {"clean"}


def test_results_that_were_touched_are_not_read(project, tmp_path):
    results = tmp_path / "results/toy"
    path = results / "run/comparison.csv"
    path.parent.mkdir(parents=True)
    path.write_text("a,b\n")
    end_job(Path("results/toy/run/checksums"), "compare", inputs=[], outputs=["results/toy/run/comparison.csv"])
    require_as_written(Path("results/toy"), "run/comparison.csv")
    path.write_text("")
    require_as_written(Path("results/toy"), "aggregates")
    with pytest.raises(UserError, match=r"run/comparison.csv is not what its job wrote.*--evaluation toy"):
        require_as_written(Path("results/toy"), "aggregates", "run")
    path.unlink()
    with pytest.raises(UserError, match="was deleted"):
        require_as_written(Path("results/toy"), "run")
