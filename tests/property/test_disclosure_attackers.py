"""Random small releases against two attackers: the program's, and one over people by all attributes that was written apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.support.atom_attacker import recovered
from tests.support.disclosure_families import assignment_family, outcome_family

from refino_eval.disclosure.attack import attack
from refino_eval.disclosure.profiles import load_profile
from refino_eval.disclosure.protect import protect_release
from refino_eval.disclosure.release_tables import ReleaseExhibit
from refino_eval.exhibits.tidy import tidy_frame

PROFILES = {name: load_profile(name) for name in ("ssb", "dst", "opensafely", "acro_default")}
SMALL = st.integers(0, 14)


def tables(*shape):
    size = int(np.prod(shape))
    return st.lists(SMALL, min_size=size, max_size=size).map(lambda values: np.array(values).reshape(shape))


def check(family, profile):
    release = protect_release(family.exhibits, profile)
    assert attack(release, profile) == []
    printed = {exhibit.name: (exhibit.frame, exhibit.cells["step"]) for exhibit in release.exhibits}
    threshold, base = profile.frequency.threshold, profile.rounding.base
    assert recovered(family, printed, base=base, threshold=threshold, digits=profile.statistics.digits_for_people) == []
    lost = release.utility
    assert lost.primary + lost.secondary <= lost.whole_rows
    return release


@settings(max_examples=25, derandomize=True, deadline=None)
@given(tables(2, 3, 2), st.tuples(SMALL, SMALL), st.sampled_from(sorted(PROFILES)))
def test_no_small_cell_of_linked_assignment_tables_is_recovered(counts, left, name):
    # Attackers know the size of the population, so nothing protects one that is itself small.
    assume(counts.sum() >= 2 * PROFILES[name].frequency.threshold)
    check(assignment_family(counts, left), PROFILES[name])


@settings(max_examples=25, derandomize=True, deadline=None)
@given(tables(2, 2, 3), st.integers(0, 60), st.sampled_from(sorted(PROFILES)))
def test_no_small_cell_of_linked_shares_is_recovered(counts, more, name):
    counts[:, :, -1] += more
    assume((counts.sum(axis=2) >= 2 * PROFILES[name].frequency.threshold).all())
    check(outcome_family(counts), PROFILES[name])


def path(name, values, panel):
    """Return a path of one month over some people."""
    size, spread = len(values), float(np.std(values, ddof=1))
    rows = [
        {
            "exhibit": name,
            "panel": panel,
            "row": "12",
            "column": "new",
            "statistic": statistic,
            "value": value,
            "n_persons": size,
        }
        for statistic, value in (("mean", float(np.mean(values))), ("n", size), ("sd", spread))
    ]
    return ReleaseExhibit(name, "paths", tidy_frame(rows), treated=("new",), control="usual")


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    st.integers(30, 400), st.integers(1, 4), st.floats(0.05, 0.95), st.booleans(), st.integers(0, 2**32 - 1),
    st.sampled_from(sorted(PROFILES)),
)  # fmt: skip
def test_no_value_of_a_person_follows_from_means_over_nested_samples(
    people, between, share, of_zeros_and_ones, seed, name
):
    rng, profile = np.random.default_rng(seed), PROFILES[name]
    works = (rng.random(people) < share).astype(float)
    values = works if of_zeros_and_ones else np.where(works > 0, rng.gamma(9, 4, people), 0.0)
    assume(values[:-between].std() > 0)
    release = protect_release([path("all", values, "state"), path("most", values[:-between], "state")], profile)
    assert attack(release, profile) == []
    shown = [(part.frame["value"].iloc[0], part.cells["step"].iloc[0]) for part in release.exhibits]
    if any(np.isnan(mean) for mean, _ in shown):
        return
    (whole, step), (most, other) = shown
    low = people * (whole - step / 2) - (people - between) * (most + other / 2)
    high = people * (whole + step / 2) - (people - between) * (most - other / 2)
    if of_zeros_and_ones:
        # More than one number of the people between agrees with both prints.
        assert min(between, np.floor(high + 1e-9)) > max(0, np.ceil(low - 1e-9))
    else:
        assert high - low > values.std(ddof=1)


def test_both_attackers_recover_cells_where_only_the_small_ones_are_suppressed():
    family = assignment_family(np.array([[[9, 1], [8, 12]], [[11, 14], [2, 13]]]), (6, 7))
    profile = PROFILES["ssb"]
    release = protect_release(family.exhibits, profile)
    naive = []
    for exhibit in release.exhibits:
        frame, small = exhibit.source.frame.copy(), exhibit.cells["status"] == "primary"
        frame.loc[small, "value"] = np.nan
        naive.append(replace(exhibit, frame=frame))
    printed = {exhibit.name: (exhibit.frame, exhibit.cells["step"]) for exhibit in naive}
    assert recovered(family, printed, base=1, threshold=profile.frequency.threshold, digits=0)
    assert {finding.path for finding in attack(replace(release, exhibits=tuple(naive)), profile)} >= {"margins", "arms"}
