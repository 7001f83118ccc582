"""Propose sources and an evaluation from a folder of registers: one has the assignment, the others people's spells."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from refino_eval.cli.proposals.column_profiles import ColumnProfile, FileProfile, days_of, inside_name, profile_file
from refino_eval.cli.proposals.design_guesses import ArmGuess, guess_arm, guess_cluster, guess_strata, is_id_name
from refino_eval.cli.proposals.from_person_table import (
    MOST_CONTROLS,
    month_bounds,
    outcome_lines,
    time_exhibit_lines,
)
from refino_eval.cli.proposals.proposal import (
    Proposal,
    arm_lines,
    arm_names,
    flow_list,
    flow_map,
    head,
    label,
    scalar,
    specification_lines,
)
from refino_eval.config.base import Unit
from refino_eval.errors import UserError
from refino_eval.trial.table_files import TEXT

FORMATS = {".parquet": "parquet", ".dta": "dta", ".sas7bdat": "sas7bdat", ".sav": "sav"}
FEWEST_LINKED = 0.2
"""Share of a register's values of a column that must be ids of people assigned, for the column to be taken for the id."""

_START = re.compile(r"from|start|begin|first|fra|fom|since", re.I)
_STOP = re.compile(r"(^|_)to($|_)|end|stop|last|til|tom|until|slutt", re.I)
_DATE_OF_BIRTH = re.compile(r"birth|born|fodt|foedt", re.I)
_TOUR_OF_NUMBER = re.compile(r"[_-]?v?\d+$")
DAYS = {"month": 30.44, "week": 7.0}
LONGEST = {"month": 36, "week": 104}


@dataclass
class _Register:
    """One register and what its columns are taken for."""

    name: str
    files: list[str]
    profile: FileProfile
    person: ColumnProfile | None = None
    start: ColumnProfile | None = None
    stop: ColumnProfile | None = None
    roles: dict[str, str] = field(default_factory=dict)

    @property
    def temporality(self) -> str:
        if self.start is None:
            return "fixed"
        return "event" if self.stop is None else "spell"

    @property
    def inside(self) -> dict[str, ColumnProfile]:
        """The columns by their names inside the program."""
        special = {id(self.person): "person_id", id(self.start): "start", id(self.stop): "stop"}
        named: dict[str, ColumnProfile] = {}
        for column in self.profile.columns:
            if column.kind == "empty":
                continue
            name = special.get(id(column)) or column.inside
            while name in named or (name in ("person_id", "start", "stop") and id(column) not in special):
                name = f"{name[:30]}_column"
            named[name] = column
        return named


def propose_registers(name: str, data: str, folder: Path, *, arm: str | None, unit: Unit) -> Proposal:
    """Propose an evaluation of the registers in a folder.

    Parameters
    ----------
    name
        The new evaluation; the files of its registers are named after it too.
    data
        The folder, as the evaluation names it.
    folder
        The folder.
    arm
        The column of the arm, if it is known.
    unit
        The clock.

    Raises
    ------
    UserError
        When no file holds the assignment, or a register cannot be linked to it.
    """
    proposal = Proposal()
    registers = _registers(folder)
    draws, guess = _draws(registers, arm)
    others = [register for register in registers if register is not draws]
    assert draws.person is not None
    ids = set(map(str, draws.person.column.codes().dropna()))
    unlinked = [register for register in others if not _link(register, ids)]
    for register in unlinked:
        proposal.ask(
            f"Which column of {register.files[0]} has the person's id? In none of them are people who were assigned, so the file is left out."
        )
    linked = [register for register in others if register not in unlinked]
    _dates(draws, only_start=True)
    for register in linked:
        _dates(register)
    form = _common_form([draws, *linked])
    names = {register.name: f"{name[:18]}_{register.name}"[:38] for register in (draws, *linked)}
    formats = {register.name: _date_form(register, proposal) for register in (draws, *linked)}
    for register in (draws, *linked):
        path = f"config/sources/{names[register.name]}.yaml"
        proposal.files[path] = _source(
            register, names[register.name], formats[register.name], proposal, is_draws=register is draws
        )
    study = _Study(name, data, draws, guess, linked, names, formats, form, unit)
    proposal.files[f"config/evaluations/{name}.yaml"] = "\n".join(_evaluation(study, proposal)) + "\n"
    return proposal


