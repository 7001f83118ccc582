"""Exhibits by group: who is in which group, the same numbers as each group alone, and small multiples."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from refino_eval.errors import UserError
from refino_eval.exhibits.kinds.effects import numbers as effects_numbers
from refino_eval.exhibits.kinds.effects.numbers import equal_effects
from refino_eval.exhibits.layout.style import house_style
from refino_eval.exhibits.numbers.groups import groups_of
from refino_eval.exhibits.numbers.study import Study
from refino_eval.exhibits.render import drawing_of, figure_notes
from refino_eval.exhibits.verification import require_agreement, verify
from refino_eval.exhibits.wording.group_labels import group_label, split_label
from refino_eval.text import say
from support import trial as toy

ENTRIES = toy.definitions(
    paths={"kind": "paths", "states": ["work", "health"], "by": "draw_year"},
    ages={"kind": "paths", "states": ["work"], "by": ["young", "middle"]},
    effects={"kind": "effects", "states": ["work"], "by": "county"},
    summed={"kind": "effects", "states": ["health"], "by": "female", "cumulate_from": 0, "first": 0},
    alone={"kind": "effects", "states": ["work"]},
    clustered={"kind": "effects", "states": ["work"], "by": "county", "specification": "clustered"},
)
STUDY = Study("new", "old", ENTRIES.specifications, 7, subgroups=ENTRIES.subgroups)


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    return toy.trial(tmp_path_factory.mktemp("trial"))


def test_groups_are_in_order_and_share_nobody(trial):
    years = groups_of("draw_year", trial.cohort, STUDY)
    assert years.names == ("2019", "2020")
    assert list(years.rows(1)) == list(trial.cohort["draw_month"] == "2020-01")
    ages = groups_of(("young", "middle"), trial.cohort, STUDY)
    assert list(ages.member) == [0 if age < 35 else 1 if age < 50 else -1 for age in trial.cohort["age"]]
    assert groups_of("female", trial.cohort, STUDY).names == ("0", "1")
    assert groups_of("county", trial.cohort, STUDY).keys == ("nord", "sør", "øst")


@pytest.mark.parametrize(
    ("by", "says"),
    [
        ("conty", "Did you mean 'county'|county"),
        ("age", "40 values"),
        (("young", "women"), r"people are in 'women' and in one before it"),
    ],
)
def test_what_cannot_be_compared_is_a_fault(trial, by, says):
    with pytest.raises(UserError, match=says):
        groups_of(by, trial.cohort, STUDY)


def test_subgroups_without_people_are_left_out_and_one_is_no_comparison(trial):
    grown = trial.cohort.assign(age=60.0)
    with pytest.raises(UserError, match="of which 0 has people"):
        groups_of(("young", "middle"), grown, STUDY)


def test_paths_of_a_group_are_means_of_its_people(trial):
    frame, got = trial.numbers(ENTRIES, "paths")
    rows = (trial.cohort["draw_month"].str.startswith("2020") & (trial.cohort["treated"] == 1)).to_numpy()
    wide = trial.panel.pivot(index="person_id", columns="event_time", values="work").to_numpy()
    assert got["work:2020", "2", "new", "mean"] == pytest.approx(wide[rows, 5].mean())
    assert got["work:2020", "2", "new", "n"] == rows.sum()
    assert got["groups", "2020", "new", "count"] == rows.sum()
    nobody = frame[(frame["panel"] == "work:2020") & (frame["row"] == "6") & (frame["statistic"] == "mean")]
    assert set(nobody["status"]) == {"no_data"}


def test_people_of_no_group_are_counted(trial):
    frame, got = trial.numbers(ENTRIES, "ages")
    old = trial.cohort["age"] >= 50
    assert got["groups", "without_group", "new", "count"] == (old & (trial.cohort["treated"] == 1)).sum()
    notes = figure_notes(ENTRIES.exhibits["ages"], frame, labels=toy.label_book(ENTRIES), language="en", facts={})
    assert f"{old.sum()} people are in none of the groups." in notes


def test_effects_of_a_group_are_those_of_the_group_alone(trial, tmp_path):
    _, got = trial.numbers(ENTRIES, "effects")
    here = toy.trial(tmp_path, change=lambda cohort: cohort.assign(sample_analysed=cohort["county"] == "Øst"))
    _, alone = here.numbers(ENTRIES, "alone")
    for statistic in ("estimate", "std_error", "n"):
        assert got["work:øst", "3", "difference", statistic] == pytest.approx(
            alone["work", "3", "difference", statistic], rel=1e-9
        )


def test_equal_effects_is_the_textbook_test():
    effects = [np.array([0.3]), np.array([0.1])]
    covs = [np.array([[0.01]]), np.array([[0.02]])]
    test = equal_effects(effects, covs, df=100)
    assert test.f_stat == pytest.approx(0.04 / 0.03)
    assert test.p_value == pytest.approx(stats.f.sf(0.04 / 0.03, 1, 100))
    three = equal_effects([*effects, np.array([0.2])], [*covs, np.array([[0.04]])], df=100)
    precision = 1 / np.array([0.01, 0.02, 0.04])
    values = np.array([0.3, 0.1, 0.2])
    centre = (precision * values).sum() / precision.sum()
    assert three.chi2 == pytest.approx((precision * (values - centre) ** 2).sum())
    assert three.df_num == 2


def test_equality_is_reported_for_the_path_and_its_summary(trial):
    _, got = trial.numbers(ENTRIES, "effects")
    assert got["work", "equal_path", "difference", "df"] == 2 * 7
    assert got["work", "equal_mean", "difference", "df"] == 2
    _, summed = trial.numbers(ENTRIES, "summed")
    last = [summed["health:" + g, "6", "difference", "estimate"] for g in "01"]
    errors = [summed["health:" + g, "6", "difference", "std_error"] for g in "01"]
    assert summed["health", "equal_last", "difference", "f_stat"] == pytest.approx(
        (last[1] - last[0]) ** 2 / (errors[0] ** 2 + errors[1] ** 2)
    )


def test_a_group_of_one_arm_has_no_effect_and_the_others_still_have(tmp_path):
    def one_arm(cohort):
        return cohort.assign(treated=cohort["treated"].where(cohort["county"] != "Nord", 0))

    frame, got = toy.trial(tmp_path, change=one_arm).numbers(ENTRIES, "effects")
    assert set(frame.loc[frame["panel"] == "work:nord", "status"]) == {"not_estimable"}
    assert np.isfinite(got["work:øst", "3", "difference", "estimate"])
    assert got["work", "equal_mean", "difference", "df"] == 1
    with house_style("x"):
        drawing = drawing_of(
            "effects", ENTRIES.exhibits["effects"], frame, labels=toy.label_book(ENTRIES), language="en", facts={}
        )
    axes = [ax for part in drawing.figure.subfigs for ax in part.axes]
    assert [text.get_text() for text in axes[0].texts] == ["not estimated"]


def test_equal_effects_are_not_tested_where_groups_share_clusters_and_the_note_says_so(tmp_path):
    def clustered(cohort):
        return cohort.assign(cluster=cohort["office"] + cohort["draw_month"])

    frame, _ = toy.trial(tmp_path, change=clustered).numbers(ENTRIES, "clustered")
    equal = frame[frame["row"].str.startswith("equal")]
    assert list(equal["status"]) == ["clusters_in_several_groups"]
    assert not np.isfinite(equal["value"]).any()
    options = {"labels": toy.label_book(ENTRIES), "language": "en", "facts": {}}
    notes = " ".join(figure_notes(ENTRIES.exhibits["clustered"], frame, **options))
    assert say("effects.equality_not_tested", "en") in notes


def test_equal_effects_are_tested_with_clusters_inside_groups(tmp_path):
    """Groups that share no cluster are independent: the variance of a difference is the sum of the clustered variances."""

    def clustered(cohort):
        return cohort.assign(cluster=cohort["county"] + (np.arange(len(cohort)) % 12).astype(str))

    frame, got = toy.trial(tmp_path, change=clustered).numbers(ENTRIES, "clustered")
    assert set(frame.loc[frame["row"].str.startswith("equal"), "row"]) == {"equal_path", "equal_mean"}
    assert np.isfinite(got["work", "equal_mean", "difference", "p_value"])
    assert got["work", "equal_mean", "difference", "df_residual"] == 3 * 11


@pytest.mark.parametrize(("name", "panels"), [("paths", 4), ("ages", 2), ("effects", 3), ("summed", 2)])
def test_small_multiples_share_their_scale_and_say_their_group(trial, name, panels):
    frame, _ = trial.numbers(ENTRIES, name)
    exhibit = ENTRIES.exhibits[name]
    with house_style("x"):
        drawing = drawing_of(
            name, exhibit, frame, labels=toy.label_book(ENTRIES), language="nb", facts={"data_class": "synthetic"}
        )
        drawing.figure.canvas.draw()
    strips = drawing.figure.subfigs
    axes = [ax for part in strips for ax in part.axes]
    assert len(axes) == panels
    for part in strips:
        assert len({ax.get_ylim() for ax in part.axes}) == 1
        assert len({ax.get_xlim() for ax in part.axes}) == 1
    assert all("(N = " in ax.get_title(loc="left") for ax in axes)
    assert len(drawing.alt) > 80
    assert "{" not in drawing.alt


def test_groups_are_called_by_their_labels():
    labels = toy.label_book(ENTRIES)
    assert group_label(("young", "middle"), "young", ("young", "middle"), labels) == "Under 35"
    assert group_label("female", "1", ("0", "1"), labels) == "Female: yes"
    assert group_label("female", "1", ("1", "2"), labels) == "Female: 1", "codes from 1 are no answers"
    assert group_label("county", "Øst", ("Øst",), labels) == "Øst"
    assert split_label("county", labels.in_language("nb")) == "Fylke"
    assert split_label("draw_year", labels) == say("labels.draw_year", "en")
    assert split_label(("young", "middle"), labels) == "Age"


def test_joint_tests_of_times_and_groups_agree_with_another_program(trial, monkeypatch):
    names = ("effects", "summed", "alone")

    def verified():
        frames = {name: trial.numbers(ENTRIES, name)[0] for name in names}
        return verify(ENTRIES.exhibits, frames, files=trial.files, study=STUDY)

    result = verified()
    require_agreement(result)
    assert set(result["reason"]) == {""}
    tests = result[result["statistic"] == "f_stat"]
    assert set(tests.loc[tests["exhibit"] == "effects", "row"]) == {"placebo", "equal_path", "equal_mean"}
    assert set(tests.loc[tests["exhibit"] == "effects", "engine"]) == {"within"}
    honest = effects_numbers.equal_effects

    def wrong(*arguments, **options):
        test = honest(*arguments, **options)
        return replace(test, f_stat=test.f_stat * (1 + 1e-6))

    monkeypatch.setattr(effects_numbers, "equal_effects", wrong)
    differs = verified().query("verdict == 'differs'")
    assert set(differs["row"]) == {"equal_path", "equal_mean", "equal_last"}
