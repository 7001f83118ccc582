"""`refino-eval outcomes try`: one definition on the evaluation's people, before it is used in any table.

Nothing is kept unless asked for. What is printed is about groups; on confidential data nothing is shown about a group of
fewer than `SMALLEST` people, nor what would reveal it by subtraction.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from refino_eval.catalogue.example_results import ExampleResults, run_examples
from refino_eval.catalogue.references import periods_of, registers_of, sentence_of, span_text, states_of
from refino_eval.checksums import require_as_written
from refino_eval.cli.outcomes import ascii_plots
from refino_eval.cli.output import drawable, make_for, table_lines, width
from refino_eval.config import dependencies
from refino_eval.config.definitions import Outcome
from refino_eval.config.load import Configuration
from refino_eval.errors import UserError, nearest, raise_problems
from refino_eval.workflow_job import PERSON_LEVEL, person_level_folder

SMALLEST = 10
"""People in the smallest group that is shown on confidential data."""

HIDDEN = f"<{SMALLEST}"
NOT_SHOWN = "·"
SAMPLE = "sample_analysed"


@dataclass(frozen=True)
class Guard:
    """What may be printed: everything, or on confidential data nothing about fewer than `SMALLEST` people."""

    confidential: bool

    def small(self, count: int) -> bool:
        """Return whether a count is too small to disclose (zero is allowed)."""
        return self.confidential and 0 < count < SMALLEST

    def count(self, count: int) -> str:
        """Return a number of people as text."""
        return HIDDEN if self.small(count) else f"{count:,}"

    def hides(self, values: Any) -> bool:
        """Return whether a mean of these values discloses too few people: a small group, or a few who differ in a large one."""
        if self.small(len(values)):
            return True
        distinct = np.unique(values)
        if len(distinct) > 2:
            return False
        return any(self.small(int((values == value).sum())) for value in distinct)


@dataclass(frozen=True)
class Tried:
    """The values of an outcome, with arm and year of assignment of the same people."""

    person_id: Any
    values: Any
    arm: Any
    year: Any


def try_outcome(configuration: Configuration, name: str, *, person_file: Path | None = None) -> Iterator[str]:
    """Compute one outcome for the evaluation's people and yield what it gives.

    Parameters
    ----------
    configuration
        The evaluation; the outcome need not be in its exhibits.
    name
        The outcome.
    person_file
        Parquet file to write with `person_id` and `value`; None writes nothing.

    Yields
    ------
    str
        Lines: the definition, the origin of the values, examples, values by arm and year of assignment, the most similar
        other outcome, and a chart of the state by event time.

    Raises
    ------
    UserError
        For an unknown outcome, an evaluation without spells, a missing run, or an invalid definition.
    """
    outcome = find_outcome(configuration, name)
    study, definitions = configuration.evaluation, configuration.definitions
    if study.entry != "spells":
        raise UserError(
            f"The evaluation '{study.name}' reads a file made elsewhere, and worked examples and years are of registers. Run the evaluation instead. "
            "Choose an evaluation of spells: --evaluation NAME."
        )
    guard = Guard(study.data_class == "confidential")
    target = _permitted(configuration, person_file, guard) if person_file is not None else None
    yield f"{name}: {sentence_of(outcome, definitions, 'en')}"
    results = run_examples(
        [("outcomes", name)], definitions, configuration.sources, codelists=configuration.root / "config" / "codelists"
    )["outcomes", name]
    person_level = _person_level(configuration, name)
    # A hidden name marks a draft: what a killed process leaves is removed when the evaluation is next run.
    with tempfile.TemporaryDirectory(prefix=".try_", dir=person_level) as folder:
        panel, origin = _panel(configuration, name, outcome, Path(folder))
        yield origin
        yield from _example_lines(results)
        tried = _values(configuration, {name: outcome}, panel)
        yield from _by_arm(configuration, tried, guard)
        yield from _by_year(configuration, tried, guard)
        yield from _similar_lines(configuration, name, outcome, tried, guard)
        yield from _chart(configuration, outcome, panel, guard)
        if target is not None:
            from refino_eval.outcomes.build import derive_outcomes

            derive_outcomes(panel, {name: outcome}, out_paths={name: target}, definitions=definitions)
            target.chmod(0o600)
            yield f"\nPerson-level values written to {person_file}, readable by you alone; keep them with the registers."


def find_outcome(configuration: Configuration, name: str) -> Outcome:
    """Return an outcome, or raise a user error with the nearest name."""
    outcomes = configuration.definitions.outcomes
    if name not in outcomes:
        raise UserError(f"No outcome '{name[:80]}'.{nearest(name[:80], outcomes)}")
    return outcomes[name]


def _permitted(configuration: Configuration, path: Path, guard: Guard) -> Path:
    """Return the file for person-level values; confidential ones may only be written among person-level results."""
    make_for("--person-file", path, path.parent)
    if path.is_dir():
        raise UserError(f"--person-file {path}: this is a folder. Name a file in it.")
    home = (configuration.root / configuration.results_folder / PERSON_LEVEL).resolve()
    if guard.confidential and home not in path.resolve().parents:
        folder = (configuration.results_folder / PERSON_LEVEL).as_posix()
        raise UserError(
            f"--person-file {path}: the data are confidential, so values of single people may only be written in {folder}/. "
            "Name a file there."
        )
    return path


def _person_level(configuration: Configuration, name: str) -> Path:
    """Return the folder of person-level results, with a cohort in it."""
    results = configuration.results_folder
    if not (configuration.root / results / PERSON_LEVEL / "cohort.parquet").is_file():
        raise UserError(
            f"{results.as_posix()}/{PERSON_LEVEL} has no cohort yet on which to compute '{name}'. "
            f"Run first: refino-eval run --evaluation {configuration.evaluation.name} --until outcomes"
        )
    require_as_written(results, f"{PERSON_LEVEL}/cohort", f"{PERSON_LEVEL}/panel", f"{PERSON_LEVEL}/clean")
    return person_level_folder(configuration.root / results)


def _panel(configuration: Configuration, name: str, outcome: Outcome, folder: Path) -> tuple[Path, str]:
    """Return a panel with the states that the outcome reads, that of the run or a temporary one, and its origin."""
    import pyarrow.parquet as pq

    states, unit = list(states_of(outcome, configuration.definitions)), outcome.clock
    _check_definition(configuration, name, outcome, states)
    panel = configuration.root / configuration.results_folder / PERSON_LEVEL / f"panel_{unit}.parquet"
    reason = "it has not been made yet"
    if panel.is_file():
        columns = [column for column in pq.read_schema(panel).names if column not in ("person_id", "event_time")]
        missing = [state for state in states if state not in columns]
        if not missing and _is_current(configuration, unit, columns):
            shown = (configuration.results_folder / PERSON_LEVEL).as_posix()
            return panel, f"Values from {shown}/panel_{unit}.parquet."
        reason = (
            f"it lacks {', '.join(missing)}" if missing else "states, or the program, have changed since it was made"
        )
    temporary = folder / "panel.parquet"
    _derive(configuration, unit, states, temporary)
    return temporary, f"Not from the panel of the run ({reason}): computed from clean registers and then deleted."


def _check_definition(configuration: Configuration, name: str, outcome: Outcome, states: Sequence[str]) -> None:
    """Raise a user error if the outcome reads a clock, periods or states that the evaluation does not have."""
    study, definitions, unit = configuration.evaluation, configuration.definitions, outcome.clock
    clock = study.clocks.get(unit)
    if clock is None:
        raise UserError(
            f"The outcome '{name}' is measured by {unit}, and the evaluation '{study.name}' has no clock by {unit}. "
            f"Add clocks.{unit}."
        )
    times = periods_of(outcome)
    if times[0] < clock.first or times[-1] > clock.last:
        raise UserError(
            f"The outcome '{name}' reads event {unit}s {times[0]} to {times[-1]}, outside the clock of the evaluation "
            f"'{study.name}' ({clock.first} to {clock.last}). Change the window or clocks.{unit}."
        )
    unknown = [state for state in states if state not in definitions.states]
    raise_problems(
        [f"The outcome '{name}' reads an unknown state '{s}'.{nearest(s, definitions.states)}" for s in unknown]
    )


def _is_current(configuration: Configuration, unit: Any, columns: Sequence[str]) -> bool:
    """Return whether the panel of the run has the present definitions of states: whether its query would be the same."""
    from refino_eval.months.panel_plan import plan_panel
    from refino_eval.months.panel_sql import panel_sql

    query = configuration.root / configuration.results_folder / "run" / f"panel_{unit}.sql"
    if not query.is_file():
        return False
    clock = configuration.evaluation.clocks[unit]
    try:
        plan = plan_panel(
            configuration.definitions,
            configuration.sources,
            unit=unit,
            first=clock.first,
            last=clock.last,
            states=columns,
        )
    except UserError:
        return False
    return panel_sql(plan) == query.read_text(encoding="utf-8")


def _derive(configuration: Configuration, unit: Any, states: Sequence[str], out_path: Path) -> None:
    from refino_eval.codes.prices import load_indices
    from refino_eval.months.engine import derive_panel

    definitions, study = configuration.definitions, configuration.evaluation
    person_level = configuration.root / configuration.results_folder / PERSON_LEVEL
    needed = dependencies.needed_states(definitions, list(states))
    entries = {name: definitions.states[name] for name in needed}
    registers = dict.fromkeys(register for entry in entries.values() for register in registers_of(entry, definitions))
    clean = {register: person_level / "clean" / f"{register}.parquet" for register in registers}
    raise_problems(
        [
            f"The state reads the register '{register}', which is not in {configuration.results_folder.as_posix()}/"
            f"{PERSON_LEVEL}/clean. Add it to the evaluation's sources and run: "
            f"refino-eval run --evaluation {study.name} --until outcomes"
            for register, path in clean.items()
            if not path.is_file()
        ]
    )
    clock = study.clocks[unit]
    derive_panel(
        definitions,
        configuration.sources,
        load_indices(entries, configuration.root / "config" / "codelists"),
        clock_unit=unit,
        first=clock.first,
        last=clock.last,
        states=list(states),
        cohort_path=person_level / "cohort.parquet",
        clean_paths=clean,
        out_path=out_path,
    )


def _values(configuration: Configuration, outcomes: Mapping[str, Outcome], panel: Path) -> Tried:
    """Return outcomes of the analysed people, one column each, with their arm and year of assignment."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from refino_eval.outcomes.build import derive_outcomes

    table = derive_outcomes(panel, outcomes, threads=2, definitions=configuration.definitions)
    path = configuration.root / configuration.results_folder / PERSON_LEVEL / "cohort.parquet"
    sampled = SAMPLE in pq.read_schema(path).names
    cohort = pq.read_table(path, columns=["person_id", "arm", "draw_date", *([SAMPLE] if sampled else [])])
    if sampled:
        cohort = cohort.filter(pc.fill_null(cohort[SAMPLE], False))
    position = pc.index_in(cohort["person_id"], value_set=table["person_id"].combine_chunks())
    columns = [
        table[name].combine_chunks().take(position.combine_chunks()).to_numpy(zero_copy_only=False) for name in outcomes
    ]
    return Tried(
        person_id=cohort["person_id"].to_numpy(zero_copy_only=False),
        values=np.column_stack(columns).astype(float),
        arm=cohort["arm"].to_numpy(zero_copy_only=False),
        year=pc.year(cohort["draw_date"]).to_numpy(zero_copy_only=False),
    )