@dataclass(frozen=True)
class _Study:
    """Everything that the evaluation is written from."""

    name: str
    data: str
    draws: _Register
    arm: ArmGuess
    others: Sequence[_Register]
    names: dict[str, str]
    formats: dict[str, str]
    form: dict[str, str]
    unit: Unit


def _registers(folder: Path) -> list[_Register]:
    """Return the registers in a folder: files with the same columns and the same name but for a number are one."""
    files = sorted(
        path.name
        for path in folder.iterdir()
        if path.is_file() and not path.name.startswith(".") and path.suffix.lower() in (*TEXT, *FORMATS)
    )
    if not files:
        raise UserError(
            f"{folder}: the folder has no file that can be a register ({', '.join((*TEXT, *FORMATS))}). Name the folder of the delivery."
        )
    found: dict[tuple[str, tuple[str, ...]], _Register] = {}
    for file in files:
        profile = profile_file(folder, file)
        stem = _TOUR_OF_NUMBER.sub("", Path(file).stem)
        key = (stem, tuple(column.name for column in profile.columns))
        if key in found:
            found[key].files.append(file)
        else:
            found[key] = _Register(inside_name(stem)[:18], [file], profile)
    registers = list(found.values())
    for number, register in enumerate(registers):
        if register.name in [other.name for other in registers[:number]]:
            register.name = f"{register.name[:15]}_{number + 1}"
    return registers


def _draws(registers: Sequence[_Register], arm: str | None) -> tuple[_Register, ArmGuess]:
    """Return the register with one row per person and an arm, and the arm."""
    candidates: list[tuple[bool, int, _Register, ColumnProfile, ArmGuess]] = []
    for register in registers:
        columns = register.profile.columns
        unique = [column for column in columns if column.is_unique and column.kind in ("integer", "text")]
        if not unique or (arm is not None and register.profile.column(arm) is None):
            continue
        person = next((column for column in unique if is_id_name(column.name)), unique[0])
        guess = guess_arm([c for c in columns if c is not person], named=arm, file=register.files[0])
        if guess is not None:
            candidates.append((not guess.is_named, len(candidates), register, person, guess))
    if not candidates:
        wanted = f"the column '{arm}'" if arm is not None else "a column of a few codes that can be the arm"
        raise UserError(
            f"No file has one row per person, with an id that differs in every row, and {wanted}. The register of assignments is "
            "needed; name the column of the arm if it is there (`--arm COLUMN`)."
        )
    _, _, register, person, guess = min(candidates, key=lambda candidate: candidate[:2])
    register.person = person
    return register, guess


def _link(register: _Register, ids: set[str]) -> bool:
    """Find the column whose values are ids of people who were assigned."""
    shares = []
    for column in register.profile.columns:
        if column.kind in ("integer", "text"):
            values = set(map(str, column.column.codes().dropna()))
            shares.append((len(values & ids) / max(1, min(len(values), len(ids))), column))
    share, best = max(shares, key=lambda pair: pair[0], default=(0.0, None))
    register.person = best if share >= FEWEST_LINKED else None
    return register.person is not None


def _dates(register: _Register, *, only_start: bool = False) -> None:
    """Choose the columns of first and last day."""
    dates = [c for c in register.profile.columns if c.kind == "date" and not _DATE_OF_BIRTH.search(c.name)]
    if not dates:
        return
    register.start = next((c for c in dates if _START.search(c.name)), dates[0])
    rest = [c for c in dates if c is not register.start]
    if rest and not only_start:
        register.stop = next((c for c in rest if _STOP.search(c.name)), rest[0])


