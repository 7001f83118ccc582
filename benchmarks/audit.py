"""How many planted errors the audit of published tables finds without relations, how many could be found, and the false alarms.

    python benchmarks/audit.py [--tables 200] [--seed 1] [--families held_out] [--only real --relations --half held_out]

Tables are generated from true numbers and rounded (`audit_tables.py`); then one number of each is changed. The kinds of error
are those that people make when they type or move numbers; `plant` knows nothing about the rules. Real tables are the exhibits
of `data/published` with at least twelve numbers, each audited in its document and without the document's relations; a number that
the audit already reports there is not changed. Each error has its own random numbers, so that a change of the rules does not
change which errors are planted in other tables. A change within rounding is no error.

What happens to an error is reported in several ways:

found        a new finding names the wrong number among those of which at least one is wrong (the measure of earlier versions)
displayed    a new finding displays a calculation that fails and that the wrong number is part of
singled out  a new finding points at the wrong number alone
accused      a new finding points at a correct number alone, and nothing names the wrong one
located      the wrong number is the first that a new finding names (a measure of earlier versions)
attainable   some relation that held in the undamaged table is broken (`audit_attainable.py`, which shares no code with the rules)

`--only computed` and `--only lists` measure tables on which no rule was developed (`audit_trials.py`), where they are at hand.
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
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
import pandas as pd
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent))
from audit_attainable import Relations
from audit_tables import DEVELOPMENT, HELD_OUT, HELD_OUT_LATER, Family
from audit_trials import computed, lists, missing

from refino_eval.published.audit import Finding, audit
from refino_eval.published.audit.other_documents import named_documents
from refino_eval.published.intervals import COUNTS
from refino_eval.published.relations import Relation, load_relations
from refino_eval.published.values import load_published, parse_printed

DATA = Path(__file__).resolve().parents[1] / "data/published"
COLUMNS = ["exhibit", "panel", "row", "column", "statistic", "printed", "qualifier", "unit", "source_line"]
KINDS = ("digit", "transposed", "decimal", "sign", "exchanged", "copied", "row_copied", "stars", "deviation")
SIGNED = ("estimate", "difference", "t_stat", "value", "change", "conf_low", "conf_high")
"""Statistics that may have a minus sign."""
DEVIATIONS = ("sd", "sd_treated", "sd_control")
HALVES_SEED = 2026
FAMILIES = {"development": DEVELOPMENT, "held_out": HELD_OUT, "held_out_later": HELD_OUT_LATER}
NUMBER = re.compile(r"-?\d[\d ]*(?:[.,]\d+)?")


def table(rng: np.random.Generator, family: Family) -> pd.DataFrame:
    """Return one generated table as published values."""
    rows = [("table_1", "", *row, "", "", "") for row in family(rng)]
    return pd.DataFrame(rows, columns=COLUMNS)


def plant(
    frame: pd.DataFrame, rng: np.random.Generator, among: Sequence[int], kind: str | None = None
) -> tuple[pd.DataFrame, set[int], str]:
    """Change one number, exchange two or copy a row by an error that people make, and return which rows are wrong."""
    at = int(rng.choice(among))
    kind = kind or str(rng.choice([kind for kind in KINDS if happens(kind, frame, at)]))
    texts = PLANTED[kind](frame, at, kind, rng)
    changed = frame.copy()
    for place, text in texts.items():
        changed.loc[place, "printed"] = text
    wrong = {
        place
        for place, text in texts.items()
        if not same_number(str(frame.loc[place, "printed"]), text, str(frame.loc[place, "statistic"]))
    }
    return changed, wrong, kind


def happens(kind: str, frame: pd.DataFrame, at: int) -> bool:
    """Return whether people make a kind of error in a number: nobody writes a minus sign before a size."""
    text, statistic = str(frame.loc[at, "printed"]), frame.loc[at, "statistic"]
    if kind == "sign":
        return statistic in SIGNED or "difference" in str(frame.loc[at, "column"]) or "-" in text
    if kind == "stars":
        # Marks of shares and amounts are notes, not levels of significance.
        same = frame[(frame["exhibit"] == frame.loc[at, "exhibit"]) & (frame["statistic"] == statistic)]
        return statistic == "estimate" and bool(same["printed"].astype(str).str.contains("*", regex=False).any())
    if kind == "deviation":
        return statistic in DEVIATIONS and deviation(frame, at) is not None
    return True


def with_typing_error(frame: pd.DataFrame, at: int, kind: str, rng: np.random.Generator) -> dict[int, str]:
    """Return a number with another digit, two digits transposed, its decimal point moved, or its sign turned."""
    text = str(frame.loc[at, "printed"])
    return {at: NUMBER.sub(lambda match: mistyped(match[0], kind, rng), text, count=1)}


def with_other_stars(frame: pd.DataFrame, at: int, kind: str, rng: np.random.Generator) -> dict[int, str]:
    """Return an estimate with one star more or less."""
    text = str(frame.loc[at, "printed"])
    stars = text.count("*")
    other = int(rng.choice([number for number in (stars - 1, stars + 1) if 0 <= number <= 3]))
    return {at: text.replace("*", "") + "*" * other}


def with_other_deviation(frame: pd.DataFrame, at: int, kind: str, rng: np.random.Generator) -> dict[int, str]:
    """Return the variance, or the standard error of the mean, in place of a standard deviation."""
    return {at: deviation(frame, at) or str(frame.loc[at, "printed"])}


def deviation(frame: pd.DataFrame, at: int) -> str | None:
    """Return what is published by mistake for a standard deviation: the variance of a yes/no variable, else the standard error."""
    here = frame.loc[at]
    same = frame[(frame[COLUMNS[0]] == here["exhibit"]) & (frame["column"] == here["column"])]
    means = same[(same["panel"] == here["panel"]) & (same["row"] == here["row"])]
    means = means[means["statistic"] == str(here["statistic"]).replace("sd", "mean")]
    sizes = same[same["statistic"] == str(here["statistic"]).replace("sd", "n")]["printed"].unique()
    value = number_of(str(here["printed"]))
    if value is None:
        return None
    mean = number_of(str(means["printed"].iloc[0])) if len(means) else None
    size = number_of(str(sizes[0])) if len(sizes) == 1 else None
    if mean is not None and 0 < mean < 1:
        return rewritten(str(here["printed"]), value**2)
    return rewritten(str(here["printed"]), value / math.sqrt(size)) if size else None


def number_of(text: str) -> float | None:
    """Return the number that a text states."""
    match = NUMBER.search(text)
    return float(match[0].replace(" ", "").replace(",", ".")) if match else None


def rewritten(text: str, value: float) -> str:
    """Return a text with another number, to as many decimals and with the same decimal mark."""

    def number(match: re.Match[str]) -> str:
        mark = "," if "," in match[0] else "."
        return f"{value:.{len(match[0].partition(mark)[2])}f}".replace(".", mark)

    return NUMBER.sub(number, text, count=1)


def with_neighbour(frame: pd.DataFrame, at: int, kind: str, rng: np.random.Generator) -> dict[int, str]:
    """Return a number with the text of another one near it, and for an exchange also the other with its own."""
    same = frame[(frame["statistic"] == frame.loc[at, "statistic"]) & (frame["exhibit"] == frame.loc[at, "exhibit"])]
    near = [other for other in same.index if other != at and abs(other - at) <= 12]
    if not near:
        return {}
    other = int(rng.choice(near))
    texts = {at: str(frame.loc[other, "printed"])}
    return texts | ({other: str(frame.loc[at, "printed"])} if kind == "exchanged" else {})


def with_next_row(frame: pd.DataFrame, at: int, kind: str, rng: np.random.Generator) -> dict[int, str]:
    """Return the numbers of a row with the texts of the row before it; nothing if they share fewer than two columns."""
    same = frame[(frame["exhibit"] == frame.loc[at, "exhibit"]) & (frame["panel"] == frame.loc[at, "panel"])]
    rows = list(dict.fromkeys(same["row"]))
    place = rows.index(frame.loc[at, "row"])
    source = same[same["row"] == rows[place - 1 if place else min(1, len(rows) - 1)]]
    texts = {(row["column"], row["statistic"]): str(row["printed"]) for _, row in source.iterrows()}
    own = same[same["row"] == frame.loc[at, "row"]]
    copied = {
        int(index): texts[key] for index, row in own.iterrows() if (key := (row["column"], row["statistic"])) in texts
    }
    return copied if len(copied) >= 2 else {}


Planting = Callable[[pd.DataFrame, int, str, np.random.Generator], dict[int, str]]
PLANTED: Mapping[str, Planting] = {
    **dict.fromkeys(("digit", "transposed", "decimal", "sign"), with_typing_error),
    **dict.fromkeys(("exchanged", "copied"), with_neighbour),
    "row_copied": with_next_row,
    "stars": with_other_stars,
    "deviation": with_other_deviation,
}


def same_number(one: str, other: str, statistic: str) -> bool:
    """Return whether two texts state the same number with the same stars, or one that differs by rounding or truncation alone."""
    first, second = parse_printed(one), parse_printed(other)
    room = 0 if statistic in COUNTS else first.unit
    return abs(first.value - second.value) <= room and first.stars == second.stars


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


@dataclass
class Tables:
    """A document, its findings and relations before an error, and the relations that its undamaged numbers show."""

    frame: pd.DataFrame
    before: tuple[Finding, ...]
    declared: tuple[Relation, ...] = ()

    def __post_init__(self) -> None:
        self.keys = [tuple(map(str, row)) for row in self.frame[COLUMNS[:5]].to_numpy()]
        self.known = {(finding.rule, finding.cells) for finding in self.before}
        self.relations = Relations(self.frame)

    def choose(self, numbers: Sequence[int], rng: np.random.Generator) -> list[int]:
        """Return numbers in random order, without those that are reported already."""
        reported = set().union(*(named(finding) for finding in self.before))
        order = [numbers[k] for k in rng.permutation(len(numbers))]
        return [
            at for at in order if self.keys[at] not in reported and NUMBER.search(str(self.frame.loc[at, "printed"]))
        ]

    def outcome(self, changed: pd.DataFrame, wrong: set[int]) -> dict[str, object]:
        """Return what the audit says of an error, and which relations the error breaks."""
        wanted = {self.keys[at] for at in wrong}
        new = [f for f in audit(changed, self.declared) if (f.rule, f.cells) not in self.known]
        found = any(wanted & named(finding) for finding in new)
        broken = self.relations.broken(changed, sorted(wrong))
        return {
            "found": float(found),
            "displayed": float(found or any(wanted & {*finding.relation} for finding in new)),
            "singled_out": float(any(wanted & {*finding.singled_out} for finding in new)),
            "accused": float(not found and any(finding.singled_out for finding in new)),
            "located": float(any(finding.cells[0] in wanted for finding in new)),
            "named": min((len(named(finding)) for finding in new if wanted & named(finding)), default=math.nan),
            "attainable": float(bool(broken)),
            "broken": ", ".join(sorted(broken)),
        }


def measure(name: str, tables: Tables, numbers: Sequence[int], errors: int, seed: int) -> Iterator[dict[str, object]]:
    """Yield a record for each error planted among some numbers of a document."""
    frame = tables.frame
    chosen = tables.choose(numbers, np.random.default_rng([seed, crc32(name.encode())]))
    for number in range(errors if chosen else 0):
        rng = np.random.default_rng([seed, crc32(name.encode()), number])
        changed, wrong, kind = plant(frame, rng, [chosen[number % len(chosen)]])
        if not wrong:
            continue
        was = [
            f"{'/'.join(tables.keys[at][2:])} {frame.loc[at, 'printed']} -> {changed.loc[at, 'printed']}"
            for at in sorted(wrong)
        ]
        yield {"table": name, "kind": kind, "was": "; ".join(was[:2]), **tables.outcome(changed, wrong)}


def listed(name: str, alarms: Sequence[Finding]) -> None:
    """Print the alarms on a table as published."""
    for finding in alarms:
        print(f"  alarm: {name} {finding.rule} {finding.certainty} {finding.explanation.en}")


def generated(families: Sequence[Family], number: int, seed: int) -> tuple[pd.DataFrame, list[float]]:
    """Return the records of generated tables with one error each, and the false alarms of each table without one."""
    records, alarms = [], []
    for at in range(number):
        family = families[at % len(families)]
        frame = table(np.random.default_rng([seed, at]), family)
        tables = Tables(frame, audit(frame))
        alarms.append(float(len(tables.before)))
        listed(family.__name__, tables.before)
        records += list(measure(family.__name__, tables, range(len(frame)), 1, seed + 1000 * at))
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


def real(seed: int, errors: int, half: str, *, declared: bool) -> tuple[pd.DataFrame, list[float]]:
    """Return the records of the project's published tables, and the false alarms of each table."""
    results = []
    for path, published in documents(half).items():
        stated = path.with_name(f"{path.stem}.relations.yaml")
        relations = load_relations(stated) if declared and stated.is_file() else ()
        relations = tuple(relation for relation in relations if not named_documents((relation,)))
        verdicts = path.with_name(f"{path.stem}.audit.yaml")
        read = yaml.safe_load(verdicts.read_text(encoding="utf-8")) if verdicts.is_file() else []
        confirmed = {tuple(entry["place"].split("/")) for entry in read if entry["verdict"] == "confirmed"}
        results.append(of_document(path.stem, published, seed, errors, relations, confirmed))
    return pd.concat([records for records, _ in results]), [number for _, alarms in results for number in alarms]


