"""Explanations: every kind that shows an estimate has some, each is complete in both languages, and only needed ones are shown."""

import pytest

from refino_eval.config.exhibits import KINDS, MODELS
from refino_eval.report.page.explanations import explanations
from refino_eval.text import texts_of

# These show counts, means and shares, or list numbers of other exhibits: they need no explanation of their own.
DESCRIPTIVE = {"descriptives", "draws", "flow", "funnel", "counts", "sites", "stock", "bars", "listing"}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in DESCRIPTIVE])
def test_every_kind_that_shows_an_estimate_is_explained(kind):
    needed = MODELS[kind].explanations
    assert needed
    for language in ("nb", "en"):
        shown = explanations([MODELS[kind]], language)
        assert {entry.name for entry in shown} == set(needed)
        assert all(entry.title and entry.text and entry.formula and entry.source for entry in shown)


def test_explanations_come_in_the_order_of_the_catalogue_and_once():
    names = [entry.name for entry in explanations([MODELS["balance"], MODELS["itt"]], "en")]
    assert names == ["itt", "strata", "interval", "p_value", "balance", "verified"]
    assert explanations([], "nb") == ()


def test_both_languages_say_about_as_much():
    nb, en = texts_of("explanations", "nb"), texts_of("explanations", "en")
    for key in nb:
        if key.endswith("_text"):
            assert nb[key] != en[key]
            assert 0.6 < len(nb[key]) / len(en[key]) < 1.6, key


def test_every_explanation_is_needed_by_some_kind():
    needed = {name for model in MODELS.values() for name in model.explanations}
    assert needed == {key.removesuffix("_title") for key in texts_of("explanations", "en") if key.endswith("_title")}
