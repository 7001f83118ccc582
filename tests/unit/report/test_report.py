"""The report: self-contained, honest, well-formed."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, get_args

import pandas as pd
import pytest

from refino_eval.config import sources
from refino_eval.config.base import Label
from refino_eval.config.definitions import Definitions
from refino_eval.config.evaluation import Arm, Arms, Evaluation, Sample
from refino_eval.exhibits.kinds.itt.model import IttExhibit
from refino_eval.exhibits.tidy import read_tidy
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.exhibits.wording.number_format import NumberStyle
from refino_eval.registers import receipt_problems
from refino_eval.report import ReportInputs, build_report
from refino_eval.report.page.chapters import chapter_of
from refino_eval.report.page.charts import arm_style, chart_of
from refino_eval.report.page.explanations import explanations
from refino_eval.report.page.explorer import explorer_of, units_of, without_number
from refino_eval.report.page.inline_figures import DrawnSmall, InlineFigures, on_dark
from refino_eval.report.page.primary_effects import MainEffect, forest_of, main_effect
from refino_eval.report.page.report_page import SCRIPTS
from refino_eval.report.page.summary import _subject, summarise_numbers
from refino_eval.text import catalogue, say, say_if_any
from support import finished_run as run

VOID = {"meta", "br", "hr", "img", "input", "link", "path", "use", "rect", "circle", "line"}


class Page(HTMLParser):
    """Checks nesting and collects ids, links, headings and attributes that load something."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.loads: list[str] = []
        self.tags: set[str] = set()
        self.headings: list[int] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        for key in ("href", "xlink:href", "src", "srcset", "data", "action"):
            value = given.get(key)
            if value and value.startswith("#"):
                self.targets.append(value[1:])
            elif value:
                self.loads.append(value)
        for key in ("aria-labelledby", "aria-describedby"):
            self.targets += (given.get(key) or "").split()
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open, f"</{tag}> closes nothing"
            assert self.open.pop() == tag, f"</{tag}> closes another element"


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> ReportInputs:
    return run.make_run(tmp_path_factory.mktemp("run"), languages=("nb", "en"))


@pytest.fixture(scope="module", params=["nb", "en"])
def built(request: pytest.FixtureRequest, inputs: ReportInputs) -> tuple[str, str]:
    out = build_report(inputs, language=request.param, out_path=inputs.release_dir / f"report.{request.param}.html")
    return request.param, out.read_text(encoding="utf-8")


def _page(text: str) -> Page:
    page = Page()
    page.feed(text)
    page.close()
    return page


def test_well_formed_with_unique_ids_and_live_links(built: tuple[str, str]) -> None:
    language, text = built
    page = _page(text)
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert set(page.targets) <= set(page.ids)
    assert text.startswith("<!DOCTYPE html>")
    assert f'<html lang="{language}">' in text
    assert page.headings[0] == 1
    assert all(b - a <= 1 for a, b in zip(page.headings, page.headings[1:], strict=False))  # no level is skipped


def test_self_contained(built: tuple[str, str]) -> None:
    page = _page(built[1])
    # Nothing is loaded; the only link out of the page is to the page of all studies.
    assert page.loads == [f"../../index.{built[0]}.html"]
    assert not page.tags & {"link", "img", "iframe", "object", "form"}
    assert "url(http" not in built[1]
    assert "@import" not in built[1]
    # The only addresses are the names of XML vocabularies.
    assert set(re.findall(r"https?://[^\s\"'<>)]+", built[1])) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


def test_every_exhibit_is_there_with_a_text_for_its_picture(built: tuple[str, str], inputs: ReportInputs) -> None:
    language, text = built
    for name in inputs.evaluation.exhibits:
        exhibit = inputs.definitions.exhibits[name]
        section = text.split(f'id="exhibit-{name}"')[1].split('<section class="one"')[0]
        assert exhibit.title[language] in section
        if exhibit.kind in ("draws", "paths", "effects"):
            assert section.count('role="img"') == 1
            assert "<desc" in section


def test_banner(built: tuple[str, str], tmp_path: Path) -> None:
    language, text = built
    assert text.count('class="banner"') == 1
    assert say("report.synthetic_warning", language) in text
    public = run.make_run(tmp_path / "public", data_class="public", languages=(language,))
    page = build_report(public, language=language, out_path=tmp_path / "p.html").read_text(encoding="utf-8")
    assert 'class="banner"' not in page
    assert say("report.synthetic_warning", language) not in page
    assert say("comparison.lead_synthetic", language) not in page


def test_everything_is_escaped(built: tuple[str, str]) -> None:
    assert "<Oppfølging>" not in built[1]
    assert "Refino &amp; &lt;Oppfølging&gt;</h1>" in built[1]


