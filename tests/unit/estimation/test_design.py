"""Facts of the design."""

import numpy as np
import pandas as pd
import pytest

from refino_eval.errors import UserError
from refino_eval.estimation import design_table, itt

Z = np.array([1, 0, 1, 1, 1, 0, 0, 1, 0, 0])
CELLS = np.array(["b", "b", "a", "a", "a", "a", "c", "d", "e", "e"])


def test_cells_as_counted_by_hand():
    frame = design_table(Z, CELLS).to_frame().set_index("cell")
    assert frame.index.tolist() == ["a", "b", "c", "d", "e"]
    assert frame["n"].tolist() == [4, 2, 1, 1, 2]
    assert frame["n_treated"].tolist() == [3, 1, 0, 1, 0]
    assert frame["n_control"].tolist() == [1, 1, 1, 0, 2]
    assert frame["one_arm"].tolist() == [False, False, True, True, True]
    assert frame["singleton"].tolist() == [False, False, True, True, False]
    assert frame["weight"].tolist() == pytest.approx([0.75, 0.5, 0, 0, 0])
    assert frame["weight_share"].tolist() == pytest.approx([0.6, 0.4, 0, 0, 0])


def test_summary_as_counted_by_hand():
    told = design_table(Z, CELLS).summary
    assert (told.n, told.n_treated, told.n_control, told.n_cells) == (10, 5, 5, 5)
    assert (told.n_one_arm_cells, told.n_in_one_arm_cells, told.n_singleton_cells, told.n_informative) == (3, 4, 2, 6)
    assert (told.share_min, told.share_median, told.share_max) == pytest.approx((0.5, 0.625, 0.75))
    assert (told.size_min, told.size_median, told.size_max) == (1, 2.0, 4)
    assert told.effective_n == pytest.approx(1.25**2 / (4 * 0.1875**2 + 2 * 0.25**2))
    assert told.equal_draw_n == pytest.approx(5.0)
    assert told.share_treated == 0.5


def test_an_equal_draw_counts_everybody():
    told = design_table([0, 1] * 10, np.repeat(range(5), 4)).summary
    assert told.effective_n == pytest.approx(20)
    assert told.equal_draw_n == pytest.approx(20)


def test_weights_are_those_of_the_regression(trial):
    t = trial(1)
    frame = design_table(t.z, t.cells).to_frame()
    gaps = [
        t.y[(t.cells == c) & (t.z == 1), 0].mean() - t.y[(t.cells == c) & (t.z == 0), 0].mean() if not one_arm else 0.0
        for c, one_arm in zip(frame["cell"], frame["one_arm"], strict=True)
    ]
    assert itt(t.y, t.z, cells=t.cells).estimate[0] == pytest.approx(frame["weight_share"] @ gaps)


def test_labels_of_frames_pairs_and_nothing():
    frame = pd.DataFrame({"county": [2, 2, 1], "month": ["m", "m", "n"]})
    assert design_table([0, 1, 1], frame).cell == ((1, "n"), (2, "m"))
    assert design_table([0, 1, 1], [(2, "m"), (2, "m"), (1, "n")]).cell == ((1, "n"), (2, "m"))
    assert design_table([0, 1, 1], ["b", 1, "b"]).cell == (1, "b")
    assert design_table([0, 1, 1]).cell == ("all",)


def test_a_draw_in_one_arm_cells_alone_is_described_all_the_same():
    told = design_table([0, 0, 1], ["a", "a", "b"]).summary
    assert told.n_informative == 0
    assert told.effective_n == 0.0
    assert np.isnan(told.share_min)
    assert np.isnan(design_table([0, 0, 1], ["a", "a", "b"]).weight_share).all()


def test_faults():
    with pytest.raises(UserError, match="treated must be 0 or 1"):
        design_table([0, 2, 1])
    with pytest.raises(UserError, match="cells: 1 of 3 rows have no label"):
        design_table([0, 1, 1], ["a", None, "b"])
