"""What was randomly assigned: people, or clusters."""

from __future__ import annotations

import numpy as np
import pandas as pd

from refino_eval.errors import UserError


def drawn_units(said: str | None, people: pd.DataFrame, *, split_by: str = "treated") -> np.ndarray | None:
    """Return what was drawn: the cluster of each person, or each person; None where no clusters are known.

    The column `split_by` has the arm, by which clusters are divided or whole.

    Raises
    ------
    UserError
        When clusters are said and not known, or nothing is said and some clusters, but few, have people in both arms.
    """
    if "cluster" not in people:
        if said == "cluster":
            raise UserError("draw_unit says cluster, and the evaluation names none (`cluster`).")
        return None
    codes = pd.factorize(people["cluster"])[0]
    size = np.bincount(codes)
    arms = people.groupby(codes)[split_by].nunique().to_numpy()
    shared, split = int((size > 1).sum()), int((arms > 1).sum())
    if said is None and 0 < split < shared / 2:
        raise UserError(
            f"{split:,} of {shared:,} clusters with several people have people in both arms: were clusters drawn, or people? Say it "
            "(draw_unit: cluster or person); if clusters, take out those that are divided."
        )
    return codes if said == "cluster" or (said is None and shared and not split) else np.arange(len(people))
