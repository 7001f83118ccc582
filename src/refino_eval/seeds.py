"""Seeds: every random step derives its own from the study seed and its name.

So the numbers depend neither on the order of the jobs nor on how many run at a time.
"""

from __future__ import annotations

import hashlib


def derive_seed(study_seed: int, *names: str) -> int:
    """Return the seed of one random step.

    Parameters
    ----------
    study_seed
        The seed of `config/config.yaml`.
    names
        What the step is, for instance the exhibit and the state.

    Returns
    -------
    int
        Between 0 and 2**63 - 1, the same on every machine.
    """
    text = "\x1f".join([str(study_seed), *names])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
