"""A thousand damaged person tables, and damaged files of people and months: if the outcomes of the arms change, an error or a line of the flow says why.

The damage is of the kind that programs and transfers do: another delimiter, encoding or line end, lost zeros, blanks,
decimals, quotation marks, lines cut or joined. A digit that is replaced by another cannot be noticed, and is not tried.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from refino_eval.config.definitions import Definitions
from refino_eval.config.evaluation import Arms, Clock, Panel, PersonTable, Sample
from refino_eval.errors import UserError
from refino_eval.months.panel_file import read_panel
from refino_eval.trial import PersonTableData, read_person_table

FILES = 1_000
SECRET = "00042317"
LABEL = {"nb": "x", "en": "x"}
ARMS = Arms.model_validate(
    {"treated": {"name": "new", "code": 1, "label": LABEL}, "control": {"name": "old", "code": 0, "label": LABEL}}
)
SAMPLES = {"analysed": Sample.model_validate({"label": LABEL})}
PEOPLE, SITES = 24, 6
MAIN, SITE = b"lopenr;arm;sted;pay;slutt", b"sted;wage;navn"

Mutation = Callable[[random.Random, list[bytes]], list[bytes]]


def files(rng: random.Random) -> dict[str, list[bytes]]:
    """Return the lines of a file of people, and of a file of sites with their wage; both end with a quoted column."""
    ids = [SECRET, *(f"{rng.randrange(10**6):08d}" for _ in range(PEOPLE - 1))]
    main = [MAIN]
    for number, person in enumerate(ids):
        pay = rng.choice(
            ["", f"{rng.randrange(900)}", f"{rng.randrange(900)}.{rng.randrange(1, 10)}", f".{number % 9 + 1}"]
        )
        main.append(f'{person};{number % 2};{number % SITES:04d};{pay};"x"'.encode())
    sites = [SITE, *(f'{site:04d};{100 + site}.5;"Ås;{site}"'.encode() for site in range(SITES))]
    return {"main.csv": main, "sites.csv": sites}


def each_field(change: Callable[[bytes], bytes], share: float = 1.0) -> Mutation:
    """Return a mutation of one column below the header."""

    def mutate(rng: random.Random, lines: list[bytes]) -> list[bytes]:
        column = rng.randrange(lines[0].count(b";") + 1)
        found = []
        for number, line in enumerate(lines):
            fields = line.split(b";")
            if number and column < len(fields) and rng.random() <= share:
                fields[column] = change(fields[column])
            found.append(b";".join(fields))
        return found

    return mutate


def inserted(mark: bytes) -> Mutation:
    def insert(rng: random.Random, lines: list[bytes]) -> list[bytes]:
        content = b"\n".join(lines)
        for _ in range(rng.randrange(1, 4)):
            offset = rng.randrange(len(content) + 1)
            content = content[:offset] + mark + content[offset:]
        return content.split(b"\n")

    return insert


def whole(change: Callable[[bytes], bytes]) -> Mutation:
    return lambda rng, lines: change(b"\n".join(lines)).split(b"\n")


def replaced(old: bytes, new: bytes) -> Mutation:
    return lambda rng, lines: b"\n".join(lines).replace(old, new, rng.choice([-1, 1, 3])).split(b"\n")


def cut_off(rng: random.Random, lines: list[bytes]) -> list[bytes]:
    content = b"\n".join(lines)
    return content[: rng.randrange(len(content) + 1)].split(b"\n")


def shuffled_columns(rng: random.Random, lines: list[bytes]) -> list[bytes]:
    order = rng.sample(range(lines[0].count(b";") + 1), lines[0].count(b";") + 1)
    rows = [line.split(b";", len(order) - 1) for line in lines]
    return [b";".join(row[column] for column in order) if len(row) == len(order) else b";".join(row) for row in rows]


def lost_heading(rng: random.Random, lines: list[bytes]) -> list[bytes]:
    names = lines[0].split(b";")
    del names[rng.randrange(len(names))]
    return [b";".join(names), *lines[1:]]


def repeated_lines(rng: random.Random, lines: list[bytes]) -> list[bytes]:
    number = rng.randrange(len(lines))
    return [*lines[:number], lines[number], *lines[number:]]


def lost_line(rng: random.Random, lines: list[bytes]) -> list[bytes]:
    number = rng.randrange(len(lines))
    return lines[:number] + lines[number + 1 :]


MUTATIONS: dict[str, Mutation] = {
    "nothing": lambda rng, lines: lines,
    "cut off": cut_off,
    "lines lost": lost_line,
    "lines repeated": repeated_lines,
    "columns shuffled": shuffled_columns,
    "a heading lost": lost_heading,
    "row numbers": lambda rng, lines: [lines[0], *(b"%d;" % n + line for n, line in enumerate(lines[1:], 1))],
    "a delimiter more": lambda rng, lines: [lines[0], *(line + b";" for line in lines[1:])],
    "a heading twice": lambda rng, lines: [
        lines[0] + b";" + rng.choice(lines[0].split(b";")),
        *(line + b";7" for line in lines[1:]),
    ],
    "another delimiter": replaced(b";", b","),
    "decimal comma": replaced(b".", b","),
    "zeros lost": each_field(lambda text: text.lstrip(b"0") or text[:1]),
    "some zeros lost": each_field(lambda text: text.lstrip(b"0") or text[:1], 0.3),
    "point zero": each_field(lambda text: text and text + b".0"),
    "some point zero": each_field(lambda text: text and text + b".0", 0.3),
    "exponents": each_field(lambda text: b"%.8e" % float(text) if text.isdigit() else text),
    "thousands": each_field(lambda text: text[:1] + b" " + text[1:]),
    "no-break spaces": each_field(lambda text: "\u00a0".encode() + text),
    "blanks": each_field(lambda text: b"  " + text + b" \t"),
    "quoted": each_field(lambda text: b'"' + text + b'"'),
    "texts for nothing": each_field(lambda text: text or b"NA", 0.5),
    "words in numbers": each_field(lambda text: text or b"none", 0.5),
    "NUL bytes": inserted(b"\0"),
    "lone CR": inserted(b"\r"),
    "quotation marks": inserted(b'"'),
    "line feeds": inserted(b"\n"),
    "separators": inserted(b"\x1f"),
    "line separators of Unicode": inserted("\u2028".encode()),
    "BOM": whole(lambda content: b"\xef\xbb\xbf" + content),
    "CRLF": whole(lambda content: content.replace(b"\n", b"\r\n")),
    "CR alone": whole(lambda content: content.replace(b"\n", b"\r")),
    "Latin-1": whole(lambda content: content.decode("utf-8").encode("latin-1")),
    "UTF-16": whole(lambda content: content.decode("utf-8").encode("utf-16")),
    "twice UTF-8": whole(lambda content: content.decode("latin-1").encode("utf-8")),
}


def read(folder: Path, lines: dict[str, list[bytes]]) -> PersonTableData:
    for name, content in lines.items():
        (folder / name).write_bytes(b"\n".join(content) + b"\n")
    join = [{"file": "sites.csv", "by": "sted", "relation": "many_to_one", "rows": SITES}]
    entry = {"file": "main.csv", "person_id": "lopenr", "treated": "arm", "join": join, "rows": PEOPLE}
    outcomes = {"pay": "pay", "wage": "wage", "at_two": "at_two"}
    table = PersonTable.model_validate(
        {**entry, "strata": ["sted"], "derive": {"at_two": "sted in ('0002', '0003')"}, "outcomes": outcomes}
    )
    return read_person_table(folder, table=table, samples=SAMPLES, arms=ARMS, covariates={})


def result(data: PersonTableData) -> Counter[tuple[object, ...]]:
    """Return how often each combination of arm and outcomes occurs."""
    values = np.nan_to_num(data.outcomes.drop(columns="person_id").to_numpy(dtype=float), nan=-1.0)
    return Counter(zip(data.cohort.frame["arm"], map(tuple, values), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("part", range(2))
def test_no_damage_changes_the_outcomes_silently(tmp_path: Path, part: int) -> None:
    rng = random.Random(2_026 + part)
    refused = unchanged = counted = leaks = 0
    for number in range(FILES // 2):
        clean = files(rng)
        expected = read(tmp_path, clean)
        damaged = {name: list(lines) for name, lines in clean.items()}
        chosen = rng.sample(sorted(MUTATIONS), rng.choice([1, 1, 2]))
        for name in chosen:
            file = rng.choice(sorted(damaged))
            try:
                damaged[file] = MUTATIONS[name](rng, damaged[file])
            except UnicodeError:
                continue
        case = f"case {number} of part {part}: {', '.join(chosen)}"
        try:
            data = read(tmp_path, damaged)
        except UserError as error:
            refused += 1
            leaks += SECRET in str(error)
            continue
        except Exception as error:
            raise AssertionError(f"{case}: {error!r}") from error
        if result(data) == result(expected):
            unchanged += 1
        else:
            assert {line.reason for line in data.cohort.flow} != {line.reason for line in expected.cohort.flow}, case
            counted += 1
    assert leaks == 0
    assert refused > 100
    assert unchanged > 50
    assert counted > 0


PANEL = Panel.model_validate(
    {
        "file": "main.csv", "person_id": "lopenr", "period": "maaned", "treated": "arm", "strata": ["sted"],
        "states": {"employed": "job", "pay": "pay"},
    }
)  # fmt: skip
PANEL_FILES = 200


def panel_lines(rng: random.Random) -> list[bytes]:
    """Return the lines of a file of people and months."""
    lines = [b"lopenr;arm;sted;maaned;job;pay"]
    for number in range(12):
        person = SECRET if number == 0 else f"{rng.randrange(10**6):08d}"
        for month in range(-1, 3):
            pay = rng.choice(["", f"{rng.randrange(900)}", f"{rng.randrange(900)}.{rng.randrange(1, 10)}"])
            lines.append(f"{person};{number % 2};{number % 4:04d};{month};{rng.randrange(2)};{pay}".encode())
    return lines


def read_months(folder: Path, lines: list[bytes]) -> tuple[Counter[tuple[object, ...]], set[tuple[object, ...]]]:
    """Return how often each combination of arm and months occurs, and what is said of the people and rows."""
    (folder / "main.csv").write_bytes(b"\n".join(lines) + b"\n")
    data = read_panel(
        folder, panel=PANEL, unit="month", clock=Clock(first=-1, last=2), states=("employed", "pay"),
        definitions=Definitions.model_construct(states=PANEL.column_states), samples=SAMPLES, arms=ARMS, covariates={},
    )  # fmt: skip
    values = data.panel.to_pandas().drop(columns="person_id").fillna(-1.0).to_numpy(dtype=float)
    months = map(tuple, values.reshape(len(data.cohort.frame), -1))
    said: set[tuple[object, ...]] = {(line.step, line.reason, line.persons) for line in data.cohort.flow}
    return Counter(zip(data.cohort.frame["arm"], months, strict=True)), said | {
        (data.report.clean, data.report.rejected)
    }


def test_no_damage_changes_the_months_silently(tmp_path: Path) -> None:
    verdicts: Counter[str] = Counter()
    for number in range(PANEL_FILES):
        rng = random.Random(9_000 + number)
        clean = damaged = panel_lines(rng)
        expected, told = read_months(tmp_path, clean)
        chosen = rng.sample(sorted(MUTATIONS), rng.choice([1, 1, 2]))
        try:
            for name in chosen:
                damaged = MUTATIONS[name](rng, damaged)
        except UnicodeError:
            continue
        try:
            got, said = read_months(tmp_path, damaged)
        except UserError as error:
            verdicts["refused"] += 1
            verdicts["leaks"] += SECRET in str(error)
            continue
        verdicts["unchanged" if got == expected else "said"] += 1
        assert got == expected or said != told, f"case {number}: {', '.join(chosen)}"
    assert verdicts["leaks"] == 0
    assert min(verdicts["refused"], verdicts["unchanged"], verdicts["said"]) > 0, verdicts
