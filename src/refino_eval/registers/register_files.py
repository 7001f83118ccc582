"""The files of one register: found by the source's patterns, with every listed column in each header once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from refino_eval.config.sources import Source
from refino_eval.errors import UserError, raise_problems
from refino_eval.registers.readers import file_search
from refino_eval.registers.readers.file_search import existing_file, shown_name

if TYPE_CHECKING:
    from refino_eval.registers.readers.delivered_files import DeliveredFile, Header

COLUMNS_LISTED = 6


def find_files(source: Source, folder: Path) -> tuple[Path, ...]:
    """Find a register's files in a delivery folder, in name order with numbers in their order (v2 before v10).

    A register in a data lake has none.
    """
    if source.lake is not None:
        return ()
    return file_search.find_files(source.register_name, source.files, folder)


def check_files(source: Source, paths: tuple[Path, ...]) -> tuple[DeliveredFile, ...]:
    """Check that each file can be opened and has every listed column, once, in a type that can be read.

    Raises
    ------
    UserError
        One paragraph for each problem of each file.
    """
    # Readers load Arrow, which planning a run does without.
    from refino_eval.registers.readers.archives import UnreadableFile
    from refino_eval.registers.readers.delivered_files import DeliveredFile, read_header
    from refino_eval.registers.readers.file_form import FileForm
    from refino_eval.registers.readers.statistical_files import PROGRAMS

    form = FileForm("text" if source.format == "csv" else source.format, source.encoding, source.delimiter)
    if form.format == "text" and len(source.delimiter) != 1:
        raise UserError(f"config/sources/{source.register_name}.yaml: the delimiter must be one character.")
    problems: list[str] = []
    files = []
    for number, path in enumerate(paths):
        where = f"{shown_name(path.name)} (register '{source.register_name}')"
        try:
            header = read_header(path, form)
        except UnreadableFile as error:
            remedy = (
                f" Or correct `format` in config/sources/{source.register_name}.yaml."
                if form.format in PROGRAMS
                else ""
            )
            problems.append(f"{where} cannot be read: {error} Ask the register's owner for the file again.{remedy}")
            continue
        names = {inside: column.source for inside, column in source.columns.items() if column.source in header.names}
        positions = {inside: header.names.index(name) for inside, name in names.items()}
        kinds = {inside: header.kinds.get(name, "text") for inside, name in names.items()}
        problems += _header_problems(source, where, header)
        problems += [
            problem
            for inside, kind in kinds.items()
            if (problem := _kind_problem(path, names[inside], kind, source.columns[inside].type))
        ]
        files.append(DeliveredFile(number, path, form, len(header.names), names, positions, kinds))
    raise_problems(problems)
    return tuple(files)


def _kind_problem(path: Path, column: str, kind: str, wanted: str) -> str:
    from refino_eval.registers.readers.delivered_files import kind_problem
    from refino_eval.registers.readers.value_kinds import STATA_PERIODS

    if kind in STATA_PERIODS and wanted == "date":
        return (
            f"{shown_name(path.name)}: column '{column}' holds {kind.split('_1960')[0].replace('_', ' ')} since 1960 (Stata "
            f"format {STATA_PERIODS[kind]}), which are not dates. Deliver the day (format %td), or read months as type month."
        )
    return kind_problem(path, column, kind, wanted)


def _header_problems(source: Source, where: str, header: Header) -> list[str]:
    from refino_eval.registers.readers.delivered_files import Header

    register = source.register_name
    listed = {column.source: inside for inside, column in source.columns.items()}
    if not set(listed) & set(header.names):
        # Then the first line is perhaps not a header but a person's row: nothing of it may be shown.
        return [
            f"{where} has none of the {len(listed)} listed columns in its header "
            f"({', '.join(list(listed)[:COLUMNS_LISTED])}{', ...' if len(listed) > COLUMNS_LISTED else ''}). Check that "
            f"the file has a header line and that '{source.delimiter}' is its delimiter in "
            f"config/sources/{register}.yaml."
        ]
    others = {name for name in header.names if any(letter.isalpha() for letter in name)}
    shown = Header(tuple(name for name in header.names if name in listed or name in others))
    return [
        f"{where} {problem} It is read as {inside}. Correct `from` in config/sources/{register}.yaml, or ask the "
        "register's owner for the file with the column once."
        for name, inside in listed.items()
        if (problem := shown.column_problem(name, others=listed))
    ]


def listed_ids(source: Source, folder: Path, file: str) -> list[str]:
    """Read a list of people's ids: a header line, then an id a line, the first field of each.

    Raises
    ------
    UserError
        When the file is missing, is not UTF-8, or has no ids.
    """
    from refino_eval.registers.readers.text_rows import read_line
    from refino_eval.registers.readers.value_kinds import BLANKS

    where = f"config/sources/{source.register_name}.yaml, rule person_not_listed"
    path = existing_file(folder, file, where=where)
    try:
        lines = path.read_bytes().decode("utf-8-sig").splitlines()
    except (UnicodeDecodeError, OSError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not written in UTF-8"
        raise UserError(f"{where}: {shown_name(file)} cannot be read: {why}. Save it again in UTF-8.") from None
    fields = [read_line(line.encode(), "utf-8", source.delimiter) or [""] for line in lines[1:]]
    ids = [line[0].strip(BLANKS) for line in fields if line[0].strip(BLANKS)]
    if not ids:
        raise UserError(
            f"{where}: {shown_name(file)} has no ids below its first line, so every row would be rejected. Add the ids."
        )
    return ids