def _example_lines(results: ExampleResults) -> Iterator[str]:
    total = len(results.problems)
    if not results.run:
        yield f"Examples: {total}, not run, since one of their registers is not among the evaluation's sources."
    elif not total:
        yield "Examples: none. Add at least one that counts, one zero, one at the boundary and one missing."
    else:
        yield f"Examples: {total - results.wrong} of {total} give the expected value."
        yield from (f"  - {problem}" for problem in results.problems if problem)


def _arms(configuration: Configuration) -> list[tuple[str, str]]:
    arms = configuration.evaluation.arms
    return [(arm.name, arm.label.en) for arm in arms.everyone]


def _by_arm(configuration: Configuration, tried: Tried, guard: Guard) -> Iterator[str]:
    values = tried.values[:, 0]
    observed = ~np.isnan(values)
    statistic = "share" if set(np.unique(values[observed])) <= {0.0, 1.0} else "mean"
    rows = []
    for name, label in [("", "Everybody"), *_arms(configuration)]:
        inside = np.ones(len(values), dtype=bool) if not name else tried.arm == name
        known = values[inside & observed]
        is_shown = len(known) > 0 and not guard.hides(known)
        rows.append(
            [
                label,
                guard.count(int(inside.sum())),
                guard.count(int((inside & ~observed).sum())),
                f"{known.mean():.4f}" if is_shown else NOT_SHOWN,
                f"{known.std(ddof=1):.4f}" if is_shown and len(known) > 1 else NOT_SHOWN,
            ]
        )
    if guard.confidential and any(row[3] == NOT_SHOWN for row in rows[1:]):
        # Everybody's mean and one arm's would reveal the other arm's.
        rows[0][3:] = [NOT_SHOWN, NOT_SHOWN]
    yield ""
    yield from table_lines(["By arm", "people", "missing", statistic, "sd"], rows, right=(1, 2, 3, 4))


