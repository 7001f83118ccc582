"""What YAML 1.1 would turn into numbers or true and false without a word stays as it is written."""

import datetime as dt
import re
from pathlib import Path

import pytest
import yaml

import refino_eval
from refino_eval.config import yaml_files
from refino_eval.config.yaml_files import parse_yaml, yaml_text
from refino_eval.errors import UserError


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("0331", "0331"),
        ("NO", "NO"),
        ("yes", "yes"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("2018-13-01", "2018-13-01"),
        ("2018-02-31", "2018-02-31"),
        ("2018-02-28", dt.date(2018, 2, 28)),
        ("12", 12),
        ("-3", -3),
        ("0", 0),
        ("18.75", 18.75),
        ("1e-3", 0.001),
        (".5", 0.5),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
    ],
)
def test_plain_values(written, value):
    read = parse_yaml(f"key: {written}", "x.yaml")["key"]
    assert read == value
    assert type(read) is type(value)


CONFIG = Path(__file__).resolve().parents[3] / "config"


def test_both_loaders_read_every_configuration_file_alike(monkeypatch):
    texts = [path.read_text(encoding="utf-8") for path in sorted(CONFIG.rglob("*.yaml"))]
    fast = [parse_yaml(text, "x.yaml") for text in texts]
    monkeypatch.setattr(yaml_files, "_FastLoader", None)
    assert repr(fast) == repr([parse_yaml(text, "x.yaml") for text in texts])


@pytest.mark.skipif(not yaml.__with_libyaml__, reason="PyYAML was built without libyaml")
def test_configuration_is_read_by_libyaml(monkeypatch):
    monkeypatch.delattr(yaml_files, "_StrictLoader")
    assert parse_yaml("a: &x [0331, NO]\nb: *x", "x.yaml") == {"a": ["0331", "NO"], "b": ["0331", "NO"]}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[" * 50_000 + "]" * 50_000, "nested too deeply"),
        ("- " * 50_000 + "a", "nested too deeply"),
        ("a: &x [1]\n" + "\n".join(f"k{k}: *x" for k in range(101)), "too many aliases"),
        ("a: 1\na: 2", "'a' is given twice .line 2"),
        ("a: [1", "at line 1, column 6: expected"),
    ],
)
def test_a_text_that_would_harm_or_confuse_is_refused(text, problem):
    with pytest.raises(UserError, match=problem):
        parse_yaml(text, "x.yaml")


@pytest.mark.parametrize(
    "tagged", ['!!int "x"', "!!int 0331", '!!float "1"', '!!bool "NO"', "!!binary aGk=", "!!set {a}", "!own x"]
)
def test_a_tag_is_refused_with_its_line(tagged):
    with pytest.raises(UserError, match=r"x\.yaml: .*the tag !.* in line 2 is not read; write the value without a tag"):
        parse_yaml(f"first: 1\nkey: {tagged}", "x.yaml")


@pytest.mark.parametrize(
    "text", ["1e3", "0331", "NO", "12:30", "2018-02-28", "1.5", "", "~", "a: b", "08", "0x1F", "true", ".5e3"]
)
def test_text_is_read_as_it_was_written(text):
    assert parse_yaml(yaml_text({"key": text}), "x.yaml") == {"key": text}
    assert yaml.safe_load(yaml_text({"key": text})) == {"key": text}


def test_one_module_reads_configuration():
    """Only `config.yaml_files` and the texts of the program, which are no user's, know the YAML library."""
    source = Path(refino_eval.__file__).parent
    readers = [
        path.relative_to(source).as_posix()
        for path in sorted(source.rglob("*.py"))
        if re.search(r"\byaml\.(load|safe_load|compose|parse|scan|dump|safe_dump)\b", path.read_text(encoding="utf-8"))
    ]
    assert readers == ["config/yaml_files.py", "text/design_wording.py"]