def test_no_text_of_configuration_or_data_is_taken_as_html(tmp_path: Path) -> None:
    inputs = run.make_run(tmp_path)
    hostile = Label(nb="<img src=x>&'\"", en="<img src=x>&'\"")

    def relabelled(entries: dict[str, Any]) -> dict[str, Any]:
        fields = ("label", "title", "note", "unit", "description")
        return {
            name: entry.model_copy(update={field: hostile for field in fields if field in type(entry).model_fields})
            for name, entry in entries.items()
        }

    definitions = inputs.definitions
    changed = {
        kind: relabelled(getattr(definitions, kind))
        for kind in ("outcomes", "states", "covariates", "exhibits", "specifications")
    }
    for name, column in (
        ("flow", "reason"),
        ("quality_rules", "rule"),
        ("comparison", "printed"),
        ("linkage", "register"),
    ):
        table = pd.read_csv(inputs.run_dir / f"{name}.csv", dtype=str, keep_default_na=False)
        table[column] = "<img src=x>"
        table.to_csv(inputs.run_dir / f"{name}.csv", index=False)
    evaluation = inputs.evaluation.model_copy(update={"samples": relabelled(inputs.evaluation.samples)})
    hostile_inputs = dataclasses.replace(
        inputs, evaluation=evaluation, definitions=definitions.model_copy(update=changed)
    )
    text = build_report(hostile_inputs, language="en", out_path=tmp_path / "r.html").read_text(encoding="utf-8")
    assert "<img" not in text
    assert text.count("&lt;img src=x&gt;") > 50


def test_flow_quality_and_provenance_are_shown(built: tuple[str, str]) -> None:
    language, text = built
    assert {"nb": "Området gikk ut", "en": "The area left"}[language] in text
    assert {"nb": "84\N{NARROW NO-BREAK SPACE}211", "en": "84,211"}[language] in text
    assert "ab" * 32 in text
    assert ">20180501<" in text  # a seed is no amount: no grouping
    assert "cd" * 32 in text


def test_published_numbers_are_shown_with_ours(inputs: ReportInputs) -> None:
    out = build_report(inputs, language="en", out_path=inputs.release_dir / "printed.html").read_text(encoding="utf-8")
    section = out.split('id="exhibit-table_8_1"')[1].split("</section>")[0]
    line = "equal 1, differs in last digit 1, within sampling error 1, differs 1, missing 1"
    assert f'<a href="#compared-table_8_1">Against published numbers</a>: {line}</p>' in section
    block = out.split('id="compared-table_8_1"')[1].split("</details>")[0]
    assert f"</strong> (pages 76–78): {line}</summary>" in block
    pattern = r'<td>\(0\.017\)</td><td><a href="#(table_8_1:[^"]+)">0\.016</a></td><td class="left">differs in last digit</td>'
    ours = re.search(pattern, block)
    assert ours is not None
    assert f' id="published:{ours[1]}"' in block
    assert f'<td id="{ours[1]}"' in section
    assert block.count("<tr class=") == 5
    assert "Table 9" in out.split('<section class="chapter" id="comparison"')[1]
    assert say("comparison.why_exhibit_not_made", "en") in out


def test_no_script_runs_that_the_page_does_not_name(built: tuple[str, str]) -> None:
    _, text = built
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy is not None
    assert "default-src 'none'" in policy[1]
    named = set(re.findall(r"'(sha256-[^']+)'", html.unescape(policy[1])))
    scripts = re.findall(r"<script>(.*?)</script>", text, flags=re.DOTALL)
    hashes = {f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}" for script in scripts}
    assert len(scripts) == len(SCRIPTS)
    assert hashes == named
    assert not re.search(r"\son[a-z]+=", re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL))


def _data(text: str) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="page-data">(.*?)</script>', text, flags=re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_the_scripts_read_aggregates_that_the_page_shows(built: tuple[str, str], inputs: ReportInputs) -> None:
    language, text = built
    data = _data(text)
    assert data["language"] == language
    effect = next(o for o in data["explorer"]["outcomes"] if o["name"] == "any_wage_month_12")
    numbers = _frame(inputs).set_index(["panel", "column", "statistic"])["value"]
    assert effect["specifications"]["main"]["estimate"] == numbers["main", "any_wage", "estimate"]
    assert [unit["key"] for unit in effect["units"]] == ["points", "share", "relative"]
    trails = data["trails"]
    for place, (what, parts) in enumerate(trails["numbers"]):
        # The id of a cell is the number's name, which is also its address within the page.
        cell = re.search(rf'<td id="([^"\s]+)"[^>]*? data-trail="{place}"', text)
        assert cell is not None
        assert cell[1].count(":") >= 3
        assert len(parts) == 8
        assert all(trails["texts"][part] for part in what)
    assert set(data["charts"]) <= set(inputs.evaluation.exhibits)


