"""Make a whole delivery: assignment once, then people block by block, then the truth and the planted faults."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from refino_eval.errors import UserError, nearest
from refino_eval.synthetic import benefits as support
from refino_eval.synthetic.assignment import ANALYSED, NOT_DRAWN, Plan, areas_of, make_plan
from refino_eval.synthetic.benefit_effects import with_benefit_effect
from refino_eval.synthetic.calendar import BoolArray, IntArray, first_day, month_number
from refino_eval.synthetic.damaged_lines import damaged_lines
from refino_eval.synthetic.delivery_writer import MARK, DeliveryFile, checksum, whole_folder
from refino_eval.synthetic.employment import (
    Shift,
    World,
    draw_latent,
    first_and_months,
    group_shift,
    make_shift,
    make_world,
    selection_shift,
)
from refino_eval.synthetic.facts import enrolment_rows, fact_tables, series_tables
from refino_eval.synthetic.incomes import income_rows
from refino_eval.synthetic.job_spells import job_rows, wage_rows
from refino_eval.synthetic.population import People, make_people
from refino_eval.synthetic.programmes import NEVER, TakeUp, draw_take_up, entered_rows, programme_rows
from refino_eval.synthetic.recipe import Effects, Mess, Recipe, RegisterFile
from refino_eval.synthetic.register_faults import disorder
from refino_eval.synthetic.register_tables import Table, render
from refino_eval.synthetic.truth import Tally, effects_table, truth_block

DAYS_PER_YEAR = 365.2425
LEAST_PEOPLE = 20
MOST_PEOPLE = 6_000_000
"""Beyond this, job numbers would no longer fit their shuffle (see `tables.SERIAL_PRIME`)."""
STREAMS = {
    name: place
    for place, name in enumerate(
        (
            "people",
            "take_up",
            "programmes",
            "work",
            "rows",
            "benefits",
            "incomes",
            "mess",
            "enrolments",
            "benefit_effects",
        )
    )
}
"""Random streams of a block, apart from each other so that changing one leaves the others as they were."""


@dataclass(frozen=True)
class Manifest:
    """What was made: everything needed to make it again, and to check that it has not changed.

    Attributes
    ----------
    synthetic
        Always true: no row is about a real person.
    recipe, title, seed, people, treated, effects
        The size and effects chosen.
    rows, sha256
        Per file.
    """

    synthetic: bool
    recipe: str
    title: str
    seed: int
    people: int
    treated: int
    effects: str
    rows: dict[str, int]
    sha256: dict[str, str]


@dataclass(frozen=True)
class _Block:
    """A block's people with everything that the registers are made from."""

    number: IntArray
    plan: Plan
    people: People
    take_up: TakeUp
    worlds: tuple[World, World]
    observed: World
    event: IntArray
    draw_column: IntArray


def generate(
    recipe: Recipe,
    folder: Path,
    *,
    people: int | None = None,
    seed: int | None = None,
    effects: str | Effects | None = None,
    mess: Mess | None = None,
    registers: Sequence[str] | None = None,
    format: str | None = None,
) -> Manifest:
    """Write a synthetic delivery with its truth.

    Parameters
    ----------
    recipe
        The study.
    folder
        Folder of the delivery; it appears complete or not at all.
    people
        Number of people analysed; default: the recipe's.
    seed
        Default: the recipe's. The same seed gives the same bytes.
    effects
        Name of one of the recipe's presets, or effects of one's own.
    mess
        Rates of planted faults; default: the recipe's. `Mess()` plants none.
    registers
        Write these only (for benchmarks); default: all.
    format
        "csv", "parquet", "dta" or "sav" writes every register so, under its own name; default: the recipe's forms.

    Returns
    -------
    Manifest
        Also written as `manifest.json`.

    Raises
    ------
    UserError
        For an unknown preset or register, too few people, or a folder with other files.
    """
    folder = Path(folder)
    name, planted = recipe.preset(effects)
    recipe = recipe if mess is None else recipe.model_copy(update={"mess": mess})
    people, seed = people or recipe.people, recipe.seed if seed is None else seed
    forms = _forms(recipe, registers, format)
    if not LEAST_PEOPLE <= people <= MOST_PEOPLE:
        raise UserError(
            f"--people {people:,}: a synthetic delivery has at least {LEAST_PEOPLE} and at most {MOST_PEOPLE:,} people."
        )
    plan = make_plan(recipe, people, seed)
    with whole_folder(folder) as draft:
        (draft / MARK).write_text("Synthetic data: no row is about a real person.\n", encoding="utf-8")
        writer = _Writer(recipe, draft, forms, seed)
        try:
            writer.write("draws", _draw_rows(recipe, plan))
            facts = fact_tables(recipe, plan, seed)
            for register, table in facts.items():
                writer.write(register, table)
            for register, table in series_tables(recipe, seed).items():
                writer.write(register, table)
            for start in range(0, len(plan), recipe.block_people):
                _write_block(recipe, plan, facts, start, planted, writer)
        finally:
            writer.close()
        writer.finish(planted)
        treated = int(plan.treated[plan.kind == ANALYSED].sum())
        manifest = writer.manifest(people=people, treated=treated, effects=name)
        (draft / "delivery.yaml").write_text(_letter(manifest), encoding="utf-8")
        (draft / "manifest.json").write_text(json.dumps(asdict(manifest), indent=2, ensure_ascii=False) + "\n", "utf-8")
        (draft / "README.md").write_text(_readme(manifest), encoding="utf-8")
    return manifest


