"""Every kind of exhibit honours weights, clusters, covariances and samples, or refuses them: one table of kinds.

Effects are computed again by statsmodels with a dummy for every cell, or by instrumental variables with plain numpy; other
numbers by their definition. A kind that is in no table fails, so that a new one must say what it does.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import special
from tests.support.dense_cr2 import dense_cr2

from refino_eval import estimation as est
from refino_eval.config.definitions import Definitions, Specification
from refino_eval.config.exhibits import KINDS, MODELS
from refino_eval.covariances import COVARIANCES, is_clustered
from refino_eval.errors import UserError
from refino_eval.exhibits.aggregate import aggregate
from refino_eval.exhibits.numbers.study import PersonFiles, Study, controls_of

WORD = {"nb": "ord", "en": "word"}
PEOPLE, TIMES = 320, (0, 1, 2, 3)
Y = {"columns": {"y": "y"}}
EXHIBITS = {
    "itt": {**Y, "specifications": ["spec"]},
    "tests": {**Y, "specification": "spec", "draws": 99},
    "late": {**Y, "specification": "spec", "take_up": "d"},
    "estimands": {**Y, "specification": "spec"},
    "leave_one_out": {**Y, "specification": "spec", "without": "county"},
    "stepwise": {**Y, "specification": "spec", "steps": [["age"]]},
    "adjusted_differences": {**Y, "specification": "spec"},
    "unobserved_confounding": {**Y, "specification": "spec", "benchmarks": ["age"]},
    "confounding_contours": {**Y, "specification": "spec", "benchmarks": ["age"]},
    "overlap": {"specification": "spec"},
    "propensity_scores": {"specification": "spec", "bins": 5},
    "specification_curve": {**Y, "specifications": ["spec"]},
    "subgroups": {**Y, "specification": "spec", "groups": ["female"]},
    "interactions": {"outcome": "y", "specification": "spec", "moderators": ["female"]},
    "interaction_grid": {**Y, "specification": "spec", "moderators": ["female"]},
    "effects": {"states": ["s"], "specification": "spec"},
    "attrition": {"columns": {"h": "h"}, "specification": "spec"},
    "ever_started": {"states": ["s"], "within": [2], "specification": "spec"},
    "fall_back": {"participation": {"columns": {"d": "d", "b": "b"}}, "specification": "spec"},
    "compliers": {**Y, "covariates": ["female"], "take_up": "d", "specification": "spec"},
    "balance": {"covariates": ["age"]},
    "starters": {"started": {"t": "d", "c": "b"}, "covariates": ["age"]},
    "binary_models": {"columns": {"b": "b"}, "specification": "spec", "show_ratio": True},
    "count_models": {"columns": {"t": "t"}, "specification": "spec", "exposure": "w"},
    "quantile_effects": {**Y, "specification": "spec", "method": "regression", "quantiles": [0.5]},
    "quantile_curve": {**Y, "specification": "spec", "method": "regression", "quantiles": [0.4, 0.6]},
    "time_to_event": {"outcome": "t", "event": "b", "specification": "spec"},
    "descriptives": {"covariates": ["age"]},
    "bars": Y,
    "paths": {"states": ["s"]},
    "programme_starts": {"states": ["s"], "last": 2},
    "take_up": {"states": ["s"]},
    "spell_survival": {"states": ["s"]},
    "counts": {"by": ["county"]},
    "design": {},
}
ELSEWHERE = {
    "flow": "counts of people",
    "draws": "counts of people",
    "stock": "counts of people",
    "sites": "counts of people and stated numbers",
    "null_card": "the numbers of tests",
    "listing": "the numbers of another exhibit",
    "costs": "published numbers",
    "social_costs": "published numbers",
    "unit_costs": "published numbers",
    "measured_costs": "months of people, which refuse weights",
    "cost_per_outcome": "effects of an itt exhibit and its costs",
    "break_even": "effects of an itt exhibit and its costs",
    "net_benefit": "effects of an itt exhibit and its costs",
    "funnel": "counts that are published or stated",
    "payments": "milestones of people, which refuse weights",
    "net_value": "effects on a state and costs (test_net_value.py)",
    "payment_comparison": "milestones of people, which refuse weights",
    "selective_exits": "spells of people; the regression is that of starters",
    "provider_pricing": "payments to providers, which refuse weights",
    "cost_benefit": "inputs of a model",
    "model_inputs": "inputs of a model",
    "cost_steps": "inputs of a model",
    "value_paths": "inputs of a model",
    "switching_values": "inputs of a model",
    "scenarios": "inputs of a model",
    "value_intervals": "inputs of a model",
    "tornado": "inputs of a model",
}
REFUSE_WEIGHTS = {
    "time_to_event",
    "spell_survival",
    "payments",
    "provider_pricing",
    "payment_comparison",
    "measured_costs",
}
REFUSED_VCOV = {
    "binary_models": {"HC2", "HC2_BM", "HC3", "CR2", "CR3"},
    "count_models": {"HC2", "HC2_BM", "HC3", "CR2", "CR3"},
    "quantile_effects": {"iid", "HC2", "HC2_BM", "HC3", "CR2", "CR3"},
    "quantile_curve": {"iid", "HC2", "HC2_BM", "HC3", "CR2", "CR3"},
    "time_to_event": {"CR2", "CR3"},
    "stepwise": {"iid"},
    "estimands": {"iid"},
    "adjusted_differences": {"iid", "HC2", "HC2_BM", "HC3", "CR2", "CR3", "CRV1_nested"},
}
REFUSED_WITH_WEIGHTS = {"binary_models": {"iid"}, "count_models": {"iid"}}


HONOURED = {
    "outcome_controls": {
        "itt", "tests", "late", "subgroups", "leave_one_out", "specification_curve", "binary_models", "count_models",
        "quantile_effects", "quantile_curve",
    },
    "interacted": {
        "itt", "tests", "late", "subgroups", "leave_one_out", "specification_curve", "effects", "ever_started", "fall_back",
        "attrition", "net_value",
    },
    "absorb": {
        "itt", "late", "subgroups", "leave_one_out", "specification_curve", "effects", "ever_started", "fall_back",
        "interactions", "interaction_grid", "stepwise", "adjusted_differences", "unobserved_confounding", "confounding_contours", "overlap",
        "propensity_scores", "net_value", "cost_per_outcome", "binary_models", "count_models", "quantile_effects", "quantile_curve",
    },
}  # fmt: skip
HONOURED["nonresponse"] = {
    "itt", "late", "subgroups", "leave_one_out", "interactions", "interaction_grid", "binary_models", "count_models",
    "quantile_effects", "quantile_curve",
}  # fmt: skip
NONRESPONSE = {"nonresponse": ["female", {"covariate": "band", "encoding": "categories"}], "trim": 0.9, "strata": True}
OPTIONS = {
    "nonresponse": {"weights": NONRESPONSE},
    "outcome_controls": {"outcome_controls": {y: [{"covariate": "w2"}] for y in ("y", "b", "t")}},
    "interacted": {"adjustment": "interacted"},
    "absorb": {"absorb": ["county", "band"]},
}
TWO = ["cluster", "cluster.2"]
"""The columns of the cohort with clusters in two dimensions."""
TWO_WAY = {"itt", "late", "interactions", "balance"}
OPTION_KEYS = {("stepwise", "absorb"): {"steps": [["age"], ["county"], ["band"]]}}
"""Keys that an exhibit of a kind must have with an option."""


def definitions(kind, vcov="HC1", weights=None, option=None, controls=None, **change):
    label = {"label": WORD, "description": "x"}
    controls = [{"covariate": "age", "encoding": "linear"}] if controls is None else controls
    spec = {**label, "controls": controls, "vcov": vcov, "weights": weights}
    spec |= OPTIONS.get(option, {})
    own = {"vcov": vcov} if kind in ("balance", "starters") else OPTION_KEYS.get((kind, option), {})
    return Definitions.model_validate(
        {
            "covariates": {
                n: {"kind": "column", "column": n, "label": WORD} for n in ("age", "female", "w", "w2", "band")
            },
            "specifications": {"spec": spec},
            "subgroups": {"low": {"label": WORD, "covariate": "band", "below": 4}},
            "comparisons": {
                "low_bands": {"label": WORD, "among": "low"},
                "other": {"label": WORD, "treated": "female", "strata": ["band"]},
            },
            "exhibits": {kind: {"kind": kind, "title": WORD, **EXHIBITS[kind], **own, **change}},
        }
    )


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    rng = np.random.default_rng(20)
    n = PEOPLE
    cell, cluster = rng.integers(0, 8, n), rng.integers(0, 40, n)
    z = (rng.random(n) < 0.3 + 0.05 * cell).astype(float)
    ids = [f"{i:04d}" for i in range(n)]
    d = (rng.random(n) < 0.15 + 0.5 * z).astype(float)
    age = rng.normal(40, 9, n)
    values = {
        "y": 2 * d + 0.05 * age + rng.normal(0, 1 + z, n) + rng.normal(0, 1, 40)[cluster],
        "h": np.where(rng.random(n) < 0.2 - 0.1 * z, np.nan, rng.normal(0, 1, n)),
        "d": d,
        "b": rng.integers(0, 2, n).astype(float),
        "t": rng.integers(1, 7, n).astype(float),
    }
    cohort = pd.DataFrame(
        {
            "person_id": ids, "treated": z.astype("int32"), "cell": [f"c{c}" for c in cell], "cluster": cluster,
            "county": np.array(["A", "B", "C"])[cell % 3], "age": age, "female": rng.integers(0, 2, n).astype(float),
            "w": rng.uniform(0.3, 4, n), "w2": rng.uniform(0.3, 4, n), "draw_month": "2020-01",
            "sample_analysed": True, "sample_few": rng.random(n) < 0.8,
        }
    )  # fmt: skip
    cohort["band"] = np.arange(n) % 5
    state = (rng.random((n, len(TIMES))) < 0.2 + 0.4 * z[:, None]).astype(float)
    panel = pd.DataFrame({"person_id": np.repeat(ids, 4), "event_time": np.tile(TIMES, n), "s": state.ravel()})
    return cohort, pd.DataFrame(values), state, panel, tmp_path_factory.mktemp("options")


def files_of(values, panel, folder):
    """Write outcomes and panel once for the same values."""
    # By content: another frame may get the identity of one that is gone.
    made = folder / f"{'_'.join(values)}_{pd.util.hash_pandas_object(values).sum()}"
    paths = {name: made / f"{name}.parquet" for name in values}
    if not made.exists():
        made.mkdir()
        panel.to_parquet(made / "panel.parquet")
        for name, path in paths.items():
            people = panel["person_id"].drop_duplicates().to_numpy()
            pd.DataFrame({"person_id": people, "value": values[name]}).to_parquet(path)
    return PersonFiles(cohort=folder / "cohort.parquet", outcomes=paths, panels={"month": made / "panel.parquet"})


def numbers(trial, kind, *, vcov="HC1", weighted=False, spec_weights=None, cohort=None, option=None, **change):
    """Compute an exhibit of a kind; the evaluation names clusters where the covariance asks for them."""
    people, values, _, panel, folder = trial
    people = (people if cohort is None else cohort).copy()
    if weighted:
        people["weight"] = people["w"]
    if not is_clustered(vcov) and TWO[1] not in people:
        people = people.drop(columns="cluster")
    people.to_parquet(folder / "cohort.parquet")
    entries = definitions(kind, vcov, spec_weights, option, **change)
    files = files_of(values, panel, folder)
    about = {"subgroups": entries.subgroups, "comparisons": entries.comparisons}
    study = Study("t", "c", entries.specifications, 7, **about)
    frame = aggregate(kind, entries.exhibits[kind], files=files, study=study)
    return frame.set_index(["panel", "row", "column", "statistic"])["value"]


def regress(trial, y, columns, vcov, weights, rows=None, option=None):
    """Fit by statsmodels with a dummy for every cell; people without an outcome, or outside ``rows``, are left out."""
    cohort = trial[0]
    used = np.isfinite(y) if rows is None else rows & np.isfinite(y)
    dummies = pd.get_dummies(cohort["cell"][used]).to_numpy(float)
    if option == "absorb":
        parts = [pd.get_dummies(cohort[name][used], drop_first=name == "band") for name in ("county", "band")]
        dummies = np.hstack(parts).astype(float)
    extra = []
    if option == "outcome_controls":
        extra = [cohort["w2"].to_numpy()[used]]
    if option == "interacted":
        age, own = cohort["age"].to_numpy(), np.ones(PEOPLE) if weights is None else weights
        frame = pd.DataFrame({"cell": cohort["cell"], "xw": age * own, "w": own})[used]
        sums = frame.groupby("cell").transform("sum")
        extra = [columns[0][used] * (age[used] - (sums["xw"] / sums["w"]).to_numpy())]
    x = np.hstack((np.column_stack((*(column[used] for column in columns), *extra)), dummies[:, dummies.any(axis=0)]))
    weights = None if weights is None else weights[used]
    if COVARIANCES[vcov].has_cluster_leverage:
        k = len(columns)
        cluster, power = cohort["cluster"].to_numpy()[used], COVARIANCES[vcov].leverage_power
        parts = [
            dense_cr2(x, y[used], cluster, np.eye(1, x.shape[1], j), weights=weights, power=power) for j in range(k)
        ]
        b, cov, df = (np.array([np.ravel(part[place])[0] for part in parts]) for place in range(3))
        return b, np.sqrt(cov), df
    model = sm.WLS(y[used], x, weights=1.0 if weights is None else weights)
    kind = "nonrobust" if vcov == "iid" else vcov.removesuffix("_BM")
    options = {"cov_type": kind, "use_t": True}
    if is_clustered(vcov):
        options |= {"cov_type": "cluster", "cov_kwds": {"groups": cohort["cluster"].to_numpy()[used]}}
    if is_clustered(vcov) and TWO[1] in cohort:
        groups = cohort[TWO].apply(lambda column: pd.factorize(column)[0]).to_numpy()[used]
        options["cov_kwds"] = {"groups": groups, "use_correction": False}
        fit, few = model.fit(**options), min(len(set(column)) for column in groups.T)
        factor = few / (few - 1) * (x.shape[0] - 1) / (x.shape[0] - x.shape[1])
        return fit.params, fit.bse * np.sqrt(factor), np.full(fit.params.size, few - 1.0)
    fit = model.fit(**options)
    counted = 1.0
    if not COVARIANCES[vcov].counts_nested:
        # Every cell is in one cluster: the constants of cells count as one parameter.
        free = x.shape[0] - x.shape[1]
        counted = free / (free + dummies.any(axis=0).sum() - 1)
    return fit.params, fit.bse * np.sqrt(counted), np.full(fit.params.size, np.nan)


def two_stage(trial, y, d, z, age, vcov, weights, option=None):
    """Ratio of two regressions on treatment; its error is that of the residual's regression, over the first stage."""
    rho, pi = (regress(trial, part, [z, age], vcov, weights, option=option)[0][0] for part in (y, d))
    beta = rho / pi
    _, errors, df = regress(trial, y - beta * d, [z, age], vcov, weights, option=option)
    return beta, errors[0] / abs(pi), df[0]


