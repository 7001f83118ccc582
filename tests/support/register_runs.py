"""A small trial with four registers, and its run through the rooms in one process: check, ingest, cohort, panel, outcomes."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from refino_eval.cli.check_command import receipt_of
from refino_eval.codes.codelists import load_codelists
from refino_eval.codes.prices import load_indices
from refino_eval.config import Configuration, dependencies, load_configuration
from refino_eval.config.dependencies import needed_states
from refino_eval.errors import UserError, raise_problems
from refino_eval.months.engine import derive_panel
from refino_eval.outcomes.build import derive_outcomes
from refino_eval.registers.ingest import ingest
from refino_eval.registers.ingest_report import IngestReport, quality_tables
from refino_eval.registers.linkage import count_linkage, linkage_frame, linkage_problems
from refino_eval.trial import flow_frame, link_population, write_cohort

CONFIG = "evaluation: small\nlanguages: [en]\nengine: duckdb\ndisclosure: null\nseed: 1\n"
STUDY = """\
name: small
label: {nb: Liten, en: Small}
data_class: public
entry: spells
data: data/small
sources: [draws, facts, jobs, pay]
arms:
  treated: {name: new_way, code: "01", label: {nb: Ny, en: New}}
  control: {name: old_way, code: "02", label: {nb: Gammel, en: Old}}
strata: [county]
strata_labels: {county: {nb: fylke, en: county}}
clocks:
  month: {first: -2, last: 8}
population:
  register: draws
  arm: arm
  steps: [{reason: repeated_draw, first_draw_only: true, label: {nb: Trukket på nytt, en: Drawn again}}]
exhibits: [table_a]
"""
SOURCES = {
    "draws": """\
temporality: event
files: [draws.csv]
columns:
  person_id: {from: id, type: id, why: Links the registers together.}
  start: {from: day, type: date, date_format: "%d.%m.%Y", why: The day of the draw.}
  arm: {from: arm, type: code, codelist: arms, why: What the person was assigned to.}
  county: {from: county, type: code, codelist: counties, why: Draws were made by county.}
""",
    "facts": """\
temporality: fixed
files: [facts.csv]
columns:
  person_id: {from: id, type: id, why: Links the facts to the draw.}
  born: {from: born, type: date, date_format: "%d.%m.%Y", why: Age is a control variable.}
  size: {from: size, type: number, why: A number with decimals.}
""",
    "jobs": """\
temporality: spell
files: [jobs.csv]
coverage: {first: 2017-01-01, last: 2020-12-31}
columns:
  person_id: {from: id, type: id, why: Links the job to the draw.}
  start: {from: begin, type: date, date_format: "%d.%m.%Y", why: First day of the job.}
  stop: {from: end, type: date, date_format: "%d.%m.%Y", why: Last day of the job.}
  employer: {from: firm, type: text, why: Two jobs with one employer count once.}
  hours: {from: hrs, type: hundredths, why: Hours are an outcome here.}
  sort: {from: sort, type: code, codelist: sorts, why: Some sorts do not count.}
rules: [{rule: duplicate_row}, {rule: stop_before_start}]
""",
    "pay": """\
temporality: accumulated
files: [pay.csv]
coverage: {first: 2017-01-01, last: 2020-12-31}
columns:
  person_id: {from: id, type: id, why: Links the pay to the draw.}
  period: {from: month, type: month, why: The month of the pay.}
  amount: {from: kr, type: ore, why: Pay is an outcome here.}
""",
}
LISTS = {
    "sorts": [("ORD", "Ordinary"), ("SUB", "Subsidised")],
    "arms": [("01", "New"), ("02", "Old")],
    "counties": [("0301", "Oslo"), ("1103", "Stavanger"), ("4601", "Bergen")],
}
STATES = """\
hours:
  label: {nb: Timer, en: Hours}
  description: Hours a week.
  register: jobs
  value: hours
  combine: sum
  unit: {nb: timer, en: hours}
job:
  label: {nb: Jobb, en: Job}
  description: An ordinary job.
  register: jobs
  where: [{column: sort, not_in: [SUB]}]
  unit: {nb: andel, en: share}
earned:
  label: {nb: Lønn, en: Pay}
  description: Pay in the month.
  register: pay
  value: amount
  combine: sum
  unit: {nb: kr, en: kroner}