def _forms(recipe: Recipe, registers: Sequence[str] | None, kind: str | None) -> dict[str, RegisterFile]:
    unknown = [name for name in registers or () if name not in recipe.registers]
    if unknown:
        raise UserError(f"No register '{unknown[0]}' in the recipe.{nearest(unknown[0], recipe.registers)}")
    chosen = {name: form for name, form in recipe.registers.items() if registers is None or name in registers}
    if kind is None:
        return chosen

    def named(file: str | None) -> str | None:
        return None if file is None else str(Path(file).with_suffix(f".{kind}"))

    return {
        name: form.model_copy(update={"format": kind, "file": named(form.file), "corrections": named(form.corrections)})
        for name, form in chosen.items()
    }


class _Writer:
    """The open files of a delivery, and the sums that the truth needs."""

    def __init__(self, recipe: Recipe, folder: Path, forms: dict[str, RegisterFile], seed: int) -> None:
        self.recipe, self.folder, self.forms, self.seed = recipe, folder, forms, seed
        self.tally = Tally()
        self._files: dict[str, DeliveryFile] = {}
        self._planted: dict[str, Counter[str]] = {}
        self._truth: pq.ParquetWriter | None = None

    def writes(self, register: str) -> bool:
        """Return whether the register is written."""
        return register in self.forms

    def write(self, register: str, table: Table, rng: np.random.Generator | None = None) -> None:
        """Append rows to a register, with faults if a generator is given."""
        if not self.writes(register):
            return
        form = self.forms[register]
        if rng is None:
            self._append(form.file, form, table)
            return
        done = disorder(self.recipe, self.recipe.mess, register, table, rng)
        self._planted.setdefault(register, Counter()).update(done.planted)
        table = self._append(form.file, form, done.rows)
        lines, planted = damaged_lines(table, form, self.recipe.mess, rng)
        if lines:
            self._files[form.file].write_lines(lines)
            self._planted[register].update(planted)
        if form.corrections is not None:
            self._append(form.corrections, form, done.corrections)

    def count(self, register: str, kind: str, rows: int) -> None:
        """Count faults that were planted elsewhere."""
        if self.writes(register):
            self._planted.setdefault(register, Counter())[kind] += rows

    def write_truth(self, table: pa.Table) -> None:
        """Append rows to the truth."""
        if self._truth is None:
            self._truth = pq.ParquetWriter(self.folder / "truth.parquet", table.schema, compression="zstd")
        self._truth.write_table(table)

    def close(self) -> None:
        """Close all files."""
        for file in self._files.values():
            file.close()
        if self._truth is not None:
            self._truth.close()

    def finish(self, effects: Effects) -> None:
        """Write the true effects and the counts of planted faults."""
        effects_table(self.recipe, effects, self.tally).to_csv(
            self.folder / "truth_effects.csv", index=False, lineterminator="\n", float_format="%.10g"
        )
        rows = [
            (kind, register, count)
            for register, counts in self._planted.items()
            for kind, count in sorted(counts.items())
        ]
        pd.DataFrame(rows, columns=["kind", "register", "rows"]).sort_values(["register", "kind"]).to_csv(
            self.folder / "planted_mess.csv", index=False, lineterminator="\n"
        )

    def manifest(self, *, people: int, treated: int, effects: str) -> Manifest:
        """Describe what was written."""
        rows = {name: file.rows for name, file in sorted(self._files.items())}
        names = sorted(path.name for path in self.folder.iterdir())
        return Manifest(
            synthetic=True,
            recipe=self.recipe.name,
            title=self.recipe.title,
            seed=self.seed,
            people=people,
            treated=treated,
            effects=effects,
            rows=rows,
            sha256={name: checksum(self.folder / name) for name in names},
        )

    def _append(self, name: str, form: RegisterFile, table: Table) -> pa.Table:
        if name not in self._files:
            self._files[name] = DeliveryFile(self.folder / name, form)
        rendered = render(table, form, self.seed)
        self._files[name].write(rendered)
        return rendered