def expected(trial, kind, vcov, weights, option=None):
    """Return the keys of a kind's numbers, and the estimate, error and degrees of freedom (where estimated) that each must have."""
    cohort, values, state, _, _ = trial
    z, age, female = (cohort[name].to_numpy(float) for name in ("treated", "age", "female"))
    y, d, b, h = (values[name].to_numpy() for name in ("y", "d", "b", "h"))

    def effect(outcome, rows=None, columns=(z, age), k=0):
        params, errors, df = regress(trial, outcome, list(columns), vcov, weights, rows, option)
        return params[k], errors[k], df[k]

    none = np.where((d == 0) & (b == 0), 1.0, 0.0)
    crossed = (z, z * female, female, age)
    return {
        "itt": lambda: {("spec", "t", "y"): effect(y)},
        "tests": lambda: {("spec", "y", "t"): effect(y)},
        "estimands": lambda: {("", "y", "cell_fixed_effects"): effect(y)},
        "leave_one_out": lambda: {
            ("spec", "all", "y"): effect(y),
            ("spec", "B", "y"): effect(y, (cohort["county"] != "B").to_numpy()),
        },
        "stepwise": lambda: {("steps", "step_3", "y"): effect(y)}
        if option == "absorb"
        else {("steps", "cells", "y"): effect(y, columns=(z,)), ("steps", "step_1", "y"): effect(y)},
        "adjusted_differences": lambda: {("regression", "regression", "y"): effect(y)},
        "unobserved_confounding": lambda: {("difference", "full", "y"): effect(y)},
        "specification_curve": lambda: {("spec", "y", "analysed"): effect(y)},
        "subgroups": lambda: {("female", "1", "y"): effect(y, female == 1)},
        "interactions": lambda: {
            ("spec", "t", "female"): effect(y, columns=crossed),
            ("spec", "t_x_characteristic", "female"): effect(y, columns=crossed, k=1),
        },
        "effects": lambda: {("s", "2", "difference"): effect(state[:, 2])},
        "attrition": lambda: {("seen", "h", "draw"): effect(np.isfinite(h).astype(float)), ("among_seen", "h", "draw"): effect(h)},
        "ever_started": lambda: {("s", "by_2", "difference"): effect(state[:, :3].max(axis=1))},
        "fall_back": lambda: {("ever", "d", "draw"): effect(d), ("ever", "none", "draw"): effect(none)},
        "late": lambda: {
            ("spec", "take_up", "y"): two_stage(trial, y, d, z, age, vcov, weights, option),
            ("spec", "first_stage", "y"): effect(d),
            ("spec", "draw", "y"): effect(y),
        },
        "compliers": lambda: {("outcomes", "y", "effect"): two_stage(trial, y, d, z, age, vcov, weights, option)},
        "balance": lambda: {
            ("", "age", "alone"): effect(z, columns=(age,)),
            ("differences", "age", "difference"): effect(age, columns=(z,)),
        },
        "starters": lambda: {
            ("", "age", "t"): effect(np.where(z == 1, d, b), columns=(age * z, age * (1 - z), z)),
            ("", "age", "c"): effect(np.where(z == 1, d, b), columns=(age * z, age * (1 - z), z), k=1),
        },
        "binary_models": lambda: {
            ("", "b", "linear"): effect(b),
            **response(trial, "b", sm.families.Binomial(), ("logit", "log_odds", "odds_ratio"), vcov, weights, option),
        },
        "count_models": lambda: {
            ("", "t", "linear"): effect(values["t"].to_numpy()),
            **response(trial, "t", sm.families.Poisson(), ("poisson", "log_rate", "rate_ratio"), vcov, weights, option),
        },
    }[kind]()  # fmt: skip


