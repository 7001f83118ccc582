"""What YAML 1.1 would turn into numbers or true and false without a word stays as it is written."""

import datetime as dt

import pytest

from refino_eval.config.yaml_files import parse_yaml


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
