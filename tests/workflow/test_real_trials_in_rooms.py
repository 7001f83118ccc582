"""Real trials from their archive files, through the rooms: every printed number, and the family-wise p-values."""

import pandas as pd
import pytest
from run_in_rooms import ROOT, run_in_rooms

pytestmark = pytest.mark.slow

# The spending IV's printed standard error is without the small-sample factor: 79.0 for our 79.06.
SCORES = {
    "iwws_balance": {"equal": 28},
    "iwws_claims": {"equal": 29, "last_digit": 1},
    "iwws_employment": {"equal": 30},
    "iwws_survey": {"equal": 12},
    "iwws_races": {"equal": 6},
}


@pytest.fixture
def data(shared, monkeypatch):
    monkeypatch.setenv("REFINO_EVAL_SHARED", str(shared))
    return shared


@pytest.mark.parametrize("name", list(SCORES))
def test_each_printed_number_of_the_wellness_study(name, data, tmp_path):
    run = run_in_rooms(ROOT, name, tmp_path)
    assert run.comparison()["verdict"].value_counts().to_dict() == SCORES[name]


def test_sixty_outcomes_and_their_families(data, tmp_path):
    exhibits = ["iwws_table_2", "iwws_table_3", "iwws_beliefs", "iwws_behaviours"]
    run = run_in_rooms(ROOT, "iwws", tmp_path, only=exhibits)
    assert run.comparison()["verdict"].value_counts().to_dict() == {"equal": 480}
    printed = pd.read_csv(data / "iwws/published_westfall_young.csv").set_index("outcome")["published_WY_p"]
    assert len(printed) == 28
    for exhibit in exhibits[2:]:
        found = run.numbers(exhibit).xs("p_value_fwer", level="statistic").droplevel(["panel", "column"])
        for outcome, p in found.items():
            text = printed[outcome]
            low, high = (0.99, 1.0) if text[0] == ">" else (0.0, 0.01) if text[0] == "<" else (float(text), float(text))
            assert low - 0.03 <= p <= high + 0.03, outcome


def test_no_target_of_the_wellness_study_is_left_out(data):
    """Each printed number of the shared list stands in one of our files; the adjusted p-values are tested above."""
    targets = pd.read_csv(data / "iwws/published.csv", dtype=str, keep_default_na=False)
    targets = targets[targets["published"] != ""]
    ours = pd.concat(
        pd.read_csv(ROOT / f"data/published/{name}.csv", dtype=str, keep_default_na=False) for name in ["iwws", *SCORES]
    )
    assert len(ours) == len(targets) == 586
    assert ours["printed"].value_counts().to_dict() == targets["published"].value_counts().to_dict()
