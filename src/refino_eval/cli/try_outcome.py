"""`refino-eval outcomes try`: one definition on the people at hand, before it is put into any table.

Nothing is written unless asked for. What is printed is about groups; on confidential data a group of fewer than
`SMALLEST` people is not told, nor what would give it away by subtraction.
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
from refino_eval.cli import ascii_plots
from refino_eval.cli.output import drawn, lines_of, width
from refino_eval.config import checks
from refino_eval.config.definitions import Outcome
from refino_eval.config.load import Configuration
from refino_eval.errors import UserError, nearest

SMALLEST = 10
"""People in the smallest group that is told of on confidential data."""

HIDDEN = f"<{SMALLEST}"
SAMPLE = "sample_analysed"


@dataclass(frozen=True)
class Guard:
    """What may be printed: everything, or on confidential data nothing about fewer than `SMALLEST` people."""

    confidential: bool

    def small(self, count: int) -> bool:
        """Tell whether a number of people may not be told (nobody at all may)."""
        return self.confidential and 0 < count < SMALLEST

    def count(self, count: int) -> str:
        """Write a number of people."""
        return HIDDEN if self.small(count) else f"{count:,}"

    def hides(self, values: Any) -> bool:
        """Tell whether a mean over these values tells of too few: a small group, or the few who differ in a big one."""
        if self.small(len(values)):
            return True
        distinct = np.unique(values)
        if len(distinct) > 2:
            return False
        return any(self.small(int((values == value).sum())) for value in distinct)


@dataclass(frozen=True)
class Tried:
    """An outcome's values beside what is known of the people (same order)."""

    person_id: Any
    values: Any
    arm: Any
    year: Any


def try_outcome(configuration: Configuration, name: str, *, person_file: Path | None = None) -> Iterator[str]:
    """Run one outcome's definition on the evaluation's people and tell what it gives.

    Parameters
    ----------
    configuration
        The evaluation; the outcome need not be among those that it shows.
    name
        The outcome.
    person_file
        Where to write `person_id` and `value` (parquet); None writes nothing.

    Yields
    ------
    str
        Lines: the sentence, where the values come from, examples, values by arm and draw year, the nearest other
        outcome, and a chart of the state by event time.

    Raises
    ------
    UserError
        For an unknown outcome, an evaluation without spells, a run that is not there yet, or a definition at fault.
    """
    outcome = known_outcome(configuration, name)
    study, definitions = configuration.evaluation, configuration.definitions
    if study.entry != "spells":
        raise UserError(
            f"The evaluation '{study.name}' reads its outcomes from a person table, so there is no panel to try a definition on. "
            "Try it in an evaluation of spells: --evaluation NAME."
        )
    guard = Guard(study.data_class == "confidential")
    target = _permitted(configuration, person_file, guard) if person_file is not None else None
    yield f"{name}: {sentence_of(outcome, definitions, 'en')}"
    results = run_examples(
        [("outcomes", name)],
        definitions,
        configuration.sources,
        codelists=configuration.root / "config" / "codelists",
    )["outcomes", name]
    with tempfile.TemporaryDirectory(prefix="refino_eval_try_") as folder:
        panel, told = _panel(configuration, name, outcome, Path(folder))
        yield told
        yield from _example_lines(results)
        tried = _values(configuration, {name: outcome}, panel)
        yield from _by_arm(configuration, tried, guard)
        yield from _by_year(configuration, tried, guard)
        yield from _nearest_told(configuration, name, outcome, tried, guard)
        yield from _chart(configuration, outcome, panel, guard)
        if target is not None:
            from refino_eval.outcomes.build import derive_outcomes

            derive_outcomes(panel, {name: outcome}, out_paths={name: target}, definitions=definitions)
            yield f"\nPerson-level values written to {person_file}: keep the file where the registers are."


def known_outcome(configuration: Configuration, name: str) -> Outcome:
    """Return an outcome, or tell the nearest name."""
    outcomes = configuration.definitions.outcomes
    if name not in outcomes:
        raise UserError(f"There is no outcome '{name}'.{nearest(name, outcomes)}")
    return outcomes[name]


