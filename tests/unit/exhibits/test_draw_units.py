"""What is drawn again, clusters or people, and the warning of few clusters."""

import numpy as np
import pandas as pd
import pytest

from refino_eval.errors import UserError
from refino_eval.exhibits.numbers.drawn_units import drawn_units
from refino_eval.exhibits.wording.notes import inference_note


def people(split):
    """Ten homes of two, of which `split` have one person in each arm."""
    treated = np.repeat(np.arange(10) % 2, 2)
    treated[: 2 * split : 2] = 1 - treated[: 2 * split : 2]
    return pd.DataFrame({"cluster": np.repeat(list("abcdefghij"), 2), "treated": treated})


def test_clusters_are_drawn_again_where_the_draw_never_parts_them():
    assert drawn_units(None, people(0)).tolist() == np.repeat(np.arange(10), 2).tolist()
    assert drawn_units(None, people(8)).tolist() == list(range(20))
    assert drawn_units("person", people(0)).tolist() == list(range(20))
    assert drawn_units(None, people(0)[["treated"]]) is None
    assert drawn_units(None, people(0).drop_duplicates("cluster")).tolist() == list(range(10))


def test_a_few_divided_clusters_are_no_guess():
    with pytest.raises(UserError, match="2 of 10 clusters with several people have people in both arms"):
        drawn_units(None, people(2))
    assert len(set(drawn_units("cluster", people(2)))) == 10
    with pytest.raises(UserError, match="names none"):
        drawn_units("cluster", people(0)[["treated"]])


@pytest.mark.parametrize(("clusters", "told"), [(29, True), (30, False)])
def test_few_clusters_give_a_warning(clusters, told):
    frame = pd.DataFrame({"row": ["t"], "statistic": ["df"], "value": [clusters - 1.0]})
    for language, words in (("nb", f"Bare {clusters} klynger"), ("en", f"Only {clusters} clusters")):
        assert (words in inference_note(["CRV1"], [0.95], frame, language)) == told
        assert "2015" not in inference_note(["HC1"], [0.95], frame, language)
