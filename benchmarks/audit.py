"""How many planted errors the audit of published tables finds without relations, and how many false alarms it gives.

    python benchmarks/audit.py [--tables 200] [--seed 1] [--families held_out] [--only real --relations --half held_out]

Tables are generated from true numbers and rounded (`audit_tables.py`); then one number of each is changed. The kinds of error
are those that people make when they type or move numbers; `plant` knows nothing about the rules. Real tables are the exhibits
of `data/published` with at least twelve numbers, each audited in its document and without the document's relations; a number that
the audit already reports there is not changed.

An error is found if a new finding names the wrong number among those of which one is wrong, and it is located if that is
the number that the finding is about. A change that leaves every number as it was (the decimal point of a zero) is no error.
Half of the real documents, drawn at random with `HALVES_SEED`, were at hand while rules were made (`--half development`); the
other half was held out. An alarm on a table as published is false unless `<document>.audit.yaml` confirms an
error in one of its numbers.
"""

from __future__ import annotations

import argparse
import math
import random
import re
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent))
from audit_tables import DEVELOPMENT, HELD_OUT, HELD_OUT_LATER, Family

from refino_eval.published.audit import Finding, audit
from refino_eval.published.audit.other_documents import named_documents
from refino_eval.published.relations import Relation, load_relations
from refino_eval.published.values import load_published, parse_printed

DATA = Path(__file__).resolve().parents[1] / "data/published"
COLUMNS = ["exhibit", "panel", "row", "column", "statistic", "printed", "qualifier", "unit", "source_line"]
KINDS = ("digit", "transposed", "decimal", "sign", "exchanged", "copied", "row_copied")
HALVES_SEED = 2026
FAMILIES = {"development": DEVELOPMENT, "held_out": HELD_OUT, "held_out_later": HELD_OUT_LATER}
NUMBER = re.compile(r"-?\d[\d ]*(?:[.,]\d+)?")


def table(rng: np.random.Generator, family: Family) -> pd.DataFrame:
    """Return one generated table as published values."""
    rows = [("table_1", "", *row, "", "", "") for row in family(rng)]
    return pd.DataFrame(rows, columns=COLUMNS)


def plant(frame: pd.DataFrame, rng: np.random.Generator, among: Sequence[int]) -> tuple[pd.DataFrame, set[int], str]:
    """Change one number, exchange two or copy a row by an error that people make, and return which rows are wrong."""
    kind, at = str(rng.choice(KINDS)), int(rng.choice(among))
    changed = frame.copy()
    if kind in ("digit", "transposed", "decimal", "sign"):
        changed.loc[at, "printed"] = NUMBER.sub(
            lambda match: mistyped(match[0], kind, rng), str(frame.loc[at, "printed"]), count=1
        )
    elif kind == "row_copied":
        same = frame[(frame["exhibit"] == frame.loc[at, "exhibit"]) & (frame["panel"] == frame.loc[at, "panel"])]
        rows = list(dict.fromkeys(same["row"]))
        place = rows.index(frame.loc[at, "row"])
        source = same[same["row"] == rows[place - 1 if place else min(1, len(rows) - 1)]]
        texts = {(row["column"], row["statistic"]): row["printed"] for _, row in source.iterrows()}
        own = same[same["row"] == frame.loc[at, "row"]]
        if sum((row["column"], row["statistic"]) in texts for _, row in own.iterrows()) >= 2:
            for index, row in own.iterrows():
                changed.loc[index, "printed"] = texts.get((row["column"], row["statistic"]), row["printed"])
    else:
        same = frame[
            (frame["statistic"] == frame.loc[at, "statistic"]) & (frame["exhibit"] == frame.loc[at, "exhibit"])
        ]
        near = [other for other in same.index if other != at and abs(other - at) <= 12]
        if near:
            other = int(rng.choice(near))
            changed.loc[at, "printed"] = frame.loc[other, "printed"]
            if kind == "exchanged":
                changed.loc[other, "printed"] = frame.loc[at, "printed"]
    texts = zip(frame.index, frame["printed"], changed["printed"], strict=True)
    return changed, {at for at, before, after in texts if before != after and not same_number(before, after)}, kind


