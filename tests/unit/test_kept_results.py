"""A kept result is restored only if what it was computed from, and its files, have the recorded content."""

import logging
import os
import stat
from pathlib import Path

import pytest

from refino_eval.errors import MachineError, UserError
from refino_eval.kept_results import KeptParts, KeptResults, Result, forget

RESULTS = Path("results/toy")
LOG = logging.getLogger("test")


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    """An empty project with one input."""
    monkeypatch.chdir(tmp_path)
    for folder in ("run", "person_level", "aggregates"):
        (RESULTS / folder).mkdir(parents=True)
    Path("raw").write_text("1", encoding="utf-8")
    return tmp_path


def result(name="one", *, made_from="definition", folder="aggregates", endings=("csv",)):
    return Result(name, made_from, ("raw",), tuple(f"{RESULTS}/{folder}/{name}.{ending}" for ending in endings))


def write(made):
    """Write the files of a result, as a script does: whole or not at all."""
    for path in made.writes:
        draft = Path(f"{path}.draft")
        draft.write_text(f"{made.name} of {Path('raw').read_text()} {made.made_from}", encoding="utf-8")
        os.replace(draft, path)


def run(*results):
    """Run a job as Snakemake does, which deletes its outputs first; return the names of what was computed."""
    computed = []
    for made in results:
        for path in made.writes:
            Path(path).unlink(missing_ok=True)

    def make(made):
        computed.append(made.name)
        write(made)

    KeptResults(RESULTS, "stage").make_each(results, make, LOG)
    return computed


def contents(made):
    return [Path(path).read_text(encoding="utf-8") for path in made.writes]


def test_an_unchanged_result_is_restored_and_a_changed_one_is_computed():
    one, two = result("one", endings=("csv", "parquet")), result("two")
    assert run(one, two) == ["one", "two"]
    before = contents(one)
    assert run(one, result("two", made_from="changed")) == ["two"]
    assert contents(one) == before
    assert contents(two) == ["two of 1 changed"]


