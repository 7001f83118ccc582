"""Three hundred broken configurations, made from the shipped ones: each is accepted or reported in plain paragraphs.

A mutation removes, renames or replaces one value somewhere in one file. What is left either is a configuration, and
then the files and params of every job can be made of it, or it is refused with a `UserError` that names the file. A
traceback, a sentence of a library or a message over several lines is a failure. Every fourth goes through the command line as
well, `check` for those that are accepted and `run` for those that are not: exit code 0 or 2, and no traceback.
"""

import copy
import math
import random
import shutil
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from refino_eval.cli import main
from refino_eval.config import load_configuration
from refino_eval.config.load import project_root
from refino_eval.errors import USER_ERROR, UserError
from refino_eval.workflow import Workflow

ROOT = Path(__file__).resolve().parents[2]
OWN = {
    "refino": 90, "job_corps": 60, "akm2011": 50, "iwws": 40, "iwws_claims": 30, "reference_trial": 30,
}  # fmt: skip
"""Broken configurations by evaluation: three hundred."""

VALUES = (
    None, "", " ", "x", "X y", "é", "a\x0bb", "{x}", "x" * 300, "../x", "/abs", "2018-13-01", "NO", True, 0, -1, 10**12, 1.5, math.inf,
    math.nan, 2**70, [], [[]], {}, {"x": 1}, [None], [{"a": []}], {"nb": "a", "en": "b"}, {"nb": 1}, "*x", "a;b", "\u202e", "0331",
)  # fmt: skip
THROUGH_COMMANDS = 4
"""One of so many goes through the command line as well."""
FOREIGN = ("input should", "pydantic", "traceback", "validationerror", "nonetype", "keyerror", "<class")
"""What only a library says."""


def places(node, path=()):
    """Yield the path of every value in YAML data."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield (*path, key)
        yield from places(value, (*path, key))


def broken(data, random_numbers):
    """Return data with one value removed, renamed, repeated or replaced."""
    data = copy.deepcopy(data)
    path = random_numbers.choice(list(places(data)))
    node = data
    for key in path[:-1]:
        node = node[key]
    key = path[-1]
    how = random_numbers.choice(("remove", "rename", "replace", "replace", "replace", "repeat"))
    if how == "remove":
        del node[key]
    elif how == "rename" and isinstance(node, dict):
        node[f"{key}x"] = node.pop(key)
    elif how == "repeat" and isinstance(node, list):
        node.append(copy.deepcopy(node[key]))
    else:
        node[key] = random_numbers.choice(VALUES)
    return data, f"{how} {'.'.join(map(str, path))}"


@pytest.fixture(scope="module")
def projects(tmp_path_factory):
    """Return a project for each evaluation; those that read no registers have few shared definitions, to be quick."""
    made = {}
    for name in OWN:
        root = made[name] = tmp_path_factory.mktemp(name)
        (root / "config/evaluations").mkdir(parents=True)
        for part in (
            "config.yaml",
            "definitions",
            "sources",
            "codelists",
            "synthetic",
            f"evaluations/{name}",
            f"evaluations/{name}.yaml",
        ):
            source = ROOT / "config" / part
            if source.is_dir():
                shutil.copytree(source, root / "config" / part)
            elif source.is_file():
                shutil.copy(source, root / "config" / part)
        if name != "refino":
            for kind in ("states", "outcomes"):
                shutil.rmtree(root / "config/definitions" / kind)
    return made


def files_of(root):
    """Return the files that a mutation may be in; the evaluation's own are as likely as all shared ones together."""
    config = root / "config"
    own = sorted((config / "evaluations").rglob("*.yaml"))
    shared = [
        config / "config.yaml",
        *sorted((config / "definitions").rglob("*.yaml")),
        *sorted((config / "sources").glob("*.yaml")),
    ]
    return own, [path for path in shared if not path.name.endswith(".examples.yaml")]


def outcome_of(root, name):
    """Return what a configuration is reported with: nothing, or its problems."""
    try:
        workflow = Workflow(load_configuration(root, evaluation=name))
    except UserError as error:
        return error.problems or ("",)
    study = workflow.configuration.evaluation
    for exhibit in study.exhibits:
        workflow.params.labels(exhibit)
        workflow.files.exhibit_outcomes(exhibit)
        workflow.files.exhibit_panels(exhibit)
    for make in ("estimates", "verification", "renders"):
        getattr(workflow.params, make)(study.exhibits, str)
    workflow.params.bundle(str)
    for make in ("people", "comparison_with_plan", "study", "names", "whole_configuration", "other_sources"):
        getattr(workflow.params, make)()
    workflow.files.release()
    workflow.files.run()
    return ()


def assert_exit_code(root, name, problems, case, monkeypatch):
    """Run the command that such a configuration leads to, and require its exit code and its messages."""
    monkeypatch.chdir(root)
    project_root.cache_clear()
    # A configuration with problems never reaches Snakemake; one without would, so that it is checked only.
    done = CliRunner().invoke(main.app, ["run" if problems else "check", "-e", name])
    assert done.exception is None or isinstance(done.exception, SystemExit), f"{case}: {done.exception!r}"
    assert done.exit_code in ((USER_ERROR,) if problems else (0, USER_ERROR)), f"{case}: {done.output}"
    assert "Traceback" not in done.output, case
    assert not problems or problems[0][:40] in done.stderr, f"{case}: {done.stderr}"


@pytest.mark.parametrize("name", list(OWN))
def test_a_broken_configuration_is_accepted_or_reported_in_plain_paragraphs(projects, name, monkeypatch):
    root = projects[name]
    random_numbers = random.Random(f"{name} 2026")
    reported = 0
    for number in range(OWN[name]):
        own, shared = files_of(root)
        path = random_numbers.choice(own if random_numbers.random() < 0.6 else shared)
        before = path.read_bytes()
        try:
            data, what = broken(yaml.safe_load(before), random_numbers)
            case = f"{name} {number}: {path.relative_to(root)}: {what}"
            path.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), encoding="utf-8")
            try:
                problems = outcome_of(root, name)
            except Exception as error:
                raise AssertionError(f"{case}: {type(error).__name__}: {error}") from error
            if number % THROUGH_COMMANDS == 0:
                assert_exit_code(root, name, problems, case, monkeypatch)
            for problem in problems:
                assert problem, case
                assert "\n" not in problem.strip(), f"{case}: {problem}"
                assert len(problem) < 900, f"{case}: {problem}"
                assert not [word for word in FOREIGN if word in problem.lower()], f"{case}: {problem}"
            reported += bool(problems)
        finally:
            path.write_bytes(before)
    # Most of what is broken is noticed; some values are as good as those that they replace.
    assert reported > OWN[name] / 4


def test_there_are_three_hundred():
    assert sum(OWN.values()) == 300