def _draw_rows(recipe: Recipe, plan: Plan) -> Table:
    """Return the register of draws, sorted by day."""
    drawn = np.flatnonzero(plan.kind != NOT_DRAWN)
    areas = areas_of(recipe)
    words = {
        "county": tuple(area.name for area in areas),
        "office": tuple(office for area in areas for office in area.offices),
        "arm": (recipe.arms.treated.code, recipe.arms.control.code),
    }
    table = Table(
        {
            "person_id": np.concatenate([drawn, plan.again_person]),
            "start": np.concatenate([plan.day[drawn], plan.again_day]),
            "county": np.concatenate([plan.area[drawn], plan.again_area]),
            "office": np.concatenate([plan.office[drawn], plan.again_office]),
            "arm": np.where(np.concatenate([plan.treated[drawn], plan.again_treated]), 0, 1),
        },
        words,
    )
    return table.sorted_by("start", "person_id")


def _rng(seed: int, block: int, stream: str) -> np.random.Generator:
    return np.random.default_rng([seed, 2, block, STREAMS[stream]])


def _write_block(
    recipe: Recipe, plan: Plan, facts: Mapping[str, Table], start: int, effects: Effects, writer: _Writer
) -> None:
    """Make and write one block of people."""
    number = np.arange(start, min(start + recipe.block_people, len(plan)))
    block_number, seed = start // recipe.block_people, writer.seed
    block = _make_block(recipe, plan, facts, number, block_number, effects, seed)
    part, mess = block.plan, _rng(seed, block_number, "mess")
    rows = _rng(seed, block_number, "rows")
    first_month, _ = first_and_months(recipe)
    drawn = part.kind != NOT_DRAWN

    if writer.writes("jobs"):
        writer.write("jobs", job_rows(recipe, block.observed, number, first_month, rows), mess)
    if writer.writes("wages"):
        writer.write("wages", wage_rows(block.observed, number, first_month), mess)
    own = _rng(seed, block_number, "programmes")
    if recipe.entries is not None:
        later = np.clip(block.draw_column + 12, 0, block.observed.main.shape[1] - 1)
        working = block.observed.main[np.arange(len(number)), later] > 0
        programmes = entered_rows(recipe, recipe.entries, part, number, working, own)
    else:
        programmes = programme_rows(recipe, block.take_up, number, part.month, part.day, drawn, part.treated, own)
    no_show = list(recipe.programme_status).index("no_show")
    writer.count("programmes", "no_show", int((programmes.columns["status"] == no_show).sum()))
    writer.write("programmes", programmes, mess)
    _write_people(recipe, block, effects, writer, block_number, mess)
    who = part.kind == ANALYSED
    if who.any():
        _write_truth(recipe, block, who, writer, effects)