def test_every_exhibit_is_in_one_chapter(built: tuple[str, str], inputs: ReportInputs) -> None:
    _, text = built
    chapters = re.split(r'<section class="chapter" id="', text)[1:]
    for name in inputs.evaluation.exhibits:
        held = [part.split('"', 1)[0] for part in chapters if f'id="exhibit-{name}"' in part]
        assert held == [chapter_of(inputs.definitions.exhibits[name])]


def test_the_numbers_shown_are_explained(built: tuple[str, str], inputs: ReportInputs) -> None:
    language, text = built
    exhibits = [inputs.definitions.exhibits[name] for name in inputs.evaluation.exhibits]
    explained = re.findall(r'id="explained-([a-z_]+)"', text)
    assert explained == [entry.name for entry in explanations(exhibits, language)]
    assert explained


def test_units_are_what_definitions_make_of_them(inputs: ReportInputs) -> None:
    assert without_number("100 000 kr (2023)", 100_000) == "kr (2023)"
    assert without_number("NOK 100,000 (2023)", 100_000) == "NOK (2023)"
    assert without_number("2100 000 kr", 100_000) == ""
    assert without_number("timer", 100) == ""
    labels = LabelBook.of(inputs.evaluation, inputs.definitions)
    assert [unit["key"] for unit in units_of(None, labels)] == ["own", "relative"]


def test_same_bytes_again(inputs: ReportInputs, tmp_path: Path) -> None:
    pages = [build_report(inputs, language="nb", out_path=tmp_path / f"{k}.html").read_bytes() for k in range(2)]
    assert pages[0] == pages[1]


def test_without_the_tables_of_a_run_the_report_is_shorter(inputs: ReportInputs, tmp_path: Path) -> None:
    bare = dataclasses.replace(inputs, run_dir=tmp_path)
    text = build_report(bare, language="en", out_path=tmp_path / "r.html").read_text(encoding="utf-8")
    page = _page(text)
    assert not {"flow", "quality", "comparison", "provenance"} & set(page.ids)
    assert set(page.targets) <= set(page.ids)


def _frame(inputs: ReportInputs, shift: float = 0.0) -> pd.DataFrame:
    frame = read_tidy(inputs.aggregates_dir / "table_8_1.csv")
    here = (frame["column"] == "any_wage") & frame["statistic"].isin(["estimate", "conf_low", "conf_high"])
    frame.loc[here, "value"] += shift
    return frame


def test_the_range_of_an_interval_is_what_the_data_are_compatible_with(inputs: ReportInputs) -> None:
    effect, _ = _main_effect(inputs, _frame(inputs))
    assert effect.includes_zero
    assert (effect.estimate, effect.interval, effect.mean) == ("−1.0 percentage points", "[−4.1, 2.2]", "47%")
    assert "'Any wage' from −4.1 to 2.2 percentage points" in effect.compatible


@pytest.mark.parametrize("shift", [0.09, -0.09])
def test_an_interval_that_excludes_zero_is_an_effect(inputs: ReportInputs, shift: float) -> None:
    labels = LabelBook.of(inputs.evaluation, inputs.definitions)
    summary = summarise_numbers(inputs, {"table_8_1": _frame(inputs, shift)}, labels)
    (effect,) = summary.effects  # the one primary outcome
    assert not effect.includes_zero
    assert effect.signed == ("+8.0 percentage points" if shift > 0 else "−10.0 percentage points")
    assert summary.findings == (
        say("summary.primary_all", "en", n=1, outcomes=f"'Any wage' ({effect.signed})"),
        effect.compatible,
        say("summary.tally", "en", n=1, total=4, level="95", expected="0.2"),
    )


def test_the_first_page_states_when_people_were_assigned(inputs: ReportInputs) -> None:
    labels = LabelBook.of(inputs.evaluation, inputs.definitions)
    draws = read_tidy(inputs.aggregates_dir / "figure_2_1.csv")
    counts = draws["statistic"] == "count"
    # Nobody in the first month, and counts withheld in the last.
    draws.loc[counts & (draws["row"] == "2018-05"), "value"] = 0.0
    draws.loc[counts & (draws["row"] == "2021-12"), "value"] = float("nan")
    frames = {"table_8_1": _frame(inputs), "figure_2_1": draws}
    assert summarise_numbers(inputs, frames, labels).lead[-1] == "People were assigned from June 2018 to December 2021."
    assert "assigned from" not in summarise_numbers(inputs, {"table_8_1": _frame(inputs)}, labels).lead[-1]


