"""What a workflow script does with errors, and who may read what it writes about people."""

import errno
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest

from refino_eval.errors import MACHINE_ERROR, USER_ERROR, MachineError, UserError
from refino_eval.workflow_job import (
    MACHINE_PROBLEMS,
    PROBLEMS_VARIABLE,
    USER_PROBLEMS,
    job,
    person_level_folder,
    protect,
)


@pytest.fixture
def script(tmp_path, monkeypatch):
    """A script's `snakemake` object, and the folder where it leaves problems."""
    folder = tmp_path / "problems"
    folder.mkdir()
    monkeypatch.setenv(PROBLEMS_VARIABLE, str(folder))
    monkeypatch.chdir(tmp_path)
    return SimpleNamespace(
        log=["logs/toy/rule.log"],
        rule="make",
        input=[],
        output=["results/toy/run/flow.csv"],
        problems=folder,
    )


def fails(script, error):
    with pytest.raises(SystemExit) as ended, job(script):
        raise error
    left = {path.name.rsplit(".", 2)[-2]: path.read_text() for path in script.problems.iterdir()}
    with open(script.log[0], encoding="utf-8") as log:
        return ended.value.code, left, log.read()


def test_user_error_is_left_for_the_command_line(script):
    code, left, log = fails(script, UserError("first problem", "second problem"))
    assert code == USER_ERROR
    assert left == {"user": "first problem\nsecond problem\n"}
    assert "Traceback" not in log
    assert USER_PROBLEMS == ".user.txt"


@pytest.mark.parametrize(
    "error", [MachineError("the disk is full"), OSError(errno.ENOSPC, "No space left on device"), MemoryError()]
)
def test_machine_error_is_left_for_the_command_line(script, error):
    code, left, _ = fails(script, error)
    assert code == MACHINE_ERROR
    assert list(left) == ["machine"]
    assert MACHINE_PROBLEMS == ".machine.txt"


def test_fault_of_the_program_keeps_its_traceback_without_ids(script, capsys):
    code, left, log = fails(script, ValueError("could not convert string to float: '12345678901'"))
    assert code == 1
    assert left == {}
    for text in (log, capsys.readouterr().err):
        assert "Traceback" in text
        assert "could not convert" in text
        assert "12345678901" not in text


def test_log_that_cannot_be_written_is_a_machine_error(script, tmp_path):
    (tmp_path / "file").write_text("")
    script.log = [str(tmp_path / "file" / "rule.log")]
    with pytest.raises(SystemExit) as ended, job(script):
        raise AssertionError("the body must not run")
    assert ended.value.code == MACHINE_ERROR


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_person_level_results_are_for_their_owner_alone(script, tmp_path):
    results = Path("results/toy")
    person_file, table = results / "person_level/clean/jobs.parquet", results / "run/flow.csv"
    for path in (person_file, table):
        path.parent.mkdir(parents=True)
    script.output = [str(person_file), str(table)]
    with job(script):
        assert mode(results / "person_level") == 0o700, "closed before anything is written"
        for path in (person_file, table):
            path.write_text("x")
            path.chmod(0o644)
    assert mode(person_file) == 0o600
    assert mode(person_file.parent) == mode(results / "person_level") == 0o700
    assert mode(table) == 0o644
    assert mode(results) == 0o755


def test_folders_of_person_level_results_are_closed_with_their_contents(tmp_path):
    folder = person_level_folder(tmp_path)
    (folder / "rejects/deep").mkdir(parents=True)
    (folder / "rejects/deep/a.parquet").write_text("x")
    (folder / "link").symlink_to(tmp_path)
    protect([folder / "rejects", folder / "missing.parquet"])
    assert mode(folder / "rejects/deep") == 0o700
    assert mode(folder / "rejects/deep/a.parquet") == 0o600
    assert mode(tmp_path) != 0o600
