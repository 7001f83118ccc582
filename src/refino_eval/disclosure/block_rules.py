"""Rules about the people behind statistics: a mean, an effect, a survival curve.

They are checked for a cell of a table at a time, with all its statistics, and where a fact is missing the rule counts as broken.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from refino_eval.config.disclosure_profiles import DisclosureProfile
from refino_eval.disclosure.classes import tail_of
from refino_eval.disclosure.linked_counts import Cell
from refino_eval.disclosure.release_counts import Number, ReleaseCounts, people_behind

Block = tuple[str, str, str, str]

OF_TWO_ARMS = frozenset({"estimate", "std_error", "mean_control", "mean_treated", "conf_low", "conf_high"})
"""Statistics that compare two arms, each of which needs the smallest number of people."""


def block_problems(blocks: Mapping[Block, list[Number]], counts: ReleaseCounts) -> dict[Block, tuple[str, ...]]:
    """Return the rules that the cells of a release break.

    Parameters
    ----------
    blocks
        The statistics of each cell of a table.
    counts
        The counts of the release, which say what is a share.
    """
    profile = counts.profile
    fewest = _fewest(blocks)
    problems: dict[Block, tuple[str, ...]] = {}
    for block, numbers in blocks.items():
        if numbers[0].disclosure_class in ("published", "frequency", "flow", "density"):
            rules = tuple(_single_rules(numbers, profile))
        else:
            rules = tuple(dict.fromkeys(_rules(block, numbers, fewest, counts)))
        if rules:
            problems[block] = rules
    return problems


def _fewest(blocks: Mapping[Block, list[Number]]) -> dict[tuple[str, ...], int]:
    """Return the fewest people behind the numbers of an exhibit, its panels, and its panels' columns."""
    fewest: dict[tuple[str, ...], int] = {}
    for (exhibit, panel, _, column), numbers in blocks.items():
        for number in numbers:
            if number.people and number.treatment != "count" and number.statistic != "n_left_out":
                for key in ((exhibit,), (exhibit, panel), (exhibit, panel, "", column)):
                    fewest[key] = min(fewest.get(key, number.people), number.people)
    return fewest


def _single_rules(numbers: list[Number], profile: DisclosureProfile) -> Iterator[str]:
    """Yield the rules about extremes, percentiles and numbers that nobody has classified."""
    for number in numbers:
        if math.isnan(number.value):
            continue
        if number.treatment is None:
            yield "unknown_value"
        if number.treatment == "extreme" and not profile.percentiles.extremes:
            yield "extremes"
        if (
            number.treatment == "percentile"
            and (number.people or 0) * tail_of(number.disclosure_class, number.row, number.column)
            < profile.percentiles.minimum_people
        ):
            yield "percentiles"


def _rules(
    block: Block, numbers: list[Number], fewest: Mapping[tuple[str, ...], int], counts: ReleaseCounts
) -> Iterator[str]:
    profile = counts.profile
    yield from _single_rules(numbers, profile)
    if all(number.treatment in ("plain", "count") for number in numbers):
        return
    people = _people_of(block, numbers, fewest)
    if people is None:
        yield "people_unknown"
        return
    by_statistic = {number.statistic: number for number in numbers}
    if _too_few(by_statistic, people, profile.statistics.minimum_people):
        yield "minimum_people"
    if "estimate" in by_statistic and _degrees_of_freedom(by_statistic, people) < profile.degrees_of_freedom.minimum:
        yield "degrees_of_freedom"
    amounts = {name: number for name, number in by_statistic.items() if number.cell not in counts.unknown}
    if _dominated(amounts, people, profile):
        yield "dominance"


def _people_of(block: Block, numbers: list[Number], fewest: Mapping[tuple[str, ...], int]) -> int | None:
    """Return the fewest people behind the numbers of a cell; where it states none, those of its column, panel or exhibit."""
    sizes = [number.people for number in numbers if number.treatment != "count" and number.statistic != "n_left_out"]
    stated = [size for size in sizes if size is not None]
    if stated:
        return min(stated)
    exhibit, panel, _, column = block
    return next(
        (fewest[key] for key in ((exhibit, panel, "", column), (exhibit, panel), (exhibit,)) if key in fewest), None
    )