def test_the_first_page_shows_the_effects_of_the_chapter_of_results(inputs: ReportInputs) -> None:
    results = inputs.definitions.exhibits["table_8_1"]
    assert isinstance(results, IttExhibit)
    kept = {"any_wage": results.columns["any_wage"]}
    exhibits = {
        "programmes": results.model_copy(update={"chapter": "take_up"}),
        "table_8_1": results.model_copy(update={"columns": kept}),
    }
    outcomes = {k: v.model_copy(update={"role": "secondary"}) for k, v in inputs.definitions.outcomes.items()}
    changed = dataclasses.replace(
        inputs,
        evaluation=inputs.evaluation.model_copy(update={"exhibits": tuple(exhibits)}),
        definitions=inputs.definitions.model_copy(
            update={"exhibits": {**inputs.definitions.exhibits, **exhibits}, "outcomes": outcomes}
        ),
    )
    labels = LabelBook.of(changed.evaluation, changed.definitions)
    both = summarise_numbers(changed, {"programmes": _frame(inputs), "table_8_1": _frame(inputs)}, labels)
    assert len(both.effects) == 1
    alone = summarise_numbers(changed, {"programmes": _frame(inputs)}, labels)
    assert len(alone.effects) == len(results.columns) > 1


def test_the_first_page_shows_the_effects_that_the_evaluation_names(inputs: ReportInputs) -> None:
    results = inputs.definitions.exhibits["table_8_1"]
    assert isinstance(results, IttExhibit)
    column, other = list(results.columns)[:2]
    samples = {**inputs.evaluation.samples, "men": Sample(label=Label(nb="Menn", en="Men"))}
    named = {"table_8_1": (other,), "men": (other, column)}
    exhibits = {"table_8_1": results, "men": results.model_copy(update={"sample": "men"})}
    evaluation = inputs.evaluation.model_copy(
        update={"exhibits": tuple(exhibits), "first_page": named, "samples": samples}
    )
    definitions = inputs.definitions.model_copy(update={"exhibits": {**inputs.definitions.exhibits, **exhibits}})
    changed = dataclasses.replace(inputs, evaluation=evaluation, definitions=definitions)
    labels = LabelBook.of(evaluation, definitions)
    summary = summarise_numbers(changed, {"table_8_1": _frame(inputs), "men": _frame(inputs)}, labels)
    first = labels.outcome(results.columns[other])
    # An outcome of two samples is distinguished by them, and none is left out because it was shown already.
    assert [effect.name.startswith(first) for effect in summary.effects] == [True, True, False]
    assert [", men" in effect.name for effect in summary.effects] == [False, True, True]
    assert any(text.startswith("Men: We compare") for text in summary.lead)
    assert say("summary.shown_named", "en") in summary.intervals
    # The count over all outcomes would mix the samples.
    assert not any("would be expected" in text for text in summary.findings)


def test_a_comparison_of_treated_arms_is_named_by_both(inputs: ReportInputs) -> None:
    results = inputs.definitions.exhibits["table_8_1"]
    control = Arm(name="nothing", label=Label(nb="Ingenting", en="Nothing"))
    old = inputs.evaluation.arms
    both = Arms(treated_arms=(old.treated, old.control), control=control)
    own = results.model_copy(update={"arm": old.treated.name, "against": old.control.name})
    evaluation = inputs.evaluation.model_copy(update={"exhibits": ("table_8_1",), "arms": both})
    definitions = inputs.definitions.model_copy(update={"exhibits": {"table_8_1": own}})
    changed = dataclasses.replace(inputs, evaluation=evaluation, definitions=definitions)
    labels = LabelBook.of(evaluation, definitions)
    summary = summarise_numbers(changed, {"table_8_1": _frame(inputs)}, labels)
    assert "Nothing" not in " ".join(summary.lead)
    name = say("summary.against", "en", treated=old.treated.label.en, control=old.control.label.en)
    assert all(effect.name.startswith(f"{name}: ") for effect in summary.effects)
    # Where it is not a result (people chose to take part), it is no effect of the trial.
    aside = own.model_copy(update={"chapter": "take_up"})
    changed = dataclasses.replace(
        changed, definitions=definitions.model_copy(update={"exhibits": {"table_8_1": aside}})
    )
    assert not summarise_numbers(changed, {"table_8_1": _frame(inputs)}, labels).effects