def _make_block(
    recipe: Recipe,
    plan: Plan,
    facts: Mapping[str, Table],
    number: IntArray,
    block: int,
    effects: Effects,
    seed: int,
) -> _Block:
    part = _part(plan, number)
    people = make_people(recipe, part.share, _rng(seed, block, "people"), treated=part.treated, hidden=effects.hidden)
    take_up = draw_take_up(recipe, people, _rng(seed, block, "take_up"))
    first_month, months = first_and_months(recipe)
    draw_column = part.month - first_month
    event = np.arange(months)[None, :] - draw_column[:, None]
    latent = draw_latent(recipe, people, event, _rng(seed, block, "work"))
    # Who entered the treated arm differs in both worlds alike; nobody does where people were drawn.
    chosen = _together(
        selection_shift(recipe, event, part.treated),
        group_shift(recipe, event, _traits(recipe, people, part, facts, number), ~part.treated),
    )
    untreated = make_world(recipe, latent, event, first_month, chosen)
    starts = take_up.treated_programme(drawn_treated=True)
    started = (event >= starts[:, None]) & (event > 0) & (part.kind != NOT_DRAWN)[:, None]
    trait = getattr(people, effects.by) if effects.by else np.zeros(len(number), dtype=bool)
    shift = make_shift(recipe, effects, event, started, trait)
    treated = make_world(recipe, latent, event, first_month, _together(shift, chosen))
    observed = _mix(untreated, treated, part.treated & (part.kind != NOT_DRAWN))
    return _Block(number, part, people, take_up, (untreated, treated), observed, event, draw_column)


def _together(first: Shift | None, second: Shift | None) -> Shift | None:
    """Return both shifts, or the one that there is."""
    return second if first is None else first if second is None else first.plus(second)


def _traits(
    recipe: Recipe, people: People, plan: Plan, facts: Mapping[str, Table], number: IntArray
) -> dict[str, npt.NDArray[Any]]:
    """Return what groups of people may be made of: traits, and the codes of facts."""
    if not recipe.work.groups:
        return {}
    codes = np.array([*recipe.persons.diagnosis_codes, ""])
    traits: dict[str, npt.NDArray[Any]] = {
        "female": people.female, "immigrant": people.immigrant, "reduced_capacity": people.reduced_capacity,
        "aap": people.reduced_capacity & False if people.aap is None else people.aap,
        "diagnosis": codes[people.diagnosis], "age": people.age, "treated": plan.treated,
    }  # fmt: skip
    for register, table in facts.items():
        for column, words in table.vocabulary.items():
            traits[f"{register}.{column}"] = np.array(words)[table.columns[column][number]]
    return traits


def _part(plan: Plan, number: IntArray) -> Plan:
    fields = {name: value[number] for name, value in plan.__dict__.items() if not name.startswith("again_")}
    return Plan(**fields, **{name: value for name, value in plan.__dict__.items() if name.startswith("again_")})


def _mix(untreated: World, treated: World, arm: BoolArray) -> World:
    """Return each person's history in the world of the arm assigned to."""
    pairs = ((getattr(untreated, name), getattr(treated, name)) for name in World.__dataclass_fields__)
    return World(*(np.where(arm[:, None], one, zero) for zero, one in pairs))


def _write_people(
    recipe: Recipe, block: _Block, effects: Effects, writer: _Writer, block_number: int, mess: np.random.Generator
) -> None:
    """Write persons, registrations, benefits, diagnoses and incomes."""
    part, people, number = block.plan, block.people, block.number
    rng = _rng(writer.seed, block_number, "benefits")
    first_month, months = first_and_months(recipe)
    birth = part.day - np.floor(people.age * DAYS_PER_YEAR).astype(np.int64)
    town = support.draw_towns(recipe, part.area, rng)
    persons = support.person_rows(recipe, people, number, birth, town)
    writer.write("persons", persons.take(~part.no_demography), mess)
    opening = first_day(first_month + np.arange(months))
    working = support.full_time_from(recipe, block.observed.main, block.event, opening)
    registered = support.registration_rows(recipe, people, number, part.day, working, rng)
    writer.write("registrations", registered, mess)
    benefits = support.benefit_rows(recipe, people, number, part.day, working, rng)
    moved = _rng(writer.seed, block_number, "benefit_effects")
    for benefit, points in effects.benefits.items():
        benefits[benefit] = with_benefit_effect(
            benefits[benefit],
            points,
            base=int(number[0]),
            event=block.event,
            first_month=first_month,
            treated=part.treated & (part.kind != NOT_DRAWN),
            eligible=people.reduced_capacity,
            rng=moved,
        )
    for name, table in benefits.items():
        writer.write(name, table, mess)
    writer.write("diagnoses", support.diagnosis_rows(recipe, people, number, part.day, rng), mess)
    if recipe.enrolments is not None:
        own = _rng(writer.seed, block_number, "enrolments")
        writer.write("education", enrolment_rows(recipe, recipe.enrolments, number, part.day, own), mess)
    if writer.writes("incomes"):
        incomes = income_rows(
            recipe,
            people,
            block.observed,
            benefits,
            number,
            part.day,
            part.no_income_row,
            _rng(writer.seed, block_number, "incomes"),
        )
        writer.write("incomes", incomes, mess)


