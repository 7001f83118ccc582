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