def test_questions_without_an_answer_are_answered_by_saying_so(inputs: ReportInputs) -> None:
    labels = LabelBook.of(inputs.evaluation, inputs.definitions)
    without_linkage = dataclasses.replace(inputs, run_dir=inputs.run_dir / "nothing")
    summary = summarise_numbers(without_linkage, {"table_8_1": _frame(inputs)}, labels)
    assert summary.costs == (say("summary.no_costs", "en"),)
    assert summary.validity == (say("summary.no_checks", "en"),)
    of_inputs = dataclasses.replace(inputs, evaluation=inputs.evaluation.model_copy(update={"entry": "inputs"}))
    alone = summarise_numbers(of_inputs, {}, labels)
    assert (alone.lead, alone.limits) == (
        (say("summary.from_inputs", "en"),),
        (say("summary.limit_inputs", "en"),),
    )
    assert alone.validity == alone.costs == ()


@pytest.mark.parametrize(
    ("title", "subject"),
    [
        ("Table 8.3. Costs by monthly prices. Kroner, VAT included", "Costs by monthly prices"),
        ("Kostnader inkl. mva. etter regnskapet", "Kostnader inkl. mva. etter regnskapet"),
        ("Costs.", "Costs"),
    ],
)
def test_the_subject_of_a_title_has_no_number_and_no_units(title: str, subject: str) -> None:
    assert _subject(title) == subject


def _counted(inputs: ReportInputs, excluding: int, of: int, role: str) -> list[str]:
    """Return the findings of a summary of `of` outcomes, of which the intervals of the first `excluding` exclude zero."""
    frame = read_tidy(inputs.aggregates_dir / "table_8_1.csv")
    columns = list(inputs.definitions.exhibits["table_8_1"].columns)
    frame = frame[frame["column"].isin(columns[:of])].copy()
    for statistic, low in (("conf_low", 1.0), ("conf_high", 2.0)):
        chosen = frame["statistic"] == statistic
        frame.loc[chosen, "value"] = -1.0 if statistic == "conf_low" else 1.0
        frame.loc[chosen & frame["column"].isin(columns[:excluding]), "value"] = low
    outcomes = {k: v.model_copy(update={"role": role}) for k, v in inputs.definitions.outcomes.items()}
    definitions = inputs.definitions.model_copy(update={"outcomes": outcomes})
    labels = LabelBook.of(inputs.evaluation, definitions)
    changed = dataclasses.replace(inputs, definitions=definitions)
    return list(summarise_numbers(changed, {"table_8_1": frame}, labels).findings)


@pytest.mark.parametrize("role", ["primary", "secondary"])
@pytest.mark.parametrize(
    ("excluding", "of", "case"),
    [(0, 1, "none"), (0, 3, "none"), (1, 1, "all"), (3, 3, "all"), (1, 3, "some"), (2, 3, "some")],
)
def test_none_one_some_and_all_outcomes_have_their_sentences(
    inputs: ReportInputs, excluding: int, of: int, case: str, role: str
) -> None:
    theme = "primary" if role == "primary" else "outcomes"
    n = excluding if case == "some" else of
    text = catalogue("summary").entries[f"{theme}_{case}"]["en"]["one" if n == 1 else "other"]
    pattern = re.sub(r"\\\{\w+\\\}", ".+", re.escape(text))
    assert sum(re.fullmatch(pattern, sentence) is not None for sentence in _counted(inputs, excluding, of, role)) == 1


def test_of_several_treated_arms_each_has_its_own_finding(inputs: ReportInputs) -> None:
    labels = LabelBook.of(inputs.evaluation, inputs.definitions)
    other = _frame(inputs, 0.09).replace({"row": {"refino": "oppfolging"}})
    frames = {"table_8_1": pd.concat([_frame(inputs), other], ignore_index=True)}
    both = dataclasses.replace(labels, control="x", several=("refino", "oppfolging"))
    summary = summarise_numbers(inputs, frames, both)
    assert [effect.name.split(":")[0] for effect in summary.effects] == ["Refino", "Oppfølging"]
    assert [effect.includes_zero for effect in summary.effects] == [True, False]
    explorer = explorer_of(inputs, frames, both)
    assert explorer is not None
    assert {o["name"].split(":")[1] for o in explorer["outcomes"]} == {"refino", "oppfolging"}


def test_a_figure_of_more_than_the_page_can_draw_is_left_as_it_is(inputs: ReportInputs) -> None:
    labels = LabelBook.of(inputs.evaluation, inputs.definitions)
    name = next(n for n in inputs.evaluation.exhibits if inputs.definitions.exhibits[n].kind == "paths")
    exhibit, frame = inputs.definitions.exhibits[name], read_tidy(inputs.aggregates_dir / f"{name}.csv")
    assert chart_of(exhibit, frame, labels) is not None
    more = pd.concat([frame, frame.assign(panel=frame["panel"] + ":women")], ignore_index=True)
    assert chart_of(exhibit, more, labels) is None