"""
OUTCOMES = """\
job_month_3: {label: {nb: Jobb, en: Job}, description: x, kind: value_at, state: job, at: 3, unit: {nb: andel, en: share}, role: primary}
hours_month_6: {label: {nb: Timer, en: Hours}, description: x, kind: value_at, state: hours, at: 6, unit: {nb: timer, en: hours}}
job_months: {label: {nb: Mnd, en: Months}, description: x, kind: sum_over, state: job, window: [1, 8], unit: {nb: måneder, en: months}}
pay_sum: {label: {nb: Lønn, en: Pay}, description: x, kind: sum_over, state: earned, window: [1, 8], unit: {nb: kr, en: kroner}}
"""
COVARIATES = """\
age: {label: {nb: Alder, en: Age}, kind: age_at_draw, register: facts, column: born, unit: {nb: år, en: years}}
size: {label: {nb: Størrelse, en: Size}, kind: column, register: facts, column: size}
"""
EXHIBITS = """\
table_a:
  kind: itt
  title: {nb: Tabell A, en: Table A}
  columns: {job: job_month_3, hours: hours_month_6, months: job_months, pay: pay_sum}
  specifications: [main]
"""
SPECIFICATIONS = """\
main:
  label: {nb: Hoved, en: Main}
  description: Cells, age and size.
  controls: [{covariate: age, missing: indicator}, {covariate: size, missing: indicator}]
"""
SECRET = "00042317"
PEOPLE = 40
Lines = list[bytes]

NAMES = ("job_month_3", "hours_month_6", "job_months", "pay_sum")


def write_configuration(root: Path, *, strict_ids: bool = False) -> None:
    """Write the configuration of the trial; with `strict_ids`, sources state the form of the id."""
    files = {
        "config/config.yaml": CONFIG,
        "config/evaluations/small.yaml": STUDY,
        "config/definitions/states.yaml": STATES,
        "config/definitions/outcomes.yaml": OUTCOMES,
        "config/definitions/covariates.yaml": COVARIATES,
        "config/definitions/specifications.yaml": SPECIFICATIONS,
        "config/definitions/exhibits.yaml": EXHIBITS,
    }
    for name, text in SOURCES.items():
        head = f"register: {name}\nlabel: {{nb: {name}, en: {name}}}\nowner: Nobody\ndelimiter: ';'\ndecimal: ','\n"
        text = (
            text.replace("from: id, type: id,", "from: id, type: id, width: 8, digits: true,") if strict_ids else text
        )
        files[f"config/sources/{name}.yaml"] = head + text
    for name, codes in LISTS.items():
        rows = [f"{code},{label},{label},a,,,x" for code, label in codes]
        files[f"config/codelists/{name}.csv"] = "\n".join(
            ["code,label_nb,label_en,group,valid_from,valid_to,source", *rows, ""]
        )
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def delivery(rng: random.Random) -> dict[str, Lines]:
    """Return the lines of the delivery's files, by name."""
    ids = [SECRET, *(f"{rng.randrange(10**6):08d}" for _ in range(PEOPLE - 1))]
    draws, facts, jobs, pay = (
        [b"id;day;arm;county"],
        [b"id;born;size"],
        [b"id;begin;end;firm;hrs;sort"],
        [b"id;month;kr"],
    )
    for number, person in enumerate(ids):
        day = dt.date(2018, rng.randrange(1, 7), rng.randrange(1, 28))
        county = ("0301", "1103", "4601")[number % 3]
        draws.append(f"{person};{day:%d.%m.%Y};{'01' if number % 2 else '02'};{county}".encode())
        if rng.random() < 0.2:
            # A later draw into the same arm, which does not count.
            later = day + dt.timedelta(days=200)
            draws.append(f"{person};{later:%d.%m.%Y};{'01' if number % 2 else '02'};{county}".encode())
        facts.append(
            f"{person};{rng.randrange(1, 28):02d}.{rng.randrange(1, 13):02d}.{rng.randrange(1960, 1999)};{rng.randrange(1, 90)},{rng.randrange(1, 100):02d}".encode()
        )
        for _ in range(rng.choice([0, 1, 1, 2])):
            begin = day + dt.timedelta(days=rng.randrange(-200, 300))
            end = begin + dt.timedelta(days=rng.randrange(1, 300))
            stop = "" if rng.random() < 0.15 else f"{end:%d.%m.%Y}"
            firm = rng.choice(["Ås bruk", "Per; Pål", "0012", "12"])
            firm = f'"{firm}"' if ";" in firm else firm
            hours = rng.choice(["37,5", "20", "7,25", ""])
            jobs.append(f"{person};{begin:%d.%m.%Y};{stop};{firm};{hours};{rng.choice(['ORD', 'SUB'])}".encode())
        for month in range(rng.randrange(1, 12), 13):
            pay.append(f"{person};2018{month:02d};{rng.randrange(100, 40_000)},{rng.randrange(10):d}0".encode())
    return {"draws.csv": draws, "facts.csv": facts, "jobs.csv": jobs, "pay.csv": pay}


