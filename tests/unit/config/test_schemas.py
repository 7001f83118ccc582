"""JSON schemas: they refer to each other, and accept the shipped files and no others."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from refino_eval.config.schemas import schemas

ROOT = Path(__file__).resolve().parents[3]
SCHEMAS = {name: json.loads(text) for name, text in schemas()}
REGISTRY = Registry().with_resources(
    (name, Resource.from_contents(schema, default_specification=DRAFT202012)) for name, schema in SCHEMAS.items()
)
FILES = sorted(
    path for folder in ("definitions", "evaluations", "sources") for path in (ROOT / "config" / folder).rglob("*.yaml")
)


def plain(value):
    """Return YAML data as JSON has it: dates as text, keys as text."""
    return json.loads(json.dumps(value, default=str))


def problems(name, data):
    validator = jsonschema.Draft202012Validator({"$ref": name}, registry=REGISTRY)
    return [f"{'.'.join(map(str, error.path))}: {error.message}"[:300] for error in validator.iter_errors(plain(data))]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT / "config").as_posix())
def test_a_shipped_file_names_its_schema_and_fits_it(path):
    text = path.read_text(encoding="utf-8")
    first = text.splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema=")
    schema = (path.parent / first.split("=", 1)[1]).resolve()
    assert schema.parent == ROOT / "config" / "schemas"
    assert problems(schema.name, yaml.safe_load(text)) == []


def test_a_schema_refuses_an_unknown_key_wherever_it_is_described():
    wages = yaml.safe_load((ROOT / "config/definitions/outcomes/wages.yaml").read_text(encoding="utf-8"))
    wages["wage_month_12"]["knid"] = "value_at"
    wages["wage_sum"]["windows"]["wage_sum_12"]["windw"] = [1, 2]
    said = problems("outcomes.json", wages)
    assert len(said) == 2
    assert "knid" in said[0] + said[1]
    assert "windw" in said[0] + said[1]
    study = yaml.safe_load((ROOT / "config/evaluations/iwws_races.yaml").read_text(encoding="utf-8"))
    study["definitions"]["exhibits"]["iwws_races_iv"]["titel"] = "x"
    assert problems("evaluation.json", study)


def test_no_model_is_described_twice():
    described = [model for schema in SCHEMAS.values() for model in schema.get("$defs", {})]
    assert len(set(described)) == len(described)