def response(trial, outcome, family, columns, vcov, weights, option):
    """Fit a generalised linear model with a dummy for every cell, and its average effect with the delta method by differences."""
    cohort, y = trial[0], trial[1][outcome].to_numpy()
    extra = ["w2"] if option == "outcome_controls" else []
    absorbed = [pd.get_dummies(cohort[name], drop_first=name == "band") for name in ("county", "band")]
    dummies = absorbed if option == "absorb" else [pd.get_dummies(cohort["cell"])]
    x = pd.concat((cohort[["treated", "age", *extra]], *dummies), axis=1).to_numpy(float)
    n, k, w = *x.shape, np.ones(PEOPLE) if weights is None else weights
    offset = np.log(cohort["w"].to_numpy()) if outcome == "t" else np.zeros(n)
    model = sm.GLM(y, x, family=family, offset=offset, var_weights=w)
    fit = model.fit(tol=1e-12)
    scores, factor = model.score_obs(fit.params), n / (n - k) if vcov == "HC1" else 1.0
    if is_clustered(vcov):
        scores = pd.DataFrame(scores).groupby(cohort["cluster"].to_numpy()).sum().to_numpy()
        factor = len(scores) / (len(scores) - 1)
    inverse = np.linalg.inv(-model.hessian(fit.params))
    cov = inverse if vcov == "iid" else inverse @ scores.T @ scores @ inverse * factor

    def average(params):
        base = x[:, 1:] @ params[1:] + offset
        return np.average(family.link.inverse(base + params[0]) - family.link.inverse(base), weights=w)

    steps = np.eye(k) * 1e-5
    slope = np.array([(average(fit.params + step) - average(fit.params - step)) / 2e-5 for step in steps])
    b, error, none = fit.params[0], np.sqrt(cov[0, 0]), np.nan
    model, coefficient, ratio = columns
    return {
        ("", outcome, model): (average(fit.params), np.sqrt(slope @ cov @ slope), none),
        ("", outcome, coefficient): (b, error, none),
        ("", outcome, ratio): (np.exp(b), np.exp(b) * error, none),
    }