def _common_form(registers: Sequence[_Register]) -> dict[str, str]:
    """Return how most text files are written."""
    forms = [register.profile.form for register in registers if "delimiter" in register.profile.form]
    keys = ("encoding", "delimiter", "decimal")
    usual = {"encoding": "utf-8", "delimiter": ";", "decimal": "."}
    said = {key: [form.get(key, usual[key]) for form in forms] for key in keys}
    # A mark or an encoding shows in some files alone; the others can be read either way.
    return {
        key: next((value for value in values if value != usual[key]), usual[key])
        for key, values in said.items()
        if values
    }


def _date_form(register: _Register, proposal: Proposal) -> str:
    """Return the form of a register's dates that all its columns allow."""
    columns = [column for column in register.profile.columns if column.kind == "date" and column.column.kind == "text"]
    if not columns:
        return "%Y-%m-%d"
    allowed = [form for form in columns[0].date_formats if all(form in column.date_formats for column in columns)]
    if not allowed:
        allowed = list(columns[0].date_formats)
    if len(allowed) > 1:
        proposal.ask(
            f"Does the day or the month come first in the dates of {register.files[0]}? {allowed[0]} is a guess."
        )
    return allowed[0]


def _type(column: ColumnProfile) -> str:
    if column.kind == "number" and column.decimals <= 2:
        return "hundredths"
    return {"number": "number", "integer": "integer", "date": "date", "month": "month"}.get(column.kind, "text")


def _source(register: _Register, name: str, date_form: str, proposal: Proposal, *, is_draws: bool) -> str:
    """Return the description of a register."""
    why = proposal.ask(
        "Why is each column needed (`why`)? The data owner reads it in `refino-eval sources --variable-list`."
    )
    overlapping = [_TOUR_OF_NUMBER.sub("*", Path(file).stem) + Path(file).suffix for file in register.files]
    patterns = register.files if len(register.files) == 1 else sorted(set(overlapping))
    suffix = Path(register.files[0]).suffix.lower()
    lines = [
        "# yaml-language-server: $schema=../schemas/source.json",
        f"# Proposed by `refino-eval new` from {register.files[0]} ({register.profile.rows:,} rows). {why[2:]}",
        f"register: {name}",
        f"label: {label(register.name.replace('_', ' ').capitalize())}",
        f"owner: Not stated  {proposal.ask('Who delivers each register (`owner`)?')}",
        f"temporality: {register.temporality}  # " + _TEMPORALITY[register.temporality],
        f"files: {flow_list(patterns)}",
        *([f"format: {FORMATS[suffix]}"] if suffix in FORMATS else []),
        "columns:",
    ]
    for inside, column in register.inside.items():
        kind = "id" if inside == "person_id" else _type(column)
        entry = {"from": scalar(column.name), "type": kind}
        if kind == "date" and column.column.kind == "text" and date_form not in column.date_formats:
            entry["date_format"] = f'"{column.date_formats[0]}"'
        if inside in ("person_id", "start") or (is_draws and inside in register.roles):
            entry["required"] = "true"
        entry["why"] = scalar(
            _WHY.get(inside) or register.roles.get(inside) or "TODO say why the evaluation needs this column"
        )
        lines.append(f"  {inside}: {flow_map(entry)}")
    lines += ["rules:", "  - rule: duplicate_row"]
    lines += ["  - rule: stop_before_start"] if register.stop is not None else []
    return "\n".join(lines) + "\n"


_TEMPORALITY = {
    "fixed": "one row per person",
    "event": "rows with one date",
    "spell": "rows with a first and a last day",
}
_WHY = {
    "person_id": "Links the rows of a person across registers.",
    "start": "The day of random assignment, or the first day of the spell.",
    "stop": "The last day of the spell; empty while it lasts.",
}


