"""Worked examples: the shipped definitions prove themselves, and a wrong example is reported."""

from pathlib import Path

import pytest

from refino_eval.catalogue.example_results import run_examples
from refino_eval.codes.prices import load_index
from refino_eval.config.code_groups import with_group_codes
from refino_eval.config.definitions import Definitions, DerivedState
from refino_eval.config.dependencies import outcome_states
from refino_eval.config.entry_files import entry_files, joined, listed_files
from refino_eval.config.load import load_configuration
from refino_eval.config.sources import Source
from refino_eval.config.yaml_files import read_yaml
from refino_eval.errors import UserError
from refino_eval.outcomes.examples import check_examples

ROOT = Path(__file__).parents[3]
CONFIG = ROOT / "config"


@pytest.fixture(scope="module")
def sources():
    paths = sorted((CONFIG / "sources").glob("*.yaml"))
    return {path.stem: Source.model_validate(read_yaml(path, path.name)) for path in paths}


@pytest.fixture(scope="module")
def prices():
    return {"cpi": load_index("cpi", CONFIG / "codelists")}


@pytest.fixture(scope="module")
def given():
    files, _ = entry_files(listed_files(CONFIG.parent), "refino")
    contents = {file.path: read_yaml(CONFIG.parent / file.path, file.path) for file in files}
    return {kind: joined(files, contents).data[kind] for kind in ("states", "outcomes")}


@pytest.fixture(scope="module")
def shipped(given):
    return with_codes(Definitions.model_validate(given))


def with_codes(definitions):
    """Return definitions with the groups of codes in their conditions replaced, as loading a configuration does."""
    configuration = load_configuration(ROOT, evaluation="refino")
    _, complete, problems = with_group_codes(
        configuration.evaluation, definitions, configuration.sources, CONFIG / "codelists", file_of=lambda kind, _: kind
    )
    assert problems == []
    return complete


def changed(given, kind, name, **parts):
    """Return the shipped definitions with parts of one entry replaced."""
    return with_codes(
        Definitions.model_validate({**given, kind: {**given[kind], name: {**given[kind][name], **parts}}})
    )


def test_every_shipped_example_comes_out_as_written(shipped, sources, prices):
    wanted = sum(len(e.examples) for entries in (shipped.states, shipped.outcomes) for e in entries.values())
    assert check_examples(shipped, sources, prices) == wanted
    assert wanted > 150


@pytest.mark.parametrize("kind", ["states", "outcomes"])
def test_every_entry_shows_something_nothing_and_missing(shipped, kind):
    for name, entry in getattr(shipped, kind).items():
        expected = [example.expect for example in entry.examples]
        assert None in expected, f"{name}: no example of a missing value"
        nothing = [e for e in entry.examples if e.expect == 0 or e.censored == 1]
        assert nothing, f"{name}: no example of zero (or of what never happens)"
        assert any(e.boundary for e in entry.examples), f"{name}: no example on a boundary"
        assert any(expected), f"{name}: no example of a value"


@pytest.mark.parametrize("kind", ["states", "outcomes"])
def test_labels_tell_entries_apart(shipped, kind):
    for language in ("nb", "en"):
        labels = [entry.label[language] for entry in getattr(shipped, kind).values()]
        assert len(labels) == len(set(labels))


def test_every_threshold_has_an_example_on_it(shipped):
    """The value that just meets a threshold is where definitions go wrong."""
    for name, state in shipped.states.items():
        if not (isinstance(state, DerivedState) and "hours" in state.expression):
            continue
        threshold = float(state.expression.split(">=")[1])
        shown = [(sum(row["weekly_hours"] for row in e.spells.get("jobs", ())), e.expect) for e in state.examples]
        assert (threshold, 1.0) in shown, name


def test_a_wrong_threshold_is_caught_by_the_examples(given, sources, prices):
    for expression in ("weekly_hours_main_job > 18.75", "weekly_hours >= 18.75", "weekly_hours_main_job >= 18.7"):
        broken = changed(given, "states", "half_time", expression=expression)
        with pytest.raises(UserError, match="State 'half_time', example"):
            check_examples(broken, sources, prices, states=["half_time"], outcomes=[])


def test_a_wrong_window_is_caught_by_the_examples(given, sources, prices):
    broken = changed(given, "outcomes", "wage_sum_12", window=[0, 12])
    with pytest.raises(UserError, match="Outcome 'wage_sum_12', example 1"):
        check_examples(broken, sources, prices, states=[], outcomes=["wage_sum_12"])


def test_the_paragraph_names_entry_example_expected_and_got(given, sources, prices):
    wrong = [{**given["states"]["aap"]["examples"][0], "expect": 0}]
    with pytest.raises(UserError) as fault:
        check_examples(changed(given, "states", "aap", examples=wrong), sources, prices, states=["aap"], outcomes=[])
    assert fault.value.problems[0].startswith(
        "State 'aap', example 1 (A grant without an end still lasts): expected 0 at event month 12, and the definition gives 1."
    )