REGRESSIONS = (
    "itt", "tests", "estimands", "leave_one_out", "stepwise", "specification_curve", "subgroups", "interactions", "effects",
    "adjusted_differences", "unobserved_confounding", "attrition", "ever_started", "fall_back", "late", "compliers", "balance", "starters", "binary_models",
    "count_models",
)  # fmt: skip


def test_every_kind_is_in_a_table():
    assert set(KINDS) == set(EXHIBITS) | set(ELSEWHERE)
    assert {kind for kind in KINDS if not MODELS[kind].takes_weights} == REFUSE_WEIGHTS
    for option, kinds in HONOURED.items():
        assert {kind for kind in KINDS if option in MODELS[kind].honoured} == kinds, option
    assert {kind for kind in KINDS if MODELS[kind].two_way} == TWO_WAY | {"interaction_grid"}
    for kind in KINDS:
        assert set(COVARIANCES) - set(MODELS[kind].covariances) == REFUSED_VCOV.get(kind, set()), kind


@pytest.mark.parametrize("weights", ["none", "evaluation", "specification"])
@pytest.mark.parametrize("vcov", COVARIANCES)
@pytest.mark.parametrize("kind", REGRESSIONS)
def test_effects_are_those_of_statsmodels_or_refused(trial, kind, vcov, weights):
    if not COVARIANCES[vcov].counts_nested:
        # Clusters of two cells, in which fixed effects of cells are nested.
        trial = (trial[0].assign(cluster=trial[0]["cell"].str[1:].astype(int) % 4), *trial[1:])
    cohort = trial[0]
    if weights == "specification" and kind in ("balance", "starters"):
        return  # without a specification
    if vcov == "CR3" and weights != "evaluation":
        return  # CR2 with another power, which the other combinations show
    own = {"none": None, "evaluation": cohort["w"], "specification": cohort["w2"]}[weights]
    options = {"weighted": weights != "none", "spec_weights": "w2" if weights == "specification" else None}
    refused = REFUSED_VCOV.get(kind, set()) | (REFUSED_WITH_WEIGHTS.get(kind, set()) if weights != "none" else set())
    if vcov in refused or (kind in REFUSE_WEIGHTS and weights != "none"):
        with pytest.raises(UserError, match=r"does not offer the covariance|takes no weights"):
            numbers(trial, kind, vcov=vcov, **options)
        return
    got = numbers(trial, kind, vcov=vcov, cohort=cohort, **options)
    for key, (estimate, error, df) in expected(trial, kind, vcov, None if own is None else own.to_numpy()).items():
        assert got[(*key, "estimate")] == pytest.approx(estimate, rel=1e-7, abs=1e-10), key
        assert got[(*key, "std_error")] == pytest.approx(error, rel=1e-7), key
        if np.isfinite(df) and (*key, "p_value") in got:
            p_value = 2 * special.stdtr(df, -abs(estimate / error))
            assert got[(*key, "p_value")] == pytest.approx(p_value, rel=1e-6), key
        if np.isfinite(df) and (*key, "conf_low") in got:
            assert got[(*key, "conf_low")] == pytest.approx(estimate - special.stdtrit(df, 0.975) * error, rel=1e-6), (
                key
            )


@pytest.mark.parametrize("vcov", ["HC1", "HC2", "CR2"])
@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("kind", [*REGRESSIONS, "time_to_event"])
def test_options_of_a_specification_are_honoured_or_refused(trial, kind, option, vcov):
    if kind in ("balance", "starters") or vcov in REFUSED_VCOV.get(kind, ()):
        return
    weighted = kind not in REFUSE_WEIGHTS
    if kind not in HONOURED[option]:
        with pytest.raises(UserError, match="does not offer"):
            numbers(trial, kind, vcov=vcov, weighted=weighted, option=option)
        return
    got = numbers(trial, kind, vcov=vcov, weighted=weighted, option=option)
    weights = trial[0]["w"].to_numpy() if weighted else None
    for key, (estimate, error, _) in expected(trial, kind, vcov, weights, option).items():
        assert got[(*key, "estimate")] == pytest.approx(estimate, rel=1e-7, abs=1e-10), key
        assert got[(*key, "std_error")] == pytest.approx(error, rel=1e-7), key


@pytest.mark.parametrize("kind", REGRESSIONS)
def test_clusters_in_two_dimensions_are_honoured_or_refused(trial, kind):
    two = (trial[0].assign(**{TWO[1]: np.arange(PEOPLE) % 13}), *trial[1:])
    with pytest.raises(UserError, match=r"takes clusters in one dimension|does not offer the covariance CR2"):
        numbers(two, kind, vcov="CR2", cohort=two[0])
    if kind not in TWO_WAY:
        with pytest.raises(UserError, match="does not offer clusters in two dimensions"):
            numbers(two, kind, vcov="CRV1", cohort=two[0])
        return
    weighted = kind not in REFUSE_WEIGHTS
    got = numbers(two, kind, vcov="CRV1", weighted=weighted, cohort=two[0])
    for key, (estimate, error, df) in expected(two, kind, "CRV1", two[0]["w"].to_numpy() if weighted else None).items():
        assert got[(*key, "std_error")] == pytest.approx(error, rel=1e-7), key
        if (*key, "p_value") in got:
            assert got[(*key, "p_value")] == pytest.approx(2 * special.stdtr(df, -abs(estimate / error)), rel=1e-6), key


@pytest.mark.parametrize("kind", ["tests", "subgroups"])
def test_re_randomisation_asks_what_was_assigned_of_clusters_in_two_dimensions(trial, kind):
    cohort = trial[0].assign(**{TWO[1]: np.arange(PEOPLE) % 13})
    with pytest.raises(UserError, match="do not say what that was"):
        numbers(trial, kind, cohort=cohort)
    assert len(numbers(trial, kind, cohort=cohort, draw_unit="person"))


def test_means_have_clusters_in_two_dimensions(trial):
    cohort = trial[0].assign(**{TWO[1]: np.arange(PEOPLE) % 13})
    arm = (cohort["treated"] == 1).to_numpy()
    got = numbers(trial, "bars", vcov="CRV1", cohort=cohort)
    y = trial[1]["y"].to_numpy()[arm]
    scores = pd.Series((y - y.mean()) / y.size)
    groups = [cohort.loc[arm, name].to_numpy() for name in TWO]
    parts = [sum(scores.groupby(by).sum() ** 2) for by in (groups[0], groups[1], groups)]
    error = np.sqrt((parts[0] + parts[1] - parts[2]) * 13 / 12)
    reach = got["", "y", "t", "mean"] - got["", "y", "t", "conf_low"]
    assert reach == pytest.approx(special.stdtrit(12, 0.975) * error, rel=1e-8)


