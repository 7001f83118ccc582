"""One place for the form of a delivery: what it says for all registers, for one, and what a register's file says itself."""

import datetime as dt

import pytest

from refino_eval.config.load import load_configuration
from refino_eval.config.sources import Delivery
from refino_eval.errors import UserError
from support.builders import source
from support.project import write_project

STAY = {"start": "date", "stop": {"type": "date", "date_format": "%Y%m%d"}}


def test_the_delivery_is_a_default_that_a_register_overrides_and_that_one_register_can_replace():
    delivery = Delivery.model_validate(
        {
            "encoding": "latin-1", "decimal": ",", "date_format": "%d.%m.%Y",
            "coverage": {"first": "2020-01-01", "last": "2023-12-31"},
            "registers": {"old": {"encoding": "cp1252", "date_format": "excel"}},
        }
    )  # fmt: skip
    plain = delivery.applied(source("new", "spell", STAY, decimal="."))
    assert (plain.encoding, plain.decimal, plain.delimiter) == ("latin-1", ".", ";")
    assert [plain.columns[name].date_format for name in ("start", "stop")] == ["%d.%m.%Y", "%Y%m%d"]
    assert plain.coverage is not None
    assert plain.coverage.last == dt.date(2023, 12, 31)
    old = delivery.applied(source("old", "spell", STAY, encoding="utf-8"))
    assert (old.encoding, old.columns["stop"].date_format) == ("cp1252", "excel")
    assert delivery.applied(source("draws", "event", {"start": "date"})).coverage is None


def test_an_evaluation_reads_its_registers_in_the_form_of_its_delivery(tmp_path):
    write_project(tmp_path)
    path = tmp_path / "config/evaluations/toy.yaml"
    study = path.read_text(encoding="utf-8")
    extra = "delivery: {encoding: latin-1, registers: {jobs: {coverage: {first: 2018-01-01, last: 2019-12-31}}}}\n"
    path.write_text(study + extra, encoding="utf-8")
    sources = load_configuration(tmp_path).sources
    assert {entry.encoding for entry in sources.values()} == {"latin-1"}
    assert sources["jobs"].coverage.first == dt.date(2018, 1, 1)
    path.write_text(study + "delivery: {registers: {jbos: {encoding: latin-1}}}\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"delivery\.registers: 'jbos' is not among.*jobs"):
        load_configuration(tmp_path)


@pytest.mark.parametrize(
    ("population", "problem"),
    [
        ("cluster: schol", r"population\.cluster: .* has no column 'schol'"),
        ("weights: arm", r"population\.weights: the column 'arm' is of type text"),
        ("cluster: start, keep: [arm], weights: start", "type date"),
    ],
)
def test_a_column_of_clusters_or_weights_is_checked(tmp_path, population, problem):
    write_project(tmp_path)
    path = tmp_path / "config/evaluations/toy.yaml"
    path.write_text(path.read_text("utf-8").replace("arm: arm}", f"arm: arm, {population}}}"), encoding="utf-8")
    with pytest.raises(UserError, match=problem):
        load_configuration(tmp_path)


def test_worked_examples_keep_the_coverage_of_the_register_file(tmp_path):
    described = source("new", "spell", STAY, coverage={"first": "2015-01-01", "last": "2022-12-31"})
    exact = {"new": {"coverage": {"first": "2011-01-01", "last": "2013-12-31"}}}
    applied = Delivery.model_validate({"registers": exact}).applied(described)
    assert applied.coverage.last == dt.date(2013, 12, 31)
    assert applied.example_coverage == described.coverage
    assert Delivery.model_validate({"encoding": "latin-1"}).applied(described).example_coverage is None
