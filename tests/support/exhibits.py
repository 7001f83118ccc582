"""Toy definitions and tidy numbers of realistic size, made by arithmetic alone."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from refino_eval.config.base import Label
from refino_eval.config.definitions import Definitions
from refino_eval.exhibits.tidy import tidy_frame
from refino_eval.exhibits.wording.labels import LabelBook

FACTS = {"data_class": "synthetic"}


def _label(nb: str, en: str) -> dict[str, str]:
    return {"nb": nb, "en": en}


STATES = {
    "any_wage": (_label("Positiv lønnsinntekt", "Any wage"), _label("andel", "share"), 0.30, 0.47),
    "weekly_hours": (_label("Ukentlig arbeidstid", "Weekly hours"), _label("timer", "hours"), 7.5, 15.6),
    "half_time": (_label("Minst halvtid", "At least half time"), _label("andel", "share"), 0.19, 0.34),
    "full_time": (_label("Heltid", "Full time"), _label("andel", "share"), 0.11, 0.23),
}
COVARIATES = {
    "female": (_label("Kvinne", "Female"), None, 0.54, 0.5),
    "immigrant": (_label("Innvandrerbakgrunn", "Immigrant background"), None, 0.28, 0.45),
    "age": (_label("Alder", "Age"), _label("år", "years"), 39.9, 11.84),
    "experience": (_label("Arbeidserfaring", "Work experience"), _label("år", "years"), 17.3, 11.99),
    "occupational_income": (_label("Yrkesinntekt året før", "Occupational income the year before"),
                            _label("100 000 kr", "100,000 kr"), 1.57, 2.13),
    "pensionable_income": (_label("Pensjonsgivende inntekt året før", "Pensionable income the year before"),
                           _label("100 000 kr", "100,000 kr"), 3.18, 2.18),
}  # fmt: skip
EFFECTS = {"any_wage": (-0.0096, 0.016, 0.47), "weekly_hours": (-0.17, 0.73, 15.6), "half_time": (0.0026, 0.015, 0.34),
           "full_time": (-0.014, 0.013, 0.23)}  # fmt: skip


def definitions() -> Definitions:
    states = {
        name: {
            "label": label,
            "description": "toy",
            "expression": "1",
            "unit": unit,
            **({"range": (0, 1)} if unit["en"] == "share" else {}),
        }
        for name, (label, unit, *_) in STATES.items()
    }
    outcomes = {
        f"{name}_month_12": {
            "label": label, "description": f"{label['en']} in month 12.", "kind": "value_at", "state": name, "at": 12, "unit": unit,
            "role": "primary" if name == "any_wage" else "secondary",
        }
        for name, (label, unit, *_) in STATES.items()
    }  # fmt: skip
    outcomes |= {
        "any_wage_months_12": {
            "label": _label("Måneder med lønn", "Months with any wage"), "description": "Months 1 to 12.",
            "kind": "sum_over", "state": "any_wage", "window": (1, 12), "unit": _label("måneder", "months"),
        }
    }  # fmt: skip
    controls = [
        {"covariate": "female", "encoding": "categories"},
        {"covariate": "age", "encoding": "quantile_bins", "bins": 10},
    ]
    specifications = {
        "main": {"label": _label("Hovedresultater", "Main results"), "description": "toy", "controls": controls},
        "none": {"label": _label("Uten kontrollvariabler", "Without controls"), "description": "toy"},
    }
    states_list, covariates = list(STATES), list(COVARIATES)
    columns = {name: f"{name}_month_12" for name in STATES}
    exhibits = {
        "table_2_3": {"kind": "descriptives", "title": _label("Tabell 2.3. Kjennetegn", "Table 2.3. Characteristics"),
                      "covariates": covariates},
        "figure_2_1": {"kind": "draws", "title": _label("Figur 2.1. Antall trukket", "Figure 2.1. People drawn")},
        "table_design": {"kind": "design", "title": _label("Trekningens utforming", "Design of the draw")},
        "table_i": {"kind": "balance", "title": _label("Tabell I. Balanse", "Table I. Balance"), "covariates": covariates},
        "figure_8_1": {"kind": "paths", "title": _label("Figur 8.1. Jobboppnåelse", "Figure 8.1. Job attainment"),
                       "states": states_list},
        "figure_8_2": {"kind": "paths", "title": _label("Figur 8.2. Jobbfastholdelse", "Figure 8.2. Job retention"),
                       "states": states_list, "first": 0, "cumulate_from": 0},
        "table_8_1": {"kind": "itt", "title": _label("Tabell 8.1. Effekter", "Table 8.1. Effects"), "columns": columns},
        "table_ii": {"kind": "itt", "title": _label("Tabell II. Robusthet", "Table II. Robustness"),
                     "columns": columns, "specifications": ["main", "none"]},
        "figure_effects": {"kind": "effects", "title": _label("Effekt, måned for måned", "Effect, month by month"),
                           "states": states_list},
    }  # fmt: skip
    covs = {
        name: {"label": label, "unit": unit, "kind": "column", "column": name}
        for name, (label, unit, *_) in COVARIATES.items()
    }
    return Definitions.model_validate(
        {
            "states": states,
            "outcomes": outcomes,
            "covariates": covs,
            "specifications": specifications,
            "exhibits": exhibits,
        }
    )


def label_book() -> LabelBook:
    return LabelBook(
        definitions=definitions(),
        treated="refino",
        control="oppfolging",
        arms={"refino": Label(nb="Refino", en="Refino"), "oppfolging": Label(nb="Oppfølging", en="Oppfølging")},
        samples={"analysed": Label(nb="Analyseutvalget", en="The analysed sample")},
        strata=("county", "draw_month"),
        strata_labels={
            "county": Label(nb="fylke", en="county"),
            "draw_month": Label(nb="trekkemåned", en="draw month"),
        },
    )


def _cell(row, column, statistic, value, panel="", n=None):
    return {"row": str(row), "column": column, "statistic": statistic, "value": value, "panel": panel, "n_persons": n}


def _descriptives():
    people = {"all": 4901, "refino": 1827, "oppfolging": 3074}
    for shift, (column, n) in enumerate(people.items()):
        for name, (_, _, mean, sd) in COVARIATES.items():
            yield _cell(name, column, "mean", mean + 0.004 * shift, n=n)
            yield _cell(name, column, "sd", sd, n=n)
            yield _cell(name, column, "n", n - (3 if name == "age" else 0), n=n)
        yield _cell("all", column, "n", n, n=n)


def _balance():
    for k, (name, (_, _, mean, sd)) in enumerate(COVARIATES.items()):
        error = 0.0062 / sd
        for column in ("alone", "joint"):
            yield from (_cell(name, column, s, v) for s, v in (("estimate", (k - 2) * error), ("std_error", error),
                        ("p_value", 0.5), ("n", 4897), ("r_squared", 0.2134)))  # fmt: skip
        yield _cell(name, "alone", "mean_control", mean)
        for arm, n in (("refino", 1827), ("oppfolging", 3070)):
            yield from (_cell(name, arm, s, v, "differences") for s, v in (("mean", mean), ("sd", sd), ("n", n)))
        gap = (k - 2) * sd / 30
        yield from (_cell(name, "difference", s, v, "differences") for s, v in
                    (("estimate", gap), ("std_error", sd / 30), ("p_value", 0.0004 if k == 5 else 0.31)))  # fmt: skip
        yield _cell(name, "normalised", "normalised_difference", gap / sd, "differences")
    yield from (_cell("joint_test", "joint", s, v) for s, v in
                (("f_stat", 1.873), ("df", 6), ("df_residual", 4672), ("p_value", 0.0815)))  # fmt: skip


def _itt(specifications):
    for k, spec in enumerate(specifications):
        for column, (estimate, error, mean) in EFFECTS.items():
            b = estimate + 0.1 * k * error
            yield from (_cell("refino", column, s, v, spec, 4898) for s, v in (
                ("estimate", b), ("std_error", error), ("p_value", 0.55), ("conf_low", b - 1.96 * error),
                ("conf_high", b + 1.96 * error), ("df", 4650 + 40 * k), ("mean_control", mean), ("mean", mean),
                ("mean_treated", mean + b), ("sd_control", math.sqrt(mean * (1 - mean)) if mean < 1 else 17.0),
                ("percent_of_control", 100 * b / mean), ("n", 4898), ("n_treated", 1826), ("n_control", 3072),
                ("n_cells", 205), ("r_squared", 0.21)))  # fmt: skip


def _draws():
    for k, month in enumerate(pd.period_range("2018-05", "2021-12", freq="M").strftime("%Y-%m")):
        total = round(105 + 40 * math.sin(k / 4) + (k * 37 % 29))
        treated = round(total * min(0.75, max(0.2, 0.62 - 0.008 * k + 0.06 * math.sin(k / 2))))
        yield _cell(month, "refino", "count", treated)
        yield _cell(month, "oppfolging", "count", total - treated)
        yield _cell(month, "share_treated", "share", treated / total)


def _level(state: str, time: int) -> float:
    _, _, start, end = STATES[state]
    before = start * (1.55 - 0.55 * math.exp(time / 14)) if time < 0 else 0.0
    return before if time < 0 else start + (end - start) * (1 - math.exp(-time / 9)) * 1.25


def _paths(cumulative: bool):
    rng = np.random.default_rng(7)
    for state in STATES:
        for arm, n in (("refino", 1827), ("oppfolging", 3074)):
            total = 0.0
            for time in range(0 if cumulative else -24, 25):
                mean = _level(state, time) * (1 + rng.normal(0, 0.012) + (0.01 if arm == "refino" else 0))
                total = total + mean if cumulative else mean
                sd = (max(total, 0.2) * 0.9) if cumulative or mean > 1 else math.sqrt(mean * (1 - mean))
                reach = 1.96 * sd / math.sqrt(n)
                yield from (_cell(time, arm, s, v, state, n) for s, v in (("mean", total), ("n", n), ("sd", sd),
                            ("conf_low", total - reach), ("conf_high", total + reach)))  # fmt: skip


def _effects():
    rng = np.random.default_rng(3)
    for state, (_, error, mean) in EFFECTS.items():
        drift = 0.0
        for time in range(-24, 25):
            drift = 0.9 * drift + rng.normal(0, 0.35) * error
            yield from (_cell(time, "difference", s, v, state, 4898) for s, v in (
                ("estimate", drift), ("std_error", error), ("p_value", 0.4), ("conf_low", drift - 1.96 * error),
                ("conf_high", drift + 1.96 * error), ("band_low", drift - 2.78 * error),
                ("band_high", drift + 2.78 * error), ("mean_control", mean), ("n", 4898)))  # fmt: skip
        yield _cell("critical_value", "sup_t", "value", 2.78, state)
        yield from (_cell("placebo", "difference", s, v, state) for s, v in
                    (("f_stat", 0.93), ("df", 24), ("df_residual", 4650), ("p_value", 0.56)))  # fmt: skip


def _design():
    for county in ("Akershus", "Hordaland", "Oslo"):
        for month in ("2018-05", "2018-06", "2018-07"):
            yield from (_cell(f"{county} x {month}", "all", s, v, n=20) for s, v in
                        (("n", 20), ("n_treated", 12), ("share", 0.6), ("weight", 0.111)))  # fmt: skip
    for key, value in {
        "n": 4901,
        "n_cells": 205,
        "n_one_arm_cells": 6,
        "share_min": 0.125,
        "effective_n": 4420.35,
    }.items():
        yield _cell("summary", key, "value", value)


def frames() -> dict[str, pd.DataFrame]:
    made = {
        "table_2_3": _descriptives(),
        "figure_2_1": _draws(),
        "table_design": _design(),
        "table_i": _balance(),
        "figure_8_1": _paths(False),
        "figure_8_2": _paths(True),
        "table_8_1": _itt(["main"]),
        "table_ii": _itt(["main", "none"]),
        "figure_effects": _effects(),
    }
    return {name: tidy_frame({"exhibit": name, **row} for row in rows) for name, rows in made.items()}