def weights_by_hand(cohort, observed):
    """One over the probability of being observed, of statsmodels' logit on arm, sex, band and cells, weighted; the tenth above is cut."""
    dummies = [pd.get_dummies(cohort[name], drop_first=True) for name in ("band", "cell")]
    x = sm.add_constant(pd.concat((cohort[["treated", "female"]], *dummies), axis=1).astype(float))
    fit = sm.GLM(observed.astype(float), x, family=sm.families.Binomial(), var_weights=cohort["w"]).fit(tol=1e-12)
    inverse = 1 / fit.fittedvalues[observed]
    return np.minimum(inverse, np.quantile(inverse, 0.9)) * cohort["w"][observed]


@pytest.mark.parametrize("kind", sorted(HONOURED["nonresponse"]))
def test_weights_for_nonresponse_are_those_of_a_logit_of_being_observed(trial, kind):
    cohort, values, state, panel, folder = trial
    lost = np.random.default_rng(5).random(PEOPLE) < 0.1 + 0.2 * cohort["treated"] + 0.1 * cohort["female"]
    holes = values.assign(**{name: values[name].where(~lost) for name in ("y", "b", "t")})
    got = numbers((cohort, holes, state, panel, folder), kind, vcov="CRV1", weighted=True, option="nonresponse")
    observed = (~lost).to_numpy()
    few = cohort[observed].assign(w2=weights_by_hand(cohort, observed)).reset_index(drop=True)
    part = (few, values[observed].reset_index(drop=True), None, panel[np.repeat(observed, 4)], folder)
    alone = numbers(part, kind, vcov="CRV1", spec_weights="w2", cohort=few)
    weights = (
        got.pop(("nonresponse", "weights", "least", "value")),
        got.pop(("nonresponse", "weights", "most", "value")),
    )
    assert weights == pytest.approx(((few["w2"] / few["w"]).min(), (few["w2"] / few["w"]).max()), rel=1e-7)
    got = got[[key for key in got.index if "lost" not in key[:2]]]
    pd.testing.assert_series_equal(got.sort_index(), alone.sort_index(), rtol=1e-6)


