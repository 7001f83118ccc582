"""A second trial runs through the same workflow by its configuration alone: other registers, coverage, arms and clock."""

import pandas as pd
import pytest

from support.workflow import choose_exhibits, copy_project, refino_eval

pytestmark = pytest.mark.slow


def test_the_second_trial_runs_by_its_configuration_alone(tmp_path):
    project = copy_project(tmp_path / "project")
    choose_exhibits(project, ["table_1", "table_2"], evaluation="se_klar")
    run = refino_eval(project, "run", "--evaluation", "se_klar", "--until", "aggregates")
    assert run.returncode == 0, run.stdout + run.stderr
    folder = project / "results/se_klar/aggregates"
    ours = pd.concat(
        pd.read_csv(folder / f"{name}.csv", keep_default_na=False, na_values={"value": [""]})
        for name in ("table_1", "table_2")
    )
    cohort = pd.read_parquet(project / "results/se_klar/person_level/cohort.parquet")
    assert cohort["arm"].value_counts().to_dict() == {"intervention": 167, "control": 101}
    # Counts of the traits whose shares by arm are published are those of the article.
    value = ours[ours["exhibit"] == "table_1"].set_index(["row", "column", "statistic"])["value"]
    assert value["married", "intervention", "mean"] == pytest.approx(34 / 167)
    assert value["completed_upper_secondary", "control", "mean"] == pytest.approx(50 / 101)
    # The effect that was planted is in reach of the estimate.
    truth = pd.read_csv(project / "data/synthetic/se_klar/truth_effects.csv").set_index("outcome")["cell_weighted"]
    effect = ours[ours["exhibit"] == "table_2"].set_index(["column", "statistic"])["value"]["employed"]
    assert abs(effect["estimate"] - truth["employed_months_36"]) < 3 * effect["std_error"]
    assert effect["n"] == 268