@pytest.mark.parametrize(("at", "expect", "got"), [(12, None, "0"), (-60, 0, "missing")])
def test_zero_is_not_missing(given, sources, prices, at, expect, got):
    wrong = [{"why": "x", "draw": "2018-05-01", "spells": {}, "at": at, "expect": expect}]
    with pytest.raises(UserError, match=f"and the definition gives {got}"):
        check_examples(changed(given, "states", "aap", examples=wrong), sources, prices, states=["aap"], outcomes=[])


@pytest.mark.parametrize(
    ("example", "told"),
    [
        ({"spells": {"job": []}, "at": 0}, "which is not a source. Did you mean 'jobs'?"),
        (
            {"spells": {"wages": [{"period": 201801, "amount": 1}]}, "at": 0},
            "which nothing that is computed here reads",
        ),
        ({"spells": {}}, "add `at`"),
        ({"spells": {"aap": [{"stop": None}]}, "at": 0}, "it has no `start`"),
        ({"spells": {"aap": [{"start": "1.1.2018", "stop": None}]}, "at": 0}, "not a day written yyyy-mm-dd"),
        ({"spells": {"aap": [{"begin": "2018-01-01"}]}, "at": 0}, "lists no column 'begin'"),
    ],
)
def test_examples_that_cannot_be_run_are_reported(given, sources, prices, example, told):
    entry = [{"why": "x", "draw": "2018-05-01", "expect": 0, **example}]
    with pytest.raises(UserError) as fault:
        check_examples(changed(given, "states", "aap", examples=entry), sources, prices, states=["aap"], outcomes=[])
    assert told in str(fault.value)


def test_wrong_and_unrunnable_examples_are_reported_at_their_place_and_nowhere_else(given, sources):
    wage, aap = given["outcomes"]["wage_sum_12"], given["states"]["aap"]
    wrong = [*wage["examples"][:-1], {**wage["examples"][-1], "expect": 123_456}]
    unrunnable = [*aap["examples"][:1], {**aap["examples"][0], "spells": {"aap": [{"stop": None}]}}]
    entries = {**given, "outcomes": {**given["outcomes"], "wage_sum_12": {**wage, "examples": wrong}}}
    definitions = changed(entries, "states", "aap", examples=unrunnable)
    keys = [(kind, name) for kind in ("states", "outcomes") for name in getattr(definitions, kind)][:40]
    keys = list(dict.fromkeys([*keys, ("states", "aap"), ("outcomes", "wage_sum_12")]))
    results = run_examples(keys, definitions, sources, codelists=CONFIG / "codelists")
    assert list(results) == keys
    assert {key: result.wrong for key, result in results.items() if result.wrong} == {
        ("states", "aap"): 1, ("outcomes", "wage_sum_12"): 1
    }  # fmt: skip
    assert all(len(result.problems) == len(getattr(definitions, kind)[name].examples)
               for (kind, name), result in results.items())  # fmt: skip
    first, second = results["states", "aap"].problems
    assert first == ""
    assert "example 2 (" in second
    assert "it has no `start`" in second
    assert f"example {len(wrong)} (" in results["outcomes", "wage_sum_12"].problems[-1]


def test_numbers_written_as_text_and_codes_written_as_numbers_are_reported(given, sources, prices):
    entry = [
        {"why": "x", "draw": "2018-05-01", "at": 0, "expect": 0, "spells": {"jobs": [{"start": "2018-05-01", **wrong}]}}
        for wrong in ({"employer_id": 910000001}, {"weekly_hours": "37,5"}, {"weekly_hours": 37.505})
    ]
    with pytest.raises(UserError) as fault:
        check_examples(
            changed(given, "states", "weekly_hours", examples=entry),
            sources,
            prices,
            states=["weekly_hours"],
            outcomes=[],
        )
    told = fault.value.problems
    assert "'employer_id' holds text: write 910000001 in quotes" in told[0]
    assert "'weekly_hours' is '37,5', which is not of type hundredths" in told[1]
    assert "37.505" in told[2]


def test_examples_run_on_a_clock_of_weeks(given, sources, prices):
    entry = [
        {"why": "x", "draw": "2018-05-09", "at": at, "expect": expect, "spells": {"aap": [{"start": "2018-05-20", "stop": "2018-05-21"}]}}
        for at, expect in ((0, 0), (1, 1), (2, 0))
    ]  # fmt: skip
    definitions = changed(given, "states", "aap", examples=entry)
    assert check_examples(definitions, sources, prices, states=["aap"], outcomes=[], state_clock="week") == 3


def test_states_of_registers_that_a_study_lacks_are_left_out(shipped, sources, prices):
    few = {name: sources[name] for name in ("wages",)}
    wanted = sum(len(shipped.states[name].examples) for name in ("wage", "any_wage"))
    wanted += sum(len(o.examples) for o in shipped.outcomes.values() if set(outcome_states(o)) <= {"wage", "any_wage"})
    assert check_examples(shipped, few, prices) == wanted