def test_outcomes_with_their_own_people_have_their_own_weights_for_nonresponse(trial):
    cohort, values, *rest = trial
    holes = values.assign(y=values["y"].where(np.arange(PEOPLE) % 5 != 0))
    both = {"columns": {"y": "y", "h": "h"}, "missing": "available"}
    got = numbers((cohort, holes, *rest), "itt", option="nonresponse", **both)
    for name in ("y", "h"):
        alone = numbers((cohort, holes, *rest), "itt", option="nonresponse", columns={name: name})
        assert got["spec", "t", name, "estimate"] == alone["spec", "t", name, "estimate"]
    assert got["spec", "t", "y", "n"] != got["spec", "t", "h", "n"]
    with pytest.raises(UserError, match="several outcomes with their own people"):
        numbers((cohort, holes, *rest), "late", option="nonresponse", **both)
    by_arm = {"weights": {"nonresponse": ["age"], "by_arm": True}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(OPTIONS, "nonresponse", by_arm)
        got = numbers(trial, "itt", option="nonresponse", columns={"h": "h"})
    z, h, age = cohort["treated"].to_numpy(), values["h"].to_numpy(), cohort["age"].to_numpy()
    weights = np.ones(PEOPLE)
    for arm in (0, 1):
        x = sm.add_constant(age[z == arm])
        weights[z == arm] = 1 / sm.Logit(np.isfinite(h[z == arm]).astype(float), x).fit(disp=0, tol=1e-12).predict()
    params, errors, _ = regress(trial, h, [z.astype(float), age], "HC1", weights)
    assert got["spec", "t", "h", "estimate"] == pytest.approx(params[0], rel=1e-8)
    assert got["spec", "t", "h", "std_error"] == pytest.approx(errors[0], rel=1e-8)


def test_weights_false_is_without_weights(trial):
    for kind in REGRESSIONS:
        if kind not in ("balance", "starters"):
            plain = numbers(trial, kind)
            np.testing.assert_array_equal(numbers(trial, kind, weighted=True, spec_weights=False), plain, err_msg=kind)


def test_means_and_shares_are_weighted(trial):
    cohort, values, state, _, _ = trial
    arm, w = (cohort["treated"] == 1).to_numpy(), cohort["w"].to_numpy()

    def mean(column, rows):
        return np.average(np.asarray(column)[rows], weights=w[rows])

    got = numbers(trial, "descriptives", weighted=True)
    assert got["", "age", "t", "mean"] == pytest.approx(mean(cohort["age"], arm))
    assert got["", "age", "all", "n"] == PEOPLE
    assert numbers(trial, "bars", weighted=True)["", "y", "t", "mean"] == pytest.approx(mean(values["y"], arm))
    got = numbers(trial, "paths", weighted=True)
    assert got["s", "2", "c", "mean"] == pytest.approx(mean(state[:, 2], ~arm))
    got = numbers(trial, "take_up", weighted=True)
    assert got["s", "2", "t", "share"] == pytest.approx(mean(state[:, 2], arm))
    assert got["s", "2", "t", "conf_low"] < got["s", "2", "t", "share"] < got["s", "2", "t", "conf_high"]
    got = numbers(trial, "programme_starts", weighted=True)
    assert got["", "2:s", "t", "share"] == pytest.approx(mean(state[:, :3].max(axis=1), arm))
    assert got["", "2:none", "t", "share"] == pytest.approx(1 - got["", "2:s", "t", "share"])
    of_women = arm & (cohort["female"] == 1).to_numpy()
    got = numbers(trial, "subgroups", weighted=True, arm_means=True)
    assert got["female", "1", "y", "mean_treated"] == pytest.approx(mean(values["y"], of_women))
    assert got["female", "1", "y", "n_treated"] == of_women.sum()
    got = numbers(trial, "ever_started", weighted=True)
    assert got["s", "by_2", "t", "share"] == pytest.approx(mean(state[:, :3].max(axis=1), arm))
    got = numbers(trial, "interactions", weighted=True)
    assert got["spec", "t", "female", "mean_control"] == pytest.approx(mean(values["y"], ~arm))
    got = numbers(trial, "itt", weighted=True)
    assert got["spec", "t", "y", "mean_control"] == pytest.approx(mean(values["y"], ~arm))
    for kind in ("counts", "design"):
        np.testing.assert_array_equal(numbers(trial, kind, weighted=True), numbers(trial, kind), err_msg=kind)


@pytest.mark.parametrize("kind", ["spell_survival", "time_to_event"])
def test_kinds_without_weights_refuse_them(trial, kind):
    with pytest.raises(UserError, match="takes no weights"):
        numbers(trial, kind, weighted=True)
    numbers(trial, kind)


def test_quantiles_are_named_once():
    with pytest.raises(ValueError, match="names one twice"):
        definitions("quantile_effects", quantiles=[0.5, 0.50])


def test_a_negative_binomial_refuses_weights(trial):
    with pytest.raises(UserError, match="takes no weights with model negative_binomial"):
        numbers(trial, "count_models", weighted=True, model="negative_binomial")


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("vcov", ["CRV1", "CR2"])
@pytest.mark.parametrize("kind", ["compliers", "attrition"])
def test_types_and_bounds_without_controls_are_means_by_arm(trial, kind, vcov, weighted):
    # In one cell the share of always-takers is the control arm's mean of take-up, and without trimming both bounds are
    # the difference of means: their errors are those of one regression on treatment, summed in clusters.
    cohort, values = trial[0].assign(cell="one"), trial[1].assign(h=trial[1]["y"])
    one = (cohort, values, *trial[2:])
    got = numbers(one, kind, vcov=vcov, weighted=weighted, cohort=cohort)
    z = cohort["treated"].to_numpy(float)
    weights = cohort["w"].to_numpy() if weighted else np.ones(PEOPLE)
    outcome = (values["d"] if kind == "compliers" else values["y"]).to_numpy()
    columns, cluster = np.column_stack((np.ones(PEOPLE), z)), cohort["cluster"].to_numpy()
    fit = sm.WLS(outcome, columns, weights=weights).fit(cov_type="cluster", cov_kwds={"groups": cluster})
    params, errors = fit.params, fit.bse
    if vcov == "CR2":
        params, cov, _ = dense_cr2(columns, outcome, cluster, np.eye(2), weights=weights)
        errors = np.sqrt(np.diag(cov))
    if kind == "compliers":
        found = (
            got["characteristics", "types", "always_takers", "share"],
            got["characteristics", "types", "always_takers", "std_error"],
        )
        wanted = params[0], errors[0]
    else:
        found = got["lee", "h", "bounds", "bound_low"], got["lee", "h", "bounds", "bound_low_std_error"]
        wanted = params[1], errors[1]
    assert found == pytest.approx(wanted, rel=1e-8)


@pytest.mark.parametrize("kind", sorted(EXHIBITS))
def test_a_sample_is_the_exhibit_on_its_people(trial, kind):
    cohort = trial[0]
    few = cohort[cohort["sample_few"]].reset_index(drop=True)
    chosen, alone = numbers(trial, kind, sample="few"), numbers(trial, kind, cohort=few)
    if kind == "specification_curve":
        chosen = chosen.rename({"few": "analysed"})
    pd.testing.assert_series_equal(chosen.sort_index(), alone.sort_index(), rtol=1e-9)


@pytest.mark.parametrize("kind", ["itt", "tests", "estimands", "leave_one_out", "subgroups", "stepwise", "late"])
def test_available_outcomes_have_their_own_people(trial, kind):
    missing = trial[1].assign(h=np.where(np.arange(PEOPLE) % 5 == 0, np.nan, trial[1]["y"]))
    columns = {"columns": {"y": "y", "h": "h"}}
    with_both = (trial[0], missing, *trial[2:])
    if kind == "stepwise":
        with pytest.raises(UserError, match="one sample for all steps"):
            numbers(with_both, kind, missing="available", **columns)
        return
    first = (
        {key: value for key, value in expected(trial, kind, "HC1", None).items() if "y" in key}
        if kind != "late"
        else {}
    )
    got = numbers(with_both, kind, missing="available", **columns)
    for key, (estimate, error, _) in first.items():
        assert got[(*key, "estimate")] == pytest.approx(estimate, rel=1e-8), key
        assert got[(*key, "std_error")] == pytest.approx(error, rel=1e-8), key
    common = numbers(with_both, kind, **columns)
    n = next(key for key in got.index if key[-1] == "n" and "y" in key)
    assert got[n] > common[n]


def test_late_by_group_is_the_late_of_each_group_and_their_test(trial):
    cohort = trial[0]
    got = numbers(trial, "late", by="female", weighted=True)
    effects = []
    for group in ("0", "1"):
        few = (cohort["female"] == float(group)).to_numpy()
        part = (
            cohort[few].reset_index(drop=True),
            trial[1][few].reset_index(drop=True),
            None,
            trial[3][np.repeat(few, 4)],
            trial[4],
        )
        alone = numbers(part, "late", weighted=True, cohort=part[0])
        for row in ("draw", "first_stage", "take_up"):
            for statistic in ("estimate", "std_error"):
                assert got[f"spec:{group}", row, "y", statistic] == pytest.approx(
                    alone["spec", row, "y", statistic], rel=1e-9
                )
        effects.append((alone["spec", "take_up", "y", "estimate"], alone["spec", "take_up", "y", "std_error"]))
    (one, first), (two, second) = effects
    assert got["spec", "equal", "y", "f_stat"] == pytest.approx((one - two) ** 2 / (first**2 + second**2), rel=1e-9)


def test_one_of_several_arms_is_the_trial_of_the_two(trial):
    cohort, values, _, panel, folder = trial
    rng = np.random.default_rng(1)
    arm = np.where(cohort["treated"] == 0, "c", np.where(rng.random(PEOPLE) < 0.5, "t", "u"))
    several = cohort.assign(arm=arm)
    two = cohort[arm != "u"].reset_index(drop=True)
    for kind in sorted(set(REGRESSIONS) - {"estimands"}):
        entries = definitions(kind, arm="t")
        study = replace(Study("t", "c", entries.specifications, 7), several=("t", "u"))
        numbers(trial, kind, cohort=several)  # writes the cohort
        files = files_of(values, panel, folder)
        got = aggregate(kind, entries.exhibits[kind], files=files, study=study)
        alone = numbers(trial, kind, cohort=two)
        np.testing.assert_allclose(got["value"], alone, rtol=1e-9, err_msg=kind)


@pytest.mark.parametrize("vcov", ["HC2", "CRV1"])
def test_coefficients_of_controls_are_those_of_the_same_regression(trial, vcov):
    cohort, values = trial[:2]
    got = numbers(trial, "itt", vcov=vcov, weighted=True, show_controls=True, option="outcome_controls")
    z, age, w2 = (cohort[name].to_numpy(float) for name in ("treated", "age", "w2"))
    params, errors = regress(trial, values["y"].to_numpy(), [z, age, w2], vcov, cohort["w"].to_numpy())[:2]
    for k, control in ((1, "age"), (2, "w2")):
        key = ("spec:coefficients", control, "y")
        assert got[(*key, "estimate")] == pytest.approx(params[k], rel=1e-8)
        assert got[(*key, "std_error")] == pytest.approx(errors[k], rel=1e-8)
    assert got["spec", "t", "y", "estimate"] == pytest.approx(params[0], rel=1e-9)
    with pytest.raises(UserError, match="only additive specifications have"):
        numbers(trial, "itt", show_controls=True, option="interacted")


def test_coefficients_of_controls_of_logit_and_cox_are_those_of_statsmodels(trial):
    cohort, values = trial[:2]
    z, age = (cohort[name].to_numpy(float) for name in ("treated", "age"))
    dummies = pd.get_dummies(cohort["cell"]).to_numpy(float)
    got = numbers(trial, "binary_models", show_controls=True)
    x = np.column_stack((z, age, dummies))
    fit = sm.Logit(values["b"].to_numpy(), x).fit(disp=0, cov_type="HC1")
    # statsmodels' HC1 of a likelihood lacks the factor n / (n - K).
    factor = np.sqrt(PEOPLE / (PEOPLE - x.shape[1]))
    assert got["b:coefficients", "age", "log_odds", "estimate"] == pytest.approx(fit.params[1], rel=1e-6)
    assert got["b:coefficients", "age", "log_odds", "std_error"] == pytest.approx(fit.bse[1] * factor, rel=1e-6)
    got = numbers(trial, "time_to_event", show_controls=True)
    cox = sm.PHReg(
        values["t"].to_numpy(),
        np.column_stack((z, age)),
        status=values["b"].to_numpy(),
        strata=cohort["cell"],
        ties="efron",
    ).fit()
    key = ("", "coefficients:age", "log_hazard_ratio")
    assert got[(*key, "estimate")] == pytest.approx(cox.params[1], rel=1e-6)
    assert got[(*key, "std_error")] == pytest.approx(cox.bse[1], rel=1e-6)


@pytest.mark.parametrize("option", ["outcome_controls", "absorb"])
def test_quantile_regressions_have_the_controls_and_fixed_effects_of_the_specification(trial, option):
    cohort, values = trial[:2]
    got = numbers(trial, "quantile_effects", vcov="CRV1", weighted=True, option=option, quantiles=[0.37])
    z, age, w2 = (cohort[name].to_numpy(float) for name in ("treated", "age", "w2"))
    given = {"cells": cohort["cell"], "controls": np.column_stack((age, w2))}
    if option == "absorb":
        given = {
            "cells": cohort["band"],
            "controls": np.column_stack((age, pd.get_dummies(cohort["county"], drop_first=True))),
        }
    found = est.quantile_regression(
        values["y"], z, quantiles=[0.37], weights=cohort["w"], cluster=cohort["cluster"], vcov="CRV1", **given
    )
    for statistic in ("estimate", "std_error"):
        assert got["", "37", "y", statistic] == pytest.approx(getattr(found, statistic)[0, 0], rel=1e-7)
    with pytest.raises(UserError, match="takes no controls and no fixed effects but the cells"):
        numbers(trial, "quantile_effects", option=option, method="unconditional")


def test_hazards_of_people_in_clusters_have_clustered_errors(trial):
    cohort, values = trial[:2]
    got, plain = numbers(trial, "time_to_event", vcov="CRV1"), numbers(trial, "time_to_event", vcov="HC1")
    t, b, z, age = values["t"], values["b"], cohort["treated"], cohort["age"]
    clustered = {"cells": cohort["cell"], "cluster": cohort["cluster"], "vcov": "CRV1"}
    found = est.cox(t, b, z, controls=age, **clustered)
    assert got["", "cox", "log_hazard_ratio", "estimate"] == plain["", "cox", "log_hazard_ratio", "estimate"]
    assert (
        got["", "cox", "log_hazard_ratio", "std_error"]
        == found.std_error
        != plain["", "cox", "log_hazard_ratio", "std_error"]
    )
    assert got["", "log_rank", "difference", "p_value"] == est.log_rank(t, b, z, **clustered).p_value


@pytest.mark.parametrize("vcov", ["HC1", "CRV1"])
@pytest.mark.parametrize("weighted", [False, True])
def test_standard_error_of_the_control_mean_is_that_of_a_regression_on_a_constant(trial, vcov, weighted):
    cohort, values = trial[:2]
    control = (cohort["treated"] == 0).to_numpy()
    got = numbers(trial, "itt", vcov=vcov, weighted=weighted, control_mean_error=True)
    weights = cohort["w"].to_numpy()[control] if weighted else 1.0
    model = sm.WLS(values["y"].to_numpy()[control], np.ones(control.sum()), weights=weights)
    clusters = {"cov_kwds": {"groups": cohort["cluster"].to_numpy()[control]}}
    fit = model.fit(**({"cov_type": "cluster", **clusters} if vcov == "CRV1" else {"cov_type": "HC1"}))
    assert got["spec", "t", "y", "mean_control_std_error"] == pytest.approx(fit.bse[0], rel=1e-9)
    assert got["spec", "t", "y", "mean_control"] == pytest.approx(fit.params[0], rel=1e-9)


def test_balance_may_regress_covariates_alone(trial):
    both, one = numbers(trial, "balance"), numbers(trial, "balance", regress="covariates")
    assert ("", "age", "alone", "estimate") not in one.index
    assert one.pop(("", "joint_test", "joint", "n")) == PEOPLE
    pd.testing.assert_series_equal(one, both[one.index])
    assert {panel for panel, *_ in numbers(trial, "balance", regress="treatment").index} == {""}


@pytest.mark.parametrize("weighted", [False, True])
def test_bands_of_means_and_shares_honour_clusters(trial, weighted):
    """Means as in statsmodels' regression on a constant; shares by Wilson's interval for Korn and Graubard's effective number."""
    cohort, _, state, _, _ = trial
    mine = (cohort["treated"] == 1).to_numpy()
    weights = cohort["w"].to_numpy()[mine] if weighted else np.ones(mine.sum())
    groups = cohort["cluster"].to_numpy()[mine]
    model = sm.WLS(state[mine, 2], np.ones(mine.sum()), weights=weights)
    fit = model.fit(cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False})
    clusters = np.unique(groups).size
    mean, error = fit.params[0], fit.bse[0] * np.sqrt(clusters / (clusters - 1))
    t = special.stdtrit(clusters - 1, 0.975)
    paths = numbers(trial, "paths", vcov="CRV1", weighted=weighted)
    assert paths[("s", "2", "t", "mean")] == pytest.approx(mean)
    assert paths[("s", "2", "t", "df")] == numbers(trial, "bars", vcov="CRV1")["", "y", "t", "df"] == clusters - 1
    assert paths[("s", "2", "t", "conf_low")] == pytest.approx(mean - t * error, rel=1e-9)
    z = special.ndtri(0.975)
    kish = weights.sum() ** 2 / (weights @ weights)
    size = min(kish, mean * (1 - mean) / error**2 * (special.stdtrit(kish - 1, 0.975) / t) ** 2)
    middle, reach = mean + z * z / (2 * size), z * np.sqrt(mean * (1 - mean) / size + z * z / (4 * size * size))
    row = ("s", "2", "t")
    got, without = (numbers(trial, "take_up", vcov=vcov, weighted=weighted) for vcov in ("CRV1", "HC1"))
    assert got[(*row, "conf_low")] == pytest.approx((middle - reach) / (1 + z * z / size), rel=1e-9)
    assert got[(*row, "conf_low")] <= without[(*row, "conf_low")]
    assert (*row, "df") not in without.index