def _by_year(configuration: Configuration, tried: Tried, guard: Guard) -> Iterator[str]:
    values = tried.values[:, 0]
    arms = _arms(configuration)
    years = [int(year) for year in np.unique(tried.year)]
    groups = {
        (year, name): values[(tried.year == year) & (tried.arm == name) & ~np.isnan(values)]
        for year in years
        for name, _ in arms
    }
    hidden = hidden_cells(groups, years, [name for name, _ in arms], guard)
    rows = []
    for year in years:
        row = [str(year)]
        for name, _ in arms:
            group = groups[year, name]
            if (year, name) in hidden:
                row += [NOT_SHOWN, NOT_SHOWN]
            else:
                row += [f"{len(group):,}", f"{group.mean():.4f}" if len(group) else NOT_SHOWN]
        rows.append(row)
    head = ["By year"]
    for _, label in arms:
        head += [f"{label}: n", "mean"]
    yield ""
    yield from table_lines(head, rows, right=tuple(range(1, len(head))))


def hidden_cells(
    groups: Mapping[tuple[int, str], Any], years: Sequence[int], arms: Sequence[str], guard: Guard
) -> set[tuple[int, str]]:
    """Return the cells of year x arm that are not shown.

    Those of few people; and where an arm has only one such year, its next smallest year as well, since the arm's total is
    shown above and would reveal it.
    """
    hidden = {key for key, values in groups.items() if len(values) and guard.hides(values)}
    for arm in arms:
        column = [(year, arm) for year in years if len(groups[year, arm])]
        few = [key for key in column if key in hidden]
        if len(few) == 1 and len(column) > 1:
            hidden.add(min((key for key in column if key not in hidden), key=lambda key: len(groups[key])))
    return hidden


