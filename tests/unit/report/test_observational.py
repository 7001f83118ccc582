"""An evaluation without random assignment: its tables, figures, report and trails say difference and carry the caveat."""

import re

import pytest

from refino_eval.config.checking.causal_words import causal_words
from refino_eval.config.definitions import Definitions
from refino_eval.config.exhibits import MODELS
from refino_eval.exhibits.render import figure_notes, table_of
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.report import build_report
from refino_eval.report.trail.trails import Trails
from refino_eval.text import say
from support import exhibits as toy
from support import finished_run as run


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    plain = toy.definitions().model_dump(mode="json", by_alias=True, exclude_unset=True)
    kept = {
        name: {**entry, "title": {"nb": "En sammenligning", "en": "A comparison"}}
        for name, entry in plain["exhibits"].items()
        if not MODELS[entry["kind"]].rests_on_randomisation
    }
    definitions = Definitions.model_validate({**plain, "exhibits": kept})
    study = run.evaluation(design="observational").model_copy(update={"exhibits": tuple(kept)})
    return run.make_run(tmp_path_factory.mktemp("run"), languages=("nb", "en"), study=study, definitions=definitions)


def shown_text(page):
    """Return what a reader can see of a page, and the texts that its scripts show."""
    words = " ".join(re.findall(r'"words":(\{[^}]*\})', page)) + " ".join(re.findall(r'"trails":(.*?)"charts"', page))
    return re.sub(r"<(script|style)\b.*?</\1>|<[^>]*>", " ", page, flags=re.DOTALL) + words.replace('"effect"', "")


@pytest.mark.parametrize("language", ["nb", "en"])
def test_report_says_difference_and_carries_the_caveat(inputs, language, tmp_path):
    page = build_report(inputs, language=language, out_path=tmp_path / "report.html").read_text(encoding="utf-8")
    text = shown_text(page)
    keys = r"\b(effects?|effect_path)[_:\"]|\bdraws(\.csv)?\b"  # keys of scripts, and the register of that name
    assert causal_words(re.sub(keys, "", text), language) == ""
    assert say("notes.observational_caveat", language) in text


@pytest.mark.parametrize("language", ["nb", "en"])
def test_every_exhibit_that_compares_carries_the_caveat(inputs, language):
    labels, caveat = LabelBook.of(inputs.evaluation, inputs.definitions), say("notes.observational_caveat", language)
    for name in inputs.evaluation.exhibits:
        exhibit, frame = inputs.definitions.exhibits[name], inputs.numbers(name)
        if exhibit.form == "table":
            notes = table_of(name, exhibit, frame, labels=labels, language=language, facts={}).notes
        else:
            notes = figure_notes(exhibit, frame, labels=labels, language=language, facts={})
            picture = re.sub(r"<[^>]*>", " ", inputs.figure(name, language))
            assert causal_words(picture, language) == "", name
        assert (caveat in notes) == (not exhibit.counts_people), name
        assert causal_words(" ".join(notes), language) == "", name


@pytest.mark.parametrize("language", ["nb", "en"])
def test_trail_says_difference_and_carries_the_caveat(inputs, language):
    trails = Trails(inputs, LabelBook.of(inputs.evaluation, inputs.definitions), language)
    trail = trails.follow("table_8_1", ("main", "refino", "any_wage", "estimate"))
    text = " ".join([trail.what, *(f"{fact.label} {fact.text}" for part in trail.sections for fact in part.facts)])
    assert causal_words(text, language) == ""
    assert say("notes.observational_caveat", language) in text
