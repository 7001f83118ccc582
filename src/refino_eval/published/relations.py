"""Arithmetic that must hold among the numbers of one document, up to the rounding of the print.

`data/published/<document>.relations.yaml` lists relations of three kinds:

sum
    The numbers of `of` add up to the number `is`.
weighted_mean
    `is` is the mean of `of`, weighted by `weights`.
same
    The numbers of `of` and the number `is` are prints of one number.

A number is named by its key: `exhibit/panel/row/column/statistic` (an empty part for no panel). A `*` in place of a part
stands for every value there is: the relation is then checked for each.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal

import pandas as pd
import yaml
from pydantic import Field, ValidationError

from refino_eval.config.base import Strict
from refino_eval.errors import UserFault
from refino_eval.published.values import KEYS, Printed, parse_printed

Key = tuple[str, ...]


class Relation(Strict):
    """One relation among printed numbers."""

    kind: Literal["sum", "weighted_mean", "same"]
    why: str = Field(description="Why it must hold.")
    is_: str = Field(alias="is", description="Key of the number that follows.")
    of: tuple[str, ...] = Field(min_length=1, description="Keys of the numbers it follows from.")
    weights: tuple[str, ...] = Field(default=(), description="Keys of the weights, for weighted_mean.")


@dataclass(frozen=True)
class _Bound:
    low: Decimal
    high: Decimal


def load_relations(path: Path | str) -> tuple[Relation, ...]:
    """Read the relations of a document.

    Raises
    ------
    UserFault
        When the file is not a list of relations.
    """
    path = Path(path)
    entries = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    try:
        return tuple(Relation.model_validate(entry) for entry in entries)
    except (ValidationError, TypeError) as error:
        raise UserFault(f"{path.name}: an entry is no relation. {error}") from None


def check_relations(relations: tuple[Relation, ...], published: pd.DataFrame) -> pd.DataFrame:
    """Check every relation; a print stands for all numbers that round to it.

    Parameters
    ----------
    relations
        As `load_relations` returns them.
    published
        As `load_published` returns it.

    Returns
    -------
    pandas.DataFrame
        Columns `kind, is, printed, implied_low, implied_high, holds, why`: the range that the other prints imply for
        the number, and whether the print's own range meets it. A relation that finds no numbers gives no row.
    """
    prints = {
        tuple(str(record[key]) for key in KEYS): (str(record["printed"]), parse_printed(str(record["printed"])))
        for record in published.to_dict("records")
    }
    rows = []
    for relation in relations:
        for target, (text, printed) in prints.items():
            stars = _match(relation.is_, target)
            if stars is None:
                continue
            parts = [prints.get(_fill(name, stars)) for name in relation.of]
            weights = [prints.get(_fill(name, stars)) for name in relation.weights]
            if any(part is None for part in itertools.chain(parts, weights)):
                continue
            implied = _implied(relation.kind, [p[1] for p in parts if p], [w[1] for w in weights if w])
            own = _bound(printed)
            holds = own.low <= implied.high and implied.low <= own.high
            rows.append(
                {
                    "kind": relation.kind,
                    "is": "/".join(target),
                    "printed": text,
                    "implied_low": float(implied.low),
                    "implied_high": float(implied.high),
                    "holds": holds,
                    "why": relation.why,
                }
            )
    return pd.DataFrame(rows, columns=["kind", "is", "printed", "implied_low", "implied_high", "holds", "why"])


def _match(pattern: str, key: Key) -> dict[int, str] | None:
    """Return what the stars of a pattern stand for, by position, or None when the key does not fit."""
    parts = pattern.split("/")
    if len(parts) != len(key):
        return None
    if any(part not in ("*", value) for part, value in zip(parts, key, strict=True)):
        return None
    return {place: value for place, (part, value) in enumerate(zip(parts, key, strict=True)) if part == "*"}


def _fill(pattern: str, stars: dict[int, str]) -> Key:
    return tuple(stars.get(place, part) if part == "*" else part for place, part in enumerate(pattern.split("/")))


def _bound(printed: Printed) -> _Bound:
    """Return the numbers that print so. A count is exact."""
    half = printed.unit / 2 if printed.decimals else Decimal(0)
    return _Bound(printed.value - half, printed.value + half)


def _implied(kind: str, parts: list[Printed], weights: list[Printed]) -> _Bound:
    bounds = [_bound(part) for part in parts]
    if kind == "sum":
        return _Bound(sum((b.low for b in bounds), Decimal(0)), sum((b.high for b in bounds), Decimal(0)))
    if kind == "weighted_mean":
        total = sum((weight.value for weight in weights), Decimal(0))
        low = sum((b.low * w.value for b, w in zip(bounds, weights, strict=True)), Decimal(0)) / total
        high = sum((b.high * w.value for b, w in zip(bounds, weights, strict=True)), Decimal(0)) / total
        return _Bound(low, high)
    return _Bound(max(b.low for b in bounds), min(b.high for b in bounds))
