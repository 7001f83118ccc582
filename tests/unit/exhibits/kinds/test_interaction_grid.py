"""Interactions of several outcomes: each coefficient is that of its own regression, and p is adjusted over all pairs."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from refino_eval.config.definitions import Definitions
from refino_eval.exhibits.aggregate import PersonFiles, Study, aggregate
from refino_eval.exhibits.render import table_of
from refino_eval.exhibits.wording.labels import LabelBook

WORD = {"nb": "ord", "en": "word"}
DEFINITIONS = Definitions.model_validate(
    {
        "covariates": {n: {"kind": "column", "column": n, "label": {"nb": n, "en": n}} for n in ("age", "female")},
        "specifications": {"spec": {"label": WORD, "description": "x", "vcov": "HC1", "controls": [{"covariate": "age"}]}},
        "exhibits": {
            "grid": {
                "kind": "interaction_grid", "title": WORD, "moderators": ["female", "age"], "specification": "spec",
                "columns": {"a": "work", "b": "hours"},
            }
        },
    }
)  # fmt: skip


def test_coefficients_and_their_familywise_p(tmp_path):
    rng = np.random.default_rng(3)
    n = 200
    cohort = pd.DataFrame(
        {
            "person_id": [f"{k:03d}" for k in range(n)], "treated": np.arange(n) % 2, "cell": "one", "sample_analysed": True,
            "arm": np.where(np.arange(n) % 2, "new", "old"), "age": rng.uniform(20, 60, n), "female": rng.integers(0, 2, n).astype(float),
        }
    )  # fmt: skip
    cohort.loc[::20, "female"] = np.nan
    cohort.to_parquet(tmp_path / "cohort.parquet")
    data, paths = cohort.copy(), {}
    for name, slope in (("work", 0.0), ("hours", 8.0)):
        data[name] = rng.normal(size=n) * 4 + slope * data["treated"] * data["female"].fillna(0)
        paths[name] = tmp_path / f"{name}.parquet"
        data[["person_id", name]].rename(columns={name: "value"}).to_parquet(paths[name])
    files = PersonFiles(tmp_path / "cohort.parquet", paths, {})
    study = Study(treated="new", control="old", specifications=DEFINITIONS.specifications, seed=1)
    frame = aggregate("grid", DEFINITIONS.exhibits["grid"], files=files, study=study)
    ours = frame.set_index(["row", "column", "statistic"])["value"]
    expected = {}
    data = data.dropna()
    for key, outcome in (("a", "work"), ("b", "hours")):
        for moderator in ("female", "age"):
            fit = smf.ols(f"{outcome} ~ treated * {moderator} + age", data).fit(cov_type="HC1")
            name = f"treated:{moderator}"
            assert ours[moderator, key, "estimate"] == pytest.approx(fit.params[name], rel=1e-8)
            assert ours[moderator, key, "std_error"] == pytest.approx(fit.bse[name], rel=1e-8)
            expected[moderator, key] = ours[moderator, key, "p_value"]
    ordered = sorted(expected, key=expected.get)
    holm = 0.0
    for k, place in enumerate(ordered):
        holm = max(holm, min(1.0, (4 - k) * expected[place]))
        assert ours[(*place, "p_value_holm")] == pytest.approx(holm)
    assert ordered[0] == ("female", "b")
    assert ours["below_level", "all", "count"] == sum(p < 0.05 for p in expected.values())
    arms = {
        role: {"name": name, "code": name, "label": WORD} for role, name in (("treated", "new"), ("control", "old"))
    }
    outcomes = {name: {"nb": name, "en": name} for name in paths}
    names = {"arms": arms, "samples": {}, "strata": [], "strata_labels": {}, "outcomes": outcomes, "flow": {}}
    labels = LabelBook.named(names, DEFINITIONS)
    table = table_of("grid", DEFINITIONS.exhibits["grid"], frame, labels=labels, language="nb", facts={})
    assert len(table.parts[0].body) == 6
    assert any("av 4 ujusterte" in note for note in table.notes)
    assert any("verdi av hvert kjennetegn: N = 190." in note for note in table.notes)
