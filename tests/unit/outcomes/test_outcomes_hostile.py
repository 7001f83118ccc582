"""Hostile and broken definitions: one clear paragraph each, and nothing else happens.

Every case changes one entry of a copy of the configuration. Reading and checking it must end in a `UserError` of at most
a few lines, without a file written, a process begun or a line of the definition run.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from refino_eval.cli.check_command import check_evaluation
from refino_eval.config.entry_files import entry_files, joined, listed_files
from refino_eval.config.yaml_files import read_yaml
from refino_eval.errors import UserError
from support.builders import LABEL

ROOT = Path(__file__).parents[3]
MARK = "marked_by_a_definition"


def state(**parts):
    return ("states", "any_wage", parts)


def outcome(**parts):
    return ("outcomes", "wage_sum_12", parts)


def wage(**parts):
    return ("states", "wage", parts)


def example(**parts):
    given = {"why": "x", "draw": "2018-05-14", "spells": {}, "at": 0, "expect": 0}
    return ("states", "wage", {"examples": [{**given, **parts}]})


SMALL = {"label": LABEL, "description": "x", "expression": "wage > 0", "unit": LABEL}
LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 30)}]\n" for n in range(1, 9))
BRACKETS = "deep: " + "[" * 3000 + "]" * 3000 + "\n"

CASES = {
    # names that lead nowhere, or round in circles
    "unknown state in an outcome": (outcome(state="wages"), "uses the state 'wages', which does not exist. Did you mean 'wage'"),
    "unknown state in an inline expression": (outcome(state=None, expression="wagge + 1"), "uses the state 'wagge', which does not exist. Did you mean 'wage'"),
    "unknown state in a derived state": (state(expression="wagee > 0"), "no state 'wagee'. Did you mean 'wage'"),
    "a state that needs itself": (state(expression="any_wage"), "needs itself"),
    "a state that shadows a word": (("states", "and", SMALL), "it is a word of the expression language"),
    "unknown register": (wage(register="salaries"), "'salaries' is not among the sources"),
    "unknown column": (wage(value="amuont"), "Did you mean 'amount'"),
    "unknown price index": (wage(deflate={"index": "kpi", "base_year": 2023}), "'kpi'"),
    # windows and event times
    "window outside the data": (outcome(window=[1, 48]), "outside the evaluation's clock (-24 to 24)"),
    "window that ends before it begins": (outcome(window=[12, 1]), "the window ends before it begins"),
    "window of a billion months": (outcome(window=[0, 1_000_000_000]), "at most 5200"),
    "window as text": (outcome(window="1-12"), "window"),
    "window of three": (outcome(window=[1, 6, 12]), "window"),
    "example in a billion months": (example(at=10**9), "at most 5200"),
    "example drawn in year one": (example(draw="0001-01-01"), "draw"),
    # clashes of type
    "a number where true or false is asked for": (outcome(kind="months_in"), "the state 'wage' is a number: compare it"),
    "two numbers joined by and": (state(expression="wage and wage"), "'wage' is a number: compare it"),
    "text compared with a number": (state(expression="wage > 'high'"), "'high' is a text"),
    "a kind that there is not": (outcome(kind="eval"), "kind"),
    "a key of another kind": (outcome(at=12), "kind sum_over takes `window`"),
    "both state and expression": (outcome(expression="wage"), "either `state` or `expression`"),
    "a sum of text": (wage(value="employer_id"), "cannot be added or compared"),
    "infinite divisor": (wage(divide_by=float("inf")), "finite number"),
    "a range of nothing": (wage(range=[float("nan"), 1]), "finite number"),
    "true as a number of months": (outcome(kind="spell_of", state="any_wage", at_least=13), "13 periods in a row, and the window has 12"),
    # arithmetic
    "division by zero": (state(expression="wage / 0 > 1"), "divides by zero"),
    "division by a hidden zero": (state(expression="wage / (2 - 1 - 1) > 1"), "divides by zero"),
    # code
    "python import": (state(expression=f"__import__('os').system('touch {MARK}')"), "has no meaning here"),
    "python call": (state(expression=f"open({MARK})"), "cannot be read"),
    "python attribute": (state(expression="wage.__class__ > 0"), "has no meaning here"),
    "python lambda": (state(expression="(lambda: wage)() > 0"), "has no meaning here"),
    "inline python": (outcome(state=None, expression="exec(wage)"), "no function 'exec'"),
    "sql after a semicolon": (state(expression="wage > 0; drop table cohort"), "';' has no meaning here"),
    "sql comment": (state(expression="wage > 0 -- and nothing else"), "makes no sense at 'and'"),
    "sql function": (state(expression="read_csv('/etc/passwd') > 0"), "no function 'read_csv'"),
    "sql subquery": (state(expression="(select 1) > 0"), "cannot be read"),
    "sql in a column": (wage(where=[{"column": "amount) OR (1=1", "at_least": 0}]), "not a valid name"),
    "sql in a name of a state": (("states", 'x"; drop table cohort', SMALL), "not a valid name"),
    "sql in a value": (wage(where=[{"column": "employer_id", "in": [1]}]), "must be written in quotes"),
    # files
    "path in a register": (wage(register="../../etc/passwd"), "not a valid name"),
    "path in a price index": (wage(deflate={"index": "../../secret", "base_year": 2023}), "not a valid name"),
    "path in the examples": (example(spells={"../wages": []}), "not a valid name"),
    # size
    "an endless expression": (state(expression=" + ".join(["wage"] * 5000)), "longer than 1000 characters"),
    "a deep expression": (state(expression="(" * 60 + "wage" + ")" * 60 + " > 0"), "nested more than 40 deep"),
    "an amount beyond all amounts": (example(spells={"wages": [{"period": 201805, "amount": 1e40}]}), "not of type ore"),
    "a month that is none": (example(spells={"wages": [{"period": 201813, "amount": 1}]}), "not a month written yyyymm"),
    # letters that look like others
    "cyrillic letter in an expression": (state(expression="w\u0430ge > 0"), "has no meaning here"),
    "arabic digit": (state(expression="wage > \u0663"), "has no meaning here"),
    "no-break space": (state(expression="wage\u00a0> 0"), "has no meaning here"),
    "zero-width space in a name": (outcome(state="wage\u200b"), "not a valid name"),
    "right-to-left override": (state(expression="wage \u202e> 0"), "has no meaning here"),
    "name with capital": (outcome(state="Wage"), "not a valid name"),
    # keys
    "a key that is not known": (outcome(statte="wage"), "wage_sum_12.statte' is not known"),
    "a key that is missing": (("outcomes", "wage_sum_12", {"label": None}), "label"),
    "an entry that is a list": (("outcomes", "wage_sum_12", ["wage"]), "wage_sum_12"),
}  # fmt: skip

TEXTS = {
    "duplicate keys": ("any_wage:\n  label: {nb: x, en: x}\n", "is given twice"),
    "a billion laughs": (LAUGHS, "too many aliases"),
    "deep nesting": (BRACKETS, "nested too deeply"),
    "a python object": (f"x: !!python/object/apply:os.system ['touch {MARK}']\n", "not valid YAML"),
    "a python name": ("x: !!python/name:os.system\n", "not valid YAML"),
    "a tab for indentation": ("x:\n\t- 1\n", "not valid YAML"),
    "bytes that are no text": (b"x: \xff\xfe\n", "not UTF-8"),
    "a control character": ("x: \x07\n", "not valid YAML"),
    "megabytes": ("# " + "x" * 2_100_000 + "\n", "larger than 2 MB"),
}


@pytest.fixture
def project(tmp_path):
    """Copy the configuration, with the shared states and outcomes in one file each."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    shutil.copytree(ROOT / "data/published", tmp_path / "data/published")
    files, _ = entry_files(listed_files(ROOT), "refino")
    shared = [file for file in files if file.is_shared]
    data = joined(shared, {file.path: read_yaml(ROOT / file.path, file.path) for file in shared}).data
    for kind in ("states", "outcomes"):
        shutil.rmtree(tmp_path / "config" / "definitions" / kind)
        text = yaml.safe_dump(data[kind], allow_unicode=True, sort_keys=False)
        (tmp_path / "config" / "definitions" / f"{kind}.yaml").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def watched(monkeypatch):
    """Let nothing be run but the checks; DuckDB and YAML have no need of these."""
    happened = []

    def refuse(name):
        def call(*args, **kwargs):
            happened.append(name)
            raise AssertionError(f"a definition reached {name}")

        return call

    monkeypatch.setattr(os, "system", refuse("os.system"))
    monkeypatch.setattr(subprocess, "Popen", refuse("subprocess.Popen"))
    return happened


