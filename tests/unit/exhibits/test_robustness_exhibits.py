"""Curve, leave-one-out, steps, card, subgroups, logit, durations, counts: numbers of the estimation room, as shown."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from refino_eval import estimation as est
from refino_eval.config.evaluation import Evaluation
from refino_eval.errors import UserError
from refino_eval.estimation.effects import heterogeneity
from refino_eval.exhibits.kinds.specification_curve.layout import choices_of, variants
from refino_eval.exhibits.layout.style import house_style
from refino_eval.exhibits.numbers.study import Study
from refino_eval.exhibits.render import drawing_of, figure_notes, table_of
from refino_eval.exhibits.round_steps import round_step
from refino_eval.exhibits.tidy import write_tidy
from refino_eval.exhibits.verification import require_agreement, verify
from refino_eval.text import say
from support import trial as toy

COLUMNS = {"work": "work_3", "later": "work_6", "hours": "hours"}
SHARES = {"work": "work_3", "later": "work_6"}
ENTRIES = toy.definitions(
    curve={"kind": "specification_curve", "columns": SHARES, "specifications": ["main", "none"],
           "samples": ["analysed", "few"]},
    scaled={"kind": "specification_curve", "columns": COLUMNS, "specifications": ["main"], "scale": "control_sd"},
    without={"kind": "leave_one_out", "columns": COLUMNS, "without": "county"},
    steps={"kind": "stepwise", "columns": COLUMNS, "steps": [["age"], ["female"]]},
    tests={"kind": "tests", "columns": COLUMNS, "draws": 199, "margins": {"work": 0.3}},
    card={"kind": "null_card", "columns": COLUMNS, "tests": "tests"},
    groups={"kind": "subgroups", "columns": COLUMNS, "groups": ["county", ["young", "not_young"]]},
    logit={"kind": "binary_models", "columns": SHARES, "show_ratio": True},
    counts={"kind": "count_models", "columns": SHARES, "exposure": "age", "show_controls": True},
    overdispersed={"kind": "count_models", "columns": {"months": "months_to_work"}, "model": "negative_binomial"},
    quantiles={"kind": "quantile_effects", "columns": COLUMNS, "draws": 99, "specification": "none"},
    quantile_lines={"kind": "quantile_curve", "columns": COLUMNS, "specification": "main", "method": "regression"},
    duration={"kind": "time_to_event", "outcome": "months_to_work"},
    means={"kind": "bars", "columns": SHARES},
    people={"kind": "counts", "by": ["county", "office"]},
)  # fmt: skip
LABELS = toy.label_book(ENTRIES)


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    return toy.trial(tmp_path_factory.mktemp("trial"))


@pytest.fixture(scope="module")
def card(trial, tmp_path_factory):
    tests, _ = trial.numbers(ENTRIES, "tests")
    path = tmp_path_factory.mktemp("aggregates") / "tests.csv"
    write_tidy(tests, path)
    return trial.numbers(ENTRIES, "card", aggregates={"tests": path})


def effect(trial, outcome, *, rows=None, controls=("age", "female"), cells=True):
    people = trial.cohort if rows is None else trial.cohort.loc[rows]
    values = trial.outcomes.loc[people.index, [outcome]]
    table = est.itt(
        values, people["treated"], cells=people["cell"] if cells else None,
        controls=people[list(controls)] if controls else None,
    )  # fmt: skip
    return float(table.estimate[0])


def shown(name, frame, language="en"):
    table = table_of(name, ENTRIES.exhibits[name], frame, labels=LABELS, language=language, facts={})
    return [[cell.text for cell in row.cells] for part in table.parts for row in part.body], table


def test_each_variant_of_the_curve_is_the_plain_effect(trial):
    frame, got = trial.numbers(ENTRIES, "curve")
    few = trial.cohort["sample_few"].to_numpy()
    assert got["main", "work", "analysed", "estimate"] == pytest.approx(effect(trial, "work_3"), rel=1e-9)
    assert got["none", "later", "few", "estimate"] == pytest.approx(
        effect(trial, "work_6", rows=few, controls=()), rel=1e-9
    )
    told = variants(frame)
    assert len(told) == got["summary", "all", "variants", "count"] == 8
    assert told["estimate"].is_monotonic_increasing
    assert got["summary", "all", "median", "estimate"] == pytest.approx(told["estimate"].median())
    assert got["summary", "all", "significant", "share"] == (told["p_value"] < 0.05).mean()


def test_every_number_agrees_with_other_programs_or_has_a_reason(trial, card, tmp_path):
    frames = {name: trial.numbers(ENTRIES, name)[0] for name in ENTRIES.exhibits if name != "card"} | {"card": card[0]}
    write_tidy(frames["tests"], tmp_path / "tests.csv")
    files = replace(trial.files, aggregates={"tests": tmp_path / "tests.csv"})
    study = Study("new", "old", ENTRIES.specifications, 7, subgroups=ENTRIES.subgroups)
    result = verify(ENTRIES.exhibits, frames, files=files, study=study)
    require_agreement(result)
    reasons = result[result["reason"] != ""].groupby("exhibit")["reason"].agg(set).to_dict()
    assert reasons == {
        "steps": {"decomposition"},
        "quantiles": {"bootstrap"},
    }
    engines = result.set_index(["exhibit", "panel", "row", "column", "statistic"])["engine"]
    for derived in (
        ("groups", "county", "equal", "work", "f_stat"),
        ("groups", "young-not_young", "difference", "work", "std_error"),
        ("without", "change", "Nord", "work", "std_error"),
        ("curve", "summary", "all", "median", "estimate"),
        ("steps", "decomposition", "total", "work", "estimate"),
        ("without", "change", "Nord", "work", "estimate"),
        ("card", "percent", "work", "new", "estimate"),
    ):
        assert {engines.loc[[derived]].iloc[0]} <= {"linearmodels", "within"}, derived


@pytest.mark.parametrize("vcov", ["HC2", "CRV1", "CR2"])
def test_numbers_with_weights_clusters_and_leverage_agree_or_have_a_reason(tmp_path, vcov):
    def sampled(cohort):
        rng = np.random.default_rng(5)
        weight, cluster = rng.uniform(0.5, 2.0, len(cohort)), rng.integers(0, 30, len(cohort)).astype(str)
        return cohort.assign(weight=weight, cluster=cluster)

    trial = toy.trial(tmp_path, change=sampled)
    specifications = {
        name: one.model_copy(update={"vcov": vcov}) for name, one in ENTRIES.specifications.items() if name != "none"
    }
    entries = ENTRIES.model_copy(update={"specifications": specifications})
    frames = {name: trial.numbers(entries, name)[0] for name in ("scaled", "without", "groups", "means")}
    study = Study("new", "old", specifications, 7, subgroups=ENTRIES.subgroups)
    result = verify(entries.exhibits, frames, files=trial.files, study=study)
    require_agreement(result)
    reasons = {
        "HC2": {"overlapping_samples"},
        "CRV1": set[str](),
        "CR2": {"overlapping_samples", "groups_share_clusters"},
    }
    means = result["exhibit"] == "means"
    assert set(result.loc[means, "reason"]) == {"mean_of_arm"}
    assert set(result.loc[~means, "reason"]) - {""} == reasons[vcov]


def test_a_wrong_difference_of_groups_is_detected(trial, monkeypatch):
    honest = heterogeneity._compare

    def wrong(*arguments):
        table = honest(*arguments)
        return replace(table, std_error=table.std_error * 1.0001)

    monkeypatch.setattr(heterogeneity, "_compare", wrong)
    study = Study("new", "old", ENTRIES.specifications, 7, subgroups=ENTRIES.subgroups)
    frames = {"groups": trial.numbers(ENTRIES, "groups")[0]}
    result = verify(ENTRIES.exhibits, frames, files=trial.files, study=study)
    wrong_rows = result[result["verdict"] == "differs"]
    assert set(zip(wrong_rows["row"], wrong_rows["statistic"], strict=True)) == {("difference", "std_error")}


def test_standard_deviations_are_those_of_the_control_group(trial):
    _, got = trial.numbers(ENTRIES, "scaled")
    control = trial.outcomes.loc[trial.cohort["treated"] == 0, "hours"]
    assert got["main", "hours", "analysed", "estimate"] == pytest.approx(
        effect(trial, "hours") / control.std(), rel=1e-9
    )


def test_a_variant_that_cannot_be_estimated_keeps_its_place(tmp_path):
    def nobody(cohort):
        return cohort.assign(sample_few=cohort["treated"] == 0)

    frame, got = toy.trial(tmp_path, change=nobody).numbers(ENTRIES, "curve")
    lost = frame[(frame["column"] == "few") & (frame["statistic"] == "estimate")]
    assert set(lost["status"]) == {"not_estimable"}
    assert got["summary", "all", "variants", "count"] == 8
    assert got["summary", "all", "estimated", "count"] == len(variants(frame)) == 4


def test_samples_that_hold_the_same_people_are_one_choice(tmp_path, trial):
    def copied(cohort):
        return cohort.assign(sample_few=cohort["sample_analysed"])

    frame, got = toy.trial(tmp_path, change=copied).numbers(ENTRIES, "curve")
    assert got["summary", "all", "variants", "count"] == len(variants(frame)) == 4
    # Its numbers are kept, and the note says which sample was left out.
    assert got["main", "work", "few", "estimate"] == got["main", "work", "analysed", "estimate"]
    (note,) = (
        line
        for line in figure_notes(ENTRIES.exhibits["curve"], frame, labels=LABELS, language="en", facts={})
        if "one person in a thousand" in line
    )
    assert note.startswith("The sample 'Some' is not shown")
    distinct, _ = trial.numbers(ENTRIES, "curve")
    assert "repeated" not in set(distinct["row"])


@pytest.mark.parametrize("language", ["nb", "en"])
def test_the_dashboard_tells_every_choice_of_every_variant(trial, language):
    frame, _ = trial.numbers(ENTRIES, "curve")
    exhibit = ENTRIES.exhibits["curve"]
    choices = choices_of(variants(frame), exhibit, LABELS.in_language(language))
    assert [len(each.values) for each in choices] == [1, 2, 2, 2]
    assert all(len(each.taken) == 8 for each in choices)
    with house_style("x"):
        drawing = drawing_of(
            "curve", exhibit, frame, labels=LABELS, language=language, facts={"data_class": "synthetic"}
        )
    top, bottom = drawing.figure.axes
    low, high = top.get_ylim()
    assert low == -high
    marks = sum(len(line.get_xdata()) for line in bottom.lines if line.get_marker() == "s")
    assert marks == 3 * 8, "one mark a variant for each of the three choices that vary"
    assert {"Work", "Work later"}.isdisjoint({text.get_text() for text in bottom.get_yticklabels()})


def test_each_outcome_has_a_panel_with_its_variants_on_one_scale(trial):
    frame, got = trial.numbers(ENTRIES, "scaled")
    with house_style("x"):
        drawing = drawing_of("scaled", ENTRIES.exhibits["scaled"], frame, labels=LABELS, language="en", facts={})
    curves = drawing.figure.axes[:2]
    assert [ax.get_title(loc="left")[:2] for ax in curves] == ["a.", "b."]  # a definition each, whatever its windows
    assert len({ax.get_ylim() for ax in curves}) == 1
    for ax, keys in zip(curves, (("work", "later"), ("hours",)), strict=True):
        drawn = [value for line in ax.lines if line.get_marker() in ("o", "D") for value in line.get_ydata()]
        assert sorted(drawn) == sorted(got["main", key, "analysed", "estimate"] for key in keys)


def test_leaving_a_county_out_is_estimating_without_it(trial):
    frame, got = trial.numbers(ENTRIES, "without")
    without = effect(trial, "hours", rows=(trial.cohort["county"] != "Øst").to_numpy())
    assert got["main", "Øst", "hours", "estimate"] == pytest.approx(without, rel=1e-9)
    assert got["change", "Øst", "hours", "estimate"] == pytest.approx(without - effect(trial, "hours"), rel=1e-8)
    rows, table = shown("without", frame)
    for place, key in enumerate(COLUMNS, start=1):
        changes = {county: abs(got["change", county, key, "estimate"]) for county in ("Nord", "Sør", "Øst")}
        largest = max(changes, key=changes.get)
        assert [row[0] for row in rows if row[place].endswith("◂")] == [f"Without {largest}"]
    assert table.notes


def test_steps_end_in_the_specification_and_the_parts_add_up(trial):
    frame, got = trial.numbers(ENTRIES, "steps")
    assert got["steps", "raw", "hours", "estimate"] == pytest.approx(
        effect(trial, "hours", controls=(), cells=False), rel=1e-9
    )
    assert got["steps", "cells", "hours", "estimate"] == pytest.approx(effect(trial, "hours", controls=()), rel=1e-9)
    assert got["steps", "step_2", "hours", "estimate"] == pytest.approx(effect(trial, "hours"), rel=1e-9)
    parts = [got["decomposition", f"step_{k}", "hours", "estimate"] for k in (1, 2)]
    change = got["steps", "cells", "hours", "estimate"] - got["steps", "step_2", "hours", "estimate"]
    assert sum(parts) == pytest.approx(change, abs=1e-12)
    assert got["decomposition", "total", "hours", "estimate"] == pytest.approx(change, abs=1e-12)
    rows, _ = shown("steps", frame)
    assert [row[0] for row in rows if row[0] not in ("", "R²")][:4] == [
        say("stepwise.without_cells_and_controls", "en"),
        "Cells (county × month of random assignment)",
        "+ Age",
        "+ Female",
    ]


def test_the_card_says_in_words_what_its_numbers_say(card):
    frame, got = card
    arm = "new"
    low, high = (100 * got["units", "work", arm, f"conf_{end}"] for end in ("low", "high"))
    assert got["percent", "work", arm, "conf_low"] == pytest.approx(low / got["units", "work", arm, "mean_control"])
    rows, table = shown("card", frame)
    words = {row[0]: row[1] for row in rows if len(row) == 2}
    assert f"to {high:.1f} percentage points" in words["Work"]
    assert "margin of ±30.0 percentage points" in words["Work"]
    assert any(say(f"null_card.{key}", "en") in words["Hours"] for key in ("no_margin_declared", "differs_from_zero"))
    nb = {row[0]: row[1] for row in shown("card", frame, "nb")[0] if len(row) == 2}
    assert f"til {high:.1f} prosentpoeng".replace(".", ",") in nb["Work (nb)"]
    assert "{" not in "".join([*words.values(), *nb.values(), *table.notes])


@pytest.mark.parametrize(
    ("p", "p_equal", "margin", "says"),
    [
        (0.4, 0.01, 0.1, "within_margin"),
        (0.01, 0.01, 0.1, "within_margin_and_differs"),
        (0.01, 0.4, 0.1, "differs_and_not_within_margin"),
        (0.4, 0.4, 0.1, "inconclusive"),
        (0.4, np.nan, np.nan, "no_margin_declared"),
    ],
)
def test_each_verdict_has_its_sentence(card, p, p_equal, margin, says):
    frame = card[0].copy()
    for statistic, value in (("p_value", p), ("p_value_equivalence", p_equal), ("margin", margin)):
        at = (frame["panel"] == "units") & (frame["row"] == "work") & (frame["statistic"] == statistic)
        frame.loc[at, ["value", "status"]] = [value, "" if np.isfinite(value) else "not_estimable"]
    rows, _ = shown("card", frame)
    sentence = say(f"null_card.{says}", "en", margin="±10.0 percentage points")
    assert sentence in next(row[1] for row in rows if len(row) == 2 and row[0] == "Work")


def test_subgroups_are_separate_trials_and_their_family_is_the_table(trial):
    frame, got = trial.numbers(ENTRIES, "groups")
    young = (trial.cohort["age"] < 35).to_numpy()
    effects = [effect(trial, "hours", rows=rows) for rows in (young, ~young)]
    assert got["young-not_young", "young", "hours", "estimate"] == pytest.approx(effects[0], rel=1e-9)
    assert got["young-not_young", "difference", "hours", "estimate"] == pytest.approx(effects[1] - effects[0], rel=1e-8)
    equal = frame[frame["row"] == "equal"]
    raw = equal[equal["statistic"] == "p_value"]["value"].to_numpy()
    holm = equal[equal["statistic"] == "p_value_holm"]["value"].to_numpy()
    assert len(raw) == 6
    assert holm.min() == pytest.approx(min(1, 6 * raw.min()))
    rows, table = shown("groups", frame)
    assert any(row[0].startswith("Under 35 (N = ") for row in rows)
    assert say("subgroups.multiplicity_explained", "en", tests=6) in table.notes


def test_a_subgroup_of_one_arm_is_shown_empty(tmp_path):
    def one_arm(cohort):
        return cohort.assign(treated=cohort["treated"].where(cohort["county"] != "Nord", 1))

    frame, got = toy.trial(tmp_path, change=one_arm).numbers(ENTRIES, "groups")
    lost = frame[(frame["panel"] == "county") & (frame["row"] == "Nord")]
    assert set(lost["status"]) == {"not_estimable"}
    assert ("county", "difference", "hours", "estimate") in got.index, "two counties are left to compare"


def test_a_subgroup_whose_controls_repeat_the_draw_is_shown_empty(tmp_path):
    def repeated(cohort):
        north = cohort["county"] == "Nord"
        return cohort.assign(female=cohort["female"].where(~north, cohort["treated"].astype(float)))

    frame, got = toy.trial(tmp_path, change=repeated).numbers(ENTRIES, "groups")
    lost = frame[(frame["panel"] == "county") & (frame["row"] == "Nord")]
    assert set(lost["status"]) == {"not_estimable"}
    assert ("county", "difference", "hours", "estimate") in got.index, "two counties are left to compare"


def test_logit_stands_beside_the_linear_model(trial):
    frame, got = trial.numbers(ENTRIES, "logit")
    assert got["", "work", "linear", "estimate"] == pytest.approx(effect(trial, "work_3"), rel=1e-9)
    model = est.response_model(
        trial.outcomes[["work_3"]], trial.cohort["treated"], cells=trial.cohort["cell"],
        controls=trial.cohort[["age", "female"]],
    )  # fmt: skip
    assert got["", "work", "logit", "estimate"] == pytest.approx(model.estimate[0])
    assert abs(got["", "work", "logit", "estimate"] - got["", "work", "linear", "estimate"]) < 0.02
    rows, _ = shown("logit", frame)
    assert rows[0][0] == "Work"


def test_effects_at_quantiles_are_a_table_and_a_figure(trial):
    frame, got = trial.numbers(ENTRIES, "quantiles")
    rows, table = shown("quantiles", frame)
    assert [row[0] for row in rows[::2]] == [
        "Quantile 0.1",
        "Quantile 0.25",
        "Quantile 0.5",
        "Quantile 0.75",
        "Quantile 0.9",
        "Mean",
        "N",
    ]
    assert any("99 bootstrap samples of people" in note for note in table.notes)
    assert got["", "mean", "hours", "estimate"] == pytest.approx(effect(trial, "hours", controls=()), rel=1e-9)
    frame, _ = trial.numbers(ENTRIES, "quantile_lines")
    exhibit = ENTRIES.exhibits["quantile_lines"]
    with house_style("x"):
        drawing = drawing_of("q", exhibit, frame, labels=LABELS, language="en", facts={})
    assert len(drawing.figure.axes) == len(exhibit.columns)
    assert "on the mean" in drawing.alt
    assert any("Powell 1991" in note for note in figure_notes(exhibit, frame, labels=LABELS, language="en", facts={}))


def test_an_outcome_without_a_logit_keeps_its_linear_effect(tmp_path):
    trial = toy.trial(tmp_path)
    same = pd.DataFrame({"person_id": trial.cohort["person_id"], "value": 1.0})
    same.to_parquet(trial.files.outcomes["work_6"])
    frame, got = trial.numbers(ENTRIES, "logit")
    assert got["", "later", "linear", "estimate"] == pytest.approx(0, abs=1e-12)
    assert frame.loc[(frame["row"] == "later") & (frame["column"] == "logit"), "status"].tolist() == ["not_estimable"]
    assert shown("logit", frame)[0][2][3] == "–"


def test_durations_begin_whole_and_count_those_at_risk(trial):
    frame, got = trial.numbers(ENTRIES, "duration")
    told = pd.read_parquet(trial.files.outcomes["months_to_work"])
    treated = (trial.cohort["treated"] == 1).to_numpy()
    assert got["", "0", "new", "share"] == 1
    first = ((told["value"] == 1) & (told["censored"] == 0) & treated).sum()
    assert got["", "1", "new", "share"] == pytest.approx(1 - first / treated.sum())
    assert got["", "2", "new", "n"] == (treated & (told["value"] >= 2)).sum()
    exhibit = ENTRIES.exhibits["duration"]
    with house_style("x"):
        drawing = drawing_of("d", exhibit, frame, labels=LABELS, language="en", facts={})
    assert "log-rank test p = " in drawing.alt
    assert any("Kaplan-Meier" in n for n in figure_notes(exhibit, frame, labels=LABELS, language="en", facts={}))


@pytest.mark.parametrize(("unit", "most"), [(70.0, 240), (1 / 12, 240)])
def test_times_in_days_or_in_fractions_of_years_have_few_round_moments_and_ticks(trial, tmp_path, unit, most):
    months = pd.read_parquet(trial.files.outcomes["months_to_work"])
    path = tmp_path / "time.parquet"
    exact = (months["value"] - 0.5) * unit if unit < 1 else months["value"] * unit
    months.assign(value=exact).to_parquet(path)
    files = replace(trial.files, outcomes=dict(trial.files.outcomes, months_to_work=path))
    frame, got = replace(trial, files=files).numbers(ENTRIES, "duration")
    timed = frame[frame["statistic"].eq("share") & frame["column"].eq("new")]
    moments = timed["row"].astype(float).to_numpy()
    steps = np.diff(moments)
    assert len(moments) <= most
    assert steps == pytest.approx(np.full(len(steps), steps[0]))
    treated = (trial.cohort["treated"] == 1).to_numpy()
    middle = len(moments) // 2
    assert got["", timed["row"].iloc[middle], "new", "n"] == (treated & (exact.to_numpy() >= moments[middle])).sum()
    exhibit = ENTRIES.exhibits["duration"].model_copy(update={"unit": {"nb": "dager", "en": "days"}})
    with house_style("x"):
        drawing = drawing_of("d", exhibit, frame, labels=LABELS, language="en", facts={})
        ax = drawing.figure.axes[0]
        assert 1 <= len(ax.get_xticks()) <= 11
        assert ax.get_xlabel() == "days"
    assert "days" in drawing.alt


@pytest.mark.parametrize(
    ("span", "most", "smallest", "step"),
    [(3329, 9, 1, 500), (3329, 240, 1, 20), (8.1, 240, 0, 0.05), (25, 240, 1, 1), (5, 5, 0, 1), (0.2, 9, 1, 1)],
)
def test_a_step_is_the_smallest_round_one_that_suffices(span, most, smallest, step):
    assert round_step(span, most, smallest=smallest) == pytest.approx(step)


def test_log_rank_is_that_of_a_library():
    survfunc = pytest.importorskip("statsmodels.duration.survfunc")
    rng = np.random.default_rng(3)
    cells = rng.integers(0, 6, 300)
    treated = rng.integers(0, 2, 300)
    time, event = rng.integers(1, 9, 300).astype(float), rng.integers(0, 2, 300).astype(float)
    found = est.log_rank(time, event, treated, cells=cells)
    chi2, p = survfunc.survdiff(time, event, treated, strata=cells)
    assert found.chi2 == pytest.approx(chi2, rel=1e-9)
    assert found.p_value == pytest.approx(p, rel=1e-9)
    with pytest.raises(UserError, match="No cell has both arms"):
        est.log_rank(time, event, treated, cells=np.arange(300))


def test_people_are_counted_within_places(trial):
    frame, got = trial.numbers(ENTRIES, "people")
    here = (trial.cohort["county"] == "Øst") & (trial.cohort["office"] == "0101")
    assert got["", "Øst / 0101", "all", "count"] == here.sum()
    assert got["", "Øst / 0101", "new", "share"] == pytest.approx(trial.cohort.loc[here, "treated"].mean())
    assert got["", "all", "old", "count"] == (trial.cohort["treated"] == 0).sum()
    rows, _ = shown("people", frame, "nb")
    assert [row[0].strip() for row in rows] == [
        "Nord", "0101", "0102", "Sør", "0101", "0102", "Øst", "0101", "0102", "Alle",
    ]  # fmt: skip


def test_people_without_a_place_are_counted_too(tmp_path):
    def unknown(cohort):
        return cohort.assign(office=cohort["office"].where(cohort["county"] != "Øst", None))

    frame, _ = toy.trial(tmp_path, change=unknown).numbers(ENTRIES, "people")
    assert [row[0].strip() for row in shown("people", frame)[0]][-2:] == [say("labels.without_group", "en"), "All"]


FAULTS = {
    "card": ({"tests": "people"}, "is of kind counts"),
    "card_2": ({"columns": {"pay": "hours"}}, "shows the column 'pay: hours'"),
    "card_3": ({"sample": "few"}, "has sample 'few'"),
    "curve": ({"samples": ["fw"]}, "unknown sample 'fw'"),
    "curve_2": ({"columns": COLUMNS}, r"different units \(hours, share\)"),
    "steps": ({"steps": [["age"]]}, "leaves out 'female'"),
    "steps_2": ({"steps": [["age", "female"], ["age"]]}, "2 times"),
    "duration": ({"outcome": "hours"}, "does not say how long"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_contradictions_in_a_definition_are_reported(case):
    change, says = FAULTS[case]
    entry = ENTRIES.exhibits[case.partition("_")[0]]
    exhibit = type(entry).model_validate({**entry.model_dump(by_alias=True, exclude_unset=True), **change})
    study = Evaluation.model_construct(samples={"analysed": None, "few": None})
    told = list(exhibit.faults(f"exhibit '{case}'", study, ENTRIES))
    assert any(pd.Series(told).str.contains(says))


@pytest.mark.parametrize("name", ["card", "curve", "steps", "duration"])
def test_consistent_definitions_have_no_faults(name):
    study = Evaluation.model_construct(samples={"analysed": None, "few": None})
    assert list(ENTRIES.exhibits[name].faults("it", study, ENTRIES)) == []