def test_fixed_effects_are_not_listed_among_the_controls(trial):
    got = numbers(trial, "itt", show_controls=True, option="absorb")
    rows = {key[1] for key in got.index if key[0] == "spec:coefficients"}
    assert "age" in rows
    assert not [row for row in rows if row.startswith(("county", "band"))]


def test_table_of_interactions_has_the_squares_of_controls(trial):
    square = [{"covariate": "age", "encoding": "linear", "degree": 2}]
    got = numbers(trial, "interactions", controls=square)
    assert np.isfinite(got["spec", "age:^2", "female", "estimate"])
    assert ("spec", "age:^2", "female", "estimate") not in numbers(trial, "interactions").index


@pytest.mark.parametrize("missing", ["indicator", "drop", "error"])
@pytest.mark.parametrize("kind", REGRESSIONS)
def test_missing_controls_are_treated_as_the_specification_says(trial, kind, missing):
    """drop: as without these people; indicator: as with the mean and a dummy for who lacks it; error: refused with a reason."""
    if kind in ("balance", "starters", "stepwise"):
        return  # controls are the regressors that the kind is about
    cohort = trial[0].copy()
    lost = np.arange(PEOPLE) % 9 == 0
    cohort["age"] = cohort["age"].where(~lost)
    control = {"covariate": "age", "encoding": "linear", "missing": missing}
    if missing == "error":
        with pytest.raises(UserError, match=r"age.*missing|missing.*age"):
            numbers(trial, kind, cohort=cohort, controls=[control])
        return
    got = numbers(trial, kind, cohort=cohort, controls=[control])
    if missing == "drop":
        values = trial[1].loc[~lost].reset_index(drop=True)
        panel = trial[3][~trial[3]["person_id"].isin(cohort.loc[lost, "person_id"])]
        kept = (cohort.loc[~lost].reset_index(drop=True), values, trial[2][~lost], panel, trial[4])
        alike = numbers(kept, kind, controls=[control])
    else:
        filled = cohort.assign(age=cohort["age"].fillna(cohort["age"].mean()), w2=lost.astype(float))
        second = {"covariate": "w2", "encoding": "linear"}
        alike = numbers(trial, kind, cohort=filled, controls=[control, second])
    chosen = [key for key in expected(trial, kind, "HC1", None) if (*key, "estimate") in alike.index]
    assert chosen
    for key in chosen:
        for statistic in ("estimate", "std_error"):
            assert got[(*key, statistic)] == pytest.approx(alike[(*key, statistic)], rel=1e-7), (key, statistic)


