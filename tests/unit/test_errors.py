"""Families of errors: what is reported as the machine's, and which values a message may show."""

import errno

import pytest

from refino_eval.errors import MachineError, UserError, machine_problem, masked, nearest, reason_in, shown_values


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "results/a.csv"), "results/a.csv: the disk is full"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "the disk is full"),
        (PermissionError(errno.EACCES, "Permission denied", "logs"), "logs: permission denied"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "x"), "x: No such file or directory"),
        (MemoryError(), "not enough memory"),
    ],
)
def test_system_errors_are_put_into_words(error, words):
    assert words in machine_problem(error)


def test_wrapped_system_error_is_found():
    wrapped = RuntimeError("writing failed")
    wrapped.__cause__ = OSError(errno.ENOSPC, "No space left on device", "a")
    assert "disk is full" in machine_problem(wrapped)


def test_engine_that_runs_out_of_memory_is_the_machines_problem(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    connection = duckdb.connect(config={"memory_limit": "20MB", "threads": 1, "temp_directory": ""})
    with pytest.raises(duckdb.Error) as caught:
        connection.execute("SELECT list(range) FROM range(20000000)").fetchall()
    assert "not enough memory" in machine_problem(caught.value)


@pytest.mark.parametrize("error", [KeyError("x"), ValueError("x"), OSError("no number"), BrokenPipeError(32, "x")])
def test_other_exceptions_are_no_problem_of_the_machine(error):
    assert machine_problem(error) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("cp: Read-only file system", "read-only"),
        ("numpy._core._exceptions._ArrayMemoryError: MemoryError", "memory"),
        ("KeyError: 28", None),
        ("[Errno 2] No such file", None),
    ],
)
def test_reason_is_found_in_the_output_of_other_programs(text, found):
    reason = reason_in(text)
    assert (reason is None) if found is None else (found in reason)


def test_long_numbers_are_masked_unless_they_are_dates():
    assert masked("trekning_12345678901.csv") == "trekning_###########.csv"
    assert masked("jobs_p2018_20181231.csv, 201812, line 12345") == "jobs_p2018_20181231.csv, 201812, line 12345"
    assert masked("20189931") == "########"


def test_codes_are_shown_and_ids_are_not():
    assert shown_values(["Q", "X", "Q"]) == "'Q', 'X'"
    assert shown_values(["12345678901"]) == "'###########'"
    assert shown_values(str(number) for number in range(1, 400)) == "399 different values"


def test_nearest_name_is_suggested():
    assert nearest("refno", ["refino", "iwws"]) == " Did you mean 'refino'?"
    assert nearest("zzz", ["b", "a"]) == " Valid names: a, b."
    assert nearest("zzz", []) == ""


@pytest.mark.parametrize("family", [UserError, MachineError])
def test_problems_are_kept_one_by_one(family):
    assert family("a", "b").problems == ("a", "b")
    assert not issubclass(MachineError, UserError)
