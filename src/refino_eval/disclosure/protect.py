"""Protect the numbers of a release."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from refino_eval.config.disclosure_profiles import DisclosureProfile
from refino_eval.disclosure.release_tables import (
    EarlierRelease,
    ProtectedExhibit,
    ProtectedRelease,
    ReleaseExhibit,
    UtilityLost,
)


def protect_release(
    exhibits: Sequence[ReleaseExhibit], profile: DisclosureProfile, *, earlier: Sequence[EarlierRelease] = ()
) -> ProtectedRelease:
    """Protect all tidy tables of a release together.

    Parameters
    ----------
    exhibits
        The unprotected numbers of every exhibit that leaves, see `release_exhibits`.
    profile
        The data owner's rules.
    earlier
        What earlier releases of the same people show.

    Returns
    -------
    ProtectedRelease
        In the order given.

    Raises
    ------
    UserError
        When an exhibit has no class of disclosure control, or people behind a number are unknown.
    """
    protected = []
    for exhibit in exhibits:
        cells = pd.DataFrame({"status": "unchanged", "reasons": "", "step": 0.0}, index=exhibit.frame.index)
        if profile.protects:
            frame = exhibit.frame.assign(
                value=float("nan"), n_persons=pd.array([pd.NA] * len(exhibit.frame), "Int64"), status="suppressed"
            )
            cells = cells.assign(status="primary", reasons="not_yet_protected")
        else:
            frame = exhibit.frame
        protected.append(ProtectedExhibit(exhibit.name, exhibit.kind, exhibit.disclosure_class, frame, cells, exhibit))
    total = sum(len(exhibit.frame) for exhibit in exhibits)
    hidden = sum(int((exhibit.cells["status"] == "primary").sum()) for exhibit in protected)
    return ProtectedRelease(profile.name, tuple(protected), UtilityLost(total, hidden, 0, hidden))
