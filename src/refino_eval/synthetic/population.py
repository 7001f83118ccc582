"""Traits of the people, drawn for a block of people."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import ndtri

from refino_eval.synthetic.calendar import BoolArray, FloatArray, IntArray
from refino_eval.synthetic.recipe import Recipe

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

    def __len__(self) -> int:
        return len(self.age)


def make_people(recipe: Recipe, share: FloatArray, rng: np.random.Generator) -> People:
    """Draw the traits of people whose cells had the given draw probabilities, shape (n,)."""
    people = _draw(recipe, share, rng)
    mean, sd = _pilot(recipe.model_dump_json())
    return People(**{**people.__dict__, "propensity": (people.propensity - mean) / sd})


@lru_cache(maxsize=8)
def _pilot(recipe_text: str) -> tuple[float, float]:
    """Mean and sd of the raw propensity in a fixed pilot sample."""
    recipe = Recipe.model_validate_json(recipe_text)
    share = np.full(PILOT, recipe.treated / recipe.people)
    raw = _draw(recipe, share, np.random.default_rng(12345)).propensity
    return float(raw.mean()), float(raw.std())


def _draw(recipe: Recipe, share: FloatArray, rng: np.random.Generator) -> People:
    spec, n = recipe.persons, len(share)
    female = rng.random(n) < spec.female
    names = list(spec.categories)
    category = np.searchsorted(np.cumsum(list(spec.categories.values()))[:-1], rng.random(n), side="right")
    immigrant = np.isin(category, [names.index(name) for name in spec.immigrant])
    arrived = np.isin(category, [names.index(name) for name in spec.arrived])
    age = _ages(recipe, share, rng)
    start = np.maximum(spec.work_start[0] + spec.work_start[1] * rng.standard_normal(n), 14.0)
    arrival = rng.beta(*spec.arrival, n) * age
    start = np.where(arrived, np.maximum(start, arrival), start)
    worked = np.where(arrived, rng.beta(*spec.work_years_arrived, n), rng.beta(*spec.work_years, n))
    older = (age - spec.age_mean) / spec.age_sd
    latent = spec.capacity_on_age * older + np.sqrt(1 - spec.capacity_on_age**2) * rng.standard_normal(n)
    reduced = latent > -ndtri(spec.reduced_capacity)
    diagnosed = rng.random(n) < np.where(reduced, spec.diagnosis[1], spec.diagnosis[0])
    code = np.searchsorted(np.cumsum(list(spec.diagnosis_codes.values()))[:-1], rng.random(n), side="right")
    abroad = sum(spec.categories[name] for name in spec.immigrant)
    experience = np.maximum(age - start, 0) * worked
    standard = {
        "female": (female - spec.female) / np.sqrt(spec.female * (1 - spec.female)),
        "immigrant": (immigrant - abroad) / np.sqrt(abroad * (1 - abroad)),
        "age": older,
        "experience": (experience - spec.age_mean + spec.work_start[0]) / spec.age_sd,
        "reduced_capacity": (reduced - spec.reduced_capacity) / 0.5,
    }
    propensity = sum((weight * standard[name] for name, weight in recipe.work.traits.items()), np.zeros(n))
    return People(female, category, immigrant, age, start, worked, reduced, np.where(diagnosed, code, -1), propensity)


def _ages(recipe: Recipe, share: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Ages at the draw: a beta distribution over the range, its mean moved by the cell's draw probability."""
    spec = recipe.persons
    low, high = spec.age_range
    # The variance between cells is taken from the variance within them, so that the overall mean and sd are as specified.
    moved = spec.age_on_draw_share * (share - recipe.treated / recipe.people)
    mean = np.clip((spec.age_mean + moved - low) / (high - low), 0.05, 0.95)
    middle = (spec.age_mean - low) / (high - low)
    total = middle * (1 - middle) / (spec.age_sd / (high - low)) ** 2 - 1
    return np.asarray(low + (high - low) * rng.beta(mean * total, (1 - mean) * total))