def same_number(one: str, other: str) -> bool:
    """Return whether two texts state the same number with the same stars."""
    first, second = parse_printed(one), parse_printed(other)
    return (first.value, first.stars) == (second.value, second.stars)


def mistyped(text: str, kind: str, rng: np.random.Generator) -> str:
    """Return a number with another digit, two digits transposed, its decimal point moved, or its sign turned."""
    digits = [place for place, character in enumerate(text) if character.isdigit()]
    if kind == "digit":
        # Not the last one: an error of one unit in the last place is a rounding.
        place = int(rng.choice(digits[:-1] or digits))
        return text[:place] + str((int(text[place]) + int(rng.integers(1, 10))) % 10) + text[place + 1 :]
    if kind == "transposed" and len(digits) > 1:
        first = int(rng.choice(len(digits) - 1))
        letters = list(text)
        letters[digits[first]], letters[digits[first + 1]] = letters[digits[first + 1]], letters[digits[first]]
        return "".join(letters)
    if kind == "decimal":
        mark = "," if "," in text else "."
        value = float(text.replace(" ", "").replace(",", ".")) * float(rng.choice([10, 0.1]))
        return f"{value:.{len(text.partition(mark)[2])}f}".replace(".", mark)
    if kind == "sign":
        return text.removeprefix("-") if text.startswith("-") else f"-{text}"
    return text


def named(finding: Finding) -> set[tuple[str, ...]]:
    """Return the keys of the numbers that a finding names as wrong or as one of which is wrong."""
    return {*finding.cells, *finding.suspects}


def measure(
    name: str,
    frame: pd.DataFrame,
    numbers: Sequence[int],
    rng: np.random.Generator,
    errors: int,
    before: Sequence[Finding],
    relations: tuple[Relation, ...] = (),
) -> Iterator[dict[str, object]]:
    """Yield a record for each error planted among some numbers of a document."""
    reported = set().union(*(named(finding) for finding in before))
    keys = [tuple(map(str, row)) for row in frame[COLUMNS[:5]].to_numpy()]
    among = [at for at in numbers if keys[at] not in reported and NUMBER.search(str(frame.loc[at, "printed"]))]
    known = {(finding.rule, finding.cells) for finding in before}
    for _ in range(errors if among else 0):
        changed, wrong, kind = plant(frame, rng, among)
        if not wrong:
            continue
        wanted = {keys[at] for at in wrong}
        new = [finding for finding in audit(changed, relations) if (finding.rule, finding.cells) not in known]
        yield {
            "table": name,
            "kind": kind,
            "found": float(any(wanted & named(finding) for finding in new)),
            "located": float(any(finding.cells[0] in wanted for finding in new)),
            "named": min((len(named(finding)) for finding in new if wanted & named(finding)), default=math.nan),
            "was": "; ".join(f"{'/'.join(keys[at][2:])} {frame.loc[at, 'printed']} -> {changed.loc[at, 'printed']}" for at in sorted(wrong)[:2]),
        }  # fmt: skip


def listed(name: str, alarms: Sequence[Finding]) -> None:
    """Print the alarms on a table as published."""
    for finding in alarms:
        print(f"  alarm: {name} {finding.rule} {finding.certainty} {finding.explanation.en}")


def generated(families: Sequence[Family], tables: int, rng: np.random.Generator) -> tuple[pd.DataFrame, list[float]]:
    """Return the records of generated tables with one error each, and the false alarms of each table without one."""
    records, alarms = [], []
    for number in range(tables):
        family = families[number % len(families)]
        frame = table(rng, family)
        before = audit(frame)
        alarms.append(float(len(before)))
        listed(family.__name__, before)
        records += list(measure(family.__name__, frame, range(len(frame)), rng, 1, before))
    return pd.DataFrame(records), alarms