def write_delivery(folder: Path, files: dict[str, Lines]) -> None:
    """Write the files of a delivery."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in files.items():
        (folder / name).write_bytes(b"\n".join(lines) + b"\n")


@dataclass
class Outcome:
    """What one run gave: the table of people, everything that was said, and what only counts of rows show."""

    table: pd.DataFrame | None = None
    errors: tuple[str, ...] = ()
    said: set[tuple[object, ...]] = field(default_factory=set)
    counts: set[tuple[object, ...]] = field(default_factory=set)

    def people(self) -> list[tuple[object, ...]]:
        """Return the rows of the table without their ids, in an order that does not depend on them."""
        assert self.table is not None
        return sorted(
            tuple(map(str, row)) for row in self.table.drop(columns="person_id").itertuples(index=False, name=None)
        )


def load_small(root: Path) -> Configuration:
    """Load the trial's configuration."""
    return load_configuration(root, evaluation="small")


def run_registers(configuration: Configuration, work: Path) -> Outcome:
    """Run the trial as its jobs do; a user's error ends it."""
    result = Outcome()
    try:
        receipt = receipt_of(configuration, configuration.root / configuration.data_folder)
        result.said |= {
            ("receipt", problem.severity, problem.register, problem.rule, problem.column, problem.rows)
            for problem in receipt.problems
        }
        result.counts |= {("missing", column.register, column.column, column.missing) for column in receipt.columns}
        errors = receipt.of("error")
        result.errors = tuple(error.what for error in errors)
        result.table = _through_rooms(configuration, work, result)
    except UserError as error:
        result.errors += error.problems
        result.table = None
    return result


def _through_rooms(configuration: Configuration, work: Path, result: Outcome) -> pd.DataFrame:
    study, definitions, sources = configuration.evaluation, configuration.definitions, configuration.sources
    lists = configuration.root / "config" / "codelists"
    clean, reports = {}, []
    for name, source in sources.items():
        clean[name] = work / "clean" / f"{name}.parquet"
        names = [column.codelist for column in source.columns.values() if column.codelist]
        reports.append(
            ingest(
                source,
                configuration.root / configuration.data_folder,
                codelists=load_codelists(names, lists),
                clean_path=clean[name],
                rejects_path=work / "rejects" / f"{name}.parquet",
                threads=1,
            )
        )
    result.said |= _rules_of(reports)
    covariates = {
        name: definitions.covariates[name] for name in sorted(dependencies.used_covariates(study, definitions))
    }
    cohort = link_population(
        population=study.population, samples=study.samples, arms=study.arms, strata=study.strata, covariates=covariates,
        sources=sources, clean=clean, indices=load_indices(covariates, lists),
    )  # fmt: skip
    drawn = clean[study.population.register_name]
    linkages = count_linkage(
        cohort.frame, drawn=drawn, registers=clean, stated={name: source.linkage for name, source in sources.items()}
    )
    raise_problems(linkage_problems(linkages))
    result.said |= {("linkage", *row) for row in linkage_frame(linkages).astype(str).itertuples(index=False, name=None)}
    result.said |= {("flow", *row) for row in flow_frame(cohort.flow).astype(str).itertuples(index=False, name=None)}
    quality, _ = quality_tables(reports, linkage_frame(linkages))
    result.counts |= {("quality", *row) for row in quality.astype(str).itertuples(index=False, name=None)}
    write_cohort(cohort.frame, work / "cohort.parquet")
    states = dependencies.used_states(study, definitions, "month")
    needed = {name: definitions.states[name] for name in needed_states(definitions, states)}
    derive_panel(
        definitions, sources, load_indices(needed, lists), clock_unit="month", first=-2, last=8, states=states,
        cohort_path=work / "cohort.parquet", clean_paths=clean, out_path=work / "panel.parquet", threads=1,
    )  # fmt: skip
    paths = {name: work / f"{name}.parquet" for name in NAMES}
    derive_outcomes(work / "panel.parquet", {name: definitions.outcomes[name] for name in NAMES}, out_paths=paths)
    table = cohort.frame[["person_id", "arm", "cell", "draw_date", "age", "size"]].set_index("person_id")
    for name, path in paths.items():
        table[name] = pd.read_parquet(path).set_index("person_id")["value"]
    return table.reset_index()


def _rules_of(reports: list[IngestReport]) -> set[tuple[object, ...]]:
    return {
        ("rule", report.register, kind, rule.rule, rule.rows)
        for report in reports
        for kind, rules in (("rejected", report.rules), ("repaired", report.repairs))
        for rule in rules
    }
