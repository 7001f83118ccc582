"""Files of statistics programs (SAS, Stata, SPSS), read a piece at a time and never as a whole.

Numbers come as doubles, and dates as numbers counted from the program's own origin; both are passed on as they stand,
with the kind of count, so that one place (`types`) says what they mean. Value labels are not applied: codes are data.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from refino_eval.config.sources import Source

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS = ("days_1960", "seconds_1960", "milliseconds_1960", "seconds_1582")
"""How these programs count dates and times, by unit and origin (1 January 1960; 14 October 1582)."""

_PIECE = 200_000
_SAS_DAYS = re.compile(
    r"(E8601DA|B8601DA|DATE|DDMMYY[A-Z]?|MMDDYY[A-Z]?|YYMMDD[A-Z]?|JULIAN|MONYY|YYMON|WEEKDATE|WORDDATE|EURDFDD)[0-9.]*"
)
_SAS_SECONDS = re.compile(r"(DATETIME|E8601DT|B8601DT|MDYAMPM|DTDATE)[0-9.]*")
_STATA_DAYS = re.compile(r"%-?t?d.*")
_STATA_MILLISECONDS = re.compile(r"%-?tc.*", re.IGNORECASE)
_SPSS_SECONDS = re.compile(r"(DATE|ADATE|EDATE|SDATE|JDATE|DATETIME|YMDHMS)[0-9.]*")
_COUNTS: dict[str, tuple[tuple[re.Pattern[str], str], ...]] = {
    "sas7bdat": ((_SAS_SECONDS, "seconds_1960"), (_SAS_DAYS, "days_1960")),
    "dta": ((_STATA_MILLISECONDS, "milliseconds_1960"), (_STATA_DAYS, "days_1960")),
    "sav": ((_SPSS_SECONDS, "seconds_1582"),),
}
_PROGRAMS = {"sas7bdat": "SAS", "dta": "Stata", "sav": "SPSS"}
_ENCODINGS = {"latin-1": "ISO-8859-1", "cp1252": "WINDOWS-1252"}


def packed_kinds(source: Source, path: Path, faults: list[str]) -> tuple[list[str] | None, dict[str, str]]:
    """Return the names of the columns, and how the file holds each: text, float, or a count of `KINDS`."""
    try:
        _, meta = _reader(source)(str(path), metadataonly=True, **_options(source))
    except Exception as error:
        # The library raises its own errors, Python's and its parser's for a damaged file; none of them tells a user more.
        if isinstance(error, MemoryError | KeyboardInterrupt):
            raise
        faults.append(
            f"{path.name} is not a {_PROGRAMS[source.format]} file that can be read. "
            f"Ask the register's owner for the file again, or correct `format` in config/sources/{source.register_name}.yaml."
        )
        return None, {}
    return list(meta.column_names), {name: _kind(source.format, meta, name) for name in meta.column_names}


def packed_columns(source: Source, path: Path, names: Mapping[str, str]) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Return the schema under inside names, and the batches, of the listed columns; at most `_PIECE` rows at a time."""
    faults: list[str] = []
    _, kinds = packed_kinds(source, path, faults)
    schema = pa.schema(
        [(inside, pa.string() if kinds[name] == "text" else pa.float64()) for inside, name in names.items()]
    )
    return schema, _pieces(source, path, names, schema)


def _pieces(source: Source, path: Path, names: Mapping[str, str], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    read = _reader(source)
    done = 0
    while True:
        try:
            columns, meta = read(
                str(path),
                usecols=list(dict.fromkeys(names.values())),
                row_offset=done,
                row_limit=_PIECE,
                output_format="dict",
                **_options(source),
            )
        except Exception as error:
            if isinstance(error, MemoryError | KeyboardInterrupt):
                raise
            raise OSError("the file is damaged or cut off.") from error
        arrays = [_array(columns[name], field.type) for name, field in zip(names.values(), schema, strict=True)]
        size = len(arrays[0])
        if size:
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)
        done += size
        if size < _PIECE:
            break
    told = meta.number_rows
    if isinstance(told, int) and told > done:
        raise OSError(f"the file promises {told} rows.")


def _array(values: Any, kind: pa.DataType) -> pa.Array:
    if kind == pa.string():
        # A missing text may come as NaN or None; nothing else in a text column is no text.
        return pa.array([value if isinstance(value, str) else None for value in values], kind)
    return pa.array(values, kind, from_pandas=True)


def _kind(file_format: str, meta: Any, name: str) -> str:
    if meta.readstat_variable_types[name] == "string":
        return "text"
    shown = str(meta.original_variable_types.get(name) or "")
    wanted = shown if file_format == "dta" else shown.upper()
    return next((kind for pattern, kind in _COUNTS[file_format] if pattern.fullmatch(wanted)), "float")


def _options(source: Source) -> dict[str, Any]:
    encoding = _ENCODINGS.get(source.encoding)
    return {"disable_datetime_conversion": True} | ({"encoding": encoding} if encoding else {})


def _reader(source: Source) -> Callable[..., Any]:
    import pyreadstat

    readers: dict[str, Callable[..., Any]] = {
        "sas7bdat": pyreadstat.read_sas7bdat,
        "dta": pyreadstat.read_dta,
        "sav": pyreadstat.read_sav,
    }
    return readers[source.format]
