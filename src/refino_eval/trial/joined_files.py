"""Analysis files of a person table: reading one, joining others to it on an id, and what each join left over."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from refino_eval.config.evaluation import Joined, PersonTable, TableFile
from refino_eval.errors import UserError, nearest
from refino_eval.trial.arm_codes import code_text

TEXT = (".csv", ".tab", ".tsv", ".txt", ".dat", ".raw")
FORMATS = (".parquet", *TEXT, ".dta", ".sas7bdat", ".sav")
NO_VALUE = (
    "",
    "NA",
    "N/A",
    "#N/A",
    "NaN",
    "nan",
    "<NA>",
    "NULL",
    "null",
    ".",
    *(f".{chr(code)}" for code in range(97, 123)),
)
"""What stands for a missing value in text files, besides `missing_values`: also Stata's ., .a to .z. "None" may be an arm."""
WHITESPACE = r"\s+"


@dataclass(frozen=True)
class Joining:
    """What came of joining a file.

    Attributes
    ----------
    name
        The file's name without its ending, for the flow.
    without_row
        (n,) people for whom the file has no row.
    rows_left
        Rows of the file that belong to nobody.
    out
        Whether people without a row are to be taken out.
    """

    name: str
    without_row: np.ndarray
    rows_left: int
    out: bool


def read_files(folder: Path, table: PersonTable) -> tuple[pd.DataFrame, tuple[Joining, ...]]:
    """Read the file of a person table and join the others to it.

    Parameters
    ----------
    folder
        The data folder.
    table
        Which files, and how they hang together.

    Returns
    -------
    frame, joinings
        One row a person, in the first file's order; what each join left over, in order.

    Raises
    ------
    UserError
        When a file is not there or cannot be read, has another number of rows than it should, repeats a key, shares a
        column's name with the others, or has no key in common with them.
    """
    keys = {table.person_id, *(other.by for other in table.join)} - {None}
    frame = _read(folder, table, text=keys, where="person_table.file")
    joinings = []
    for number, other in enumerate(table.join):
        where = f"person_table.join[{number}]"
        right = _read(folder, other, text={other.by, other.key} - {None}, where=f"{where}.file")
        frame, joining = _joined(frame, right, other, where)
        joinings.append(joining)
    return frame, tuple(joinings)


def _joined(left: pd.DataFrame, right: pd.DataFrame, other: Joined, where: str) -> tuple[pd.DataFrame, Joining]:
    key = other.key or other.by
    for column, frame, file in ((other.by, left, "the files before it"), (key, right, other.file)):
        if column not in frame.columns:
            raise UserError(
                f"{where}: the column '{column}' is not in {file}.{nearest(column, map(str, frame.columns))}"
            )
    if other.prefix:
        right = right.rename(columns={name: f"{other.prefix}{name}" for name in right.columns if name != key})
    shared = [str(name) for name in right.columns if name in left.columns and name != key]
    if key != other.by and key in left.columns:
        shared.append(key)
    if shared:
        raise UserError(
            f"{where}: {other.file} has columns that are there already: {', '.join(shared[:5])}"
            f"{', ...' if len(shared) > 5 else ''}. Give it a prefix, for instance `prefix: {Path(other.file).stem.lower()}_`."
        )
    mine = left[other.by].map(code_text, na_action="ignore")
    theirs = right[key].map(code_text, na_action="ignore")
    repeated, unknown = int(theirs.dropna().duplicated().sum()), int(theirs.isna().sum())
    if repeated or unknown:
        raise UserError(
            f"{where}: the column '{key}' of {other.file} must tell its rows apart; {unknown:,} rows have no value and "
            f"{repeated:,} repeat one. Name another column, or make one row each."
        )
    if other.relation == "one_to_one" and (again := int(mine.dropna().duplicated().sum())):
        raise UserError(
            f"{where}: {again:,} rows repeat a value of '{other.by}', so that rows of {other.file} would be used for several "
            "people. When that is meant (a file of sites or households), say `relation: many_to_one`."
        )
    rows = pd.Index(theirs).get_indexer(pd.Index(mine))
    rows = np.where(mine.isna(), -1, rows)
    if len(left) and (rows < 0).all():
        raise UserError(
            f"{where}: no value of '{other.by}' is found in the column '{key}' of {other.file}. Are they the same ids, written "
            "the same way?"
        )
    found = right.drop(columns=key).reset_index(drop=True).reindex(rows)
    found.index = left.index
    joining = Joining(
        name=Path(other.file).stem,
        without_row=rows < 0,
        rows_left=len(right) - len(np.unique(rows[rows >= 0])),
        out=other.unmatched == "out",
    )
    if joining.without_row.any() and other.unmatched == "fault":
        raise UserError(
            f"{where}: {int(joining.without_row.sum()):,} of {len(left):,} people have no row in {other.file}. Mend the file, or "
            "say what to do with them (`unmatched: keep` or `out`)."
        )
    return pd.concat([left, found], axis=1), joining