def of_trials(
    source: Callable[[], Iterator[tuple[str, pd.DataFrame]]], seed: int, errors: int
) -> tuple[pd.DataFrame, list[float]]:
    """Return the records of tables of other trials, and the false alarms of each table."""
    results = [of_document(name, frame, seed, errors) for name, frame in source()]
    if not results:
        raise SystemExit(f"No tables: {'; '.join(missing())}.")
    return pd.concat([records for records, _ in results]), [number for _, alarms in results for number in alarms]


def of_document(
    name: str,
    frame: pd.DataFrame,
    seed: int,
    errors: int,
    relations: tuple[Relation, ...] = (),
    confirmed: Collection[tuple[str, ...]] = (),
) -> tuple[pd.DataFrame, list[float]]:
    """Return the records of a document's tables with some errors each, one at a time, and the false alarms of each table."""
    tables = Tables(frame, audit(frame, relations, name=name), relations)
    false = [finding for finding in tables.before if not named(finding) & {*confirmed}]
    listed(name, false)
    records, alarms = [], []
    for exhibit, part in tables_of(frame).items():
        alarms.append(float(sum(finding.exhibit == exhibit for finding in false)))
        records += list(measure(f"{name} {exhibit}", tables, list(part.index), errors, seed))
    return pd.DataFrame(records), alarms