def _evaluation(study: _Study, proposal: Proposal) -> list[str]:
    """Return the lines of the evaluation."""
    draws, arm, unit = study.draws, study.arm, study.unit
    inside = {id(column): name for name, column in draws.inside.items()}
    candidates = [
        c for c in draws.profile.columns if c not in (draws.person, arm.column) and c.kind in ("text", "integer")
    ]
    strata, other_strata = guess_strata(candidates, arm.column)
    cluster = guess_cluster([c for c in candidates if c not in strata], arm.column)
    spells = [register for register in study.others if register.temporality == "spell"]
    lines = head(study.name, "spells", study.data, proposal, made_from=f"{len(study.names)} registers")
    lines.append(f"sources: [{', '.join(study.names.values())}]  # files of config/sources")
    lines += _delivery_lines(study, spells, proposal)
    lines += ["", *arm_lines(arm, proposal)]
    lines += _population_lines(study, inside, cluster, proposal)
    question = "Within which groups was assignment random? They are the strata; leave the list empty if there are none."
    lines.append(f"strata: {flow_list(inside[id(c)] for c in strata)}  {proposal.ask(question)}")
    if other_strata:
        lines.append(
            f"# Other columns of few codes: {', '.join(inside[id(c)] for c in other_strata)}; draw_month is made from the date"
        )
    first, last = _clock(study, spells)
    question = f"Is time counted by month or by week, and how far should the study reach? `{unit}` is a guess (`--clock`), and the range is what the dates in the registers allow."
    lines += [f"clocks: {{{unit}: {{first: {first}, last: {last}}}}}  {proposal.ask(question)}", ""]
    not_controls = (draws.person, arm.column, draws.start, cluster, *strata)
    controls = _controls(study, [c for c in draws.profile.columns if c not in not_controls], inside)
    return lines + _definition_lines(study, _states(spells, study), controls, last, cluster=cluster is not None)


def _population_lines(
    study: _Study, inside: Mapping[int, str], cluster: ColumnProfile | None, proposal: Proposal
) -> list[str]:
    """Return the lines on who was assigned, when, and in which groups."""
    draws = study.draws
    lines = ["population:", f"  register: {study.names[draws.name]}", f"  arm: {inside[id(study.arm.column)]}"]
    if draws.start is None:
        question = f"When was assignment? {draws.files[0]} has no date, and 2020-01-01 is a placeholder."
        lines.append(f"  draw_date: 2020-01-01  {proposal.ask(question)}")
    if cluster is not None:
        question = f"Were groups assigned, and not people? In '{cluster.name}' each group has one arm; if so, keep `cluster`, else remove it."
        lines.append(f"  cluster: {inside[id(cluster)]}  {proposal.ask(question)}")
    return lines


def _definition_lines(
    study: _Study, states: Mapping[str, Sequence[str]], controls: Mapping[str, str], last: int, *, cluster: bool
) -> list[str]:
    """Return the list of exhibits and what they need: covariates, states, outcomes, a specification, and the exhibits."""
    name, shown = study.name, list(states)[:3]
    exhibits = [f"{name}_flow", *([f"{name}_balance"] if controls else [])]
    exhibits += [f"{name}_effects", f"{name}_over_time"] if states else []
    lines = [f"exhibits: [{', '.join(exhibits)}]  # `refino-eval exhibits` lists the kinds", "", "definitions:"]
    if controls:
        lines.append("  covariates:  # as they were at assignment")
        lines += [f"    {key}: {text}" for key, text in controls.items()]
    if states:
        lines += ["  states:", *(line for block in states.values() for line in block)]
        lines += outcome_lines(name, shown, study.unit, 1, last)
    lines += specification_lines(f"{name}_main", list(controls)[:MOST_CONTROLS], cluster=cluster)
    lines += [
        "  exhibits:",
        f"    {name}_flow: {{kind: flow, title: {label('Flow of people', 'Fra trukket til analysert')}}}",
    ]
    if controls:
        balance = {
            "kind": "balance",
            "title": label("Balance at assignment", "Balanse ved trekningen"),
            "covariates": f"[{', '.join(controls)}]",
        }
        lines.append(f"    {name}_balance: {flow_map(balance)}")
    return lines + (time_exhibit_lines(name, shown, study.unit, arm_names(study.arm)) if states else [])


