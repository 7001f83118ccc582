"""The page of all studies: what it lists, what it keeps back, and forests whose rows are configuration."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from statsmodels.stats.meta_analysis import combine_effects

from refino_eval.config.across.forests import load_forests
from refino_eval.errors import UserError
from refino_eval.exhibits.tidy import tidy_frame, write_tidy
from refino_eval.report.studies.forest import by_horizon, forest_effects, heterogeneity
from refino_eval.report.studies.forest_drawing import SHAPES, forest_drawing
from refino_eval.report.studies.study_page import write_study_page

WORD = {"nb": "ord", "en": "word"}
LABEL = {"label": WORD, "outcome": WORD}


def own(evaluation, horizon, **more):
    at = {"evaluation": evaluation, "exhibit": "table_1", "panel": "main", "row": "treated", "column": "work"}
    return {"label": {"nb": evaluation, "en": evaluation}, "outcome": WORD, "horizon": horizon, "own": at, **more}


def project(root, rows):
    """Write a project with a public, a synthetic and a confidential evaluation that were run."""
    for name, data_class, estimate in (
        ("first", "public", 0.01),
        ("second", "synthetic", 0.05),
        ("secret", "confidential", 0.4321),
    ):
        study = {"name": name, "label": {"nb": f"Studie {name}", "en": f"Study {name}"}, "data_class": data_class}
        study |= {"entry": "inputs"} if name == "first" else {}
        path = root / "config/evaluations" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(study))
        run = root / "results" / name / "run"
        run.mkdir(parents=True)
        (run / "flow.csv").write_text(
            "step,reason,persons,treated,control\ndelivered,,9999,5000,4999\nanalysed,,4321,2000,2321\n"
        )
        (run / "comparison.csv").write_text("verdict\nequal\ndiffers\ninput\n")
        (root / "results" / name / "aggregates").mkdir()
        numbers = {"estimate": estimate, "std_error": 0.01, "conf_low": estimate - 0.02, "conf_high": estimate + 0.02}
        keys = {"exhibit": "table_1", "panel": "main", "row": "treated", "column": "work", "n_persons": 77}
        write_tidy(
            tidy_frame([{**keys, "statistic": k, "value": v} for k, v in numbers.items()]),
            root / "results" / name / "aggregates/table_1.csv",
        )
    forest = {"title": WORD, "unit": WORD, "times": 100, "rows": rows}
    (root / "config/forests.yaml").write_text(yaml.safe_dump({"forests": {"work": forest}}))
    return root


STATED = {**LABEL, "horizon": 12, "published": {"range": [3, 4], "source": "A document, p. 3"}}


def test_effects_are_those_of_the_aggregates_and_the_sources_by_horizon(tmp_path):
    rows = [own("second", 24, design="observational"), own("second", 12), STATED, own("first", 12), own("secret", 12)]
    root = project(tmp_path, rows)
    (forest,) = load_forests(root).values()
    classes = {"first": "public", "second": "synthetic", "secret": "confidential"}
    effects, left_out = forest_effects(forest, root / "results", root / "data/published", classes)
    assert left_out == ["secret"]
    assert [(e.row.horizon, round(e.estimate, 6), e.synthetic) for e in effects] == [
        (12, 5, True), (12, 3.5, False), (12, 1, False), (24, 5, True),
    ]  # fmt: skip
    assert (effects[0].low, effects[0].high, effects[0].n) == (pytest.approx(3), pytest.approx(7), 77)
    (_, _, among), (_, _, alone) = by_horizon(effects)
    assert among.q == pytest.approx((5 - 1) ** 2 / 2)
    assert alone is None, "an observational comparison does not count, nor does one study alone"


def test_a_forest_is_drawn_for_wide_and_narrow_screens_and_described_in_words(tmp_path):
    root = project(tmp_path, [own("first", 12), STATED])
    (forest,) = load_forests(root).values()
    effects, _ = forest_effects(forest, root / "results", root / "data/published", {"first": "public"})
    wide, narrow = (forest_drawing(forest, effects, "en", shape) for shape in SHAPES)
    for drawing in (wide, narrow):
        marks = [x for row in drawing["rows"] if not row["head"] for x in (row["low"], row["x"], row["high"])]
        assert all(0 < x < drawing["width"] for x in [*marks, *(tick["x"] for tick in drawing["ticks"])])
        assert max(row["y"] for row in drawing["rows"]) < drawing["bottom"] < drawing["height"]
    assert wide["described"] == narrow["described"]
    assert "Month 12." in wide["described"]
    assert "first, word, N = 77: 1.0 [−1.0, 3.0]." in wide["described"]
    assert 2 <= len(narrow["ticks"]) <= len(wide["ticks"])
    # The text of an effect is above its mark where there is no room next to it.
    own_row = next(row for row in narrow["rows"] if row.get("label") == "first")
    assert own_row["mark"] > own_row["y"] + 15


def test_heterogeneity_is_that_of_statsmodels():
    estimates, errors = np.array([0.1, 0.25, -0.02, 0.4]), np.array([0.05, 0.1, 0.04, 0.2])
    ours, theirs = heterogeneity(estimates, errors), combine_effects(estimates, errors**2, method_re="dl")
    assert (ours.q, ours.df) == (pytest.approx(theirs.q), theirs.df)
    assert ours.i_squared == pytest.approx(theirs.i2)
    assert ours.p_value == pytest.approx(theirs.test_homogeneity().pvalue)


def test_the_page_shows_all_runs_and_no_number_of_confidential_data(tmp_path):
    pages = {
        path.name: path.read_text(encoding="utf-8")
        for path in write_study_page(project(tmp_path, [own("first", 12), STATED, own("secret", 12)]))
    }
    assert set(pages) == {"index.nb.html", "index.en.html"}
    english = pages["index.en.html"]
    assert all(f"Study {name}" in english for name in ("first", "second", "secret"))
    assert english.count("4,321") == 2, "people of the public and the synthetic one alone"
    assert "1 of 2" in english
    assert english.count('<td class="left">calculation, no people</td>') == 1
    assert english.count('<td class="left">randomised</td>') == 2
    assert "43.2" not in english
    assert "A document, p. 3" in english
    assert "3 til 4 (oppgitt intervall)" in pages["index.nb.html"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"own": None}, "either `own` or `published`"),
        ({"own": {**own("frist", 12)["own"]}}, "'frist', which does not exist. Did you mean 'first'?"),
        ({"own": None, "published": {"estimate": 1, "range": [1, 2], "source": "s"}}, "`estimate`, or `range`"),
        ({"own": None, "published": {"document": "d", "at": "t//r/c", "source": "s"}}, "data/published/d.csv"),
    ],
)
def test_an_invalid_comparison_is_reported(change, says, tmp_path):
    row = {key: value for key, value in {**own("first", 12), **change}.items() if value is not None}
    with pytest.raises(UserError) as fault:
        load_forests(project(tmp_path, [row]))
    assert says in "\n".join(fault.value.problems)


def test_the_shipped_comparisons_are_valid():
    root = Path(__file__).resolve().parents[3]
    for forest in load_forests(root).values():
        effects, _ = forest_effects(forest, root / "nowhere", root / "data/published", {})
        assert {effect.row.published.source != "" for effect in effects} == {True}
        assert any(effect.std_error > 0 for effect in effects), "a published number with its standard error"