def _permitted(configuration: Configuration, path: Path, guard: Guard) -> Path:
    """Refuse to write confidential values anywhere but among the person-level results."""
    home = (configuration.root / configuration.results_folder / "person_level").resolve()
    if guard.confidential and home not in path.resolve().parents:
        shown = (configuration.results_folder / "person_level").as_posix()
        raise UserError(
            f"--person-file {path}: the data are confidential, and values of single people are written inside {shown}/ only. "
            "Name a file there."
        )
    return path


def _panel(configuration: Configuration, name: str, outcome: Outcome, folder: Path) -> tuple[Path, str]:
    """Return a panel that holds what the outcome reads: that of the run, or one made for the occasion."""
    import pyarrow.parquet as pq

    study, definitions = configuration.evaluation, configuration.definitions
    person_level = configuration.root / configuration.results_folder / "person_level"
    shown = configuration.results_folder.as_posix()
    if not (person_level / "cohort.parquet").is_file():
        raise UserError(
            f"There is no cohort in {shown}/person_level yet to try '{name}' on. "
            f"Run first: refino-eval run --evaluation {study.name} --until outcomes"
        )
    unit = outcome.clock
    clock = study.clocks.get(unit)
    if clock is None:
        raise UserError(
            f"The outcome '{name}' is told by {unit}, and the evaluation '{study.name}' has no clock by {unit}. Add clocks.{unit}."
        )
    times = periods_of(outcome)
    if times[0] < clock.first or times[-1] > clock.last:
        raise UserError(
            f"The outcome '{name}' reads event {unit}s {times[0]} to {times[-1]}, outside the clock of the evaluation "
            f"'{study.name}' ({clock.first} to {clock.last}). Change the window or clocks.{unit}."
        )
    states = list(states_of(outcome, definitions))
    unknown = [state for state in states if state not in definitions.states]
    if unknown:
        raise UserError(
            *(
                f"The outcome '{name}' names no state '{state}'.{nearest(state, definitions.states)}"
                for state in unknown
            )
        )
    panel = person_level / f"panel_{unit}.parquet"
    if panel.is_file():
        held = [column for column in pq.read_schema(panel).names if column not in ("person_id", "event_time")]
        if set(states) <= set(held) and _is_current(configuration, unit, held):
            return panel, f"Values from {shown}/person_level/panel_{unit}.parquet."
        lacking = [state for state in states if state not in held]
        why = (
            f"it lacks {', '.join(lacking)}"
            if lacking
            else "states, or the program, have been changed since it was made"
        )
    else:
        why = "there is none yet"
    made = folder / "panel.parquet"
    _derive(configuration, unit, states, made)
    return made, f"Not from the panel of the run ({why}): made on the fly from clean registers, and thrown away after."


def _is_current(configuration: Configuration, unit: Any, held: Sequence[str]) -> bool:
    """Tell whether the panel of the run was made by the states as they are defined now: its query would be the same."""
    from refino_eval.months.plan import plan_panel
    from refino_eval.months.sql import panel_sql

    query = configuration.root / configuration.results_folder / "run" / f"panel_{unit}.sql"
    if not query.is_file():
        return False
    clock = configuration.evaluation.clocks[unit]
    try:
        plan = plan_panel(
            configuration.definitions, configuration.sources, unit=unit, first=clock.first, last=clock.last, states=held
        )
    except UserError:
        return False
    return panel_sql(plan) == query.read_text(encoding="utf-8")


