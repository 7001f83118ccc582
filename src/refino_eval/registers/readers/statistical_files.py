"""Read files of statistics programs (SAS, Stata, SPSS), a piece at a time and never as a whole.

Numbers come as floating-point numbers, and dates as numbers counted from the program's own origin. Both are passed on
as they are, with the kind of count, so that nothing in a column that is not read can stop the reading. Value labels are
not applied: codes are data.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from refino_eval.registers.readers.archives import UnreadableFile, check_row_count
from refino_eval.registers.readers.file_form import FileForm

PROGRAMS = {"sas7bdat": "SAS", "dta": "Stata", "sav": "SPSS"}

_PIECE = 200_000
_SAS_DAYS = re.compile(
    r"(E8601DA|B8601DA|DATE|DDMMYY[A-Z]?|MMDDYY[A-Z]?|YYMMDD[A-Z]?|JULIAN|MONYY|YYMON|WEEKDAT[EX]|WORDDAT[EX]|EURDFDD"
    r"|YYMM[A-Z]?|MMYY[A-Z]?|YYQ[A-Z]?|YEAR|NLDATE[A-Z]*)[0-9.]*"
)
_SAS_SECONDS = re.compile(r"(DATETIME|E8601DT|B8601DT|MDYAMPM|DTDATE)[0-9.]*")
_STATA_DAYS = re.compile(r"%-?t?d.*")
_STATA_MILLISECONDS = re.compile(r"%-?tc.*", re.IGNORECASE)
_STATA_PERIODS = {"w": "weeks_1960", "m": "months_1960", "q": "quarters_1960", "h": "half_years_1960"}
_SPSS_SECONDS = re.compile(r"(DATE|ADATE|EDATE|SDATE|JDATE|DATETIME|YMDHMS)[0-9.]*")
_COUNTS: dict[str, tuple[tuple[re.Pattern[str], str], ...]] = {
    "sas7bdat": ((_SAS_SECONDS, "seconds_1960"), (_SAS_DAYS, "days_1960")),
    "dta": (
        (_STATA_MILLISECONDS, "milliseconds_1960"),
        (_STATA_DAYS, "days_1960"),
        *((re.compile(rf"%-?t{letter}.*"), kind) for letter, kind in _STATA_PERIODS.items()),
    ),
    "sav": ((_SPSS_SECONDS, "seconds_1582"),),
}
_ENCODINGS = {"latin-1": "ISO-8859-1", "cp1252": "WINDOWS-1252", "utf-8": None}


def statistical_header(path: Path, form: FileForm) -> tuple[list[str], dict[str, str]]:
    """Return the names of the columns, and the kind of each: text, float, single, or a count of dates."""
    meta = _metadata(path, form)
    return list(meta.column_names), {name: _kind(form.format, meta, name) for name in meta.column_names}


def value_labels(path: Path, form: FileForm) -> dict[str, dict[Any, str]]:
    """Return the labels of values by column, for the columns that have any."""
    return dict(_metadata(path, form).variable_value_labels)


def _metadata(path: Path, form: FileForm) -> Any:
    with path.open("rb"):
        pass  # the library does not say that permission was denied
    try:
        _, meta = _reader(form)(str(path), metadataonly=True, **_options(form))
    except Exception as error:
        # The library raises its own errors, Python's and its parser's for a damaged file.
        if isinstance(error, MemoryError | KeyboardInterrupt):
            raise
        raise UnreadableFile(_library_message(form, error)) from error
    return meta


def _library_message(form: FileForm, error: Exception) -> str:
    program = PROGRAMS[form.format]
    if "character set" in str(error) or "encoding" in str(error).lower():
        return (
            f"it is a {program} file in a character set that cannot be read ({error}). Save it in UTF-8 with {program}, "
            "or state its `encoding`."
        )
    return f"it is not a {program} file that can be read ({str(error)[:120]})."


def statistical_batches(
    path: Path, form: FileForm, names: Mapping[str, str], kinds: Mapping[str, str]
) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Return the schema under inside names, and the batches, of some columns; at most `_PIECE` rows at a time.

    Parameters
    ----------
    names
        Inside name -> the column's name in the file.
    kinds
        Inside name -> the column's kind.
    """
    types = {"text": pa.string(), "single": pa.float32()}
    schema = pa.schema([(inside, types.get(kinds[inside], pa.float64())) for inside in names])
    return schema, _pieces(path, form, names, schema)


def _pieces(path: Path, form: FileForm, names: Mapping[str, str], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    read = _reader(form)
    done = 0
    while True:
        try:
            columns, meta = read(
                str(path),
                usecols=list(dict.fromkeys(names.values())),
                row_offset=done,
                row_limit=_PIECE,
                output_format="dict",
                **_options(form),
            )
        except Exception as error:
            if isinstance(error, MemoryError | KeyboardInterrupt):
                raise
            raise UnreadableFile(f"the file is damaged or cut off ({str(error)[:120]}).") from error
        promised = meta.number_rows if isinstance(meta.number_rows, int) else 0
        check_row_count(promised, path)
        arrays = [_array(columns[name], field.type) for name, field in zip(names.values(), schema, strict=True)]
        size = len(arrays[0])
        if size:
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)
        done += size
        if size < _PIECE:
            break
    if promised > done:
        raise UnreadableFile(f"the file promises {promised:,} rows and ends after {done:,}.")


def _array(values: Any, kind: pa.DataType) -> pa.Array:
    if kind == pa.string():
        # A missing text may come as NaN or None; nothing else in a text column is not text.
        return pa.array([value if isinstance(value, str) else None for value in values], kind)
    return pa.array(values, kind, from_pandas=True)


def _kind(file_format: str, meta: Any, name: str) -> str:
    held_as = meta.readstat_variable_types[name]
    if held_as == "string":
        return "text"
    display = str(meta.original_variable_types.get(name) or "")
    wanted = display if file_format == "dta" else display.upper()
    counted = next((kind for pattern, kind in _COUNTS[file_format] if pattern.fullmatch(wanted)), None)
    return counted or ("single" if held_as == "float" else "float")


def _options(form: FileForm) -> dict[str, Any]:
    encoding = _ENCODINGS.get(form.encoding, form.encoding)
    return {"disable_datetime_conversion": True} | ({"encoding": encoding} if encoding else {})


def _reader(form: FileForm) -> Callable[..., Any]:
    import pyreadstat

    readers: dict[str, Callable[..., Any]] = {
        "sas7bdat": pyreadstat.read_sas7bdat,
        "dta": pyreadstat.read_dta,
        "sav": pyreadstat.read_sav,
    }
    return readers[form.format]
