"""Inputs of a cost-benefit model as numbers: their values, joint draws, and what a programme is worth with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy import optimize, special

from refino_eval.config.money.cost_benefit import (
    AT_MOST_ONE,
    INPUTS,
    SIGNED,
    Conventions,
    CostBenefit,
    Input,
    Item,
    Normal,
    Scenario,
    Triangular,
)
from refino_eval.cost_benefit.employment_paths import FloatArray, Values
from refino_eval.cost_benefit.valuation import ProgrammeValue, programme_value
from refino_eval.errors import nearest, raise_problems
from refino_eval.seeds import derive_seed

COMMON = "inputs"
"""Where an input is drawn that programmes share: once for all of them."""


@dataclass(frozen=True)
class Model:
    """A cost-benefit model with its published numbers.

    Attributes
    ----------
    definition
        The model as it is configured.
    published
        Published numbers by `exhibit/panel/row/column/statistic`.
    """

    definition: CostBenefit
    published: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse published numbers that do not exist."""
        keys = dict.fromkeys(str(entry.published) for entry in self.definition.amounts if entry.published is not None)
        file = f"data/published/{self.definition.published}.csv"
        raise_problems(
            [
                f"The cost-benefit model reads the published number '{key}', which {file} does not have."
                f"{nearest(key, self.published)}"
                for key in keys
                if key not in self.published
            ]
        )

    def number(self, entry: Input) -> float:
        """Return the value of an input in its unit."""
        value = entry.value if entry.value is not None else self.published[str(entry.published)]
        return value * entry.times

    def values(self, programme: str) -> dict[str, FloatArray]:
        """Return the values of a programme's inputs, each of shape (1,)."""
        return {name: np.array([self.number(entry)]) for name, entry in self.definition.inputs_of(programme).items()}

    def worth(
        self, programme: str, values: Values | None = None, conventions: Conventions | None = None
    ) -> ProgrammeValue:
        """Return what a programme is worth, with its own inputs and the model's conventions or with others."""
        entry = self.definition.programmes[programme]
        chosen = self.values(programme) if values is None else values
        return programme_value(chosen, entry.effect, conventions or self.definition.conventions)

    def worth_of(self, scenario: Scenario) -> ProgrammeValue:
        """Return what a programme is worth in a scenario."""
        return self.worth(scenario.programme, self.changed(scenario), scenario.conventions)

    def changed(self, scenario: Scenario) -> dict[str, FloatArray]:
        """Return the inputs of a scenario."""
        values = self.values(scenario.programme)
        values |= {name: np.array([value]) for name, value in scenario.set.items()}
        return values | {name: values[name] * factor for name, factor in scenario.times.items()}

    # --- Uncertainty ---

    def uncertain(self, programme: str) -> dict[str, tuple[str, Input]]:
        """Return the uncertain inputs of a programme: input -> where it is drawn, and its definition."""
        own = self.definition.programmes[programme].inputs
        return {
            name: (programme if name in own else COMMON, entry)
            for name, entry in self.definition.inputs_of(programme).items()
            if entry.uncertainty is not None
        }

    def draws(self, programme: str, number: int, seed: int) -> dict[str, FloatArray]:
        """Return joint draws of a programme's inputs, shape (number,) for uncertain ones.

        An input that programmes share has the same draws in all of them, so that differences between programmes are right.
        """
        values = {name: np.full(number, value[0]) for name, value in self.values(programme).items()}
        for name, (place, entry) in self.uncertain(programme).items():
            rng = np.random.default_rng(derive_seed(seed, "cost_benefit", place, name))
            values[name] = within(name, quantile(entry, self.number(entry), rng.random(number)))
        return values

    def simulate(self, number: int, seed: int) -> dict[str, ProgrammeValue]:
        """Return what every programme is worth in joint draws of all inputs."""
        return {name: self.worth(name, self.draws(name, number, seed)) for name in self.definition.programmes}

    def tornado(self, programme: str, level: float) -> Iterator[tuple[str, float, float]]:
        """Yield each uncertain input, and net value when it alone is at the low and the high end of its interval."""
        tails = np.array([0.5 - level / 2, 0.5 + level / 2])
        base = self.values(programme)
        for name, (_, entry) in self.uncertain(programme).items():
            ends = within(name, quantile(entry, self.number(entry), tails))
            values = {key: np.repeat(value, 2) for key, value in base.items()} | {name: ends}
            low, high = self.worth(programme, values).total()
            yield name, float(low), float(high)

    # --- Switching values ---

    def switching_value(
        self, programme: str, name: str, *, low: float, high: float, values: Values, without: Item | None = None
    ) -> float:
        """Return the value of an input at which net value is zero; NaN if it is not between two values.

        Parameters
        ----------
        programme, name
            The programme, and its input.
        low, high
            The values between which to search.
        values
            All inputs of the programme.
        without
            An item that is left out of net value, such as `leisure`.
        """

        def net(value: float) -> float:
            worth = self.worth(programme, {**values, name: np.array([value])})
            return float((worth.total() - (worth.of(without) if without else 0.0))[0])

        return _root(net, low, high)

    def switching_factor(self, programme: str, names: Iterable[str], *, values: Values) -> float:
        """Return the share of the values of some inputs, all multiplied by it, at which net value is zero."""

        def net(factor: float) -> float:
            changed = {name: factor * values[name] for name in names}
            return float(self.worth(programme, {**values, **changed}).total()[0])

        return _root(net, 0.0, 1.0)


def _root(net: Callable[[float], float], low: float, high: float) -> float:
    if net(low) * net(high) > 0:
        return float("nan")
    return float(optimize.brentq(net, low, high, xtol=1e-9))


def quantile(entry: Input, value: float, probabilities: FloatArray) -> FloatArray:
    """Return quantiles of an uncertain input around its value."""
    given = entry.uncertainty
    if given is None:
        return np.full_like(probabilities, value)
    if isinstance(given, Normal):
        return np.asarray(value + given.std_error * special.ndtri(probabilities))
    if not isinstance(given, Triangular):
        return given.low + (given.high - given.low) * probabilities
    width, left = given.high - given.low, value - given.low
    below = given.low + np.sqrt(probabilities * width * left)
    above = given.high - np.sqrt((1.0 - probabilities) * width * (given.high - value))
    return np.where(probabilities * width < left, below, above)


def within(name: str, values: FloatArray) -> FloatArray:
    """Return draws within what an input can be: shares from 0 to 1, amounts not negative; an effect is -100 per cent or more."""
    if name in SIGNED:
        return np.maximum(values, -1.0) if INPUTS[name] == "share" else values
    return np.clip(values, 0.0, 1.0 if INPUTS[name] in AT_MOST_ONE else np.inf)
