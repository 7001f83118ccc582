"""Longer texts stand in one language or in both; a fault in one is reported once, without words of the program."""

from pathlib import Path

import pytest

from refino_eval.catalogue import references
from refino_eval.config import load_configuration
from refino_eval.config.base import Label, spoken, text_in
from refino_eval.config.definitions import Definitions
from refino_eval.config.model_errors import validate
from refino_eval.config.without_text import without_text
from refino_eval.errors import UserError

ROOT = Path(__file__).resolve().parents[3]
STATE = {"label": {"nb": "x", "en": "x"}, "expression": "aap", "unit": {"nb": "andel", "en": "share"}}


def test_a_text_is_shown_in_the_readers_language_where_it_has_it():
    both = Label(nb="norsk", en="English")
    assert [text_in(both, language) for language in ("nb", "en")] == ["norsk", "English"]
    assert text_in("English", "nb") == "English"
    assert [spoken(both, "nb"), spoken("English", "nb")] == ["nb", "en"]


@pytest.mark.parametrize("given", [7, {"nb": "bare norsk"}])
def test_a_faulty_text_is_reported_once_where_it_stands(given):
    with pytest.raises(UserError) as caught:
        validate({"states": {"new": {**STATE, "description": given}}}, Definitions, "states.yaml")
    assert len(caught.value.problems) == 1
    assert "new.description" in caught.value.problems[0]
    assert "language" not in caught.value.problems[0]


def test_a_text_in_another_form_changes_no_number():
    one, both = (
        Definitions.model_validate({"states": {"new": {**STATE, "description": text}}}).states["new"]
        for text in ("English", {"nb": "norsk", "en": "English"})
    )
    assert without_text(one) == without_text(both)


def test_what_the_shipped_evaluation_uses_is_described_in_both_languages():
    configuration = load_configuration(ROOT, evaluation="refino")
    used = references.users_of(configuration.definitions, configuration.evaluation.exhibits)
    lacking = [
        f"{kind}.{name}"
        for kind, name in sorted(used)
        if isinstance(text := getattr(getattr(configuration.definitions, kind)[name], "description", None), str)
        and text
    ]
    assert lacking == []
