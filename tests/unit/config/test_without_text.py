"""Definitions without text: valid for jobs that compute numbers, with the same meaning, and untouched by wording."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from refino_eval.config import load_configuration
from refino_eval.config.base import Label, descriptive_fields
from refino_eval.config.definitions import Comparison, Definitions, Outcome
from refino_eval.config.evaluation import Arms, PersonTable, Population, Sample
from refino_eval.config.without_text import descriptive_names, without_text

ROOT = Path(__file__).resolve().parents[3]
CONFIGURATION = load_configuration(ROOT)
REVIEW = load_configuration(ROOT, evaluation="omrade_2024")


def labels_in(value):
    """Return every label at any depth of a model."""
    if isinstance(value, Label):
        return [value]
    if isinstance(value, dict):
        return [label for entry in value.values() for label in labels_in(entry)]
    if isinstance(value, list | tuple):
        return [label for entry in value for label in labels_in(entry)]
    fields = getattr(type(value), "model_fields", {})
    return [label for name in fields for label in labels_in(getattr(value, name))]


@pytest.mark.parametrize("kind", list(Definitions.model_fields))
def test_definitions_without_text_are_read_back_with_the_same_meaning(kind):
    # The evaluation of this project compares its own arms alone.
    wave = Comparison.model_validate({"label": {"nb": "Runde 2", "en": "Wave 2"}, "treated": "drawn_again"})
    entries = getattr(CONFIGURATION.definitions, kind) or getattr(REVIEW.definitions, kind) or {"wave_2": wave}
    data = {name: without_text(entry) for name, entry in entries.items()}
    again = getattr(Definitions.from_params({kind: data}), kind)
    assert entries
    for name, entry in again.items():
        assert without_text(entry) == data[name]
        assert not any(label.en or label.nb for label in labels_in(entry))


@pytest.mark.parametrize("source", CONFIGURATION.sources.values(), ids=lambda source: source.register_name)
def test_a_source_without_text_is_read_back(source):
    again = type(source).from_params(without_text(source))
    assert again.rules == source.rules
    assert {name: column.type for name, column in again.columns.items()} == {
        name: column.type for name, column in source.columns.items()
    }


def test_a_study_without_text_keeps_the_reasons_of_its_flow():
    study = CONFIGURATION.evaluation
    again = Population.from_params(without_text(study.population))
    assert [step.reason for step in again.steps] == [step.reason for step in study.population.steps]
    for sample in study.samples.values():
        steps = Sample.from_params(without_text(sample)).steps
        assert [(step.reason, step.complete) for step in steps] == [
            (step.reason, step.complete) for step in sample.steps
        ]
    assert [arm.codes for arm in Arms.from_params(without_text(study.arms)).everyone] == [("R",), ("O",)]


def test_a_person_tables_labels_are_text():
    table = load_configuration(ROOT, evaluation="akm2011").evaluation.person_table
    assert table.labels
    assert "labels" not in without_text(table)
    assert PersonTable.from_params(without_text(table)).outcomes == table.outcomes


def test_wording_does_not_change_what_jobs_are_given():
    outcome = CONFIGURATION.definitions.outcomes["any_wage_month_12"]
    reworded = outcome.model_copy(
        update={"description": "Another text.", "label": Label(nb="x", en="y"), "examples": (), "role": "secondary"}
    )
    assert without_text(outcome) == without_text(reworded)
    assert without_text(outcome) != without_text(outcome.model_copy(update={"at": 11}))


def test_defaults_that_were_written_can_be_left_out():
    outcome = CONFIGURATION.definitions.outcomes["any_wage_month_12"]
    assert without_text(outcome)["missing"] == "any"
    assert "missing" not in without_text(outcome, with_defaults=False)


def test_text_is_still_required_in_configuration_files():
    with pytest.raises(ValidationError, match="label"):
        Outcome.model_validate({"kind": "value_at", "state": "x", "at": 1})


def test_descriptive_fields_are_found_at_every_depth():
    assert {"label", "examples", "role", "family"} <= descriptive_fields(Outcome)
    assert "title" in descriptive_names(Definitions)
    assert not {"kind", "state", "at", "window", "missing"} & descriptive_names(Definitions)
