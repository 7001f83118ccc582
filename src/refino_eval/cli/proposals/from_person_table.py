"""Propose an evaluation of a person table, or of a panel: one file, whose columns are sorted by their looks and names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from refino_eval.cli.proposals.column_profiles import ColumnProfile, FileProfile, days_of
from refino_eval.cli.proposals.design_guesses import (
    ArmGuess,
    guess_arm,
    guess_cluster,
    guess_strata,
    guess_take_up,
    guess_weight,
    is_baseline_name,
    is_id_name,
    is_period_name,
    is_surely_id_name,
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

MOST_OUTCOMES = 12
MOST_CONTROLS = 8
FEWEST_ROWS_OF_CODE = 5
TAKEN = ("treated", "arm", "cell", "weight", "cluster", "take_up", "person_id", "draw_date", "draw_month", "event_time")
"""Names that the cohort or the panel uses itself."""


@dataclass(frozen=True)
class _Roles:
    """What each column is taken for."""

    person_id: ColumnProfile | None
    arm: ArmGuess
    strata: Sequence[ColumnProfile]
    other_strata: Sequence[ColumnProfile]
    cluster: ColumnProfile | None
    weight: ColumnProfile | None
    take_up: ColumnProfile | None

    def used(self) -> list[ColumnProfile]:
        single = (self.person_id, self.arm.column, self.cluster, self.weight, self.take_up)
        return [*(column for column in single if column is not None), *self.strata]


def propose_person_table(name: str, data: str, profile: FileProfile, *, arm: str | None) -> Proposal:
    """Propose an evaluation of a file with one row per person.

    Parameters
    ----------
    name
        The new evaluation.
    data
        The data folder, as the evaluation names it.
    profile
        The file.
    arm
        The column of the arm, if it is known.

    Raises
    ------
    UserError
        When no column can be the arm, or none an outcome.
    """
    proposal = Proposal()
    ids = [column for column in profile.columns if column.is_unique and column.kind in ("integer", "text")]
    person_id = next((column for column in ids if is_id_name(column.name)), ids[0] if ids else None)
    roles = _roles(profile, person_id, arm, gaps=True)
    outcomes, numeric, coded, left = _other_columns(profile, roles)
    lines = head(name, "person_table", data, proposal, made_from=f"{profile.file} ({profile.rows:,} rows)")
    lines += ["person_table:", *_file_lines(profile)]
    if person_id is not None:
        lines.append(f"  person_id: {scalar(person_id.name)}  # different in every row")
    else:
        lines.append(
            "  # No column differs in every row, so rows are numbered. Name one under `person_id` if there is one."
        )
    lines += _design_lines(roles, proposal)
    outcome_names = _named(outcomes, taken=TAKEN)
    covariate_names = _named(numeric, taken=(*TAKEN, *outcome_names, *(c.inside for c in roles.strata)))
    lines += [f"  outcomes:  {proposal.ask('Which columns were measured after assignment? Only these are outcomes.')}"]
    lines += [f"    {inside}: {scalar(column.name)}" for inside, column in outcome_names.items()]
    lines += _named_covariates(covariate_names, "measured before assignment, by their names")
    if left:
        lines.append(f"  # Not used: {', '.join(column.name for column in left)}")
    lines += ["", *arm_lines(roles.arm, proposal)]
    indicators = dict(_indicators(coded, taken=(*TAKEN, *outcome_names, *covariate_names)))
    controls = [*covariate_names, *indicators]
    lines += _exhibits(name, balance=bool(controls))
    lines += _covariate_lines(indicators)
    lines += specification_lines(f"{name}_main", controls[:MOST_CONTROLS], cluster=roles.cluster is not None)
    lines += _exhibit_lines(name, controls)
    lines += [
        f"    {name}_effects:",
        "      kind: itt",
        f"      title: {label('Effects of assignment', 'Virkninger av trekningen')}",
    ]
    columns = flow_map({inside: inside for inside in outcome_names})
    lines += [f"      columns: {columns}", f"      specifications: [{name}_main]"]
    if not all(column.is_complete for column in outcomes):
        lines.append("      missing: available  # each outcome's own people; common: the people who have every outcome")
    proposal.files[f"config/evaluations/{name}.yaml"] = "\n".join(lines) + "\n"
    return proposal


def _other_columns(profile: FileProfile, roles: _Roles) -> tuple[list[ColumnProfile], ...]:
    """Return the columns without a role in the design: outcomes, other numbers, columns of codes, and those that are not used.

    Raises
    ------
    UserError
        When none can be an outcome.
    """
    rest = [c for c in profile.columns if c not in roles.used()]
    numbers = [c for c in rest if _is_measured(c)]
    outcomes = [c for c in numbers if not is_baseline_name(c.name)][:MOST_OUTCOMES] or numbers[:MOST_OUTCOMES]
    if not outcomes:
        raise UserError(
            f"{profile.file}: no column of numbers is left that could be an outcome. Name the arm (`--arm COLUMN`), or check the file."
        )
    # Further columns that may be outcomes are left out: a control that was measured after assignment biases every effect.
    numeric = [c for c in numbers if c not in outcomes and is_baseline_name(c.name)]
    coded = [c for c in _columns_of_codes(rest) if c not in roles.other_strata]
    named = [*roles.used(), *roles.other_strata, *outcomes, *numeric, *coded]
    return outcomes, numeric, coded, [c for c in profile.columns if c not in named]


def _is_measured(column: ColumnProfile) -> bool:
    """Return whether a column holds measurements: numbers that differ, but no ids, and no integers that differ in every row, which number the rows."""
    return column.distinct > 1 and (
        column.kind == "number"
        or (column.kind == "integer" and not column.is_unique and not is_surely_id_name(column.name))
    )


def _columns_of_codes(columns: Iterable[ColumnProfile]) -> list[ColumnProfile]:
    """Return the columns of text that hold few different codes."""
    return [column for column in columns if column.kind == "text" and column.codes]


def propose_panel(name: str, data: str, profile: FileProfile, *, arm: str | None, unit: Unit | None) -> Proposal:
    """Propose an evaluation of a file with one row per person and period; parameters as `propose_person_table`.

    Raises
    ------
    UserError
        When no columns identify a person and a period, or no column changes over time.
    """
    proposal = Proposal()
    panel = _panel_columns(profile)
    unit = unit or ("week" if re.search("week|uke", panel.period.name, re.IGNORECASE) else "month")
    roles = _roles(profile, panel.person_id, arm, among=panel.fixed, rows=panel.first_rows)
    used = [*roles.used(), *roles.other_strata, *([panel.drawn] if panel.drawn is not None else [])]
    rest = [c for c in panel.fixed if c not in used]
    people = f"{profile.file} ({profile.rows:,} rows, {len(panel.first_rows):,} people)"
    lines = head(name, "panel", data, proposal, made_from=people)
    lines += ["panel:", *_file_lines(profile), f"  person_id: {scalar(panel.person_id.name)}"]
    lines += _period_lines(panel, profile, unit, proposal)
    lines += _design_lines(roles, proposal)
    state_names = _named(panel.states[:MOST_OUTCOMES], taken=TAKEN)
    numeric = [c for c in rest if c.kind in ("integer", "number")]
    covariate_names = _named(numeric, taken=(*TAKEN, *state_names, *(c.inside for c in roles.strata)))
    lines += ["  states:  # what varies over time", *(f"    {k}: {scalar(c.name)}" for k, c in state_names.items())]
    lines += _named_covariates(covariate_names, "the same in all rows of a person")
    low, high = panel.reach()
    question = proposal.ask(f"Is the panel by month or by week? `{unit}` is a guess (`--clock`).")
    lines += ["", f"clocks: {{{unit}: {{first: {low}, last: {high}}}}}  {question}", ""]
    lines += arm_lines(roles.arm, proposal)
    coded = _columns_of_codes(rest)
    indicators = dict(_indicators(coded, taken=(*TAKEN, *state_names, *covariate_names)))
    controls = [*covariate_names, *indicators]
    shown = list(state_names)[:3]
    lines += _exhibits(name, balance=bool(controls), more=(f"{name}_over_time",))
    lines += [*_covariate_lines(indicators), *outcome_lines(name, shown, unit, max(low, min(1, high)), high)]
    lines += specification_lines(f"{name}_main", controls[:MOST_CONTROLS], cluster=roles.cluster is not None)
    lines += _exhibit_lines(name, controls)
    lines += time_exhibit_lines(name, shown, unit, arm_names(roles.arm))
    proposal.files[f"config/evaluations/{name}.yaml"] = "\n".join(lines) + "\n"
    return proposal


@dataclass(frozen=True)
class _PanelColumns:
    """The columns of a panel: its keys, those that are the same in all rows of a person, and the numbers that vary."""

    person_id: ColumnProfile
    period: ColumnProfile
    fixed: Sequence[ColumnProfile]
    states: Sequence[ColumnProfile]
    first_rows: np.ndarray

    @property
    def drawn(self) -> ColumnProfile | None:
        """The date of assignment, if there is a date for each person."""
        return next((column for column in self.fixed if column.kind == "date"), None)

    def reach(self) -> tuple[int, int]:
        """Return the first and the last period; a year from assignment where periods are dates."""
        if self.period.kind == "date":
            return 0, 12
        values = self.period.column.numbers().to_numpy()
        return int(values.min()), int(values.max())


def _panel_columns(profile: FileProfile) -> _PanelColumns:
    """Sort the columns of a panel.

    Raises
    ------
    UserError
        When no column of numbers changes within people.
    """
    person_id, period = _keys(profile)
    index = person_id.column.index
    first = np.unique(index, return_index=True)[1]
    others = [column for column in profile.columns if column not in (person_id, period)]
    fixed = [column for column in others if _is_fixed(column, index, first)]
    states = [column for column in others if column not in fixed and column.kind in ("integer", "number")]
    if not states:
        raise UserError(
            f"{profile.file}: no column of numbers changes within people, so there is no state to follow over time."
        )
    return _PanelColumns(person_id, period, fixed, states, first)


def _period_lines(panel: _PanelColumns, profile: FileProfile, unit: Unit, proposal: Proposal) -> list[str]:
    """Return the lines on periods: a date and that of assignment, or the time since assignment.

    Raises
    ------
    UserError
        When periods are dates and no column has the date of assignment.
    """
    line = f"  period: {scalar(panel.period.name)}"
    if panel.period.kind != "date":
        question = f"Is 0 in '{panel.period.name}' the {unit} of assignment? If not, derive a column (`derive`)."
        return [f"{line}  {proposal.ask(question)}"]
    if panel.drawn is None:
        raise UserError(
            f"{profile.file}: the column '{panel.period.name}' holds dates, and no other column has one date for each person, so time since "
            f"assignment is not known. Add the date of assignment, or {unit}s since it (0 is the {unit} of assignment)."
        )
    return [
        f"{line}  # a date, from which event time is counted since draw_date",
        f"  draw_date: {scalar(panel.drawn.name)}",
    ]


def _named_covariates(names: Mapping[str, ColumnProfile], remark: str) -> list[str]:
    """Return the lines of covariates by the names that the program accepts; none without covariates."""
    lines = [f"    {inside}: {scalar(column.name)}" for inside, column in names.items()]
    return [f"  covariates:  # {remark}", *lines] if lines else []


def outcome_lines(name: str, states: Sequence[str], unit: Unit, first: int, last: int) -> list[str]:
    """Return an outcome for each state: its mean over the periods after assignment."""
    lines = ["  outcomes:"]
    for state in states:
        words = f"{state.replace('_', ' ').capitalize()}, {unit}s {first} to {last}"
        lines += [
            f"    {name[:20]}_{state[:15]}:",
            f"      label: {label(words)}",
            f"      description: {scalar(f'Mean of {state} over {unit}s {first} to {last}')}",
            "      kind: mean_over  # or sum_over, value_at, any_in, ... (docs/outcome_kinds.md)",
            f"      state: {state}",
            f"      clock: {unit}",
            f"      window: [{first}, {last}]",
            f"      unit: {label('mean', 'gjennomsnitt')}",
        ]
    return lines


def time_exhibit_lines(name: str, states: Sequence[str], unit: Unit, arms: Sequence[str]) -> list[str]:
    """Return a table of the outcomes of `outcome_lines` and a figure of the first state over time, for the first treated arm."""
    columns = flow_map({state[:30]: f"{name[:20]}_{state[:15]}" for state in states})
    lines = [
        f"    {name}_effects:",
        "      kind: itt",
        f"      title: {label('Effects of assignment', 'Virkninger av trekningen')}",
        f"      columns: {columns}",
        f"      specifications: [{name}_main]",
        f"    {name}_over_time:",
        "      kind: effects",
        f"      title: {label(f'Effects by {unit}')}",
        f"      states: [{states[0]}]",
        f"      clock: {unit}",
        f"      specification: {name}_main",
    ]
    if len(arms) > 1:
        lines.append(f"      arm: {arms[0]}  # such a figure shows one arm; others: {', '.join(arms[1:])}")
    return lines


def _roles(
    profile: FileProfile,
    person_id: ColumnProfile | None,
    arm: str | None,
    *,
    among: Sequence[ColumnProfile] | None = None,
    rows: np.ndarray | None = None,
    gaps: bool = False,
) -> _Roles:
    """Guess the design from the columns that belong to people."""
    columns = [column for column in among or profile.columns if column is not person_id]
    guess = guess_arm(columns, named=arm, file=profile.file, gaps=gaps)
    if guess is None:
        without = "" if gaps else " and no gaps"
        raise UserError(
            f"{profile.file}: no column can be the arm: none has a few codes{without}. Check the file, or make a column that says the "
            "arm of each person."
        )
    strata, others = guess_strata(columns, guess.column, rows)
    return _Roles(
        person_id=person_id,
        arm=guess,
        strata=strata,
        other_strata=others,
        cluster=guess_cluster([c for c in columns if c not in strata], guess.column, rows),
        weight=guess_weight(columns),
        take_up=guess_take_up(columns, guess.column),
    )


def _file_lines(profile: FileProfile) -> list[str]:
    return [f"  file: {scalar(profile.file)}", *(f"  {key}: {_quoted(value)}" for key, value in profile.form.items())]


def _quoted(value: str) -> str:
    return {"\t": '"\\t"'}.get(value, f'"{value}"')


def _design_lines(roles: _Roles, proposal: Proposal) -> list[str]:
    arm = roles.arm.column
    lines = [f"  treated: {scalar(arm.name)}"]
    if roles.arm.rivals:
        others = ", ".join(f"'{name}'" for name in roles.arm.rivals)
        lines[0] += "  " + proposal.ask(
            f"Is the arm in '{arm.name}'? Called like one as well: {others} (`--arm COLUMN`)."
        )
    if not arm.is_complete:
        question = proposal.ask(
            f"Some rows have no value of '{arm.name}': were these people not assigned? Then they are left out."
        )
        codes = ", ".join(f'"{code}"' for code in arm.codes)
        lines.append(f"  keep: [{{column: {scalar(arm.name)}, in: [{codes}]}}]  {question}")
    strata = proposal.ask(
        "Within which groups was assignment random? They are the strata; leave the list empty if there are none."
    )
    lines.append(f"  strata: {flow_list(column.name for column in roles.strata)}  {strata}")
    if roles.other_strata:
        lines.append(f"  # Other columns of few codes: {', '.join(column.name for column in roles.other_strata)}")
    if roles.cluster is not None:
        question = proposal.ask(
            f"Were groups assigned, and not people? In '{roles.cluster.name}' each group has one arm; if so, keep `cluster`, else remove it."
        )
        lines.append(f"  cluster: {scalar(roles.cluster.name)}  {question}")
    if roles.weight is not None:
        question = proposal.ask(f"Are the values of '{roles.weight.name}' probability weights? Else remove `weights`.")
        lines.append(f"  weights: {scalar(roles.weight.name)}  {question}")
    if roles.take_up is not None:
        lines.append(
            f"  take_up: {scalar(roles.take_up.name)}  # 1 for those who took part; used by the exhibit kind `late`"
        )
    return lines


def _named(columns: Iterable[ColumnProfile], *, taken: Iterable[str]) -> dict[str, ColumnProfile]:
    """Return columns by names that are free."""
    used, named = set(taken), {}
    for column in columns:
        inside = column.inside if column.inside not in used else f"base_{column.inside}"[:38]
        while inside in used:
            inside += "_2"
        used.add(inside)
        named[inside] = column
    return named


def _indicators(columns: Iterable[ColumnProfile], *, taken: Iterable[str]) -> Iterable[tuple[str, tuple[str, str]]]:
    """Yield a covariate of 0 and 1 for each frequent code of text columns but the first."""
    used = set(taken)
    for column in columns:
        codes = column.column.codes().value_counts()
        for code in [code for code in column.codes if codes[code] >= FEWEST_ROWS_OF_CODE][1:4]:
            inside = f"{column.inside[:24]}_{scalar(code).strip(chr(34)).lower()[:10]}"
            inside = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in inside)
            if inside not in used:
                used.add(inside)
                yield inside, (column.name, code)


def _covariate_lines(indicators: dict[str, tuple[str, str]]) -> list[str]:
    lines = ["definitions:"]
    if indicators:
        lines.append("  covariates:")
        for inside, (column, code) in indicators.items():
            entry = {
                "kind": "column",
                "column": scalar(column),
                "equals": f'["{code}"]',
                "label": label(f"{column} {code}"),
            }
            lines.append(f"    {inside}: {flow_map(entry)}")
    return lines


def _exhibits(name: str, *, balance: bool, more: Sequence[str] = ()) -> list[str]:
    names = [f"{name}_flow", *([f"{name}_balance"] if balance else []), f"{name}_effects", *more]
    return [f"exhibits: [{', '.join(names)}]  # `refino-eval exhibits` lists the kinds", ""]


def _exhibit_lines(name: str, controls: Sequence[str]) -> list[str]:
    lines = [
        "  exhibits:",
        f"    {name}_flow: {{kind: flow, title: {label('Flow of people', 'Fra trukket til analysert')}}}",
    ]
    if controls:
        lines += [
            f"    {name}_balance:",
            "      kind: balance",
            f"      title: {label('Balance at assignment', 'Balanse ved trekningen')}",
            f"      covariates: [{', '.join(controls)}]",
        ]
    return lines


def _keys(profile: FileProfile) -> tuple[ColumnProfile, ColumnProfile]:
    """Return the columns that together identify the rows of a panel."""
    periods = [
        c
        for c in profile.columns
        if c.is_complete and c.kind in ("date", "integer") and 1 < c.distinct <= profile.rows // 2
    ]
    ids = [
        c for c in profile.columns if c.is_complete and c.kind in ("integer", "text") and 1 < c.distinct < profile.rows
    ]
    ids.sort(key=lambda c: (is_period_name(c.name), not is_id_name(c.name), -c.distinct))
    periods.sort(key=lambda c: not is_period_name(c.name))
    for person in ids:
        for period in periods:
            if period is person or person.distinct <= 2:
                continue
            pairs = person.column.index * (len(period.column.values) + 1) + period.column.index
            if len(np.unique(pairs)) == profile.rows:
                return person, period
    raise UserError(
        f"{profile.file}: no two columns identify the rows as a person's id and a period would. A panel has one row for each person and "
        "month (or week): check for repeated rows and missing ids."
    )


def _is_fixed(column: ColumnProfile, people: np.ndarray, first: np.ndarray) -> bool:
    """Return whether a column is the same in all rows of each person."""
    own = np.full(int(people.max()) + 1, -1)
    own[people[first]] = column.column.index[first]
    return bool((column.column.index == own[people]).all())


def month_bounds(column: ColumnProfile, form: str) -> tuple[str, str]:
    """Return the first day of the first month and the last day of the last month of a column of dates: nobody's own day."""
    days = days_of(column, form)
    days = days[~np.isnat(days)]
    low = days.min().astype("datetime64[M]")
    high = days.max().astype("datetime64[M]") + 1
    return str(low.astype("datetime64[D]")), str(high.astype("datetime64[D]") - 1)