def _similar_lines(
    configuration: Configuration, name: str, outcome: Outcome, tried: Tried, guard: Guard
) -> Iterator[str]:
    similar = most_similar(configuration, name, outcome, tried)
    yield ""
    if similar is None:
        yield "Most similar outcome: none can be computed from the panel of the run."
        return
    other, correlation, differing, people = similar
    label = configuration.definitions.outcomes[other].label.en
    yield f"Most similar outcome: {other} ({label})"
    same = configuration.definitions.outcomes[other].unit == outcome.unit
    if same and differing == 0:
        yield f"  the same value for all of {guard.count(people)} people; is a second definition needed?"
        return
    few = guard.small(differing) or guard.small(people - differing)
    share = (
        f"fewer than {SMALLEST} people, or for all but fewer,"
        if few
        else f"{differing / people:.1%} of {people:,} people"
    )
    how = "they differ" if same else "one is zero and the other is not"
    yield f"  correlation {correlation:.3f}; {how} for {share}"


def most_similar(
    configuration: Configuration, name: str, outcome: Outcome, tried: Tried
) -> tuple[str, float, int, int] | None:
    """Return the existing outcome most correlated with the one tried.

    Returns
    -------
    tuple or None
        Its name, the correlation, the number of people for whom the two differ (in whether they are zero, if their units
        differ; a value missing in one of them counts), and the number of people compared. None if nothing varies, or no
        other outcome can be computed from the run's panel.
    """
    import pyarrow.parquet as pq

    panel = configuration.root / configuration.results_folder / PERSON_LEVEL / f"panel_{outcome.clock}.parquet"
    if not panel.is_file():
        return None
    columns = set(pq.read_schema(panel).names)
    clock = configuration.evaluation.clocks[outcome.clock]
    others = {
        key: entry
        for key, entry in configuration.definitions.outcomes.items()
        if key != name
        and entry.clock == outcome.clock
        and set(states_of(entry, configuration.definitions)) <= columns
        and clock.first <= periods_of(entry)[0]
        and periods_of(entry)[-1] <= clock.last
    }
    if not others:
        return None
    own = tried.values[:, 0]
    ranked = []
    for key, others_values in _computable(configuration, others, panel):
        both = ~np.isnan(own) & ~np.isnan(others_values)
        if both.sum() < 2 or np.ptp(own[both]) == 0 or np.ptp(others_values[both]) == 0:
            continue
        correlation = float(np.corrcoef(own[both], others_values[both])[0, 1])
        either = ~np.isnan(own) | ~np.isnan(others_values)
        # Values in different units can only be compared by whether they are zero.
        same_unit = others[key].unit == outcome.unit
        left, right = (own, others_values) if same_unit else (_is_nonzero(own), _is_nonzero(others_values))
        differ = either & ~np.isclose(left, right, rtol=1e-9, atol=1e-9)
        ranked.append((-round(abs(correlation), 9), int(differ.sum()), key, correlation, int(either.sum())))
    if not ranked:
        return None
    _, differing, key, correlation, people = min(ranked)
    return key, correlation, differing, people