def test_charts_have_the_units_scales_and_colours_of_the_figures(inputs: ReportInputs) -> None:
    labels = LabelBook.of(inputs.evaluation, inputs.definitions).in_language("en")
    exhibit, frame = inputs.definitions.exhibits["figure_8_1"], read_tidy(inputs.aggregates_dir / "figure_8_1.csv")
    chart = chart_of(exhibit, frame, labels)
    assert chart is not None
    shares = [panel for panel in chart["panels"] if panel["unit"] == "per cent"]
    means = frame[frame["statistic"] == "mean"].set_index(["panel", "column", "row"])["value"]
    series = shares[0]["series"][0]
    assert series["y"][0] == pytest.approx(100 * means[shares[0]["state"], "refino", str(series["x"][0])])
    assert len({panel["limits"] for panel in shares}) == 1
    style = arm_style(dataclasses.replace(labels, colours={"refino": "#7a0177", "oppfolging": "#00605a"}))
    assert "--treated:#7a0177;--control:#00605a;" in style
    assert style.count("--treated") == 2  # a lighter one for a dark screen


def test_without_a_primary_outcome_all_are_shown(inputs: ReportInputs) -> None:
    labels = LabelBook.of(inputs.evaluation, inputs.definitions)
    outcomes = {k: v.model_copy(update={"role": "secondary"}) for k, v in inputs.definitions.outcomes.items()}
    others = dataclasses.replace(inputs, definitions=inputs.definitions.model_copy(update={"outcomes": outcomes}))
    summary = summarise_numbers(others, {"table_8_1": _frame(inputs)}, labels.in_language("nb"))
    assert len(summary.effects) == 4
    assert summary.findings[-1] == say("summary.by_chance", "nb", expected="0,2")


def test_a_suppressed_effect_has_no_sentence(inputs: ReportInputs) -> None:
    frame = _frame(inputs)
    frame.loc[(frame["column"] == "any_wage") & (frame["statistic"] == "estimate"), ["value", "status"]] = [
        float("nan"),
        "suppressed",
    ]
    labels = LabelBook.of(inputs.evaluation, inputs.definitions)
    assert main_effect(frame, "main", "any_wage", "any_wage_month_12", labels) is None


def _main_effect(inputs: ReportInputs, frame: pd.DataFrame) -> tuple[MainEffect, LabelBook]:
    labels = LabelBook.of(inputs.evaluation, inputs.definitions).in_language("en")
    effect = main_effect(frame, "main", "any_wage", "any_wage_month_12", labels)
    assert effect is not None
    return effect, labels


def test_an_effect_in_per_cent_is_divided_by_the_control_mean(inputs: ReportInputs) -> None:
    frame = _frame(inputs)
    effect, labels = _main_effect(inputs, frame)
    cell = frame[(frame["column"] == "any_wage") & (frame["row"] == "refino") & (frame["panel"] == "main")]
    number = cell.set_index("statistic")["value"]
    assert effect.relative is not None
    for share, statistic in zip(effect.relative, ("estimate", "conf_low", "conf_high"), strict=True):
        assert share == pytest.approx(number[statistic] / number["mean_control"])
    forest = forest_of([effect], labels)
    assert forest is not None
    shown, _ = forest.rows[0]
    assert shown[1:4] == ("47%", "−1.0 percentage points", "[−4.1, 2.2]")
    assert shown[4] == NumberStyle.of("en").percent(number["estimate"] / number["mean_control"])


def test_the_marks_are_where_the_ticks_say(inputs: ReportInputs) -> None:
    effect, labels = _main_effect(inputs, _frame(inputs))
    forest = forest_of([effect], labels)
    assert forest is not None
    _, mark = forest.rows[0]
    assert mark is not None
    (first, first_text), (last, last_text) = forest.ticks[0], forest.ticks[-1]
    low, high = (float(text.replace("−", "-")) for text in (first_text, last_text))
    for place, share in zip((mark.x, mark.low, mark.high), effect.relative or (), strict=True):
        read = low + (high - low) * (place - first) / (last - first)
        assert read == pytest.approx(100 * share, abs=0.1)
    assert not mark.filled


@pytest.mark.parametrize("mean", [0.0, -0.2])
def test_without_a_positive_control_mean_the_axis_has_the_outcome_s_unit(inputs: ReportInputs, mean: float) -> None:
    frame = _frame(inputs)
    frame.loc[(frame["column"] == "any_wage") & (frame["statistic"] == "mean_control"), "value"] = mean
    effect, labels = _main_effect(inputs, frame)
    forest = forest_of([effect], labels)
    assert forest is not None
    assert forest.in_units
    assert forest.directions == ("\N{LEFTWARDS ARROW} lower", "higher \N{RIGHTWARDS ARROW}")
    assert forest.head[-1] == say("summary.axis_units", "en", unit="percentage points")
    assert forest.ticks[0][1] == "−6"
    # Beside outcomes of another unit it has no mark.
    other = dataclasses.replace(effect, unit="hours", relative=(0.1, 0.0, 0.2))
    both = forest_of([effect, other], labels)
    assert both is not None
    assert [mark is None for _, mark in both.rows] == [True, False]