def _too_few(by_statistic: Mapping[str, Number], people: int, least: float) -> bool:
    """Return whether there are fewer people than asked for behind a cell, or in an arm that it compares."""
    arms = [by_statistic[name].value for name in ("n_treated", "n_control") if name in by_statistic]
    compares_arms = "estimate" in by_statistic and bool(OF_TWO_ARMS & by_statistic.keys())
    # Where the sizes of the arms are not given, the smaller one may be anything: twice as many people are asked for.
    asked = 2 * least if compares_arms and len(arms) < 2 else least
    return people < asked or any(size < least for size in arms)


def few_cells(blocks: Mapping[Block, list[Number]], counts: ReleaseCounts) -> Iterator[Cell]:
    """Yield the cells of means and shares that may be of few people although their numerator is unknown."""
    for numbers in blocks.values():
        if numbers[0].disclosure_class not in ("published", "frequency", "flow", "density"):
            by_statistic = {number.statistic: number for number in numbers}
            for number in numbers:
                if number.people and _may_be_few(number, by_statistic, number.people, counts):
                    yield number.cell


def _may_be_few(number: Number, by_statistic: Mapping[str, Number], people: int, counts: ReleaseCounts) -> bool:
    """Return whether a mean or share whose numerator is unknown may be one of zeros and ones with few ones, or few zeros.

    Its numerator is unknown where weights were used, or where the size of an arm is not given and is taken as half of both.
    """
    is_share = number.statistic == "share" and number.treatment == "share"
    if number.cell in counts.unknown or not (is_share or number.treatment == "mean") or not 0 < number.value < 1:
        return False
    if number.statistic.replace("mean", "sd") in by_statistic and number.treatment == "mean":
        return False
    behind = people_behind(number, dict(by_statistic)) or people / 2
    if number.disclosure_class == "regression" and is_share:
        # The people of a regression are those of both arms, and its shares mostly of one.
        behind = people / 2
    return min(number.value, 1 - number.value) * behind < counts.profile.frequency.threshold - 0.5


def _degrees_of_freedom(by_statistic: Mapping[str, Number], people: int) -> float:
    """Return the residual degrees of freedom, or at most what people and cells leave."""
    if "df_residual" in by_statistic:
        return by_statistic["df_residual"].value
    # With CR2 and Bell and McCaffrey's correction, `df` is that of the test.
    tested = by_statistic["df"].value if "df" in by_statistic else math.inf
    cells = by_statistic["n_cells"].value if "n_cells" in by_statistic else 1.0
    return min(tested, people - cells - 1)


def _dominated(by_statistic: Mapping[str, Number], people: int, profile: DisclosureProfile) -> bool:
    """Return whether a few people may have most of a total.

    The largest values are not among the numbers, but bounded by them: the squares of n values sum to n (sd^2 + mean^2), so the k largest
    sum to at most the square root of k times that (Cauchy-Schwarz). Where the bound does not clear the rule, it counts as broken. Values of
    both signs, as a negative mean shows, have no share of a total.
    """
    rule = profile.dominance
    if any(number.value < 0 for name, number in by_statistic.items() if name.startswith("mean")):
        return False
    for suffix in ("", "_treated", "_control"):
        mean, spread = by_statistic.get(f"mean{suffix}"), by_statistic.get(f"sd{suffix}")
        if mean is None or spread is None or not mean.value > 0 or not math.isfinite(spread.value):
            continue
        size = by_statistic.get(f"n{suffix}")
        over = size.value if size is not None else people
        # With n - 1 in the standard deviation the squares come out slightly too large, which errs towards safety.
        squares = over * (spread.value**2 + mean.value**2)
        total = over * mean.value
        if rule.largest and math.sqrt(rule.largest * squares) > rule.share * total:
            return True
        # p per cent rule: what is left without the two largest must be at least p of the largest, or the second could
        # estimate it.
        if rule.p_percent and total - math.sqrt(2 * squares) < rule.p_percent * math.sqrt(squares):
            return True
    return False
