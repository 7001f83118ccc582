"""A project of its own, small enough to read: one register of jobs, sixty people, two arms, two draw years."""

import datetime as dt

import pyarrow as pa
import pyarrow.parquet as pq

CONFIG = "evaluation: toy\nlanguages: [nb, en]\nengine: duckdb\ndisclosure: null\nseed: 1\n"
STUDY = """\
name: toy
label: {nb: Lek, en: Toy}
data_class: public
entry: spells
data: data/toy
sources: [draws, jobs]
arms:
  treated: {name: new_way, code: N, label: {nb: Ny, en: New}}
  control: {name: old_way, code: O, label: {nb: Gammel, en: Old}}
clocks:
  month: {first: -2, last: 14}
population: {register: draws, arm: arm}
exhibits: [table_a]
definitions:
  outcomes:
    own_outcome:
      label: {nb: Egen, en: Own}
      description: Belongs to this study alone.
      kind: value_at
      state: hours
      at: 3
      unit: {nb: timer, en: hours}
      role: secondary
"""
DRAWS = """\
register: draws
label: {nb: Trekninger, en: Draws}
owner: Nobody
temporality: event
files: [draws.csv]
columns:
  person_id: {from: id, type: id, why: Links everything together.}
  start: {from: day, type: date, why: The day of the draw.}
  arm: {from: arm, type: text, why: What the person was drawn to.}
"""
JOBS = """\
register: jobs
label: {nb: Jobber, en: Jobs}
owner: Nobody
temporality: spell
files: [jobs.csv]
coverage: {first: 2017-01-01, last: 2020-12-31}
columns:
  person_id: {from: id, type: id, why: Links the job to the draw.}
  start: {from: begin, type: date, why: First day of the job.}
  stop: {from: end, type: date, why: Last day of the job.}
  hours: {from: hrs, type: integer, why: Hours are an outcome here.}
  sort: {from: sort, type: code, codelist: sorts, why: Some sorts do not count.}
"""
SORTS = "code,label_nb,label_en,group,valid_from,valid_to,source\nORD,Vanlig,Ordinary,a,,,x\nSUB,Med tilskudd,Subsidised,b,,,x\n"
STATES = """\
# States of the toy.
hours:
  label: {nb: Timer, en: Hours}
  description: Hours a week.
  register: jobs
  value: hours
  combine: sum
  unit: {nb: timer, en: hours}
  examples:
    - why: Twenty hours.
      draw: 2018-05-14
      spells: {jobs: [{start: 2018-05-01, stop: 2018-06-01, hours: 20, sort: ORD}]}
      at: 0
      expect: 20
half_time:
  label: {nb: Halvtid, en: Half time}
  description: At least half time.
  expression: hours >= 19
  unit: {nb: andel, en: share}
ordinary:
  label: {nb: Vanlig jobb, en: Ordinary job}
  description: A job without subsidy.
  register: jobs
  where: [{column: sort, not_in: [SUB]}, {column: hours, at_least: 4}]
  unit: {nb: andel, en: share}
abroad:
  label: {nb: I utlandet, en: Abroad}
  description: From a register that this study does not have.
  register: migrations
  unit: {nb: andel, en: share}
"""
OUTCOMES = """\
# Outcomes of the toy: this comment stays.

half_time_month_12:   # and so does this one
  label: { nb: "Halvtid",   en: 'Half time' }
  description: Half time in month 12.
  kind: value_at
  state: half_time
  at: 12
  unit: {nb: andel, en: share}
  role: primary
  version: 2
  changed: 2024-01-31
  reason: The limit was 20 hours.
  examples:
    - why: Exactly at the limit.
      draw: 2018-05-14
      spells: {jobs: [{start: 2019-05-01, stop: 2019-06-01, hours: 19, sort: ORD}]}
      expect: 1
    - why: No job.
      draw: 2018-05-14
      spells: {}
      expect: 0

# A comment between two entries, which belongs to the next.
hours_month_12:
  label: {nb: Timer, en: Hours}
  description: Hours in month 12.
  kind: value_at
  state: hours
  at: 12
  unit: {nb: timer, en: hours}
half_time_months_7_12:
  label: {nb: "Måneder på halvtid", en: Months at half time}
  description: Months 7 to 12.
  kind: sum_over
  state: half_time
  window: [7, 12]
  unit: {nb: måneder, en: months}
abroad_month_1:
  label: {nb: Ute, en: Out}
  description: From a register that is not there.
  kind: value_at
  state: abroad
  at: 1
  unit: {nb: andel, en: share}"""
COVARIATES = """\
drawn_to:
  label: {nb: Trukket <til> & fra, en: Drawn <to> & from}
  description: A column.
  kind: column
  register: draws
  column: arm
  equals: [N]
"""
SPECIFICATIONS = "main:\n  label: {nb: Hoved, en: Main}\n  description: Cells alone.\n"
SUBGROUPS = "those:\n  label: {nb: Disse, en: These}\n  covariate: drawn_to\n  equals: [1]\n"
EXHIBITS = """\
table_a:
  kind: itt
  title: {nb: Tabell A, en: Table A}
  columns: {half: half_time_month_12}
table_b:
  kind: itt
  title: {nb: Tabell B, en: Table B}
  columns: {hours: hours_month_12}
"""


def write_project(root):
    """Write the configuration, a cohort and the clean register."""
    files = {
        "config/config.yaml": CONFIG, "config/evaluations/toy.yaml": STUDY, "config/sources/draws.yaml": DRAWS,
        "config/sources/jobs.yaml": JOBS, "config/codelists/sorts.csv": SORTS, "config/definitions/states.yaml": STATES,
        "config/definitions/outcomes.yaml": OUTCOMES, "config/definitions/covariates.yaml": COVARIATES,
        "config/definitions/specifications.yaml": SPECIFICATIONS, "config/definitions/subgroups.yaml": SUBGROUPS,
        "config/definitions/exhibits.yaml": EXHIBITS,
    }  # fmt: skip
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    _people(root / "results/toy/person_level")


def _people(folder):
    """Write sixty people: every third treated, the last seven drawn in 2019; job hours 0, 18, 19 or 37 by number."""
    people = [f"p{number:04d}" for number in range(60)]
    days = [dt.date(2019, 3, 4) if number >= 53 else dt.date(2018, 3, 5) for number in range(60)]
    arms = ["new_way" if number % 3 == 0 else "old_way" for number in range(60)]
    cohort = pa.table(
        {
            "person_id": people, "arm": arms, "treated": [int(arm == "new_way") for arm in arms],
            "draw_date": pa.array(days, pa.date32()), "sample_analysed": [number != 1 for number in range(60)],
        }
    )  # fmt: skip
    (folder / "clean").mkdir(parents=True)
    pq.write_table(cohort, folder / "cohort.parquet")
    hours = {0: 37, 1: 19, 2: 18}
    rows = [(people[n], hours[n % 4]) for n in range(60) if n % 4 in hours]
    jobs = pa.table(
        {
            "person_id": [person for person, _ in rows],
            "start": pa.array([dt.date(2018, 1, 1)] * len(rows), pa.date32()),
            "stop": pa.array([dt.date(2020, 12, 31)] * len(rows), pa.date32()),
            "hours": pa.array([value for _, value in rows], pa.int64()),
            "sort": ["ORD"] * len(rows),
        }
    )
    pq.write_table(jobs, folder / "clean/jobs.parquet")
