"""Definitions without words are still valid, and say the same about numbers."""

from pathlib import Path

import pytest

from refino_eval.config import load_configuration
from refino_eval.config.bare import bare
from refino_eval.config.definitions import Definitions
from refino_eval.config.evaluation import Population, Sample
from refino_eval.config.sources import Source

ROOT = Path(__file__).resolve().parents[3]
CONFIGURATION = load_configuration(ROOT)
WORDS = {
    "label",
    "description",
    "title",
    "note",
    "examples",
    "unit",
    "role",
    "version",
    "changed",
    "reason",
    "deprecated",
    "chapter",
}


def wordless(data, words):
    """Take words out at every depth."""
    if isinstance(data, dict):
        return {key: wordless(value, words) for key, value in data.items() if key not in words}
    return [wordless(each, words) for each in data] if isinstance(data, list | tuple) else data


@pytest.mark.parametrize("kind", list(Definitions.model_fields))
def test_bare_definitions_are_valid_and_compute_the_same(kind):
    entries = getattr(CONFIGURATION.definitions, kind)
    again = getattr(Definitions.model_validate({kind: {name: bare(entry) for name, entry in entries.items()}}), kind)
    words = WORDS | {"family"} if kind == "outcomes" else WORDS
    for name, entry in entries.items():
        assert wordless(again[name].model_dump(), words) == wordless(entry.model_dump(), words), name


def test_a_change_of_words_changes_nothing_bare():
    entry = CONFIGURATION.definitions.outcomes["any_wage_month_12"]
    other = entry.model_copy(update={"description": "Something else altogether.", "examples": ()})
    assert bare(entry) == bare(other)
    assert bare(entry) != bare(entry.model_copy(update={"at": 11}))


def test_bare_sources_are_valid():
    for source in CONFIGURATION.sources.values():
        again = Source.model_validate(bare(source))
        assert again.rules == source.rules
        assert {name: column.type for name, column in again.columns.items()} == {
            name: column.type for name, column in source.columns.items()
        }


def test_a_bare_study_keeps_what_the_flow_is_told_by():
    study = CONFIGURATION.evaluation
    again = Population.model_validate(bare(study.population))
    assert [step.reason for step in again.steps] == [step.reason for step in study.population.steps]
    for sample in study.samples.values():
        steps = Sample.model_validate(bare(sample)).steps
        assert [(step.reason, step.complete) for step in steps] == [
            (step.reason, step.complete) for step in sample.steps
        ]