def _write_truth(recipe: Recipe, block: _Block, who: BoolArray, writer: _Writer, effects: Effects) -> None:
    part, tally = block.plan, writer.tally
    first_month, _ = first_and_months(recipe)
    table, values = truth_block(
        recipe,
        block.worlds,
        block.take_up,
        who,
        block.number,
        part.treated,
        block.draw_column,
        first_month,
        writer.seed,
    )
    writer.write_truth(table)
    start, width = min(month_number(area.first) for area in recipe.areas), 1
    cell = part.area[who]
    if recipe.cells == "area_month":
        width = month_number(recipe.draw_last) - start + 1
        cell = cell * width + part.month[who] - start
    size = len(recipe.areas) * width
    # Whoever entered too late to be followed to the end of a window has no value of its outcome.
    seen = np.isfinite(np.column_stack([y0 for y0, _ in values.values()])).all(axis=1)
    tally.add("n", cell[seen], np.ones(int(seen.sum())), size)
    tally.add("treated", cell[seen], part.treated[who][seen].astype(np.float64), size)
    for name, (y0, y1) in values.items():
        tally.add(f"{name}_y0", cell[seen], y0[seen], size)
        tally.add(f"{name}_y1", cell[seen], y1[seen], size)
    starters = who & (block.take_up.treated_programme(drawn_treated=True) < NEVER)
    trait = getattr(block.people, effects.by)[starters] if effects.by else np.zeros(int(starters.sum()), dtype=bool)
    tally.factor += float(np.where(trait, effects.factor[1], effects.factor[0]).sum())
    tally.starters += len(trait)


def _letter(manifest: Manifest) -> str:
    """Write the delivery letter that a sender would: each file of data with its rows and checksum."""
    files = [
        f"  - {{file: {name}, rows: {rows}, sha256: {manifest.sha256[name]}}}" for name, rows in manifest.rows.items()
    ]
    besides = f"[README.md, manifest.json, planted_mess.csv, {MARK}, 'truth*', 'calibration*']"
    lines = ["# What the sender states was sent. `refino-eval check` compares the delivery with it."]
    return "\n".join([*lines, "sender: The synthetic register", "files:", *files, f"besides: {besides}", ""])


def _readme(manifest: Manifest) -> str:
    lines = [
        f"# SYNTHETIC delivery: {manifest.title}",
        "",
        "No row is about a real person. The files are generated from a recipe with planted effects, so that what an",
        "analysis finds can be compared with the truth.",
        "",
        f"- recipe `{manifest.recipe}`, seed {manifest.seed}, effects `{manifest.effects}`",
        f"- {manifest.people} people analysed, {manifest.treated} of them assigned to the treated arm",
        "- `truth.parquet`: both potential outcomes of each person analysed (`_y0` if assigned to control, `_y1` to treated)",
        "- `truth_effects.csv`: the effects in this very register: planted, averaged over people, and weighted by",
        "  n p (1 - p) of the cells as a regression with fixed effects of the cells weights them",
        "- `planted_mess.csv`: number of rows with each kind of planted fault, by register",
        "- `manifest.json`: rows and SHA-256 of every file",
        "- `delivery.yaml`: the delivery letter, as a sender would write it",
        "",
        "| file | rows |",
        "|---|---|",
        *(f"| {name} | {rows} |" for name, rows in manifest.rows.items()),
        "",
    ]
    return "\n".join(lines)
