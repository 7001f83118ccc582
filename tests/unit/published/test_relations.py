"""Relations among printed numbers: each kind holds where it should, and fails by one digit more than rounding allows."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from refino_eval.errors import UserError
from refino_eval.published.relations import fill, load_relations
from refino_eval.published.values import COLUMNS
from support.relation_checks import check_relations


def frame(**prints: str) -> pd.DataFrame:
    """Return published values: `row__column` (or `row`) = print, all of one table."""
    rows = []
    for name, printed in prints.items():
        row, _, column = name.partition("__")
        statistic = "n" if row.startswith("n") else "share" if row.startswith("p") else "mean"
        rows.append(("t", "", row, column or "c", statistic, printed, "", "1"))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def holds(tmp_path: Path, entry: str, published: pd.DataFrame) -> list[bool]:
    path = tmp_path / "d.relations.yaml"
    path.write_text(f"- why: It must.\n  {entry}\n", encoding="utf-8")
    return check_relations(load_relations(path), published)["holds"].tolist()


@pytest.mark.parametrize(
    ("entry", "right", "wrong"),
    [
        ("kind: difference\n  is: t//c/c/mean\n  of: [t//a/c/mean, t//b/c/mean]", "1,2", "1,3"),
        ("kind: product\n  is: t//c/c/mean\n  of: [t//a/c/mean, t//b/c/mean]", "12,6", "13,2"),
        ("kind: ratio\n  is: t//c/c/mean\n  of: [t//a/c/mean, t//b/c/mean]", "1,4", "1,5"),
        ("kind: product\n  is: t//c/c/mean\n  of: [t//a/c/mean]\n  factor: 100000", "415 000", "4 200 000"),
        ("kind: at_most\n  is: t//c/c/mean\n  of: [t//a/c/mean]", "4,2", "4,3"),
        ("kind: between\n  is: t//c/c/mean\n  of: [t//a/c/mean, t//b/c/mean]", "3,0", "2,9"),
        ("kind: bounds\n  of: [t//c/c/mean]\n  low: 0\n  high: 12", "12,0", "12,1"),
        ("kind: rising\n  of: [t//b/c/mean, t//a/c/mean, t//c/c/mean]", "4,1", "3,9"),
        ("kind: sum\n  is: t//c/c/mean\n  of: [t//+/c/mean]", "7,2", "7,3"),
    ],
)
def test_each_kind_to_the_last_half_unit(tmp_path: Path, entry: str, right: str, wrong: str) -> None:
    # a stands for 4.1 to 4.2 with its rounding, b for 2.95 to 3.05.
    assert all(holds(tmp_path, entry, frame(a="4,15", b="3,0", c=right)))
    assert not all(holds(tmp_path, entry, frame(a="4,15", b="3,0", c=wrong)))


def test_a_tie_does_not_reconcile_two_publications_of_one_number(tmp_path: Path) -> None:
    # 17 and 18 share the end 17.5, but whoever rounds it prints one of them; a sum has ends that nobody rounded.
    same, at_most = (
        "kind: same\n  is: t//a/c/mean\n  of: [t//b/c/mean]",
        "kind: at_most\n  is: t//a/c/mean\n  of: [t//b/c/mean]",
    )
    rising, total = (
        "kind: rising\n  of: [t//b/c/mean, t//a/c/mean]",
        "kind: sum\n  is: t//a/c/mean\n  of: [t//b/c/mean]",
    )
    assert holds(tmp_path, same, frame(a="18", b="17")) == [False]
    assert holds(tmp_path, same, frame(a="18", b="18")) == holds(tmp_path, same, frame(a="18", b="17,9")) == [True]
    assert holds(tmp_path, same, frame(a="18", b="17,5")) == [True]
    assert holds(tmp_path, at_most, frame(a="18", b="17")) == [False]
    assert holds(tmp_path, rising, frame(a="17", b="18")) == [False]
    assert holds(tmp_path, total, frame(a="18", b="17")) == [True]


def test_shares_add_up_for_every_column(tmp_path: Path) -> None:
    entry = "kind: shares\n  of: [t//+/*/share]"
    prints = {"p1__x": "33,3", "p2__x": "33,3", "p3__x": "33,3", "p1__y": "50,0", "p2__y": "49,8"}
    assert holds(tmp_path, entry, frame(**prints)) == [True, False]


def test_counts_are_exact_and_round_amounts_are_not(tmp_path: Path) -> None:
    entry = "kind: sum\n  is: t//n/c/n\n  of: [t//n1/c/n, t//n2/c/n]"
    assert holds(tmp_path, entry, frame(n="37 777", n1="30 512", n2="7 265")) == [True]
    assert holds(tmp_path, entry, frame(n="37 778", n1="30 512", n2="7 265")) == [False]
    entry = "kind: ratio\n  is: t//c/c/mean\n  of: [t//a/c/mean]\n  factor: 1/1000"
    assert holds(tmp_path, entry, frame(a="45 600", c="46")) == [True]  # 45 600 stands for 45 550 and up


def test_exact_relation_allows_no_rounding(tmp_path: Path) -> None:
    entry = "kind: product\n  is: t//c/c/mean\n  of: [t//a/c/mean, t//b/c/mean]\n  factor: 1.2\n  exact: {}"
    for cost, loose, exact in (("200 900", True, True), ("201 900", True, False), ("240 000", False, False)):
        prints = frame(a="9", b="18 600", c=cost)
        assert holds(tmp_path, entry.format("false"), prints) == [loose]
        assert holds(tmp_path, entry.format("true"), prints) == [exact]


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("kind: sum\n  of: [t//a/c/mean]", "takes one `is`"),
        ("kind: shares\n  is: t//a/c/mean\n  of: [t//a/c/mean]", "takes no `is`"),
        ("kind: stars\n  of: [t//a/c/mean]", "takes `levels`"),
        ("kind: product\n  is: t//a/c/mean\n  of: [t//a/c/mean]\n  factor: ten", "entry 1"),
        ("kind: sum\n  is: t//a/c/mean\n  of: [t//a/c/mean]\n  weights: [t//a/c/mean]", "weighted_mean"),
    ],
)
def test_invalid_relation_is_reported(tmp_path: Path, entry: str, problem: str) -> None:
    with pytest.raises(UserError, match="entry 1") as caught:
        holds(tmp_path, entry, frame(a="1"))
    assert problem in caught.value.problems[0]


@pytest.mark.parametrize(
    ("pattern", "stars", "filled"),
    [
        ("t/main/*/b/mean", {2: "price"}, "t/main/price/b/mean"),
        ("t/main/a/*/mean", {2: "price"}, "t/main/a/price/mean"),  # rows of the print are columns of ours
        ("t/main/*/*/mean", {1: "one", 2: "two"}, "t/main/one/two/mean"),
        ("t/main/a/*/mean", {1: "one", 2: "two"}, "t/main/a/*/mean"),  # not clear which
    ],
)
def test_stars_take_what_the_same_part_matched_or_else_in_order(pattern, stars, filled):
    assert fill(pattern, stars) == filled