def test_checks_of_the_design_come_worst_first(inputs: ReportInputs, tmp_path: Path) -> None:
    without_linkage = dataclasses.replace(inputs, run_dir=tmp_path)
    labels = LabelBook.of(inputs.evaluation, inputs.definitions)
    frames = {name: read_tidy(inputs.aggregates_dir / f"{name}.csv") for name in ("table_i", "figure_effects")}
    summary = summarise_numbers(without_linkage, frames, labels)
    assert "0.082" in summary.checks[0]  # the joint test of balance
    assert all("0.560" in text for text in summary.checks[1:])  # the periods before assignment
    assert summary.validity == (
        say("summary.checks_none", "en", n=len(summary.checks), limit="0.05"),
        say("summary.checks_least", "en", check=summary.checks[0]),
    )
    effects = frames["figure_effects"]
    effects.loc[
        (effects["panel"] == "any_wage") & (effects["row"] == "placebo") & (effects["statistic"] == "p_value"), "value"
    ] = 0.012
    balance = frames["table_i"]
    balance.loc[(balance["row"] == "joint_test") & (balance["statistic"] == "p_value"), "value"] = 0.0002
    worse = summarise_numbers(without_linkage, frames, labels)
    assert "<0.001" in worse.checks[0]
    assert "0.012" in worse.checks[1]
    total = len(worse.checks)
    assert worse.validity[1:] == worse.checks[:2]
    assert worse.validity[0] == say(
        "summary.checks_some",
        "en",
        n=2,
        total=total,
        limit="0.05",
        expected=NumberStyle.of("en").fixed(0.05 * total, 1),
    )


def test_checks_of_two_tables_of_a_kind_are_distinguished_by_title(inputs: ReportInputs, tmp_path: Path) -> None:
    definitions, balance = inputs.definitions, inputs.definitions.exhibits["table_i"]
    other = balance.model_copy(update={"title": Label(nb="Menn", en="Men")})
    two = dataclasses.replace(
        inputs,
        run_dir=tmp_path,
        evaluation=inputs.evaluation.model_copy(update={"exhibits": ("table_i", "men")}),
        definitions=definitions.model_copy(update={"exhibits": {**definitions.exhibits, "men": other}}),
    )
    frame = read_tidy(inputs.aggregates_dir / "table_i.csv")
    frame.loc[frame["statistic"] == "p_value", "value"] = 0.01
    labels = LabelBook.of(two.evaluation, two.definitions)
    # The same numbers twice are one check.
    assert len(summarise_numbers(two, {"table_i": frame, "men": frame}, labels).checks) == 1
    men = frame.assign(value=frame["value"].where(frame["statistic"] != "p_value", 0.02))
    summary = summarise_numbers(two, {"table_i": frame, "men": men}, labels)
    assert sorted(text.split(" Balance:")[0] for text in summary.checks) == ["Balance (Table I).", "Men."]
    assert summary.validity[0] == say("summary.checks_all", "en", n=2, limit="0.05")


def test_every_rule_that_rejects_rows_has_a_text() -> None:
    named = {
        rule.model_fields["rule"].annotation
        for rule in get_args(get_args(sources.Rule)[0])
        if rule is not sources.HoursFromPercent
    }
    rules = {name for literal in named for name in get_args(literal)} | set(receipt_problems._RULES)
    assert [rule for rule in sorted(rules) if not say_if_any(f"report.rule_{rule}", "nb")] == []


def test_the_worst_linkage_is_among_the_checks(inputs: ReportInputs) -> None:
    labels = LabelBook.of(inputs.evaluation, inputs.definitions)
    checks = summarise_numbers(inputs, {}, labels).checks
    assert checks[0] == say("summary.check_linkage", "en", register="jobs", share="79.6%", expected="90.0%")
    shares = {"share_treated": "82.1%", "share_control": "78.1%"}
    assert checks[1] == say("summary.check_linkage_by_arm", "en", register="jobs", **shares)