@pytest.mark.parametrize("weighted", [False, True])
def test_bounds_trim_by_the_difference_that_is_shown(trial, weighted):
    got = numbers(trial, "attrition", controls=[], weighted=weighted)
    shares = [got[("lee", "h", f"seen_{arm}", "share")] for arm in ("treated", "control")]
    assert shares[0] - shares[1] == pytest.approx(got[("seen", "h", "draw", "estimate")], rel=1e-9)
    by_people = numbers(trial, "attrition", controls=[], weighted=weighted, weighting="people")
    assert by_people[("lee", "h", "seen_treated", "share")] != pytest.approx(shares[0], rel=1e-6)


@pytest.mark.parametrize("kind", sorted(EXHIBITS))
def test_a_comparison_is_the_exhibit_on_its_people_arm_and_cells(trial, kind):
    cohort = trial[0]
    few = cohort[cohort["band"] < 4].reset_index(drop=True)
    chosen, alone = numbers(trial, kind, comparisons=["low_bands"]), numbers(trial, kind, cohort=few)
    pd.testing.assert_series_equal(chosen.sort_index(), alone.sort_index(), rtol=1e-9)
    if kind in ("subgroups", "interactions", "interaction_grid", "compliers"):
        return  # the covariate that is treatment here divides or describes people there
    other = cohort.assign(treated=cohort["female"].astype("int32"), cell=cohort["band"].astype(str))
    chosen, alone = numbers(trial, kind, comparisons=["other"]), numbers(trial, kind, cohort=other)
    pd.testing.assert_series_equal(chosen.sort_index(), alone.sort_index(), rtol=1e-9)


def test_few_clusters_are_judged_with_the_controls_of_each_outcome(trial):
    cohort = trial[0].assign(cluster=np.arange(PEOPLE) % 7)
    plain = numbers(trial, "itt", vcov="CR2", cohort=cohort)
    own = numbers(trial, "itt", vcov="CR2", cohort=cohort, option="outcome_controls")
    assert 0 < own["spec", "clusters_t", "y", "df"] != plain["spec", "clusters_t", "y", "df"]
    assert ("spec", "t", "y", "p_value_ri") in plain.index
    # Without the cells of random assignment there is nothing to re-randomise within.
    absorbed = numbers(trial, "itt", vcov="CR2", cohort=cohort, option="absorb")
    assert ("spec", "t", "y", "p_value_ri") not in absorbed.index


def test_controls_with_missing_values_are_named_where_an_indicator_stands_for_them(trial):
    controls = [{"covariate": "age"}, {"covariate": "female"}]
    holes = trial[0].assign(age=trial[0]["age"].where(np.arange(PEOPLE) % 9 != 0))
    got = numbers(trial, "itt", cohort=holes, controls=controls)
    assert got["controls", "age", "filled", "value"] == 1
    assert ("controls", "female", "filled", "value") not in got.index
    assert ("controls", "age", "filled", "value") not in numbers(trial, "itt", controls=controls).index


def test_products_and_powers_of_controls_enter_without_being_listed(trial):
    cohort = trial[0]
    controls = [
        {"covariate": "age", "degree": 2},
        {"covariate": "female"},
        {"covariate": "band", "encoding": "categories"},
    ]
    spec = (
        definitions("itt", controls=controls)
        .specifications["spec"]
        .model_copy(update={"interact": ("age", "female", "band")})
    )
    found = controls_of(cohort, spec)
    age, female = cohort["age"].to_numpy(), cohort["female"].to_numpy()
    bands = pd.get_dummies(cohort["band"], drop_first=True).to_numpy(float)
    pairs = [(age * female)[:, None], age[:, None] * bands, female[:, None] * bands, (age * female)[:, None] * bands]
    expected = np.column_stack([age, age**2, female, bands, *pairs])
    np.testing.assert_allclose(found.values, expected, rtol=1e-12)
    assert found.names[:3] == ("age", "age:^2", "female")
    assert found.names[-1] == "age:*female*band=4"
    with pytest.raises(ValueError, match="`interact` names 'w2', which must be one of the controls"):
        Specification.model_validate(
            {"label": WORD, "description": "x", "controls": controls, "interact": ["age", "w2"]}
        )