def tables_of(published: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the tables of a document that are large enough to plant errors in."""
    parts = published.groupby("exhibit", sort=False)
    return {str(name): part for name, part in parts if len(part) >= 12 and not str(name).startswith("text")}


def documents(half: str) -> dict[Path, pd.DataFrame]:
    """Return the published documents with tables: all, those at hand while rules were made, or those held out."""
    read = {path: load_published(path).reset_index(drop=True) for path in sorted(DATA.glob("*.csv"))}
    names = sorted(path.stem for path, published in read.items() if tables_of(published))
    development = random.Random(HALVES_SEED).sample(names, len(names) // 2)
    chosen = {"all": names, "development": development, "held_out": [name for name in names if name not in development]}
    return {path: published for path, published in read.items() if path.stem in chosen[half]}


def real(rng: np.random.Generator, errors: int, half: str, *, declared: bool) -> tuple[pd.DataFrame, list[float]]:
    """Return the records of real tables with some errors each, one at a time, and the false alarms of each table."""
    records, alarms = [], []
    for path, published in documents(half).items():
        stated = path.with_name(f"{path.stem}.relations.yaml")
        relations = load_relations(stated) if declared and stated.is_file() else ()
        relations = tuple(relation for relation in relations if not named_documents((relation,)))
        before = audit(published, relations, name=path.stem)
        verdicts = path.with_name(f"{path.stem}.audit.yaml")
        read = yaml.safe_load(verdicts.read_text(encoding="utf-8")) if verdicts.is_file() else []
        confirmed = {tuple(entry["place"].split("/")) for entry in read if entry["verdict"] == "confirmed"}
        false = [finding for finding in before if not named(finding) & confirmed]
        listed(path.stem, false)
        for exhibit, part in tables_of(published).items():
            alarms.append(float(sum(finding.exhibit == exhibit for finding in false)))
            name = f"{path.stem} {exhibit}"
            records += list(measure(name, published, list(part.index), rng, errors, before, relations))
    return pd.DataFrame(records), alarms


def show(title: str, records: pd.DataFrame, alarms: list[float], *, by_table: bool, seconds: float) -> None:
    """Print the share of errors found by kind of table and of error, and the false alarms per table."""
    print(
        f"{title}: {len(alarms)} tables, {len(records)} errors: {records['found'].mean():.1%} found, "
        f"{records['located'].mean():.1%} located, {records['named'].median():.0f} numbers named (median); "
        f"{np.mean(alarms):.3f} false alarms a table; {seconds:.0f} s"
    )
    for what in ("kind", *(["table"] if by_table else [])):
        groups = records.groupby(what)["found"].agg(["mean", "size"])
        print(
            f"  by {what}: " + ", ".join(f"{name} {r['mean']:.0%} of {int(r['size'])}" for name, r in groups.iterrows())
        )


def main() -> None:
    """Print the results for generated and for real tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--families", choices=FAMILIES, default="development", help="families of generated tables")
    parser.add_argument("--only", choices=("generated", "real"), help="measure only these tables")
    parser.add_argument(
        "--half", choices=("all", "development", "held_out"), default="all", help="which real documents"
    )
    parser.add_argument("--errors", type=int, default=4, help="errors in each real table, one at a time")
    parser.add_argument("--relations", action="store_true", help="use the relations declared for real documents")
    parser.add_argument("--missed", action="store_true", help="list the errors that are not found")
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    families = FAMILIES[arguments.families]
    for title in ("generated", "real"):
        if arguments.only in (None, title):
            start = time.perf_counter()
            records, alarms = (
                generated(families, arguments.tables, rng)
                if title == "generated"
                else real(rng, arguments.errors, arguments.half, declared=arguments.relations)
            )
            show(title, records, alarms, by_table=True, seconds=time.perf_counter() - start)
            for row in records[records["found"] == 0].to_dict("records") if arguments.missed else ():
                print(f"  missed: {row['table']} {row['kind']}: {row['was']}")


if __name__ == "__main__":
    main()