def test_a_person_table_has_a_report_too(inputs: ReportInputs, tmp_path: Path) -> None:
    arms = inputs.evaluation.arms.model_dump(mode="json")
    study = Evaluation.model_validate(
        {
            "name": "file", "label": {"nb": "Fil", "en": "File"}, "data_class": "public", "entry": "person_table", "data": "data/x",
            "person_table": {"file": "x.csv", "treated": "z", "strata": ["site"], "outcomes": {"pay": "y1", "days": "y2"},
                             "labels": {"pay": {"nb": "Lønn", "en": "Pay"}}},
            "arms": arms,
            "exhibits": ["table_8_1"],
        }
    )  # fmt: skip
    exhibit = inputs.definitions.exhibits["table_8_1"].model_copy(
        update={"columns": {"any_wage": "pay", "weekly_hours": "days"}}
    )
    definitions = Definitions.model_validate({}).model_copy(
        update={"exhibits": {"table_8_1": exhibit}, "specifications": inputs.definitions.specifications}
    )
    run_of_file = ReportInputs(study, definitions, inputs.aggregates_dir, inputs.release_dir, tmp_path)
    text = build_report(run_of_file, language="en", out_path=tmp_path / "r.html").read_text(encoding="utf-8")
    assert '<th scope="col">Pay</th><th scope="col">Days</th>' in text
    row = re.search(r'<th scope="row">Pay</th>(.*)<td class="mark">', text)
    assert row is not None
    assert [re.sub("<[^>]+>", "", cell) for cell in row[1].split("</td>")][:3] == ["0.47", "−0.010", "[−0.041, 0.022]"]
    assert "Fixed effects, site</th>" in text
    assert 'class="banner"' not in text


GLYPHS = """<?xml version="1.0"?>
<!DOCTYPE svg>
<svg role="img" aria-labelledby="{name}-title" width="{width}pt" height="5pt" viewBox="0 0 {width} 5"
  xmlns:xlink="http://www.w3.org/1999/xlink" xmlns="http://www.w3.org/2000/svg" version="1.1">
<metadata>made</metadata>
<title id="{name}-title">A &amp; B</title>
<g id="{name}-text"><g style="fill: #222222" transform="translate(1.123456 2) scale(0.085 -0.085)"><defs>
<path id="{name}-A" d="M 678 2272
L 4684 2272
z
" transform="scale(0.015625)"/></defs><use xlink:href="#{name}-A"/><use xlink:href="#{name}-A" transform="translate(63.623047 0)"/></g>
<path d="M 1.23456 2
L -0.00004 7.5
" clip-path="url(#{name}-clip)" style="fill: #0b3c5d; stroke: #222222"/>
<defs><clipPath id="{name}-clip"><rect x="1.23456" y="2"/></clipPath></defs></g></svg>"""


def test_figures_of_a_page_share_their_letters_and_follow_its_colours() -> None:
    figures = InlineFigures()
    first, second = (
        figures.placed(DrawnSmall().as_part(GLYPHS.format(name=name, width=width)))
        for name, width in (("a", 547), ("b", 316))
    )
    assert first == (
        '<svg role="img" aria-labelledby="a-title" viewBox="0 0 547 5"><title id="a-title">A &amp; B</title>'
        '<g style="fill:var(--f0)" transform="translate(1.12 2) scale(0.085 -0.085)"><use href="#g0"/><use href="#g0" x="63.62"/></g>'
        '<path d="M1.23 2L-0 7.5" clip-path="url(#d1)" style="fill:var(--f1);stroke:var(--f0)"/>'
        '<defs><clipPath id="d1"><rect x="1.23" y="2"/></clipPath></defs></svg>'
    )
    # Drawn narrow, it is not stretched; ids are those of the page.
    assert 'viewBox="0 0 316 5" class="narrow"' in second
    assert 'href="#g0"' in second
    assert 'id="d2"' in second
    assert figures.shared.count("<path") == 1
    assert "--f0:#222222;--f1:#0b3c5d;" in figures.style
    assert f"--f1:{on_dark('#0b3c5d')};" in figures.style.split("prefers-color-scheme: dark")[1]
    assert InlineFigures().shared == InlineFigures().style == ""


def test_departures_from_the_registered_plan_are_shown(tmp_path: Path) -> None:
    inputs = run.make_run(tmp_path)
    page = build_report(inputs, language="en", out_path=tmp_path / "before.html").read_text(encoding="utf-8")
    assert say("report.plan", "en") not in page
    (inputs.run_dir / "plan.csv").write_text(
        "outcome,change,registered_sha256,current_sha256,fields\n"
        "any_wage_month_12,definition,0123456789abcdef,fedcba9876543210,outcome.at: 12 -> 11\n",
        encoding="utf-8",
    )
    page = build_report(inputs, language="en", out_path=tmp_path / "after.html").read_text(encoding="utf-8")
    for text in (say("report.plan", "en"), "0123456789ab", "fedcba987654", "outcome.at: 12 -&gt; 11"):
        assert text in page
