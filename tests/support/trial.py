"""A small trial with everything that exhibits read: cohort, outcomes and a monthly panel, made by a seed."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from refino_eval.config.base import Label
from refino_eval.config.definitions import Definitions
from refino_eval.exhibits.aggregate import aggregate
from refino_eval.exhibits.numbers.study import PersonFiles, Study
from refino_eval.exhibits.wording.labels import LabelBook

PEOPLE = 480
TIMES = range(-3, 7)


def words(text):
    return {"nb": f"{text} (nb)", "en": text}


def definitions(**exhibits):
    """Definitions of the trial with the exhibits that a test asks for, each without its title."""
    spec = {"label": words("With age"), "description": "x", "controls": [{"covariate": "age"}, {"covariate": "female"}]}
    state = {"description": "x", "expression": "1", "unit": words("share"), "range": (0, 1)}
    outcome = {"description": "x", "kind": "value_at", "at": 3, "unit": words("share")}
    return Definitions.model_validate(
        {
            "states": {name: {**state, "label": words(name)} for name in ("work", "health")},
            "outcomes": {
                "work_3": {**outcome, "state": "work", "label": words("Work")},
                "work_6": {**outcome, "state": "work", "label": words("Work later"), "at": 6},
                "hours": {**outcome, "state": "health", "label": words("Hours"), "unit": words("hours")},
                "months_to_work": {
                    "label": words("Months to work"), "description": "x", "kind": "first_month", "state": "work",
                    "window": (1, 6), "unit": words("months"),
                },
            },
            "covariates": {
                name: {"kind": "column", "column": name, "label": words(name.capitalize())} for name in ("age", "female")
            },
            "subgroups": {
                "young": {"label": words("Under 35"), "covariate": "age", "below": 35},
                "middle": {"label": words("35 to 49"), "covariate": "age", "at_least": 35, "below": 50},
                "not_young": {"label": words("From 35"), "covariate": "age", "at_least": 35},
                "women": {"label": words("Women"), "covariate": "female", "equals": [1]},
            },
            "specifications": {
                "main": spec,
                "none": {**spec, "label": words("Without controls"), "controls": []},
                "linear": {**spec, "label": words("Linear")},
                "clustered": {**spec, "label": words("Clustered"), "vcov": "CRV1"},
            },
            "exhibits": {name: {"title": words(name), **entry} for name, entry in exhibits.items()},
        }
    )  # fmt: skip


@dataclass(frozen=True)
class Trial:
    """The trial on disk and in memory."""

    cohort: pd.DataFrame
    outcomes: pd.DataFrame
    panel: pd.DataFrame
    files: PersonFiles

    def numbers(self, entries, name, *, seed=7, aggregates=None):
        """Compute an exhibit: the tidy frame, and its values by key."""
        study = Study("new", "old", entries.specifications, seed, subgroups=entries.subgroups)
        files = self.files if aggregates is None else PersonFiles(**{**vars(self.files), "aggregates": aggregates})
        frame = aggregate(name, entries.exhibits[name], files=files, study=study)
        return frame, frame.set_index(["panel", "row", "column", "statistic"])["value"]


def label_book(entries):
    arms = {"new": Label(nb="Ny", en="New"), "old": Label(nb="Gammel", en="Old")}
    return LabelBook(
        definitions=entries, treated="new", control="old", arms=arms, strata=("county", "draw_month"),
        samples={"analysed": Label(nb="Alle", en="Everybody"), "few": Label(nb="Noen", en="Some")},
        strata_labels={"county": Label(nb="fylke", en="county"), "office": Label(nb="kontor", en="office")},
    )  # fmt: skip


def trial(folder: Path, *, change=None) -> Trial:
    """Write the trial; `change` mends the cohort before it is written."""
    rng = np.random.default_rng(11)
    n = PEOPLE
    county = rng.choice(["Nord", "Sør", "Øst"], n)
    month = rng.choice(["2019-03", "2019-09", "2020-01"], n)
    treated = (rng.random(n) < np.where(county == "Nord", 0.3, 0.6)).astype(int)
    cohort = pd.DataFrame(
        {
            "person_id": [f"{i:05d}" for i in range(n)],
            "treated": treated,
            "draw_month": month,
            "county": county,
            "office": np.where(rng.random(n) < 0.5, "0101", "0102"),
            "cell": [f"{c} x {m}" for c, m in zip(county, month, strict=True)],
            "age": rng.integers(20, 60, n).astype(float),
            "female": rng.integers(0, 2, n).astype(float),
            "sample_analysed": True,
            "sample_few": rng.random(n) < 0.7,
        }
    )
    if change is not None:
        cohort = change(cohort)
    work = (rng.random((n, len(TIMES))) < 0.4 + 0.1 * treated[:, None]).astype(float)
    health = rng.normal(5, 2, (n, len(TIMES)))
    work[month == "2020-01", -2:] = np.nan
    later = work[:, 4:]
    first = np.where(later == 1, np.arange(1, 7), 99).min(axis=1)
    seen = np.where(month == "2020-01", 4, 6)
    found = first < 99
    outcomes = pd.DataFrame(
        {
            "work_3": work[:, 6],
            "work_6": rng.integers(0, 2, n).astype(float),
            "hours": rng.normal(10, 4, n) + (county == "Øst") * 2 + treated,
            "months_to_work": np.where(found, first, seen).astype(float),
        }
    )
    panel = pd.DataFrame(
        {
            "person_id": np.repeat(cohort["person_id"].to_numpy(), len(TIMES)),
            "event_time": np.tile(np.array(TIMES), n),
            "work": work.ravel(),
            "health": health.ravel(),
        }
    )
    cohort.to_parquet(folder / "cohort.parquet")
    panel.to_parquet(folder / "panel.parquet")
    paths = {}
    for name, column in outcomes.items():
        paths[name] = folder / f"{name}.parquet"
        one = pd.DataFrame({"person_id": cohort["person_id"], "value": column})
        if name == "months_to_work":
            one["censored"] = (~found).astype(float)
        one.to_parquet(paths[name])
    files = PersonFiles(cohort=folder / "cohort.parquet", outcomes=paths, panels={"month": folder / "panel.parquet"})
    return Trial(cohort, outcomes, panel, files)
