"""Texts of a comparison that was not randomised: no catalogue text says effect or random assignment."""

import re

import pytest

from refino_eval.config.checking.causal_words import causal_words
from refino_eval.config.exhibits import MODELS
from refino_eval.text import catalogue, say
from refino_eval.text.catalogue import catalogue_files, placeholders
from refino_eval.text.design_wording import text_of_design, worded_for, wording

REFUSED = {kind for kind, model in MODELS.items() if model.rests_on_randomisation}
ONLY_IN_REFUSED = (
    "explanations.randomisation_", "explanations.null_result_", "explanations.late_", "explanations.weak_instrument_",
    "explanations.compliers_", "explanations.missing_", "keys.own", "keys.possible_draws", "keys.redraws",
    "labels.p_value_ri", "labels.take_up", "labels.compliers", "labels.fall_back_beside", "methods.randomisation_tests",
    "methods.late", "reasons.no_compliers", "subgroups.step_down_", "trail.reason_reweighted_people",
)  # fmt: skip
"""Texts of kinds and options that `check` refuses without random assignment."""


def forms(text):
    return list(text.values()) if isinstance(text, dict) else [text]


@pytest.mark.parametrize(
    "theme", [theme for theme, _ in catalogue_files() if theme not in {"audit", "studies", *REFUSED}]
)
def test_no_text_of_an_observational_study_speaks_of_effects_or_random_assignment(theme):
    wrong = []
    with worded_for("observational"):
        for name, entry in catalogue(theme).entries.items():
            key = f"{theme}.{name}"
            if key.startswith(ONLY_IN_REFUSED):
                continue
            for language in ("nb", "en"):
                for text in forms(text_of_design(key, entry[language], language)):
                    word = causal_words(re.sub(r"\{\w+[^}]*\}", "{}", text), language)
                    wrong += [(key, language, word)] if word else []
    assert wrong == []


def test_every_reworded_text_replaces_one_with_the_same_placeholders():
    for key, entry in wording("observational").texts.items():
        theme, _, name = key.partition(".")
        original = catalogue(theme).entries[name]
        assert set(entry) == {"nb", "en"}, key
        for language in ("nb", "en"):
            asked, given = (set().union(*map(placeholders, forms(e[language]))) for e in (entry, original))
            assert asked <= given, key


@pytest.mark.parametrize("theme", [theme for theme, _ in catalogue_files() if theme not in REFUSED])
def test_rewording_leaves_placeholders_alone(theme):
    with worded_for("observational"):
        for name, entry in catalogue(theme).entries.items():
            for language in ("nb", "en"):
                reworded = forms(text_of_design(f"{theme}.{name}", entry[language], language))
                named = set().union(*map(placeholders, forms(entry[language])))
                assert set().union(*map(placeholders, reworded)) <= named, name


def test_texts_are_reworded_inside_the_context_alone():
    assert say("labels.effect_of", "en", arm="A") == "Effect of A"
    with worded_for("observational"):
        assert say("labels.effect_of", "en", arm="A") == "Difference of A"
        assert say("labels.effect_of", "nb", arm="A") == "Forskjell av A"
        assert say("labels.cell_fixed_effects", "nb") == "Faste effekter"
    assert say("labels.effect_of", "nb", arm="A") == "Effekt av A"


def test_a_randomised_study_keeps_the_texts_of_the_catalogues():
    with worded_for("randomised"):
        for theme, _ in catalogue_files():
            for name, entry in catalogue(theme).entries.items():
                assert text_of_design(f"{theme}.{name}", entry["en"], "en") is entry["en"]
