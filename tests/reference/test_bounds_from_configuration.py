"""Lee's bounds on Job Corps wages, from the evaluation's YAML to tidy numbers without the workflow."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from refino_eval.config import load_configuration
from refino_eval.exhibits.aggregate import aggregate
from refino_eval.exhibits.numbers.study import PersonFiles, Study
from refino_eval.published.compare import compare
from refino_eval.published.values import load_published
from refino_eval.trial import read_person_table, write_cohort, write_outcome

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def numbers(shared_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wages")
    configuration = load_configuration(ROOT, evaluation="job_corps_wages")
    study, definitions = configuration.evaluation, configuration.definitions
    used = {name: definitions.covariates[name] for name in ("jc_wage_female", "jc_wage_age")}
    data = read_person_table(
        shared_data / "jobcorps_lee2009",
        table=study.person_table,
        samples=study.samples,
        arms=study.arms,
        covariates=used,
    )
    write_cohort(data.cohort.frame, folder / "cohort.parquet")
    write_outcome(data.outcomes, "log_wage", folder / "log_wage.parquet")
    files = PersonFiles(cohort=folder / "cohort.parquet", outcomes={"log_wage": folder / "log_wage.parquet"}, panels={})
    names = Study("program", "control", definitions.specifications, 1)
    parts = [aggregate(name, definitions.exhibits[name], files=files, study=names) for name in study.exhibits]
    return pd.concat(parts, ignore_index=True)


def test_every_value_of_the_data_set_s_own_table(numbers):
    published = load_published(ROOT / "data/published/job_corps_wages.csv")
    compared = compare(published, numbers, data_class="public")
    assert len(compared) == 9
    assert set(compared["verdict"]) == {"equal"}, compared[["row", "statistic", "printed", "obtained", "verdict"]]


def test_the_exact_share_cut_off_gives_wider_bounds(numbers):
    bounds = numbers[(numbers["panel"] == "lee") & numbers["statistic"].isin(["bound_low", "bound_high"])]
    wide = bounds.pivot_table(index="exhibit", columns="statistic", values="value")
    kept, exact = wide.loc["job_corps_wage_bounds"], wide.loc["job_corps_wage_bounds_exact"]
    assert exact["bound_low"] < kept["bound_low"] < kept["bound_high"] < exact["bound_high"]