def show(title: str, records: pd.DataFrame, alarms: list[float], *, seconds: float) -> None:
    """Print what happened to the errors, by kind of table and of error, and the false alarms per table."""
    attainable = records[records["attainable"] > 0]
    either = (records["attainable"] > 0) | (records["displayed"] > 0)
    print(
        f"{title}: {len(alarms)} tables, {len(records)} errors; {np.mean(alarms):.3f} false alarms a table; {seconds:.0f} s\n"
        f"  the wrong number is among those named (found): {records['found'].mean():.1%}\n"
        f"  a failing calculation with the wrong number is displayed: {records['displayed'].mean():.1%}\n"
        f"  the wrong number is singled out: {records['singled_out'].mean():.1%}; "
        f"a correct one is, and the wrong one is not named: {records['accused'].mean():.1%}\n"
        f"  attainable: {records['attainable'].mean():.1%}; of these found {attainable['found'].mean():.1%}, "
        f"displayed {attainable['displayed'].mean():.1%}; attainable or displayed: {either.mean():.1%}\n"
        f"  located (earlier measure): {records['located'].mean():.1%}; numbers named (median): {records['named'].median():.0f}"
    )
    for what in ("kind", "table"):
        groups = records.groupby(what)[["found", "attainable"]].agg(["sum", "size"])
        parts = [
            f"{name} {r['found', 'sum']:.0f}/{r['attainable', 'sum']:.0f}/{r['found', 'size']:.0f}"
            for name, r in groups.iterrows()
        ]
        print(f"  found/attainable/planted by {what}: " + ", ".join(parts))


