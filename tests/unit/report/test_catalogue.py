"""The catalogue of definitions: everything on one page, in both languages, and nothing that is not so."""

import hashlib
import re
from html.parser import HTMLParser

import pytest

from refino_eval.catalogue.references import reached_by, runs_of, span_text
from refino_eval.catalogue.sentences import sentence
from refino_eval.catalogue.window_drawing import window_svg
from refino_eval.config import definitions as d
from refino_eval.config import load_configuration
from refino_eval.kept_results import KeptParts
from refino_eval.report.catalogue_page import catalogue_inputs, write_catalogue
from refino_eval.text import say
from support import project as toy

VOID = {"meta", "link", "br", "img", "line", "rect"}


class Page(HTMLParser):
    """Collects ids, links and headings, and checks that elements nest."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links, self.loads, self.headings, self.tags = [], [], [], [], [], set()

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.add(tag)
        if given.get("id"):
            self.ids.append(given["id"])
        for key in ("href", "src", "data", "action", "srcset"):
            if given.get(key):
                (self.links if given[key].startswith("#") else self.loads).append(given[key])
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes another element"


def plain(configuration):
    def dump(model):
        return model.model_dump(mode="json", by_alias=True, exclude_unset=True)

    definitions = configuration.definitions
    return {
        "evaluation": dump(configuration.evaluation),
        "definitions": {
            kind: {name: dump(entry) for name, entry in getattr(definitions, kind).items()}
            for kind in type(definitions).model_fields
        },
        "sources": {name: dump(source) for name, source in configuration.sources.items()},
    }


def make(root, language="en"):
    configuration = load_configuration(root)
    html, markdown = root / f"catalogue.{language}.html", root / f"catalogue.{language}.md"
    inputs = catalogue_inputs(plain(configuration), other_sources={}, codelists=root / "config/codelists")
    write_catalogue(inputs, language=language, html_path=html, markdown_path=markdown)
    return html.read_text(encoding="utf-8"), markdown.read_text(encoding="utf-8")


@pytest.fixture
def root(tmp_path):
    toy.write_project(tmp_path)
    return tmp_path


def entry(html, anchor):
    found = re.search(rf'<article class="[^"]*" id="{anchor}"[^>]*>.*?</article>', html, re.DOTALL)
    assert found, anchor
    return found[0]


@pytest.mark.parametrize("language", ["nb", "en"])
def test_every_definition_is_on_a_well_formed_page(root, language):
    html, markdown = make(root, language)
    page = Page()
    page.feed(html)
    assert page.open == []
    definitions = load_configuration(root).definitions
    for kind in ("states", "outcomes", "covariates", "subgroups", "specifications"):
        for name in getattr(definitions, kind):
            assert f"{kind}-{name}" in page.ids
            assert f"(`{name}`)" in markdown
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links} <= set(page.ids)
    # The report beside it is the one thing that the page points to, and it loads nothing.
    assert {link.split("#")[0] for link in page.loads} == {f"report.{language}.html"}
    assert not page.tags & {"link", "img", "iframe"}
    assert page.headings[0] == 1
    assert all(later - earlier <= 1 for earlier, later in zip(page.headings, page.headings[1:], strict=False))


def test_only_examples_of_changed_definitions_and_of_what_reads_them_are_run_again(root, tmp_path):
    configuration, path = plain(load_configuration(root)), tmp_path / "parts.jsonl"

    def results():
        kept = KeptParts(path)
        inputs = catalogue_inputs(configuration, other_sources={}, codelists=root / "config/codelists", kept=kept)
        kept.keep()
        return inputs.results

    def run():
        return {key for key, result in results().items() if result.run}

    first = results()
    assert results() == first
    assert ("states", "ordinary") in run()
    # A mark in what is kept shows what is taken from there.
    marked = path.read_text(encoding="utf-8").partition("\n")[2].replace("[true,", "[false,")
    path.write_text(f"{hashlib.sha256(marked.encode()).hexdigest()}\n{marked}", encoding="utf-8")
    assert run() == set()
    configuration["definitions"]["states"]["hours"]["combine"] = "max"
    outcomes = {("outcomes", name) for name in configuration["definitions"]["outcomes"] if name != "abroad_month_1"}
    assert run() == {("states", "hours"), ("states", "half_time"), *outcomes}


def test_used_entries_come_first_and_the_others_are_marked(root):
    html, _ = make(root)
    used, unused = entry(html, "outcomes-half_time_month_12"), entry(html, "outcomes-hours_month_12")
    assert "not used here" not in used
    assert "Table A" in used
    assert "not used here" in unused
    assert "Table B" not in unused  # an exhibit that this evaluation does not make
    path = root / "config/definitions/exhibits.yaml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("half: half_time_month_12", "half: own_outcome"), encoding="utf-8"
    )
    turned, _ = make(root)
    assert turned.index('id="outcomes-own_outcome"') < turned.index('id="outcomes-half_time_month_12"')
    assert html.index('id="outcomes-own_outcome"') > html.index('id="outcomes-half_time_month_12"')
    assert "Table A" in entry(html, "states-hours")  # through half_time
    assert "not used here" in entry(html, "states-ordinary")


def test_an_entry_shows_words_codes_columns_history_and_examples(root):
    html, markdown = make(root)
    outcome = entry(html, "outcomes-half_time_month_12")
    for text in ("Half time, month 12 after the draw month.", "primary", "hours &gt;= 19", "2, changed 2024-01-31: The limit was 20 hours.",
                 "Hours are an outcome here.", "hrs", "Exactly at the limit.", say("catalogue.example_right", "en"), "<svg"):  # fmt: skip
        assert text in outcome, text
    assert "Computed in each period: «Hours» ≥ 19." in html.replace("&gt;=", "≥")
    state = entry(html, "states-ordinary")
    assert "SUB" in state
    assert "Subsidised" in state
    assert say("catalogue.counts_not", "en") in state
    assert "hours ≥ 4" in state
    assert "2 of 2" not in markdown.splitlines()[0]
    assert say("catalogue.examples_checked", "en", n=3, right=3, rest=0) in markdown
    assert "Med tilskudd" in entry(make(root, "nb")[0], "states-ordinary")


def test_a_wrong_example_is_marked_and_counted(root):
    path = root / "config/definitions/states.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("hours >= 19", "hours >= 20"), encoding="utf-8")
    html, markdown = make(root)
    wrong = say("catalogue.example_wrong", "en")
    assert wrong in entry(html, "outcomes-half_time_month_12")
    assert '<tr class="wrong">' in entry(html, "outcomes-half_time_month_12")
    assert say("catalogue.examples_checked", "en", n=3, right=2, rest=0) in markdown
    assert wrong not in entry(html, "states-hours")


def test_labels_cannot_break_the_page(root):
    html, markdown = make(root)
    assert "Drawn <to>" not in html
    assert "Drawn &lt;to&gt; &amp; from" in html
    assert r"Drawn \<to\> \& from" in markdown


def test_the_same_bytes_again(root):
    assert make(root) == make(root)


def test_the_window_is_drawn_to_scale():
    clock = type("Clock", (), {"first": -4, "last": 15})()
    svg = window_svg((1, 2, 3, 6), clock, "month", 'months <1> "to" 6', "en")
    step = (640 - 28) / 20
    rects = [
        tuple(map(float, found))
        for found in re.findall(r'<rect class="read" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', svg)
    ]
    assert rects[0] == pytest.approx((14 + 5 * step, 3 * step), abs=0.06)
    assert rects[1] == pytest.approx((14 + 10 * step, step), abs=0.06)
    assert float(re.search(r'<line class="draw" x1="([\d.]+)"', svg)[1]) == pytest.approx(14 + 4.5 * step, abs=0.06)
    assert 'aria-label="months &lt;1&gt; &#34;to&#34; 6"' in svg


def test_runs_of_periods():
    assert runs_of([3, 1, 2, 7]) == [(1, 3), (7, 7)]
    assert span_text([12, 18]) == "12, 18"
    assert span_text(range(-2, 4)) == "-2..3"


def test_an_exhibit_reaches_the_definitions_it_is_based_on(root):
    definitions = load_configuration(root).definitions
    assert reached_by("table_a", definitions) == {
        ("outcomes", "half_time_month_12"), ("states", "half_time"), ("states", "hours"), ("specifications", "main")
    }  # fmt: skip


def test_states_are_described_in_both_languages(root):
    configuration = load_configuration(root)
    state = configuration.definitions.states["ordinary"]

    def words(language):
        return sentence(state, configuration.definitions, configuration.sources, language)

    assert words("en").startswith(
        "Spells with at least one day in the period in «Jobs», where sort is not SUB and hours ≥ 4."
    )
    assert words("nb").startswith("Forløp med minst én dag i perioden i «Jobber», der sort er ikke SUB og hours ≥ 4.")


def test_every_form_of_a_definition_has_its_sentence(root):
    """A form that the models allow and the sentences do not know would have an empty description."""
    definitions = load_configuration(root).definitions
    label = {"nb": "x", "en": "x"}
    common = {"label": label, "register": "jobs", "column": "hours"}
    forms = [
        d.ColumnCovariate.model_validate({**common, "kind": "column"}),
        d.AgeCovariate.model_validate({**common, "kind": "age_at_draw"}),
        d.YearsWithCovariate.model_validate({**common, "kind": "years_with"}),
        d.AmountInYearCovariate.model_validate({**common, "kind": "amount_in_year"}),
        *(
            d.SpellAtDrawCovariate.model_validate({"label": label, "register": "jobs", "kind": kind})
            for kind in ("spell_at_draw", "ever_before_draw")
        ),
    ]
    state = {"label": label, "description": "x", "register": "jobs", "unit": label}
    for combine, extra in (("any", {}), ("count", {}), ("sum", {"value": "hours"}), ("max", {"value": "hours"})):
        forms.append(d.SpellState.model_validate({**state, "combine": combine, **extra}))
    forms.append(
        d.SpellState.model_validate({**state, "combine": "main_job", "value": "hours", "main": {"by": "hours"}})
    )
    forms.append(d.SpellState.model_validate({**state, "touch": "share_of_days"}))
    for language in ("nb", "en"):
        sentences = [sentence(form, definitions, {}, language) for form in forms]
        assert all(text.endswith(".") and len(text) > 12 for text in sentences)
        assert len(set(sentences)) == len(sentences)
