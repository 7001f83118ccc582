"""Two thousand damaged deliveries: each gives a paragraph for the user, or rows that are all accounted for."""

from __future__ import annotations

import gzip
import random
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from refino_eval.config.sources import Source
from refino_eval.errors import UserError
from refino_eval.registers.ingest import ingest

FILES = 2_000
SECRET = "00042317"
HEADER = b"lopenr;navn;fra;til"

Mutation = Callable[[random.Random, bytes], bytes]


def a_source(encoding: str) -> Source:
    columns = {
        "person_id": {"from": "lopenr", "type": "id", "why": "links the registers"},
        "name": {"from": "navn", "type": "text", "why": "a text with letters"},
        "start": {"from": "fra", "type": "date", "why": "the first day of it"},
        "stop": {"from": "til", "type": "date", "why": "the last day of it"},
    }
    base = {"register": "people", "label": {"nb": "folk", "en": "people"}, "owner": "nobody", "temporality": "spell"}
    rules = [{"rule": "duplicate_row"}, {"rule": "stop_before_start"}, {"rule": "overlap", "keep": "merge"}]
    return Source.model_validate(
        base | {"files": ["folk.csv*"], "columns": columns, "rules": rules, "encoding": encoding}
    )


def a_file(rng: random.Random, encoding: str) -> bytes:
    lines = [HEADER]
    for _ in range(rng.randrange(0, 30)):
        day = f"20{rng.randrange(10, 23)}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 32):02d}"
        name = rng.choice(["Kari", "Åse", '"Per; Pål"', "", "Ægir"])
        lines.append(
            f"{rng.choice([SECRET, '00000001', '0007'])};{name};{day};{rng.choice(['', day])}".encode(encoding)
        )
    return b"\n".join(lines) + rng.choice([b"", b"\n"])


def cut_off(rng: random.Random, content: bytes) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def noise(rng: random.Random, content: bytes) -> bytes:
    raw = bytearray(content)
    for _ in range(rng.randrange(1, 20)):
        if raw:
            raw[rng.randrange(len(raw))] = rng.randrange(256)
    return bytes(raw)


def inserted(mark: bytes) -> Mutation:
    def insert(rng: random.Random, content: bytes) -> bytes:
        for _ in range(rng.randrange(1, 5)):
            place = rng.randrange(len(content) + 1)
            content = content[:place] + mark + content[place:]
        return content

    return insert


def shuffled_columns(rng: random.Random, content: bytes) -> bytes:
    order = rng.sample(range(4), 4)
    rows = [line.split(b";") for line in content.split(b"\n")]
    return b"\n".join(b";".join(row[place] for place in order) if len(row) == 4 else b";".join(row) for row in rows)


def huge_field(rng: random.Random, content: bytes) -> bytes:
    lines = content.split(b"\n")
    place = rng.randrange(len(lines))
    lines[place] = lines[place].replace(
        b";", b";" + rng.choice([b"x", b'"', b" "]) * rng.choice([300, 70_000, 200_000]), 1
    )
    return b"\n".join(lines)


def recoded(rng: random.Random, content: bytes) -> bytes:
    text = content.decode("latin-1")
    return text.encode(rng.choice(["utf-16", "utf-8", "utf-32", "cp1252", "cp037"]), errors="replace")


def doubled_header(rng: random.Random, content: bytes) -> bytes:
    return content.replace(HEADER, HEADER + rng.choice([b";navn", b"\n" + HEADER, b";", b";lopenr;x"]), 1)


def swapped(old: bytes, new: bytes) -> Mutation:
    return lambda rng, content: content.replace(old, new, rng.choice([-1, 1, 3]))


MUTATIONS: dict[str, Mutation] = {
    "as it is": lambda rng, content: content,
    "cut off": cut_off,
    "noise": noise,
    "NUL bytes": inserted(b"\0"),
    "lone CR": inserted(b"\r"),
    "quotation marks": inserted(b'"'),
    "blank lines": inserted(b"\n"),
    "unit separators": inserted(b"\x1f"),
    "line separators of Unicode": inserted("\u2028\x85".encode()),
    "end of file": inserted(b"\x1a"),
    "BOM": lambda rng, content: b"\xef\xbb\xbf" * rng.randrange(1, 3) + content,
    "CRLF": swapped(b"\n", b"\r\n"),
    "CR alone": swapped(b"\n", b"\r"),
    "another delimiter": swapped(b";", b","),
    "shuffled columns": shuffled_columns,
    "huge fields": huge_field,
    "another encoding": recoded,
    "doubled header": doubled_header,
    "only noise": lambda rng, content: rng.randbytes(rng.randrange(400)),
}


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_damaged_deliveries(tmp_path: Path, part: int) -> None:
    rng = random.Random(20_180 + part)
    message_text = read = 0
    began = time.perf_counter()
    for number in range(FILES // 4):
        encoding = rng.choice(["utf-8", "latin-1", "cp1252"])
        chosen = rng.sample(sorted(MUTATIONS), rng.choice([1, 1, 2, 3]))
        content = a_file(rng, encoding)
        for name in chosen:
            content = MUTATIONS[name](rng, content)
        packed = rng.random() < 0.15
        whole = gzip.compress(content, mtime=0) if packed else content
        raw = cut_off(rng, whole) if packed and rng.random() < 0.5 else whole
        damaged = raw != whole
        case = f"case {number} of part {part}: {', '.join(chosen)}{', gzip cut off' if damaged else ''}"
        faults = attempt(tmp_path, raw, content, ".gz" if packed else "", encoding, damaged, case)
        message_text, read = message_text + faults, read + (not faults)
    assert message_text > 50, "the mutations do not damage enough to be worth the time"
    assert read > 100, "the mutations leave nothing to read"
    assert time.perf_counter() - began < 120


def attempt(folder: Path, raw: bytes, content: bytes, suffix: str, encoding: str, damaged: bool, case: str) -> bool:
    """Ingest one file; return whether a fault was reported to the user, and fail on anything else but a right split."""
    path = folder / f"folk.csv{suffix}"
    path.write_bytes(raw)
    clean, rejects = folder / "out" / "clean.parquet", folder / "out" / "rejects.parquet"
    message_text: str | None = None
    try:
        report = ingest(a_source(encoding), folder, codelists={}, clean_path=clean, rejects_path=rejects, threads=1)
    except UserError as fault:
        message_text = str(fault)
    except Exception as error:
        raise AssertionError(f"{case}: {error!r}") from error
    finally:
        path.unlink()
    if message_text is not None:
        assert SECRET not in message_text, case
        assert path.name in message_text, case
        return True
    body = content.split(b"\n")[1:]
    rows = len(body) - (not body or body[-1] == b"")
    if not content.partition(b"\n")[1]:
        rows = 0
    numbers = [each for name in (clean, rejects) for each in pq.read_table(name, columns=["source_row"])[0].to_pylist()]
    assert not damaged, f"{case}: an archive that was cut off was taken for whole"
    assert sorted(numbers) == list(range(1, rows + 1)), case
    assert report.delivered == len(numbers) == report.clean + report.rejected, case
    reasons = duckdb.sql(f"SELECT count(*) FROM '{rejects}' WHERE rule IS NULL OR rule = ''").fetchall()[0][0]
    assert reasons == 0, case
    return False
