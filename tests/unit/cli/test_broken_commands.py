"""Wrong command lines, unusable paths and refusals of the machine: a message and an exit code, never a traceback."""

import errno
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from refino_eval.cli import main
from refino_eval.config.load import project_root
from refino_eval.errors import MACHINE_ERROR, USER_ERROR

OUTCOME = "half_time_month_12"
VALUES = {
    "empty": "",
    "blank": "   ",
    "unknown": "refno",
    "parent": "../toy",
    "absolute": "/etc/passwd",
    "long": "a" * 5000,
    "null": "a\0b",
    "newline": "toy\nrun: x",
    "pattern": "*",
    "variable": "${HOME}",
    "quote": "'; DROP TABLE people; --",
    "letters": "æøå",
    "reversed": "\u202etoy",
    "surrogate": "toy\udcff",
    "dash": "-",
}
"""Names that no evaluation, outcome, document, recipe or revision has."""

NAMED = {
    "check": ["check", "-e", "{}"],
    "list": ["list", "outcomes", "-e", "{}"],
    "list_what": ["list", "{}"],
    "sources": ["sources", "--variable-list", "-e", "{}"],
    "run": ["run", "-e", "{}"],
    "run_until": ["run", "--until", "{}"],
    "show": ["outcomes", "show", "{}"],
    "try": ["outcomes", "try", "{}"],
    "new": ["outcomes", "new", "{}", "--like", OUTCOME],
    "new_like": ["outcomes", "new", "fresh", "--like", "{}"],
    "diff": ["outcomes", "diff", "{}"],
    "trace": ["trace", "{}"],
    "audit": ["audit", "{}"],
    "recipe": ["simulate", "--recipe", "{}"],
    "mess": ["simulate", "--recipe", "toy", "--mess", "{}"],
    "language": ["sources", "--language", "{}"],
    "format": ["audit", "--format", "{}"],
    "theme": ["texts", "--theme", "{}"],
}

OTHERS = {
    "no_command": ["nonsense"],
    "no_argument": ["outcomes", "show"],
    "cores": ["run", "--cores", "0"],
    "cores_text": ["run", "--cores", "two"],
    "people": ["simulate", "--people", "3"],
    "people_huge": ["simulate", "--people", "1" + "0" * 30],
    "seed": ["simulate", "--seed", "-1"],
    "all_and_out": ["check", "--all", "--out", "x"],
    "delivery_missing": ["check", "--delivery", "nowhere"],
    "delivery_file": ["check", "--delivery", "config/config.yaml"],
    "check_out_file": ["check", "--delivery", "data/toy", "--out", "config/config.yaml"],
    "check_out_below_file": ["check", "--delivery", "data/toy", "--out", "config/config.yaml/receipt"],
    "check_out_proc": ["check", "--delivery", "data/toy", "--out", "/proc/1/x"],
    "simulate_out_file": ["simulate", "--recipe", "toy", "--out", "config/config.yaml"],
    "sources_out_folder": ["sources", "--out", "config"],
    "sources_out_below_file": ["sources", "--out", "config/config.yaml/list.md"],
    "sources_out_proc": ["sources", "--out", "/proc/1/x/list.md"],
    "sources_out_long": ["sources", "--out", "b" * 300],
    "sources_out_null": ["sources", "--out", "a\0b"],
    "audit_out_folder": ["audit", "paper.csv", "--out", "."],
    "audit_binary": ["audit", "binary.csv"],
    "audit_executable": ["audit", sys.executable],
    "audit_no_table": ["audit", "/etc/passwd"],
    "audit_folder": ["audit", "config/"],
    "audit_empty": ["audit", "empty.csv"],
    "person_file_folder": ["outcomes", "try", OUTCOME, "--person-file", "config"],
    "person_file_below_file": ["outcomes", "try", OUTCOME, "--person-file", "config/config.yaml/x.parquet"],
    "trace_not_run": ["trace", "table_a:row:column:estimate"],
    "score": ["score"],
}