def _delivery_lines(study: _Study, spells: Sequence[_Register], proposal: Proposal) -> list[str]:
    """Return how all files are written, said once, and what periods they cover."""
    forms = list(study.formats.values())
    common = max(set(forms), key=forms.count)
    lines = ["delivery:  # how the files of all registers are written"]
    lines += [f"  {key}: {value if key == 'encoding' else _marked(value)}" for key, value in study.form.items()]
    lines.append(f'  date_format: "{common}"')
    bounds = [
        month_bounds(column, study.formats[register.name])
        for register in spells
        for column in (register.start, register.stop)
        if column
    ]
    if bounds:
        question = "In which period is each register complete? Outside it a state is missing. The months of the first and last date are a guess."
        lines.append(
            f"  coverage: {{first: {min(b[0] for b in bounds)}, last: {max(b[1] for b in bounds)}}}  {proposal.ask(question)}"
        )
    odd = {name: form for name, form in study.formats.items() if form != common}
    if odd:
        lines.append("  registers:")
        lines += [f'    {study.names[name]}: {{date_format: "{form}"}}' for name, form in odd.items()]
    return lines


def _marked(value: str) -> str:
    return '"\\t"' if value == "\t" else f'"{value}"'


def _clock(study: _Study, spells: Sequence[_Register]) -> tuple[int, int]:
    """Return event times that the registers cover for everybody, as far as their dates show."""
    length = LONGEST[study.unit]
    if study.draws.start is None or not spells:
        return -length // 3, length
    drawn = days_of(study.draws.start, study.formats[study.draws.name])
    drawn = drawn[~np.isnat(drawn)]
    columns = [
        (column, study.formats[register.name])
        for register in spells
        for column in (register.start, register.stop)
        if column
    ]
    bounds = [np.datetime64(bound) for column, form in columns for bound in month_bounds(column, form)]
    before = (drawn.min() - min(bounds)).astype(int) / DAYS[study.unit]
    after = (max(bounds) - drawn.max()).astype(int) / DAYS[study.unit]
    return -int(max(0, min(length // 3, before - 1))), int(max(1, min(length, after - 1)))


def _states(spells: Sequence[_Register], study: _Study) -> dict[str, list[str]]:
    """Return a state for each register of spells (in it or not), and one for each of its columns of amounts."""
    states: dict[str, list[str]] = {}
    for register in spells:
        source = study.names[register.name]
        name = f"in_{register.name}"
        text = register.name.replace("_", " ")
        states[name] = [
            f"    {name}:",
            f"      label: {label(f'In {text}')}",
            f"      description: {scalar(f'A row of {text} on some day of the {study.unit}')}",
            f"      register: {source}",
            f"      unit: {label('share', 'andel')}",
        ]
        amounts = [
            k for k, c in register.inside.items() if c.kind == "number" and k not in ("person_id", "start", "stop")
        ]
        for column in amounts[:2]:
            key = f"{register.name}_{column}"[:38]
            states[key] = [
                f"    {key}:",
                f"      label: {label(f'{column} in {text}')}",
                f"      description: {scalar(f'{column} in all rows of {text} in the {study.unit} together')}",
                f"      register: {source}",
                f"      value: {column}",
                "      combine: sum  # or max; `within` counts overlapping rows of one employer once",
                f"      unit: {label(column)}",
            ]
    return states


def _controls(study: _Study, columns: Sequence[ColumnProfile], inside: dict[int, str]) -> dict[str, str]:
    """Return covariates of the register of draws: its numbers, and its codes as 0 and 1."""
    register = study.names[study.draws.name]
    controls: dict[str, str] = {}
    for column in columns:
        name = inside.get(id(column), "")
        if column.kind in ("integer", "number") and not column.is_unique:
            entry = {"kind": "column", "register": register, "column": name, "label": label(column.name)}
            controls[f"{study.name[:18]}_{name[:18]}"] = flow_map(entry)
        elif column.kind == "text" and column.codes and len(column.codes) <= 3:
            for code in column.codes[1:]:
                key = "".join(
                    c if c.isascii() and c.isalnum() else "_"
                    for c in f"{study.name[:14]}_{name[:14]}_{code[:8]}".lower()
                )
                entry = {
                    "kind": "column", "register": register, "column": name, "equals": f'["{code}"]', "label": label(f"{column.name} {code}"),
                }  # fmt: skip
                controls[key] = flow_map(entry)
    return controls