def tree_of(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(project, watched, said):
    before = tree_of(project)
    with pytest.raises(UserError) as fault:
        list(check_evaluation(project, "refino"))
    assert tree_of(project) == before
    assert not watched
    assert not (Path.cwd() / MARK).exists()
    told = fault.value.problems
    assert 1 <= len(told) <= 4, told
    assert all(len(paragraph) < 700 and "\n" not in paragraph and "Traceback" not in paragraph for paragraph in told)
    assert any(said in paragraph for paragraph in told), told


@pytest.mark.parametrize("name", list(CASES))
def test_a_hostile_definition_is_reported_and_nothing_happens(project, watched, name):
    (kind, entry, parts), said = CASES[name]
    path = project / f"config/definitions/{kind}.yaml"
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    if isinstance(parts, dict):
        old = {key: value for key, value in data.get(entry, {}).items() if parts.get(key, "") is not None}
        data[entry] = {**old, **{key: value for key, value in parts.items() if value is not None}}
    else:
        data[entry] = parts
    path.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), encoding="utf-8")
    refused(project, watched, said)


@pytest.mark.parametrize("name", list(TEXTS))
def test_a_hostile_file_is_reported_and_nothing_happens(project, watched, name):
    text, said = TEXTS[name]
    path = project / "config/definitions/states.yaml"
    content = path.read_bytes() + (text if isinstance(text, bytes) else text.encode())
    path.write_bytes(content)
    refused(project, watched, said)


def test_there_are_enough_of_them():
    assert len(CASES) + len(TEXTS) >= 60
