"""Rules of disclosure control, one at a time, and the ways to people that they close."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from refino_eval.config.exhibits import KINDS
from refino_eval.disclosure.attack import attack
from refino_eval.disclosure.classes import class_of_kind
from refino_eval.disclosure.digits import in_steps, step_at_least, step_of_effect
from refino_eval.disclosure.linked_counts import CountSystem
from refino_eval.disclosure.profiles import load_profile
from refino_eval.disclosure.protect import protect_release
from refino_eval.disclosure.release_tables import EarlierRelease, ReleaseExhibit
from refino_eval.errors import UserError
from refino_eval.exhibits.tidy import tidy_frame

PROTECTING = ("ssb", "dst", "opensafely", "acro_default", "strict")
ARMS = {"treated": ("new",), "control": "usual"}


def exhibit(name, kind, rows, **given):
    columns = ("panel", "row", "column", "statistic", "value", "n_persons")
    return ReleaseExhibit(
        name,
        kind,
        tidy_frame([{"exhibit": name, **dict(zip(columns, row, strict=True))} for row in rows]),
        **ARMS,
        **given,
    )


def means(values, panel, row, column):
    """Return mean, standard deviation and number of people of some values, as a path shows them."""
    size, spread = len(values), float(np.std(values, ddof=1))
    return [(panel, row, column, "mean", float(np.mean(values)), size), (panel, row, column, "n", size, size),
            (panel, row, column, "sd", spread, size)]  # fmt: skip


def value(release, name, **keys):
    frame = release[name].frame
    chosen = np.logical_and.reduce([frame[key] == wanted for key, wanted in keys.items()])
    return float(frame.loc[chosen, "value"].iloc[0])


def test_every_kind_of_exhibit_has_a_class():
    for kind in KINDS:
        assert class_of_kind(kind)


def test_a_kind_without_a_class_is_refused():
    unknown = exhibit("scatter", "scatter_of_people", [("", "1", "all", "mean", 1.0, 100)])
    for name in (*PROTECTING, "none"):
        with pytest.raises(UserError, match="has no class of disclosure control"):
            protect_release([unknown], load_profile(name))


@pytest.mark.parametrize("name", ["sbb", "", "../config", "ssb.yaml"])
def test_an_unknown_profile_is_refused(name):
    with pytest.raises(UserError, match="There is no disclosure profile"):
        load_profile(name)


@pytest.mark.parametrize("name", PROTECTING)
def test_rules_of_a_shipped_profile_have_a_source_and_say_that_they_are_unconfirmed(name):
    profile = load_profile(name)
    assert profile.protects
    assert "frequency" in profile.unconfirmed


def test_public_numbers_are_released_unchanged():
    small = exhibit("counties", "counts", [("", "Oslo", "all", "count", 1, 1)])
    release = protect_release([small], load_profile("none"))
    pd.testing.assert_frame_equal(release["counties"].frame, small.frame)
    assert attack(release, load_profile("none")) == []


def test_steps_are_one_two_or_five_times_a_power_of_ten():
    assert [step_at_least(size) for size in (0.2, 0.0021, 0.03, 6.0, 0.0)] == [0.2, 0.005, 0.05, 10.0, 0.0]
    assert in_steps(0.4379, 0.002) == 0.438
    assert in_steps(-0.005, 0.01) == 0.0
    assert step_of_effect(0.0123, 10_000, digits_for_people=3) == 0.001
    assert step_of_effect(0.0123, 100, digits_for_people=5) == 0.01


@pytest.fixture(scope="module")
def nested():
    """A path over 1,827 people and a table over 1,826: the difference is one person with a wage and 37.5 hours."""
    rng = np.random.default_rng(1)
    works = np.append(rng.random(1826) < 0.465, True).astype(float)
    hours = np.where(works > 0, rng.normal(33, 8, 1827), 0.0)
    hours[-1] = 37.5
    path = exhibit(
        "path", "paths", [*means(works, "any_wage", "18", "new"), *means(hours, "weekly_hours", "18", "new")]
    )
    table = exhibit(
        "table",
        "descriptives",
        [*means(works[:-1], "", "any_wage", "new"), *means(hours[:-1], "", "weekly_hours", "new")],
    )
    return path, table


@pytest.mark.parametrize("name", PROTECTING)
def test_means_over_nested_samples_do_not_give_the_person_between(nested, name):
    profile = load_profile(name)
    release = protect_release(nested, profile)
    assert attack(release, profile) == []
    # An attacker who knows both sizes: each mean is somewhere in its step.
    works = [
        value(release, "path", panel="any_wage", statistic="mean"),
        value(release, "table", row="any_wage", statistic="mean"),
    ]
    assert works[0] == works[1]
    hours = [
        value(release, "path", panel="weekly_hours", statistic="mean"),
        value(release, "table", row="weekly_hours", statistic="mean"),
    ]
    steps = [
        release[part].cells["step"][release[part].frame["value"] == mean].iloc[0]
        for part, mean in zip(("path", "table"), hours, strict=True)
    ]
    width = 1827 * steps[0] + 1826 * steps[1]
    assert width > 2 * 37.5
    assert {value(release, part, statistic="n") for part in ("path", "table")} == {in_steps(1827, profile.people_base)}


def test_exact_means_over_nested_samples_are_detected(nested):
    profile = load_profile("ssb")
    release = protect_release(nested, profile)
    exact = tuple(
        replace(part, frame=part.source.frame, cells=part.cells.assign(step=0.0, status="unchanged", reasons=""))
        for part in release.exhibits
    )
    findings = attack(replace(release, exhibits=exact), profile)
    assert {finding.path for finding in findings} >= {"nested populations", "digits"}
    named = {cell for finding in findings for cell in finding.cells}
    assert {"path/any_wage/18/new/mean", "table//any_wage/new/mean", "path/weekly_hours/18/new/mean"} <= named
    assert not any("37" in finding.reason for finding in findings)


def grouped(planted):
    """Return exhibits of 600 people and a group of `planted` in them: paths, sizes, effects, and a balance table by group."""
    rng = np.random.default_rng(2)
    group = np.where(np.arange(600) < planted, "few", "others")
    arm = np.where(np.arange(600) % 2 == 1, "new", "usual")
    works = (rng.random(600) < 0.5).astype(float)
    paths, sizes, effects = [], [], []
    for column in ("new", "usual"):
        whole = arm == column
        paths += means(works[whole], "works", "12", column)
        for name in ("few", "others"):
            own = whole & (group == name)
            paths += means(works[own], f"works:{name}", "12", column) if own.sum() > 1 else []
            sizes.append(("groups", name, column, "count", int(own.sum()), int(own.sum())))
    for name, own in (("all", group != ""), ("few", group == "few"), ("others", group == "others")):
        size, difference = int(own.sum()), works[own & (arm == "new")].mean() - works[own & (arm == "usual")].mean()
        effects += [("group", name, "works", statistic, float(number), size) for statistic, number in
                    (("estimate", difference), ("std_error", 1 / np.sqrt(size)), ("n", size), ("mean_control", works[own & (arm == "usual")].mean()))]  # fmt: skip
    return [exhibit("paths", "paths", [*paths, *sizes]), exhibit("subgroups", "subgroups", effects)]


@pytest.mark.parametrize("name", PROTECTING)
@pytest.mark.parametrize("count", range(1380, 1386))
def test_counts_over_nested_samples_do_not_give_the_person_between(count, name):
    def started(sample, people, value):
        rows = [
            ("job", "by_12", "new", "share", value / people, people),
            ("job", "by_12", "new", "count", value, people),
        ]
        return exhibit(sample, "ever_started", [*rows, ("job", "by_12", "new", "n", people, people)])

    profile = load_profile(name)
    release = protect_release([started("drawn", 1827, count + 1), started("analysed", 1826, count)], profile)
    drawn, analysed = (release[sample].frame["value"].tolist() for sample in ("drawn", "analysed"))
    assert drawn == analysed
    assert attack(release, profile) == []


@pytest.mark.parametrize("name", PROTECTING)
def test_a_difference_of_quantiles_with_few_people_beyond_is_suppressed(name):
    profile = load_profile(name)
    enough = 2 * profile.percentiles.minimum_people / 0.25
    rows = [
        ("", row, "y", statistic, value, int(n))
        for row in ("1", "25")
        for n in (1.2 * enough,)
        for statistic, value in (("estimate", 3.0), ("std_error", 1.0))
    ]
    release = protect_release([exhibit("quantiles", "quantile_effects", rows)], profile)
    hidden = release["quantiles"].frame.set_index(["row", "statistic"])["value"].isna()
    assert hidden["1"].all()
    assert not hidden["25"].any() or 1.2 * enough < 2 * profile.statistics.minimum_people


def test_people_left_out_are_rounded_or_suppressed():
    def logit(row, left_out):
        rows = (("estimate", 0.1, 900), ("std_error", 0.02, 900), ("n", 900, 900), ("n_left_out", left_out, left_out))
        return [("", row, "logit", *given) for given in rows]

    release = protect_release(
        [exhibit("models", "binary_models", [*logit("a", 2), *logit("b", 8)])], load_profile("ssb")
    )
    frame = release["models"].frame
    left_out = frame[frame["statistic"] == "n_left_out"]
    assert left_out["value"].isna().tolist() == [True, False]
    assert left_out["value"].iloc[1] == 10
    assert left_out["n_persons"].isna().all()
    assert frame[frame["statistic"] == "estimate"]["value"].notna().all()


@pytest.mark.parametrize("name", PROTECTING)
def test_a_group_of_five_people_is_nowhere_in_a_release(name):
    profile = load_profile(name)
    release = protect_release(grouped(5), profile)
    assert attack(release, profile) == []
    for part in release.exhibits:
        few = part.frame["panel"].str.endswith(":few") | (part.frame["row"] == "few")
        assert few.any()
        assert part.frame.loc[few, ["value", "n_persons"]].isna().all(axis=None)
    # Nor do the sizes of everybody and of the others show that somebody is missing.
    sizes = {value(release, "subgroups", row=row, statistic="n") for row in ("all", "others")}
    assert len(sizes) == 1


def test_the_mean_of_a_few_does_not_follow_from_the_means_of_all_and_of_the_others():
    hours = np.random.default_rng(3).normal(30, 8, 400)
    parts = [
        exhibit("all", "paths", means(hours, "hours", "12", "new")),
        exhibit(
            "by_group",
            "paths",
            [*means(hours[:396], "hours:most", "12", "new"), *means(hours[396:], "hours:few", "12", "new")],
        ),
    ]
    profile = load_profile("ssb")
    release = protect_release(parts, profile)
    assert attack(release, profile) == []
    exact = tuple(
        replace(
            part,
            frame=part.source.frame.assign(value=part.source.frame["value"].where(part.frame["value"].notna())),
            cells=part.cells.assign(step=0.0),
        )
        for part in release.exhibits
    )
    found = [finding for finding in attack(replace(release, exhibits=exact), profile) if finding.path == "complement"]
    assert [finding.cells for finding in found] == [("all/hours/12/new/mean", "by_group/hours:most/12/new/mean")]


def test_values_of_both_signs_have_no_dominating_person():
    rows = [
        *means(np.tile([-1.0, 1.1], 50), "", "change", "new"),
        *means(np.tile([-1.0, 0.7], 50), "", "change", "usual"),
    ]
    release = protect_release([exhibit("pay", "descriptives", rows)], load_profile("ssb"))
    assert set(release["pay"].cells["reasons"][3:]) == {""}


def test_a_large_group_is_shown():
    release = protect_release(grouped(200), load_profile("ssb"))
    assert release.utility.primary + release.utility.secondary == 0
    assert value(release, "subgroups", row="few", statistic="n") == 200


def test_whoever_was_added_between_two_months_is_not_shown():
    def rows(arm, people, counts):
        for row, count in zip(("by_1", "by_3", "by_6"), counts, strict=True):
            yield from [("job", row, arm, "share", count / people, people), ("job", row, arm, "count", count, people)]

    profile = load_profile("ssb")
    started = exhibit(
        "started",
        "ever_started",
        [*rows("new", 400, (120, 121, 180)), *rows("usual", 500, (90, 140, 200))],
        cumulative=True,
    )
    release = protect_release([started], profile)
    assert attack(release, profile) == []
    shown = release["started"].frame
    counts = shown[(shown["statistic"] == "count") & (shown["column"] == "new")]["value"]
    assert counts.isna().sum() == 1
    assert shown[shown["column"] == "usual"]["value"].notna().all()


def test_few_people_of_a_time_or_between_two_follow_from_no_other_programme():
    def rows(arm, people, counts):
        for state, by_time in counts.items():
            for time, count in zip((3, 6), by_time, strict=True):
                keys = ("", f"{time}:{state}", arm)
                yield from [(*keys, "share", count / people, people), (*keys, "count", count, people)]

    profile = load_profile("acro_default")
    started = exhibit(
        "starts",
        "programme_starts",
        [
            *rows("new", 400, {"a": (200, 260), "b": (2, 40), "none": (198, 100)}),  # two people in b at time 3
            *rows("usual", 500, {"a": (60, 80), "b": (300, 301), "none": (140, 119)}),  # one more in b at time 6
        ],
        cumulative=True,
    )
    release = protect_release([started], profile)
    assert attack(release, profile) == []
    shown = release["starts"].frame
    shown = shown[shown["value"].notna() & (shown["statistic"] == "count")]
    of_new = set(shown[shown["column"] == "new"]["row"])
    assert "3:b" not in of_new
    assert not {"3:a", "3:none"} <= of_new  # with both, b would be the rest
    assert {"6:a", "6:b", "6:none"} & of_new
    of_usual = set(shown[shown["column"] == "usual"]["row"])
    assert not {"3:b", "6:b"} <= of_usual


def test_a_small_class_of_a_density_cannot_be_computed_from_the_others():
    sizes = {"0": 2, "0.2": 90, "0.4": 150, "0.6": 55}
    rows = [("score", row, "new", "share", size / 297, size) for row, size in sizes.items()]
    release = protect_release(
        [exhibit("scores", "propensity_scores", [*rows, ("score", "all", "new", "n", 297, 297)])], load_profile("ssb")
    )
    assert release["scores"].cells["reasons"].tolist() == ["threshold", "", "", "", ""]
    assert attack(release, load_profile("ssb")) == []
    # The steps in which the other shares are written leave room; exact ones do not.
    part = release["scores"]
    exact = part.source.frame.assign(value=part.source.frame["value"].where(part.frame["value"].notna()))
    careless = replace(part, frame=exact, cells=part.cells.assign(step=0.0))
    assert {finding.path for finding in attack(replace(release, exhibits=(careless,)), load_profile("ssb"))} == {
        "margins"
    }


def test_extremes_and_medians_of_few_people_are_suppressed():
    summary = [("", "summary", name, "value", number, 300) for name, number in
               (("size_min", 6), ("size_max", 56), ("size_median", 21), ("n_cells", 12))]  # fmt: skip
    survival = [("", "median", "new", "value", 7, 12), ("", "median", "usual", "value", 8, 200)]
    release = protect_release(
        [exhibit("design", "design", summary), exhibit("jobs", "spell_survival", survival)],
        load_profile("acro_default"),
    )
    design, jobs = release["design"].frame["value"].isna(), release["jobs"].frame["value"].isna()
    assert design.tolist() == [True, True, False, False]
    assert jobs.tolist() == [True, False]
    assert set(release["design"].cells["reasons"]) == {"extremes", ""}


def test_a_mean_that_one_person_dominates_is_suppressed():
    even, uneven = np.full(40, 100.0) + np.arange(40), np.append(np.ones(39), 5_000.0)
    release = protect_release(
        [exhibit("pay", "descriptives", [*means(even, "", "even", "new"), *means(uneven, "", "uneven", "new")])],
        load_profile("ssb"),
    )
    cells = release["pay"].cells.assign(row=release["pay"].frame["row"])
    assert set(cells.loc[cells["row"] == "uneven", "reasons"]) == {"dominance"}
    assert set(cells.loc[cells["row"] == "even", "reasons"]) == {""}


def test_a_regression_with_few_degrees_of_freedom_or_a_small_arm_is_suppressed():
    def effect(row, people, treated, df):
        numbers = {
            "estimate": 0.1,
            "std_error": 0.02,
            "n": people,
            "n_treated": treated,
            "n_control": people - treated,
            "df": df,
        }
        return [("main", row, "works", name, number, people) for name, number in numbers.items()]

    rows = [*effect("enough", 100, 50, 90), *effect("few_df", 100, 50, 4), *effect("small_arm", 100, 6, 90)]
    cells = (release := protect_release([exhibit("effects", "itt", rows)], load_profile("ssb")))["effects"].cells
    reasons = dict(zip(release["effects"].frame["row"], cells["reasons"], strict=True))
    assert reasons == {"enough": "", "few_df": "degrees_of_freedom", "small_arm": "minimum_people"}


def test_a_number_of_unknown_people_is_suppressed():
    rows = [("main", "new", "works", "estimate", 0.1, None), ("main", "new", "works", "std_error", 0.01, None)]
    release = protect_release([exhibit("effects", "itt", rows)], load_profile("ssb"))
    assert set(release["effects"].cells["reasons"]) == {"people_unknown"}


def test_a_value_that_nobody_classified_is_suppressed():
    release = protect_release(
        [exhibit("design", "design", [("", "summary", "oldest_person", "value", 66, 900)])], load_profile("ssb")
    )
    assert release["design"].cells["reasons"].tolist() == ["unknown_value"]


def compared_shares(treated):
    """Return a share of 400 treated people and one person of 500 controls, with the difference."""
    difference = treated - 1 / 500
    effect = (
        ("estimate", difference),
        ("std_error", 0.03),
        ("conf_low", difference - 0.06),
        ("conf_high", difference + 0.06),
        ("n", 900),
    )
    rows = [("job", "by_1", "new", "share", treated, 400), ("job", "by_1", "usual", "share", 1 / 500, 500)]
    return exhibit(
        "started", "ever_started", [*rows, *(("job", "by_1", "difference", *given, 900) for given in effect)]
    )


def test_an_effect_is_coarse_where_the_share_of_an_arm_is_suppressed():
    profile = load_profile("ssb")
    release = protect_release([compared_shares(0.5)], profile)
    assert release["started"].cells["reasons"].tolist() == ["", "threshold", "", "", "", "", ""]
    assert release["started"].frame["value"].tolist()[2:6] == [0.5, 0.05, 0.45, 0.55]
    assert attack(release, profile) == []
    part = release["started"]
    exact = part.frame.assign(value=part.source.frame["value"].where(part.frame["value"].notna()))
    careless = replace(release, exhibits=(replace(part, frame=exact, cells=part.cells.assign(step=0.0)),))
    assert "rate" in {finding.path for finding in attack(careless, profile)}


def test_an_effect_that_would_give_a_suppressed_share_away_is_suppressed():
    release = protect_release([compared_shares(0.48)], load_profile("ssb"))
    assert release["started"].cells["reasons"].tolist() == ["", "threshold", *["saturated"] * 4, ""]
    assert attack(release, load_profile("ssb")) == []


def counties(oslo, bergen):
    rows = [
        ("", name, "all", "count", size, size)
        for name, size in (("Oslo", oslo), ("Bergen", bergen), ("total", oslo + bergen))
    ]
    return exhibit("counties", "counts", rows)


def test_a_count_that_grew_by_one_since_an_earlier_release_is_suppressed():
    profile = load_profile("ssb")
    before = EarlierRelease("2025", protect_release([counties(40, 60)], profile).frames)
    release = protect_release([counties(41, 60)], profile, earlier=[before])
    assert release["counties"].cells["reasons"].tolist() == ["earlier_release", "", "earlier_release"]
    assert attack(release, profile, earlier=[before]) == []
    careless = protect_release([counties(41, 60)], profile)
    assert {finding.path for finding in attack(careless, profile, earlier=[before])} == {"earlier release"}


def test_a_cell_that_an_earlier_release_hid_stays_hidden():
    profile = load_profile("ssb")
    before = protect_release([counties(2, 60)], profile)
    hidden = before["counties"].frame["value"].isna()
    release = protect_release([counties(2, 60)], profile, earlier=[EarlierRelease("2025", before.frames)])
    assert hidden.sum() == 2
    pd.testing.assert_series_equal(release["counties"].frame["value"], before["counties"].frame["value"])


def test_a_small_count_that_an_earlier_release_showed_stops_the_release():
    before = EarlierRelease("2025", protect_release([counties(5, 60)], load_profile("ssb")).frames)
    strict = load_profile("acro_default")
    release = protect_release([counties(5, 60)], strict, earlier=[before])
    assert "margins" in {finding.path for finding in attack(release, strict, earlier=[before])}


def test_a_mean_that_hardly_moved_since_an_earlier_release_is_written_as_it_was(nested):
    profile = load_profile("ssb")
    before = EarlierRelease("2025", protect_release([nested[0]], profile).frames)
    moved = replace(
        nested[0],
        frame=nested[0].frame.assign(
            value=nested[0]
            .frame["value"]
            .where(nested[0].frame["statistic"] != "mean", nested[0].frame["value"] + 1e-4)
        ),
    )
    release = protect_release([moved], profile, earlier=[before])
    pd.testing.assert_series_equal(release["path"].frame["value"], before.frames["path"]["value"])
    assert attack(release, profile, earlier=[before]) == []


def test_an_arm_is_not_computed_from_the_pooled_arms():
    sizes = {"all": 92, "first": 2, "second": 40, "both": 42, "usual": 50}
    tidy = tidy_frame(
        [
            {"exhibit": "arms", "row": "Oslo", "column": arm, "statistic": "count", "value": size, "n_persons": size}
            for arm, size in sizes.items()
        ]
    )
    arms = ReleaseExhibit("arms", "counts", tidy, treated=("first", "second", "both"), control="usual")
    shown = protect_release([arms], load_profile("ssb"))["arms"].frame.set_index("column")["value"]
    assert np.isnan(shown["first"])
    assert np.isnan([shown["second"], shown["both"]]).any()


def test_a_small_share_of_an_arm_of_unknown_size_is_suppressed():
    rows = [("main", row, "works", name, number, 400) for row, share in (("a", 0.01), ("b", 0.4)) for name, number in
            (("estimate", 0.1), ("std_error", 0.02), ("mean_control", share), ("n", 400))]  # fmt: skip
    cells = protect_release([exhibit("groups", "subgroups", rows)], load_profile("ssb"))["groups"].cells
    assert cells["reasons"].tolist() == ["", "", "threshold", "", "", "", "", ""]


def test_a_released_frame_does_not_say_which_suppressed_cells_are_small():
    release = protect_release([counties(2, 60)], load_profile("ssb"))
    frame, cells = release["counties"].frame, release["counties"].cells
    assert set(cells["status"]) == {"primary", "secondary", "unchanged"}
    assert set(frame.loc[frame["value"].isna(), "status"]) == {"suppressed"}
    assert release["counties"].status == "primary"


def test_shares_are_computed_from_rounded_counts():
    drawn = exhibit(
        "months",
        "draws",
        [
            ("", "2020-01", "new", "count", 23, 23),
            ("", "2020-01", "usual", "count", 41, 41),
            ("", "2020-01", "share_treated", "share", 23 / 64, 64),
        ],
    )
    release = protect_release([drawn], load_profile("opensafely"))
    assert release["months"].frame["value"].tolist() == [25.0, 40.0, round(25 / 65, 3)]


def test_unknowns_of_one_equation_stay_connected_when_another_equation_has_the_opposite_sign():
    system = CountSystem()
    total, same, none = (
        system.add(value, base=0, sensitive=True, label=label)
        for value, label in ((5, "total"), (5, "same"), (0, "none"))
    )
    assert system.equate(total, [same, none])
    assert system.equate(same, [total, none])
    parts = [(members.tolist(), matrix.toarray().tolist()) for members, matrix in system.components()]
    assert parts == [([0, 1, 2], [[-1.0, 1.0, 1.0], [1.0, -1.0, 1.0]])]
