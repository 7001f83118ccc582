"""Traits of the people, drawn for a block of people."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import ndtri

from refino_eval.synthetic.calendar import BoolArray, FloatArray, IntArray
from refino_eval.synthetic.recipe import Persons, Recipe

PILOT = 40_000
"""People in the pilot that standardises the propensity to work; fixed, so that no delivery depends on its own sample."""


@dataclass(frozen=True)
class People:
    """Traits of a block of people, each of shape (n,)."""

    female: BoolArray
    category: IntArray
    immigrant: BoolArray
    age: FloatArray
    work_start: FloatArray
    work_years: FloatArray
    reduced_capacity: BoolArray
    diagnosis: IntArray
    propensity: FloatArray
    aap: BoolArray | None = None
    hidden: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.age)


def make_people(
    recipe: Recipe,
    share: FloatArray,
    rng: np.random.Generator,
    *,
    treated: BoolArray | None = None,
    hidden: float = 0.0,
) -> People:
    """Draw the traits of people.

    Parameters
    ----------
    recipe
        The study.
    share
        Draw probabilities of their cells, shape (n,).
    rng
        Draws everything.
    treated
        Who is in the treated arm, where its people have other traits (`persons_of_treated`).
    hidden
        By how much a trait that no register holds is higher in the treated arm, in sd.
    """
    people = _draw(recipe, recipe.persons, share, rng)
    if recipe.persons_of_treated is not None and treated is not None:
        others = _draw(recipe, recipe.persons_of_treated, share, rng)
        pairs = {name: (getattr(people, name), value) for name, value in others.__dict__.items() if value is not None}
        people = People(**{name: np.where(treated, there, here) for name, (here, there) in pairs.items()})
    if hidden and treated is not None and people.hidden is not None:
        moved = hidden * treated
        raised = people.propensity + recipe.work.traits["hidden"] * moved
        people = People(**{**people.__dict__, "hidden": people.hidden + moved, "propensity": raised})
    mean, sd = _pilot(recipe.model_dump_json())
    return People(**{**people.__dict__, "propensity": (people.propensity - mean) / sd})


@lru_cache(maxsize=8)
def _pilot(recipe_text: str) -> tuple[float, float]:
    """Mean and sd of the raw propensity in a fixed pilot sample."""
    recipe = Recipe.model_validate_json(recipe_text)
    share = np.full(PILOT, recipe.treated / recipe.people)
    raw = _draw(recipe, recipe.persons, share, np.random.default_rng(12345)).propensity
    return float(raw.mean()), float(raw.std())


def _draw(recipe: Recipe, spec: Persons, share: FloatArray, rng: np.random.Generator) -> People:
    """Draw traits as `spec` says, and the propensity to work by their distance from those of the recipe's people."""
    base, n = recipe.persons, len(share)
    female = rng.random(n) < spec.female
    names = list(spec.categories)
    category = np.searchsorted(np.cumsum(list(spec.categories.values()))[:-1], rng.random(n), side="right")
    immigrant = np.isin(category, [names.index(name) for name in spec.immigrant])
    arrived = np.isin(category, [names.index(name) for name in spec.arrived])
    age = _ages(recipe, spec, share, rng)
    start = np.maximum(spec.work_start[0] + spec.work_start[1] * rng.standard_normal(n), 14.0)
    arrival = rng.beta(*spec.arrival, n) * age
    start = np.where(arrived, np.maximum(start, arrival), start)
    worked = np.where(arrived, rng.beta(*spec.work_years_arrived, n), rng.beta(*spec.work_years, n))
    older = (age - spec.age_mean) / spec.age_sd
    latent = spec.capacity_on_age * older + np.sqrt(1 - spec.capacity_on_age**2) * rng.standard_normal(n)
    reduced = latent > -ndtri(spec.reduced_capacity)
    diagnosed = rng.random(n) < np.where(reduced, spec.diagnosis[1], spec.diagnosis[0])
    code = np.searchsorted(np.cumsum(list(spec.diagnosis_codes.values()))[:-1], rng.random(n), side="right")
    abroad = sum(base.categories[name] for name in base.immigrant)
    experience = np.maximum(age - start, 0) * worked
    standard = {
        "female": (female - base.female) / np.sqrt(base.female * (1 - base.female)),
        "immigrant": (immigrant - abroad) / np.sqrt(abroad * (1 - abroad)),
        "age": (age - base.age_mean) / base.age_sd,
        "experience": (experience - base.age_mean + base.work_start[0]) / base.age_sd,
        "reduced_capacity": (reduced - base.reduced_capacity) / 0.5,
    }
    # Drawn last and only where the recipe has them, so that other registers keep their random numbers.
    aap = hidden = None
    if spec.aap is not None:
        aap = reduced & (rng.random(n) < spec.aap)
        standard["aap"] = (aap - base.reduced_capacity * (base.aap or 0.0)) / 0.5
    if "hidden" in recipe.work.traits:
        hidden = standard["hidden"] = rng.standard_normal(n)
    propensity = sum((weight * standard[name] for name, weight in recipe.work.traits.items()), np.zeros(n))
    diagnosis = np.where(diagnosed, code, -1)
    return People(female, category, immigrant, age, start, worked, reduced, diagnosis, propensity, aap, hidden)


def _ages(recipe: Recipe, spec: Persons, share: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Ages at the draw: by groups, or a beta distribution over the range, its mean moved by the cell's draw probability."""
    if spec.age_groups:
        begin, end, weight = (np.array(values) for values in zip(*spec.age_groups, strict=True))
        group = np.searchsorted(np.cumsum(weight / weight.sum())[:-1], rng.random(len(share)), side="right")
        return np.asarray(begin[group] + (end - begin)[group] * rng.random(len(share)))
    low, high = spec.age_range
    # The variance between cells is taken from the variance within them, so that the overall mean and sd are as specified.
    moved = spec.age_on_draw_share * (share - recipe.treated / recipe.people)
    mean = np.clip((spec.age_mean + moved - low) / (high - low), 0.05, 0.95)
    middle = (spec.age_mean - low) / (high - low)
    total = middle * (1 - middle) / (spec.age_sd / (high - low)) ** 2 - 1
    return np.asarray(low + (high - low) * rng.beta(mean * total, (1 - mean) * total))