def _derive(configuration: Configuration, unit: Any, states: Sequence[str], out_path: Path) -> None:
    from refino_eval.codes.prices import load_indices
    from refino_eval.months.engine import derive_panel

    definitions, study = configuration.definitions, configuration.evaluation
    person_level = configuration.root / configuration.results_folder / "person_level"
    needed = checks.needed_states(definitions, list(states))
    entries = {name: definitions.states[name] for name in needed}
    registers = dict.fromkeys(register for entry in entries.values() for register in registers_of(entry, definitions))
    clean = {register: person_level / "clean" / f"{register}.parquet" for register in registers}
    absent = [register for register, path in clean.items() if not path.is_file()]
    if absent:
        raise UserError(
            *(
                f"The state needs the register '{register}', and there is no clean register of that name in "
                f"{configuration.results_folder.as_posix()}/person_level/clean. Add it to the evaluation's sources and run: "
                f"refino-eval run --evaluation {study.name} --until outcomes"
                for register in absent
            )
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
    """Compute outcomes and put arm and draw year beside the values of the analysed people (a column an outcome)."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from refino_eval.outcomes.build import derive_outcomes

    table = derive_outcomes(panel, outcomes, threads=2, definitions=configuration.definitions)
    path = configuration.root / configuration.results_folder / "person_level" / "cohort.parquet"
    sampled = SAMPLE in pq.read_schema(path).names
    cohort = pq.read_table(path, columns=["person_id", "arm", "draw_date", *([SAMPLE] if sampled else [])])
    if sampled:
        cohort = cohort.filter(pc.fill_null(cohort[SAMPLE], False))
    place = pc.index_in(cohort["person_id"], value_set=table["person_id"].combine_chunks())
    columns = [
        table[name].combine_chunks().take(place.combine_chunks()).to_numpy(zero_copy_only=False) for name in outcomes
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
        yield f"Examples: {total}, not run, since a register behind them is not among the evaluation's sources."
    elif not total:
        yield "Examples: none. Add at least one that counts, one zero, one at the boundary and one missing."
    else:
        yield f"Examples: {total - results.wrong} of {total} are correct."
        yield from (f"  - {problem}" for problem in results.problems if problem)


def _arms(configuration: Configuration) -> list[tuple[str, str]]:
    arms = configuration.evaluation.arms
    return [(arm.name, arm.label.en) for arm in arms.everyone]


def _by_arm(configuration: Configuration, tried: Tried, guard: Guard) -> Iterator[str]:
    values = tried.values[:, 0]
    there = ~np.isnan(values)
    kinds = set(np.unique(values[there]))
    what = "share" if kinds <= {0.0, 1.0} else "mean"
    rows = []
    for name, label in [("", "Everybody"), *_arms(configuration)]:
        inside = np.ones(len(values), dtype=bool) if not name else tried.arm == name
        known = values[inside & there]
        shown = len(known) > 0 and not guard.hides(known)
        rows.append(
            [
                label,
                guard.count(int(inside.sum())),
                guard.count(int((inside & ~there).sum())),
                f"{known.mean():.4f}" if shown else "·",
                f"{known.std(ddof=1):.4f}" if shown and len(known) > 1 else "·",
            ]
        )
    if guard.confidential and any("·" in row[3] for row in rows[1:]):
        # With everybody's mean and one arm's, the other arm's would follow.
        rows[0][3:] = ["·", "·"]
    yield ""
    yield from lines_of(["By arm", "people", "missing", what, "sd"], rows, right=(1, 2, 3, 4))


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
                row += ["·", "·"]
            else:
                row += [f"{len(group):,}", f"{group.mean():.4f}" if len(group) else "·"]
        rows.append(row)
    head = ["By draw year"]
    for _, label in arms:
        head += [f"{label}: n", "mean"]
    yield ""
    yield from lines_of(head, rows, right=tuple(range(1, len(head))))


def hidden_cells(
    groups: Mapping[tuple[int, str], Any], years: Sequence[int], arms: Sequence[str], guard: Guard
) -> set[tuple[int, str]]:
    """Return the cells of year x arm that are not told.

    Those of few people; and where an arm has one such year alone, its next smallest year as well, since the arm's
    total stands above and would give the one away.
    """
    hidden = {key for key, values in groups.items() if len(values) and guard.hides(values)}
    for arm in arms:
        column = [(year, arm) for year in years if len(groups[year, arm])]
        lost = [key for key in column if key in hidden]
        if len(lost) == 1 and len(column) > 1:
            hidden.add(min((key for key in column if key not in hidden), key=lambda key: len(groups[key])))
    return hidden


def _nearest_told(
    configuration: Configuration, name: str, outcome: Outcome, tried: Tried, guard: Guard
) -> Iterator[str]:
    found = nearest_outcome(configuration, name, outcome, tried)
    yield ""
    if found is None:
        yield "Nearest other outcome: none can be computed from the panel of the run."
        return
    other, correlation, differing, people = found
    label = configuration.definitions.outcomes[other].label.en
    yield f"Nearest other outcome: {other} ({label})"
    same = configuration.definitions.outcomes[other].unit == outcome.unit
    if same and differing == 0:
        yield f"  the same value for all of {guard.count(people)} people; is a second definition of it needed?"
        return
    few = guard.small(differing) or guard.small(people - differing)
    share = (
        f"fewer than {SMALLEST} people, or all but so few," if few else f"{differing / people:.1%} of {people:,} people"
    )
    how = "the two differ" if same else "one is zero and the other is not"
    yield f"  correlation {correlation:.3f}; {how} for {share}"


def nearest_outcome(
    configuration: Configuration, name: str, outcome: Outcome, tried: Tried
) -> tuple[str, float, int, int] | None:
    """Return the existing outcome most correlated with the one tried.

    Returns
    -------
    tuple or None
        Its name, the correlation, the number of people for whom the two differ (in whether they are zero, when their
        units differ; a value in one of them only counts), and the people compared. None when nothing varies, or no other outcome can be computed from the run's panel.
    """
    import pyarrow.parquet as pq

    person_level = configuration.root / configuration.results_folder / "person_level"
    panel = person_level / f"panel_{outcome.clock}.parquet"
    if not panel.is_file():
        return None
    held = set(pq.read_schema(panel).names)
    clock = configuration.evaluation.clocks[outcome.clock]
    others = {
        key: entry
        for key, entry in configuration.definitions.outcomes.items()
        if key != name
        and entry.clock == outcome.clock
        and set(states_of(entry, configuration.definitions)) <= held
        and clock.first <= periods_of(entry)[0]
        and periods_of(entry)[-1] <= clock.last
    }
    if not others:
        return None
    mine = tried.values[:, 0]
    ranked = []
    for key, theirs in _computable(configuration, others, panel):
        both = ~np.isnan(mine) & ~np.isnan(theirs)
        if both.sum() < 2 or np.ptp(mine[both]) == 0 or np.ptp(theirs[both]) == 0:
            continue
        correlation = float(np.corrcoef(mine[both], theirs[both])[0, 1])
        either = ~np.isnan(mine) | ~np.isnan(theirs)
        # Values in different units can agree on one thing only: whether there is anything at all.
        same_unit = others[key].unit == outcome.unit
        left, right = (mine, theirs) if same_unit else (_whether(mine), _whether(theirs))
        differ = either & ~np.isclose(left, right, rtol=1e-9, atol=1e-9)
        ranked.append((-round(abs(correlation), 9), int(differ.sum()), key, correlation, int(either.sum())))
    if not ranked:
        return None
    _, differing, key, correlation, people = min(ranked)
    return key, correlation, differing, people


def _computable(
    configuration: Configuration, outcomes: Mapping[str, Outcome], panel: Path
) -> Iterator[tuple[str, Any]]:
    """Yield outcomes with their values; one that is at fault is left out, since it is not the one being tried."""
    try:
        together = _values(configuration, outcomes, panel).values
    except UserError:
        for key, entry in outcomes.items():
            with suppress(UserError):
                yield key, _values(configuration, {key: entry}, panel).values[:, 0]
        return
    yield from zip(outcomes, together.T, strict=True)


def _whether(values: Any) -> Any:
    return np.where(np.isnan(values), np.nan, (values != 0).astype(float))


def _chart(configuration: Configuration, outcome: Outcome, panel: Path, guard: Guard) -> Iterator[str]:
    """Draw what the outcome reads, its state or expression, at every event time, an arm each."""
    definitions, unit = configuration.definitions, outcome.clock
    clock = configuration.evaluation.clocks[unit]
    times = range(clock.first, clock.last + 1)
    read = {"state": outcome.state} if outcome.state is not None else {"expression": outcome.expression}
    words = {"label": outcome.label, "description": outcome.description, "unit": outcome.unit, "clock": unit}
    at_each = {
        f"at_{number}": Outcome.model_validate({**words, **read, "kind": "value_at", "at": time})
        for number, time in enumerate(times)
    }
    people = _values(configuration, at_each, panel)
    series: dict[str, dict[int, float]] = {}
    for arm, label in _arms(configuration):
        inside = people.values[people.arm == arm]
        known = [column[~np.isnan(column)] for column in inside.T]
        shown = zip(times, known, strict=True)
        series[label] = {
            time: float(values.mean()) for time, values in shown if len(values) and not guard.hides(values)
        }
    told = outcome.expression or f"{definitions.states[str(outcome.state)].label.en} ({outcome.state})"
    yield ""
    yield f"{told} by event {unit}; the outcome reads {unit} {span_text(periods_of(outcome))}"
    yield from ascii_plots.chart(series, width=min(width() or 72, 100), plain=drawn("●┴", "") == "")
