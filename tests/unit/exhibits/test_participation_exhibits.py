"""Exhibits of who took part in what and of whose outcome is observed: right numbers, defined edges, nothing hidden."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from refino_eval import estimation as est
from refino_eval.config.base import Label
from refino_eval.config.definitions import Definitions
from refino_eval.errors import UserError
from refino_eval.exhibits.aggregate import aggregate
from refino_eval.exhibits.layout.heads import MARKS
from refino_eval.exhibits.numbers.study import PersonFiles, Study
from refino_eval.exhibits.render import figure_notes, render, table_of
from refino_eval.exhibits.verification import require_agreement, verify
from refino_eval.exhibits.wording.labels import LabelBook
from refino_eval.text import say
from support.builders import LABEL

TABLES = ("late", "fall", "fall_columns", "who", "seen", "ever", "start")
FIGURES = ("take", "stay")
STATES = ("in_new", "in_old", "in_other")


def definitions():
    def exhibit(kind, **more):
        return {"kind": kind, "title": LABEL, **more}

    state = {"label": LABEL, "description": "x", "expression": "1", "unit": LABEL}
    spec = {"label": LABEL, "description": "x", "controls": [{"covariate": "age"}]}
    window = {"states": list(STATES), "window": [0, 3]}
    return Definitions.model_validate(
        {
            "states": {
                name: {**state, "label": {"nb": name, "en": name.removeprefix("in_")}} for name in STATES
            },
            "covariates": {
                n: {"kind": "column", "column": n, "label": {"nb": n, "en": n}} for n in ("age", "female", "same")
            },
            "specifications": {"main": spec, "none": {**spec, "controls": []}},
            "exhibits": {
                "late": exhibit("late", columns={"work": "work"}, take_up="started_new", participation=window),
                "fall": exhibit("fall_back", participation=window),
                "fall_columns": exhibit("fall_back", participation={"columns": {"new": "started_new", "old": "started_old"}}),
                "who": exhibit(
                    "compliers", covariates=["age", "female", "same"], take_up="started_new", columns={"work": "work"}
                ),
                "seen": exhibit(
                    "attrition", columns={"work": "work", "wage": "wage"}, observed={"wage": "work"},
                    ranges={"work": [0, 1]}, tighten="female",
                ),
                "ever": exhibit(
                    "ever_started", states=list(STATES), within=[1, 3], programmes={"treat": "in_new", "ctrl": "in_old"}
                ),
                "start": exhibit(
                    "starters", started={"treat": "started_new", "ctrl": "started_old"}, covariates=["age", "female", "same"]
                ),
                "take": exhibit("take_up", states=["in_new", "in_old"], first=0),
                "stay": exhibit("spell_survival", states=["in_new", "in_old"], gap=0),
            },
        }
    )  # fmt: skip


def trial(folder, *, n=500, take_up=0.7, one_arm=True):
    """Make a trial of ten cells with a cell of one arm, whose months of participation are known."""
    rng = np.random.default_rng(11)
    cell = rng.integers(0, 10, n)
    treated = (rng.random(n) < 0.25 + 0.05 * cell).astype(int)
    if one_arm:
        treated[cell == 0] = 1
    times = np.arange(-2, 5)
    starts = rng.random(n) < take_up
    begin, length = rng.integers(0, 2, n), rng.integers(1, 5, n)
    inside = starts[:, None] & (times >= begin[:, None]) & (times < (begin + length)[:, None])
    months = {
        "in_new": inside & (treated == 1)[:, None],
        "in_old": inside & (treated == 0)[:, None],
        "in_other": rng.random((n, times.size)) < 0.05,
    }
    ids = [f"{i:05d}" for i in range(n)]
    cohort = pd.DataFrame(
        {
            "person_id": ids, "treated": treated, "cell": [f"c{c}" for c in cell],
            "age": rng.normal(40, 10, n).round(1), "female": rng.integers(0, 2, n).astype(float), "same": 1.0,
            "sample_analysed": True,
        }
    )  # fmt: skip
    cohort.to_parquet(folder / "cohort.parquet")
    panel = pd.DataFrame({"person_id": np.repeat(ids, times.size), "event_time": np.tile(times, n)})
    for state, values in months.items():
        panel[state] = values.ravel().astype(float)
    panel.to_parquet(folder / "panel_month.parquet")
    inside_window = times >= 0
    work = (rng.random(n) < 0.4 + 0.1 * treated).astype(float)
    values = {
        "work": work,
        "wage": np.where(work == 1, rng.normal(10, 2, n), 0.0),
        "started_new": months["in_new"][:, inside_window].any(axis=1).astype(float),
        "started_old": months["in_old"][:, inside_window].any(axis=1).astype(float),
    }
    paths = {}
    for name, column in values.items():
        paths[name] = folder / f"{name}.parquet"
        pd.DataFrame({"person_id": ids, "value": column}).to_parquet(paths[name])
    files = PersonFiles(
        cohort=folder / "cohort.parquet", outcomes=paths, panels={"month": folder / "panel_month.parquet"}
    )
    return cohort, pd.DataFrame(values), months, files


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return trial(tmp_path_factory.mktemp("participation"))


def numbers(files, name, **change):
    entries = definitions()
    entry = entries.exhibits[name].model_copy(update=change)
    frame = aggregate(name, entry, files=files, study=Study("treat", "ctrl", entries.specifications, 7))
    return frame, frame.set_index(["panel", "row", "column", "statistic"])["value"]


def labels():
    arms = {"treat": Label(nb="Ny", en="New"), "ctrl": Label(nb="Gammel", en="Old")}
    return LabelBook(definitions=definitions(), treated="treat", control="ctrl", arms=arms, strata=("cell",))


def test_take_up_is_the_share_of_each_arm_and_month(made):
    cohort, _, months, files = made
    _, got = numbers(files, "take")
    mine = cohort["treated"] == 1
    assert got["in_new", "2", "treat", "share"] == pytest.approx(months["in_new"][mine][:, 4].mean(), rel=1e-12)
    assert got["in_new", "2", "ctrl", "share"] == 0
    assert got["in_new", "2", "ctrl", "conf_high"] > 0, "nobody of 200 is not certainly nobody at all"
    assert ("in_new", "-1", "treat", "share") not in got.index


def test_started_own_programme_and_the_draw_effect_within_cells(made):
    cohort, values, _, files = made
    _, got = numbers(files, "ever")
    own = np.where(cohort["treated"] == 1, values["started_new"], values["started_old"])
    assert got["own", "by_3", "treat", "count"] <= values["started_new"].sum()
    effect = est.itt(own, cohort["treated"], cells=cohort["cell"])
    # All starts lie in months 0 and 1, so that month 3 sees what the outcome sees.
    assert got["own", "by_3", "difference", "estimate"] == pytest.approx(effect.estimate[0], rel=1e-10)
    assert got["own", "by_3", "difference", "std_error"] == pytest.approx(effect.std_error[0], rel=1e-10)


def test_stays_count_from_the_start(made):
    _cohort, _, months, files = made
    _, got = numbers(files, "stay")
    assert got["", "starters", "in_new", "count"] == months["in_new"].any(axis=1).sum()
    assert got["", "0", "in_new", "share"] == 1
    lasted = months["in_new"].sum(axis=1)
    lasted = lasted[lasted > 0]
    assert got["", "2", "in_new", "share"] == pytest.approx((lasted > 2).mean(), rel=1e-12)


def test_the_fall_back_mix_adds_up_and_stands_beside_the_effect(made):
    _, _, _, files = made
    _, got = numbers(files, "fall")
    for panel in ("ever", "periods"):
        mix = [got[panel, state, "fall_back", "estimate"] for state in ("in_old", "in_other", "none")]
        assert sum(mix) == pytest.approx(1, rel=1e-10)
        draw = [got[panel, state, "draw", "estimate"] for state in (*STATES, "none")]
        assert sum(draw) == pytest.approx(0, abs=1e-10)
        assert mix[0] == pytest.approx(-draw[1] / draw[0], rel=1e-10)
    _, beside = numbers(files, "late")
    for statistic in ("estimate", "std_error", "conf_low"):
        assert beside["fall_back", "in_old", "fall_back", statistic] == pytest.approx(
            got["ever", "in_old", "fall_back", statistic], rel=1e-10
        )
    assert beside["fall_back", "other_take_up", "draw", "count"] == 0
    shown = table_of(
        "late", definitions().exhibits["late"], numbers(files, "late")[0], labels=labels(), language="en", facts={}
    )
    share = f"{100 * beside['fall_back', 'in_old', 'fall_back', 'estimate']:.1f}%"
    assert any(share in note and "'old'" in note for note in shown.notes), "the note names the mix from the numbers"


def test_the_fall_back_of_a_person_table(made):
    _, _values, _, files = made
    _, got = numbers(files, "fall_columns")
    assert got["ever", "new", "draw", "mean_control"] == 0
    assert ("periods", "new", "draw", "estimate") not in got.index
    total = sum(got["ever", state, "draw", "mean_treated"] for state in ("new", "none"))
    assert total == pytest.approx(1, rel=1e-12)


def test_compliers_of_one_sided_take_up_and_a_constant_covariate(made):
    cohort, _values, _, files = made
    frame, got = numbers(files, "who")
    at = ("characteristics", "types")
    assert got[(*at, "always_takers", "share")] == 0
    assert got[(*at, "compliers", "share")] + got[(*at, "never_takers", "share")] == pytest.approx(1)
    status = frame.set_index(["row", "column", "statistic"])["status"]
    assert status["age", "always_takers", "mean"] == "not_estimable", "a type without people has no mean"
    assert got["characteristics", "same", "compliers", "mean"] == pytest.approx(1)
    assert got[(*at, "all", "n_left_out")] == (cohort["cell"] == "c0").sum()
    gap = got["outcomes", "work", "with", "mean"] - got["outcomes", "work", "without", "mean"]
    assert gap == pytest.approx(got["outcomes", "work", "effect", "estimate"], rel=1e-9)


def test_bounds_are_on_those_who_are_observed(made):
    cohort, values, _, files = made
    _, got = numbers(files, "seen")
    wage = values["wage"].where(values["work"] == 1)
    exact = est.lee_bounds(wage, cohort["treated"], cells=cohort["cell"], weighting="precision")
    assert got["lee", "wage", "bounds", "bound_low"] == pytest.approx(exact.low, rel=1e-12)
    assert got["lee", "wage", "trimmed_arm", "value"] == exact.trimmed_arm == 1
    assert got["seen", "wage", "draw", "mean_control"] == pytest.approx(
        values["work"][cohort["treated"] == 0].mean(), rel=1e-12
    )
    among = est.itt(wage, cohort["treated"], cells=cohort["cell"], missing="available")
    assert got["among_seen", "wage", "draw", "estimate"] == pytest.approx(among.estimate[0], rel=1e-12)
    # Everybody's work is seen: the bounds close on the effect.
    assert got["lee", "work", "bounds", "bound_low"] == pytest.approx(got["lee", "work", "bounds", "bound_high"])
    assert got["horowitz_manski", "work", "bounds", "bound_low"] == pytest.approx(
        got["lee", "work", "bounds", "bound_low"], rel=1e-9
    )
    assert ("horowitz_manski", "wage", "bounds", "bound_low") not in got.index
    assert ("lee_tightened", "wage", "bounds", "bound_low") in got.index


def test_ties_are_kept_when_the_definition_says_so(made):
    _cohort, _values, _, files = made
    rounded = dict(files.outcomes)
    coarse = files.cohort.with_name("coarse.parquet")
    frame = pd.read_parquet(files.outcomes["wage"])
    frame["value"] = frame["value"].round(0)
    frame.to_parquet(coarse)
    files = PersonFiles(cohort=files.cohort, outcomes={**rounded, "wage": coarse}, panels=files.panels)
    exact, kept = (numbers(files, "seen", ties=ties)[1] for ties in ("fractional", "keep"))
    assert exact["lee", "wage", "bounds", "bound_low"] < kept["lee", "wage", "bounds", "bound_low"]


def test_starters_of_a_constant_characteristic_have_no_slope(made):
    cohort, values, _, files = made
    frame, got = numbers(files, "start")
    own = np.where(cohort["treated"] == 1, values["started_new"], values["started_old"])
    table = est.starters(own, cohort[["age", "female"]], cohort["treated"], cells=cohort["cell"])
    assert got["", "age", "treat", "estimate"] == pytest.approx(table.treated[0], rel=1e-8)
    assert got["", "joint_test", "difference", "p_value"] == pytest.approx(table.joint_test.p_value, rel=1e-8)
    status = frame.set_index(["row", "column", "statistic"])["status"]
    assert status["same", "treat", "estimate"] == "not_estimable"


@pytest.mark.parametrize("name", ["late", "fall", "who"])
def test_nobody_took_part(tmp_path, name):
    *_, files = trial(tmp_path, n=120, take_up=0.0)
    if name == "who":
        with pytest.raises(UserError, match="Exhibit 'who'"):
            numbers(files, name)
        frame, got = numbers(files, name, columns={})
        assert got["characteristics", "types", "never_takers", "share"] == pytest.approx(1)
        assert got["characteristics", "types", "compliers", "share"] == 0
        status = frame.set_index(["row", "column", "statistic"])["status"]
        assert status["age", "compliers", "mean"] == "not_estimable"
        return
    with pytest.raises(UserError, match=f"Exhibit '{name}'"):
        numbers(files, name)


def test_an_empty_programme_draws_an_empty_line_and_no_curve(tmp_path):
    *_, files = trial(tmp_path, n=120, take_up=0.0)
    for name in FIGURES:
        frame, _ = numbers(files, name)
        render(
            name, definitions().exhibits[name], frame,
            labels=labels(), language="nb", tables_dir=tmp_path, figures_dir=tmp_path, facts={},
        )  # fmt: skip
        assert (tmp_path / f"{name}.nb.svg").stat().st_size > 2000


def test_equal_weights_change_nothing_and_a_survival_curve_refuses_them(made):
    cohort, _, _, files = made
    weighted = files.cohort.with_name("weighted.parquet")
    cohort.assign(weight=2.0).to_parquet(weighted)
    weighted_files = PersonFiles(cohort=weighted, outcomes=files.outcomes, panels=files.panels)
    for name in (*TABLES, "take"):
        same, plain = numbers(weighted_files, name)[0], numbers(files, name)[0]
        np.testing.assert_allclose(same["value"], plain["value"], rtol=1e-9, atol=1e-12, err_msg=name)
    with pytest.raises(UserError, match="takes no weights"):
        numbers(weighted_files, "stay")


@pytest.mark.parametrize("language", ["nb", "en"])
@pytest.mark.parametrize("name", TABLES)
def test_tables_show_their_numbers_in_both_languages(made, name, language):
    frame, _ = numbers(made[3], name)
    table = table_of(name, definitions().exhibits[name], frame, labels=labels(), language=language, facts={})
    for part in table.parts:
        width = {sum(cell.span for cell in row.cells) for row in (*part.header, *part.body)}
        assert len(width) == 1, f"rows of different length in {part.caption}"
        for row in part.body:
            assert row.role == "block" or any(cell.text for cell in row.cells[1:]), row.cells[0].text
    shown = {cell.number for part in table.parts for row in part.body for cell in row.cells if cell.number is not None}
    wanted = frame.loc[frame["statistic"].isin(["estimate", "share", "bound_low", "bound_high"]), "value"].dropna()
    left_out = {"seen_treated", "seen_control"}
    wanted = frame.loc[wanted.index].loc[lambda part: ~part["column"].isin(left_out), "value"]
    # Work is observed for everybody: its bounds coincide, and the table leaves them out.
    of_everybody = (frame["row"] == "work") & frame["statistic"].str.startswith("bound_") & (name == "seen")
    wanted = wanted[~of_everybody[wanted.index]]
    assert set(wanted).issubset(shown)
    assert len(table.notes) >= 3


@pytest.mark.parametrize("language", ["nb", "en"])
def test_figures_say_what_they_show(made, tmp_path, language):
    for name in FIGURES:
        frame, _ = numbers(made[3], name)
        entry = definitions().exhibits[name]
        options = {"labels": labels(), "language": language, "facts": {}}
        render(name, entry, frame, tables_dir=tmp_path, figures_dir=tmp_path, **options)
        assert "<desc" in (tmp_path / f"{name}.{language}.svg").read_text()
        assert len(figure_notes(entry, frame, **options)) >= 2


AR_CASES = [
    ("", -1.0, 2.0, "[−1.00, 2.00]"),
    ("ar_empty", np.nan, np.nan, "∅"),
    ("ar_line", np.nan, np.nan, "(−∞, ∞)"),
    ("ar_rays", -1.0, 2.0, "(−∞, −1.00] ∪ [2.00, ∞)"),
    ("ar_rays", np.nan, 2.0, "[2.00, ∞)"),
    ("ar_rays", -1.0, np.nan, "(−∞, −1.00]"),
]


@pytest.mark.parametrize(("status", "low", "high", "text"), AR_CASES)
def test_every_form_of_an_anderson_rubin_set_is_written_and_explained(made, status, low, high, text):
    frame, _ = numbers(made[3], "late")
    for statistic, value in (("ar_low", low), ("ar_high", high)):
        rows = frame["statistic"] == statistic
        frame.loc[rows, "value"], frame.loc[rows, "status"] = value, status
    frame.loc[(frame["row"] == "take_up") & (frame["statistic"] == "std_error"), "value"] = 0.5
    table = table_of("late", definitions().exhibits["late"], frame, labels=labels(), language="en", facts={})
    row = next(row for row in table.parts[0].body if row.cells[0].text.rstrip(MARKS) == say("labels.ar_set", "en"))
    assert row.cells[1].text == text
    forms = {form: say(f"late.{form}", "en") for form in ("ar_rays", "ar_line", "ar_empty")}
    assert [form for form, text in forms.items() if text in table.notes] == ([status] if status else [])


def test_full_compliance_has_an_f_without_end(tmp_path):
    *_, files = trial(tmp_path, n=200, take_up=1.0, one_arm=False)
    frame, _ = numbers(files, "late", participation=None)
    table = table_of(
        "late", definitions().exhibits["late"].model_copy(update={"participation": None}), frame,
        labels=labels(), language="nb", facts={},
    )  # fmt: skip
    row = next(row for row in table.parts[0].body if row.cells[0].text.startswith("F i første trinn"))
    assert row.cells[1].text == "∞"


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("fall_back", {"participation": {"states": ["in_new"]}}),
        ("fall_back", {"participation": {"states": ["in_new"], "window": [3, 0]}}),
        ("fall_back", {"participation": {"columns": {"a": "b"}, "states": ["in_new"], "window": [0, 3]}}),
        ("attrition", {"columns": {"a": "b"}, "ranges": {"c": [0, 1]}}),
        ("attrition", {"columns": {"a": "b"}, "ranges": {"a": [1, 0]}}),
        ("ever_started", {"states": ["in_new"], "within": [3, 3]}),
        ("take_up", {"states": ["in_new"], "cumulate_from": 0}),
    ],
)
def test_definitions_that_make_no_sense_are_faults(kind, wrong):
    with pytest.raises(ValidationError):
        Definitions.model_validate({"exhibits": {"x": {"kind": kind, "title": LABEL, **wrong}}})


def test_groups_where_the_other_arm_is_observed_more_are_reported(made):
    frame, _ = numbers(made[3], "seen")
    entry = definitions().exhibits["seen"]
    rows = (frame["column"] == "groups_against") & (frame["row"] == "wage")
    assert rows.sum() == 1
    for count, told in ((0, 0), (1, 1)):
        frame.loc[frame["column"] == "groups_against", "value"] = 0
        frame.loc[rows, "value"] = count
        table = table_of("seen", entry, frame, labels=labels(), language="en", facts={})
        assert sum("groups more people are observed in the other arm" in note for note in table.notes) == told


@pytest.mark.parametrize("take_up", [0.7, 1.0])
def test_every_number_of_participation_agrees_with_other_programs_or_has_a_reason(tmp_path, take_up):
    *_, files = trial(tmp_path, n=300, take_up=take_up, one_arm=False)
    frames = {name: numbers(files, name)[0] for name in TABLES}
    study = Study("treat", "ctrl", definitions().specifications, 7)
    result = verify(definitions().exhibits, frames, files=files, study=study)
    require_agreement(result)
    reasons = result[result["reason"] != ""].groupby("exhibit")["reason"].agg(set).to_dict()
    assert reasons.pop("who") == {"reweighted_people"}
    # Where everybody takes part as assigned, the first stage is exact.
    assert set().union(*reasons.values()) <= ({"singular_covariance"} if take_up == 1.0 else set())


def test_bounds_on_an_outcome_that_is_never_missing_are_left_out(made):
    frame, got = numbers(made[3], "seen")
    assert (
        got["horowitz_manski", "work", "bounds", "bound_low"] == got["horowitz_manski", "work", "bounds", "bound_high"]
    )
    table = table_of("seen", definitions().exhibits["seen"], frame, labels=labels(), language="en", facts={})
    # The bounds of the wage alone, by two methods; the method for the other outcome has no part.
    assert [[row.cells[0].text for row in part.body] for part in table.parts[2:]] == [["Wage, given 'Work'"]] * 2
    assert "observed for everybody in both arms, so that the bounds on the effect coincide" in " ".join(table.notes)
