"""The synthetic register of a comparison without random assignment: what is planted is recovered, and a hidden trait is flagged."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from refino_eval.config.definitions import Definitions
from refino_eval.exhibits.aggregate import aggregate
from refino_eval.exhibits.kinds.unobserved_confounding.layout import conclusions
from refino_eval.exhibits.numbers.study import PersonFiles, Study
from refino_eval.synthetic.assignment import ANALYSED, make_plan
from refino_eval.synthetic.benefit_effects import with_benefit_effect
from refino_eval.synthetic.calendar import NO_DAY, first_day
from refino_eval.synthetic.facts import fact_tables
from refino_eval.synthetic.generator import _make_block
from refino_eval.synthetic.recipe import Effects, load_recipe
from refino_eval.synthetic.register_tables import Table
from support import trial as toy
from support.builders import LABEL

ROOT = Path(__file__).resolve().parents[3]
OBSERVED = ("age", "female", "immigrant", "reduced", "aap", "diagnosis_l84", "employed", "months_employed")
RECIPE = load_recipe(ROOT / "config/synthetic/oppfolging_2020.yaml")
EDUCATION = [code for code in RECIPE.facts["schooling"]["education"] if code != "compulsory"]
COUNTRIES = ["group_2", "group_3"]
GROUPS = [f"education_{code}" for code in EDUCATION] + COUNTRIES
SPEC = {"label": LABEL, "description": "x", "vcov": "HC1"}


def entries(hidden):
    controls = [*OBSERVED, *GROUPS, *(["hidden"] if hidden else [])]
    return Definitions.model_validate(
        {
            "covariates": {name: {"kind": "column", "column": name, "label": LABEL} for name in (*OBSERVED, *GROUPS, "hidden")},
            "outcomes": toy.definitions().model_dump(exclude_unset=True)["outcomes"],
            "specifications": {
                "full": {**SPEC, "strata": False, "controls": [{"covariate": c, **({"degree": 2} if c == "age" else {"encoding": "linear"})} for c in controls]}
            },
            "exhibits": {
                "sensitivity": {
                    "kind": "unobserved_confounding", "title": LABEL, "columns": {"y": "work_3"}, "specification": "full",
                    "benchmarks": ["reduced", "employed"],
                }
            },
        }
    )  # fmt: skip


def register(preset):
    """Return everybody who can be followed for twelve months, from the same months as the written register."""
    plan = make_plan(RECIPE, RECIPE.people, RECIPE.seed)
    facts = fact_tables(RECIPE, plan, RECIPE.seed)
    parts = []
    for place, start in enumerate(range(0, len(plan), RECIPE.block_people)):
        number = np.arange(start, min(start + RECIPE.block_people, len(plan)))
        block = _make_block(RECIPE, plan, facts, number, place, RECIPE.preset(preset)[1], RECIPE.seed)
        last = block.observed.main.shape[1] - 1
        kept = np.flatnonzero((block.plan.kind == ANALYSED) & (block.draw_column + 12 <= last))

        def working(world, time, kept=kept, block=block):
            return (world.main[kept, block.draw_column[kept] + time] >= 400).astype(float)

        people = block.people
        education, country = (
            facts[r].columns[c][number[kept]] for r, c in (("schooling", "education"), ("origins", "country"))
        )
        words = facts["schooling"].vocabulary["education"], facts["origins"].vocabulary["country"]
        parts.append(
            pd.DataFrame(
                {
                    "treated": block.plan.treated[kept].astype(int), "age": people.age[kept], "female": people.female[kept].astype(float),
                    "immigrant": people.immigrant[kept].astype(float), "reduced": people.reduced_capacity[kept].astype(float),
                    "aap": people.aap[kept].astype(float), "diagnosis_l84": (people.aap & (people.diagnosis == 1))[kept].astype(float),
                    "employed": working(block.observed, 0), "months_employed": sum(working(block.observed, -t) for t in range(1, 25)),
                    **{f"education_{code}": (education == words[0].index(code)).astype(float) for code in EDUCATION},
                    **{code: (country == words[1].index(code)).astype(float) for code in COUNTRIES},
                    "hidden": people.hidden[kept], "y": working(block.observed, 12),
                    "without": working(block.worlds[0], 12), "with": working(block.worlds[1], 12),
                }
            )
        )  # fmt: skip
    cohort = pd.concat(parts, ignore_index=True)
    cohort["person_id"] = [f"{k:05d}" for k in range(len(cohort))]
    return cohort.assign(cell="all", sample_analysed=True, arm=np.where(cohort["treated"] == 1, "new", "old"))


def sensitivity(cohort, folder, *, hidden):
    cohort.to_parquet(folder / "cohort.parquet")
    pd.DataFrame({"person_id": cohort["person_id"], "value": cohort["y"]}).to_parquet(folder / "work_3.parquet")
    definitions = entries(hidden)
    files = PersonFiles(folder / "cohort.parquet", {"work_3": folder / "work_3.parquet"}, {})
    study = Study("new", "old", definitions.specifications, 7, design="observational")
    frame = aggregate("sensitivity", definitions.exhibits["sensitivity"], files=files, study=study)
    line = conclusions(definitions.exhibits["sensitivity"], frame, toy.label_book(definitions))[0]
    difference = frame[(frame["panel"] == "difference") & (frame["row"] == "full")].set_index("statistic")["value"]
    return line, difference


def test_a_hidden_trait_without_effect_is_flagged_and_the_same_trait_observed_is_not(tmp_path):
    cohort = register("confounded")
    assert (cohort["with"] == cohort["without"]).all()
    line, difference = sensitivity(cohort, tmp_path, hidden=False)
    assert difference["conf_low"] > 0
    assert line.startswith(("SENSITIVE.", "NOT ROBUST."))
    line, difference = sensitivity(cohort, tmp_path, hidden=True)
    assert abs(difference["estimate"]) < 2 * difference["std_error"]
    assert "no clear difference" in line


def test_the_full_model_recovers_the_planted_effect_and_groups_have_their_planted_levels(tmp_path):
    cohort = register("published")
    _, difference = sensitivity(cohort, tmp_path, hidden=False)
    treated = cohort["treated"] == 1
    truth = (cohort["with"] - cohort["without"])[treated].mean()
    assert difference["estimate"] == pytest.approx(truth, abs=2 * difference["std_error"])
    # Table 4.2 of the report of 2020: shares in work of the control arm by group; ours have the definition without its other programmes.
    for column, value, printed in (
        ("reduced", 1, 0.164), ("reduced", 0, 0.472), ("education_long_higher", 1, 0.358), ("group_2", 1, 0.364), ("female", 1, 0.274),
    ):  # fmt: skip
        share = cohort.loc[~treated & (cohort[column] == value), "y"].mean()
        assert share == pytest.approx(printed, abs=0.03)


def test_an_effect_on_a_benefit_has_its_size_in_its_months_and_touches_nobody_else():
    rng = np.random.default_rng(3)
    n, months, first = 20_000, 37, 580
    opening = first_day(first + np.arange(months))
    event = np.broadcast_to(np.arange(months) - 1, (n, months))
    holds = np.flatnonzero(rng.random(n) < 0.6)
    stop = opening[rng.integers(4, months, len(holds))] + 10
    open_ended = rng.random(len(holds)) < 0.3
    table = Table(
        {"person_id": holds + 100, "start": np.full(len(holds), opening[0] - 400), "stop": np.where(open_ended, NO_DAY, stop), "decision": holds % 2},
        {"decision": ("O", "E")},
    )  # fmt: skip
    treated = np.arange(n) % 2 == 0
    points = {0: 0.0, 12: -0.05, 24: 0.0, 35: 0.10}
    made = with_benefit_effect(
        table, points, base=100, event=event, first_month=first, treated=treated, eligible=np.ones(n, dtype=bool),
        rng=np.random.default_rng(4),
    )  # fmt: skip

    def share(spells, month, who):
        start, end = spells.columns["start"], spells.columns["stop"]
        day = opening[month]
        on = np.zeros(n, dtype=bool)
        on[spells.columns["person_id"][(start <= day) & ((end == NO_DAY) | (end >= day))] - 100] = True
        return on[who].mean()

    for time, change in ((0, 0.0), (6, -0.025), (12, -0.05), (35, 0.10)):
        got = share(made, time + 1, treated) - share(table, time + 1, treated)
        assert got == pytest.approx(change, abs=0.008), time
        assert share(made, time + 1, ~treated) == share(table, time + 1, ~treated)
    untouched = ~np.isin(table.columns["person_id"], np.flatnonzero(treated) + 100)
    for name, values in table.columns.items():
        rows = ~np.isin(made.columns["person_id"], np.flatnonzero(treated) + 100)
        np.testing.assert_array_equal(np.sort(made.columns[name][rows]), np.sort(values[untouched]), err_msg=name)


def test_groups_of_a_recipe_must_be_known():
    text = RECIPE.model_dump()
    text["work"]["groups"] = [{"where": {"schooling.educatoin": ["higher"]}, "change": {0: 0.1}}]
    with pytest.raises(ValueError, match="no trait or fact"):
        type(RECIPE).model_validate(text)
    with pytest.raises(ValueError, match="benefits"):
        Effects.model_validate({"benefits": {"pension": {0: 0.1}}})