def main() -> None:
    """Print the results for generated and for real tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--families", choices=FAMILIES, default="development", help="families of generated tables")
    parser.add_argument("--only", choices=("generated", "real", "computed", "lists"), help="measure only these tables")
    parser.add_argument(
        "--half", choices=("all", "development", "held_out"), default="all", help="which real documents"
    )
    parser.add_argument("--errors", type=int, default=4, help="errors in each real table, one at a time")
    parser.add_argument("--relations", action="store_true", help="use the relations declared for real documents")
    parser.add_argument("--missed", action="store_true", help="list the errors that are not found")
    arguments = parser.parse_args()
    seed, errors = arguments.seed, arguments.errors
    sources: dict[str, Callable[[], tuple[pd.DataFrame, list[float]]]] = {
        "generated": lambda: generated(FAMILIES[arguments.families], arguments.tables, seed),
        "real": lambda: real(seed, errors, arguments.half, declared=arguments.relations),
        "computed": lambda: of_trials(computed, seed, errors),
        "lists": lambda: of_trials(lists, seed, errors),
    }
    for title, measured in sources.items():
        if arguments.only == title or (arguments.only is None and title in ("generated", "real")):
            start = time.perf_counter()
            records, alarms = measured()
            show(title, records, alarms, seconds=time.perf_counter() - start)
            for row in records[records["found"] == 0].to_dict("records") if arguments.missed else ():
                print(
                    f"  missed: {row['table']} {row['kind']}: {row['was']} [{row['broken'] or 'nothing contradicts it'}]"
                )


if __name__ == "__main__":
    main()