def test_a_changed_input_is_noticed_though_its_time_was_kept():
    times = os.stat("raw")
    run(result())
    Path("raw").write_text("2", encoding="utf-8")
    os.utime("raw", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert run(result()) == ["one"]
    assert contents(result()) == ["one of 2 definition"]


def test_an_input_that_was_touched_or_copied_computes_nothing():
    run(result())
    os.utime("raw", (0, 0))
    assert run(result()) == []


def test_an_output_that_was_edited_in_place_is_computed_again():
    run(result())
    times = os.stat(result().writes[0])
    Path(result().writes[0]).write_text("wrong", encoding="utf-8")
    os.utime(result().writes[0], ns=(times.st_atime_ns, times.st_mtime_ns))
    assert run(result()) == ["one"]
    assert contents(result()) == ["one of 1 definition"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"key": 1}', '{"key": "x", "files": {"a": "b"}}', '{"files": 3}'])
def test_a_damaged_record_restores_nothing(text):
    run(result())
    (record,) = RESULTS.rglob("record.json")
    record.write_text(text, encoding="utf-8")
    assert run(result()) == ["one"]


def test_a_result_without_all_its_files_is_computed_again():
    two_files = result(endings=("csv", "parquet"))
    run(two_files)
    (RESULTS / "run/kept/stage/one/one.parquet").unlink()
    assert run(two_files) == ["one"]
    # A job that is to make fewer or other files does not take the old ones.
    assert run(result()) == ["one"]
    assert not (RESULTS / "run/kept/stage/one/one.parquet").exists()


def test_a_job_killed_in_the_middle_keeps_what_it_finished():
    def make(made):
        if made.name == "two":
            raise KeyboardInterrupt
        write(made)

    with pytest.raises(KeyboardInterrupt):
        KeptResults(RESULTS, "stage").make_each([result("one"), result("two")], make, LOG)
    assert run(result("one"), result("two")) == ["two"]


def test_what_goes_wrong_with_one_result_does_not_stop_the_others():
    def make(made):
        if made.name in ("one", "two"):
            raise UserError(f"{made.name} is wrong")
        write(made)

    with pytest.raises(UserError) as caught:
        KeptResults(RESULTS, "stage").make_each([result("one"), result("two"), result("three")], make, LOG)
    assert caught.value.problems == ("one is wrong", "two is wrong")
    assert contents(result("three")) == ["three of 1 definition"]

    def fail(made):
        raise ZeroDivisionError(made.name)

    with pytest.raises(ExceptionGroup, match="2 results"):
        KeptResults(RESULTS, "stage").make_each([result("one"), result("two")], fail, LOG)


def test_a_fault_of_the_machine_stops_at_once():
    tried = []

    def make(made):
        tried.append(made.name)
        raise MachineError("the disk is full")

    with pytest.raises(MachineError):
        KeptResults(RESULTS, "stage").make_each([result("one"), result("two")], make, LOG)
    assert tried == ["one"]


def test_results_about_people_are_kept_closed_to_others():
    person = result("wage", folder="person_level/outcomes")
    Path(person.writes[0]).parent.mkdir()
    run(person)
    kept = [path for path in RESULTS.rglob("*") if "kept" in path.parts]
    assert kept
    assert {path.relative_to(RESULTS).parts[0] for path in kept} == {"person_level"}
    assert [path for path in kept if stat.S_IMODE(path.stat().st_mode) & 0o077] == []
    assert run(person) == []
    assert stat.S_IMODE(os.stat(person.writes[0]).st_mode) == 0o600


def test_a_result_about_people_leaves_its_open_files_open():
    mixed = Result("cohort", "people", ("raw",), (f"{RESULTS}/person_level/cohort.parquet", f"{RESULTS}/run/flow.csv"))
    run(mixed)
    for computed in ([], ["cohort"]):
        assert stat.S_IMODE(os.stat(mixed.writes[1]).st_mode) & 0o044
        assert run(mixed) == computed
        forget(RESULTS, lambda paths: mixed.writes[1] in paths)
        assert not list(RESULTS.rglob("kept/stage/cohort/*"))
    assert stat.S_IMODE(os.stat(mixed.writes[0]).st_mode) == 0o600


def test_a_file_system_without_links_gets_copies(monkeypatch):
    def refuse(*_):
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    run(result())
    assert run(result()) == []
    assert contents(result()) == ["one of 1 definition"]
    assert os.stat(result().writes[0]).st_nlink == 1


def test_forgotten_results_are_computed_again():
    run(result("one"), result("two"))
    forget(RESULTS, lambda paths: result("one").writes[0] in paths)
    assert run(result("one"), result("two")) == ["one"]
    forget(RESULTS, lambda paths: True)
    assert run(result("one"), result("two")) == ["one", "two"]


def test_no_draft_is_left():
    run(result("one"))
    run(result("one"))
    assert [path for path in RESULTS.rglob(".*")] == []


def test_parts_that_are_missing_are_made_together(tmp_path):
    asked = []

    def parts(**made_from):
        kept = KeptParts(tmp_path / "parts.jsonl", "code")
        found = kept.of_each(made_from, lambda names: asked.append(names) or {name: [name] for name in names})
        kept.keep()
        return found

    assert parts(a=1, b=2) == parts(a=1, b=2) == {"a": ["a"], "b": ["b"]}
    assert parts(b=3, a=1) == {"b": ["b"], "a": ["a"]}
    assert asked == [["a", "b"], ["b"]]


def test_parts_are_kept_by_what_they_are_made_from_unless_their_file_is_damaged(tmp_path):
    path, made = tmp_path / "parts.jsonl", []

    def parts(code, *definitions):
        kept = KeptParts(path, code)
        found = [kept.of(lambda d=d: d, lambda d=d: made.append(d) or {"text": f"{code} {d}\n"}) for d in definitions]
        kept.keep()
        return found

    first = parts("code", "one", "two")
    assert parts("code", "one", "two") == first
    assert made == ["one", "two"]
    assert parts("code", "one", "changed")[0] == first[0]
    assert made[2:] == ["changed"]
    assert parts("code", "one", "two") == first
    assert made[3:] == ["two"]
    assert parts("new code", "one") == [{"text": "new code one\n"}]
    path.write_text(path.read_text("utf-8").replace("new code one", "damaged"), encoding="utf-8")
    assert parts("new code", "one") == [{"text": "new code one\n"}]
