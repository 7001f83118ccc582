"""What numbers mean: every kind that shows an estimate is explained, in both languages, and only what is shown."""

import pytest

from refino_eval.config.exhibits import kinds_of
from refino_eval.report.page.explanations import explanations

KINDS = (*kinds_of("table"), *kinds_of("figure"))
# These show counts, means and shares as they stand.
DESCRIPTIVE = {"descriptives", "draws", "flow", "counts"}


@pytest.mark.parametrize("language", ["nb", "en"])
def test_every_kind_that_shows_an_estimate_is_explained(language):
    explained = {kind for entry in explanations(KINDS, language) for kind in entry.kinds}
    assert set(KINDS) - DESCRIPTIVE - explained == set()
    assert explained - set(KINDS) == set()


def test_only_what_is_shown_is_explained():
    names = [entry.name for entry in explanations(["balance"], "en")]
    assert names == ["interval", "p_value", "balance", "verified"]
    assert explanations([], "nb") == ()


def test_both_languages_say_as_much():
    for nb, en in zip(explanations(KINDS, "nb"), explanations(KINDS, "en"), strict=True):
        assert nb.words != en.words
        assert 0.6 < len(nb.words) / len(en.words) < 1.6, nb.name
        assert nb.formula == en.formula
        assert len(nb.source) > 5