def _computable(
    configuration: Configuration, outcomes: Mapping[str, Outcome], panel: Path
) -> Iterator[tuple[str, Any]]:
    """Yield outcomes with their values; invalid ones are left out, since they are not the one being tried."""
    try:
        together = _values(configuration, outcomes, panel).values
    except UserError:
        for key, entry in outcomes.items():
            with suppress(UserError):
                yield key, _values(configuration, {key: entry}, panel).values[:, 0]
        return
    yield from zip(outcomes, together.T, strict=True)


def _is_nonzero(values: Any) -> Any:
    return np.where(np.isnan(values), np.nan, (values != 0).astype(float))


def _chart(configuration: Configuration, outcome: Outcome, panel: Path, guard: Guard) -> Iterator[str]:
    """Draw what the outcome reads, its state or expression, by event time and arm."""
    definitions, unit = configuration.definitions, outcome.clock
    clock = configuration.evaluation.clocks[unit]
    times = range(clock.first, clock.last + 1)
    read = {"state": outcome.state} if outcome.state is not None else {"expression": outcome.expression}
    common = {"label": outcome.label, "description": outcome.description, "unit": outcome.unit, "clock": unit}
    by_time = {
        f"at_{number}": Outcome.model_validate({**common, **read, "kind": "value_at", "at": time})
        for number, time in enumerate(times)
    }
    people = _values(configuration, by_time, panel)
    series: dict[str, dict[int, float]] = {}
    for arm, label in _arms(configuration):
        inside = people.values[people.arm == arm]
        observed = [column[~np.isnan(column)] for column in inside.T]
        series[label] = {
            time: float(values.mean())
            for time, values in zip(times, observed, strict=True)
            if len(values) and not guard.hides(values)
        }
    read_label = outcome.expression or f"{definitions.states[str(outcome.state)].label.en} ({outcome.state})"
    yield ""
    yield f"{read_label} by event {unit}; the outcome reads {unit} {span_text(periods_of(outcome))}"
    yield from ascii_plots.chart(series, width=min(width() or 72, 100), plain=not drawable("●┴"))