def run(arguments):
    return CliRunner().invoke(main.app, arguments)


def assert_refused(done, code=USER_ERROR):
    assert isinstance(done.exception, SystemExit), repr(done.exception)
    assert done.exit_code == code, done.output
    assert done.stderr.strip()
    assert "Traceback" not in done.output
    assert len(done.stderr) < 6_000, "a wrong value is not repeated at length"


@pytest.fixture
def broken(project):
    (project / "binary.csv").write_bytes(bytes(range(256)) * 40)
    (project / "empty.csv").write_bytes(b"")
    (project / "paper.csv").write_text("exhibit,panel,row,column,statistic,printed,source_line\nt,,a,e,n,12,1\n")
    return project


@pytest.mark.parametrize("command", NAMED)
@pytest.mark.parametrize("value", VALUES)
def test_unknown_name_is_refused(broken, command, value):
    if command == "new" and value == "unknown":
        return  # the one valid name of the table
    arguments = [VALUES[value] if word == "{}" else word for word in NAMED[command]]
    done = run(arguments)
    assert_refused(done)


@pytest.mark.parametrize("case", OTHERS)
def test_wrong_option_or_path_is_refused(broken, case):
    before = {path: path.read_bytes() for path in sorted(broken.rglob("*")) if path.is_file()}
    assert_refused(run(OTHERS[case]))
    assert all(path.read_bytes() == content for path, content in before.items()), "a refused command changes no file"


def test_outside_a_project_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    project_root.cache_clear()
    for arguments in (["run"], ["check"], ["list"], ["outcomes", "list"], ["sources"], ["score"]):
        assert_refused(run(arguments))


def test_version_is_shown():
    done = run(["--version"])
    assert done.exit_code == 0
    assert done.stdout.startswith("refino-eval ")


# --- The machine refuses -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "results/x"), "disk is full"),
        (OSError(errno.EROFS, "Read-only file system", "results/x"), "read-only"),
        (PermissionError(errno.EACCES, "Permission denied", "config/config.yaml"), "permission denied"),
        (MemoryError(), "not enough memory"),
        (OSError(errno.EIO, "Input/output error"), "input/output"),
    ],
)
def test_refusal_of_the_machine_has_its_exit_code(project, monkeypatch, error, words):
    def fails(*_, **__):
        raise error

    monkeypatch.setattr("refino_eval.config.load.evaluation_names", fails)
    monkeypatch.setattr("refino_eval.cli.list_command.evaluation_names", fails)
    done = run(["list"])
    assert_refused(done, MACHINE_ERROR)
    assert words in done.stderr


def test_fault_of_the_program_keeps_its_traceback(project, monkeypatch):
    def fails(*_):
        raise KeyError("a bug")

    monkeypatch.setattr("refino_eval.cli.list_command.evaluation_names", fails)
    assert isinstance(run(["list"]).exception, KeyError)


def command(folder, *arguments, limit="", home=None):
    """Run the command line in a process of its own, under a limit of the shell."""
    environment = {**os.environ, **({"HOME": home} if home else {})}
    line = f"{limit} exec {sys.executable} -m refino_eval.cli.main {' '.join(arguments)}"
    return subprocess.run(
        ["bash", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_file_that_the_system_does_not_let_grow(project):
    done = command(project, "sources", "--variable-list", "--out", "list.md", limit="ulimit -f 0; trap '' XFSZ;")
    assert done.returncode in (USER_ERROR, MACHINE_ERROR), done.stderr
    assert "Traceback" not in done.stderr
    assert not (project / "list.md").exists()


def test_memory_that_the_system_does_not_give(project):
    done = command(project, "outcomes", "show", OUTCOME, limit="ulimit -v 400000;")
    assert done.returncode != 0
    assert done.returncode == MACHINE_ERROR or "Traceback" in done.stderr  # the import itself can fail