def _read(folder: Path, file: TableFile, *, text: set[str | None], where: str) -> pd.DataFrame:
    path = folder / file.file
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise UserError(f"{where}: '{file.file}' is none of the formats that can be read ({', '.join(FORMATS)}).")
    if not path.is_file():
        similar = [other.name for other in path.parent.glob("*") if other.suffix.lower() in FORMATS]
        raise UserError(f"{where}: there is no file '{file.file}' in the data folder.{nearest(path.name, similar)}")
    try:
        if suffix == ".parquet":
            frame = pd.read_parquet(path)
        elif suffix in TEXT:
            frame = _read_text(path, file, text)
        else:
            frame = _read_statistical(path, suffix, labels=file.values == "labels")
    except (OSError, ValueError, LookupError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise UserError(
            f"{where}: '{file.file}' cannot be read as {suffix[1:]}: {str(error)[:200]}{_remedy(error, suffix)}"
        ) from None
    frame = _stripped(frame)
    if file.rows is not None and len(frame) != file.rows:
        raise UserError(f"{where}: '{file.file}' has {len(frame):,} rows, and {file.rows:,} are expected (`rows`).")
    return _without_codes(frame, file)


def _read_text(path: Path, file: TableFile, text: set[str | None]) -> pd.DataFrame:
    """Read a text file; ids stay text, since inference would turn 0310 into 310."""
    # A byte order mark would become part of the first column's name.
    encoding = "utf-8-sig" if file.encoding.lower().replace("_", "-") in ("utf-8", "utf8") else file.encoding
    delimiter = _delimiter(path, file, encoding)
    frame = pd.read_csv(
        path,
        sep=delimiter,
        decimal=file.decimal,
        encoding=encoding,
        names=list(file.columns) or None,
        header=None if file.columns else 0,
        # R's write.table gives rows names and their column none; elsewhere a surplus delimiter must not move all columns.
        index_col=None if delimiter == WHITESPACE and not file.columns else False,
        skipinitialspace=True,
        keep_default_na=False,
        na_values=[*NO_VALUE, *map(code_text, file.missing_values)],
        dtype={name: "string" for name in text if name is not None},
        dtype_backend="numpy_nullable",
        low_memory=False,
    )
    return frame.reset_index(drop=True)


def _delimiter(path: Path, file: TableFile, encoding: str) -> str:
    """Return the delimiter that is said, or the one that the first line has: tab, semicolon or comma, else whitespace."""
    if file.delimiter is not None:
        return WHITESPACE if file.delimiter == "whitespace" else file.delimiter
    with path.open(encoding=encoding, errors="replace") as stream:
        first = next((line for line in stream if line.strip()), "")
    if path.suffix.lower() == ".csv" and "," in first:
        return ","
    for sign in ("\t", ";", ","):
        if sign in first.strip("\n"):
            return sign
    return "," if path.suffix.lower() == ".csv" else WHITESPACE


def _remedy(error: Exception, suffix: str) -> str:
    if isinstance(error, UnicodeDecodeError):
        return ". Say which encoding it has, for instance `encoding: latin-1`."
    return ". Has it another delimiter? Say it (`delimiter`)." if suffix in TEXT else ""


def _stripped(frame: pd.DataFrame) -> pd.DataFrame:
    """Take spaces away that surround names of columns and texts; a text of nothing else is missing."""
    frame = frame.rename(columns=lambda name: str(name).strip())
    found = {}
    for name in frame.select_dtypes(include=["object", "string"]).columns:
        values = frame[name]
        if pd.api.types.is_string_dtype(values) or pd.api.types.infer_dtype(values, skipna=True) in ("string", "mixed"):
            bare = values.map(lambda value: value.strip() if isinstance(value, str) else value, na_action="ignore")
            found[name] = bare.mask(bare.isin([""]).to_numpy(dtype=bool))
    return frame.assign(**found) if found else frame


def _read_statistical(path: Path, suffix: str, *, labels: bool) -> pd.DataFrame:
    import pyreadstat

    readers = {".dta": pyreadstat.read_dta, ".sas7bdat": pyreadstat.read_sas7bdat, ".sav": pyreadstat.read_sav}
    options = {} if suffix == ".sas7bdat" else {"apply_value_formats": labels, "formats_as_category": False}
    try:
        frame, _ = readers[suffix](str(path), **options)
    except pyreadstat.ReadstatError as error:
        raise ValueError(str(error)) from None
    return pd.DataFrame(frame)


def _without_codes(frame: pd.DataFrame, file: TableFile) -> pd.DataFrame:
    """Make the codes that stand for missing values missing."""
    if not file.missing_values:
        return frame
    codes = {code_text(code) for code in file.missing_values}
    found = {}
    for name in frame.columns:
        hit = frame[name].map(code_text, na_action="ignore").isin(codes)
        if hit.any():
            found[name] = frame[name].mask(hit)
    return frame.assign(**found)
