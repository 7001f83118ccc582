"""How the work of a stage is split into jobs: few for a small trial, more where people times outcomes are many.

Starting a process costs more than the statistics of a trial of 5,000 people. A stage is therefore one job as long as its
work is below `work_per_job` of `config/config.yaml`, and is split above it. The split decides only which job computes what:
each result has the same bytes in any of them (see `refino_eval.kept_results`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from refino_eval.config import Configuration, Unit
from refino_eval.config.yaml_files import read_yaml
from refino_eval.errors import UserError
from refino_eval.registers.register_files import find_files
from refino_eval.workflow.result_files import ResultFiles

BYTES_PER_PERSON = 60
"""Size of a row of a delivered file, about: how many people a delivery has is needed only to count jobs."""

ROWS_PER_PERSON = 4
"""Rows of a register for each person, about; reading one costs what computing an outcome does."""

PEOPLE_PER_PANEL_PART = 1_000_000
"""People that one job makes a panel of, which takes it less than a minute; parts have to be put together."""

VERIFICATION_SHARES = 2
"""Regressions that share a design are estimated again together, at about half the cost per outcome."""

WORK_OF_DRAWING = 10_000
"""What drawing up an exhibit costs in every language and format, in people times outcomes."""


@dataclass(frozen=True)
class StageJob:
    """One job of a stage.

    Attributes
    ----------
    rule
        Name of its rule.
    names
        Names of the results that it makes.
    gathers
        Whether it also makes the file that all results of the stage go into.
    number
        Its place among the stage's jobs, in words for the message; empty if it is the only one.
    """

    rule: str
    names: tuple[str, ...]
    gathers: bool
    number: str = ""


@dataclass(frozen=True)
class JobPlan:
    """The jobs of an evaluation's stages.

    Attributes
    ----------
    configuration
        The evaluation's configuration, checked.
    files
        Its files.
    """

    configuration: Configuration
    files: ResultFiles

    @cached_property
    def people(self) -> int:
        """Number of people, about, known before anything is read: from the recipe, or from the size of the delivery."""
        study, root = self.configuration.evaluation, self.configuration.root
        if study.synthetic is not None:
            path = f"config/synthetic/{study.synthetic.recipe}.yaml"
            return int(study.synthetic.people or read_yaml(root / path, path)["people"])
        if not study.has_people:
            return 1
        if study.table is not None:
            paths = [root / self.configuration.data_folder / file for file in study.table.files]
        else:
            assert study.population is not None
            source = self.configuration.sources[study.population.register_name]
            try:
                paths = list(find_files(source, self.configuration.data_folder))
            except UserError:  # the run reports what is missing
                paths = []
        sizes = [_size(path) for path in paths]
        return max([1, *(size // BYTES_PER_PERSON for size in sizes)])

    @property
    def work_per_job(self) -> int:
        """People times outcomes that one job takes on."""
        return self.configuration.project.work_per_job

    def registers(self) -> list[StageJob]:
        """Return the jobs that read the registers."""
        work = dict.fromkeys(self.configuration.evaluation.sources, float(self.people * ROWS_PER_PERSON))
        return self._jobs("ingest_registers", work)

    def panel_parts(self, unit: Unit) -> list[str]:
        """Return the parts that a panel is put together from; Spark divides the people itself."""
        project = self.configuration.project
        parts = project.panel_parts or math.ceil(self.people / PEOPLE_PER_PANEL_PART)
        return self.files.panel_parts(unit, parts if project.engine == "duckdb" else 1)

    def outcomes(self) -> list[StageJob]:
        """Return the jobs that compute outcomes; a person table has them already, and they are only put together."""
        study = self.configuration.evaluation
        if not study.has_people:
            return []
        names = self.files.outcome_names() if study.entry != "person_table" else []
        return self._jobs("derive_outcomes", dict.fromkeys(names, float(self.people)), gather="collect_outcomes")

    def estimates(self) -> list[StageJob]:
        """Return the jobs that compute the numbers of exhibits: an exhibit after those whose numbers it reads."""
        names = self.configuration.evaluation.exhibits
        work = {name: self._estimation_work(name) for name in names}
        read = self._exhibits_read()
        same_registers = self._exhibits_of_the_same_registers()
        linked = {name: [*read[name], *same_registers[name]] for name in names}
        small, large = self._groups_by_size(_connected(names, linked), work)
        # Of a group too large for one job, what reads other exhibits' numbers is computed in a job after all others.
        first = [*small, *((name,) for name in large if not read[name])]
        jobs = _split_groups(first, work, self.work_per_job)
        if last := [name for name in large if read[name]]:
            jobs.append(last)
        order = {name: (_depth(name, read), place) for place, name in enumerate(names)}
        return _numbered("estimate_exhibits", [sorted(job, key=order.__getitem__) for job in jobs])

    def _exhibits_read(self) -> dict[str, list[str]]:
        """Return the evaluation's exhibits whose numbers each of its exhibits reads."""
        names = self.configuration.evaluation.exhibits
        return {name: [other for other in self.files.exhibit(name).exhibits_read if other in names] for name in names}

    def _exhibits_of_the_same_registers(self) -> dict[str, list[str]]:
        """Return the exhibits of the same registers as each: one job makes participants of their spells once for all."""
        members: dict[tuple[str, ...], list[str]] = {(): []}
        registers = {
            name: tuple(self.files.exhibit(name).registers_read) for name in self.configuration.evaluation.exhibits
        }
        for name, registers_read in registers.items():
            if registers_read:
                members.setdefault(registers_read, []).append(name)
        return {name: members[registers_read] for name, registers_read in registers.items()}

    def _groups_by_size(
        self, groups: Sequence[tuple[str, ...]], work: Mapping[str, float]
    ) -> tuple[list[tuple[str, ...]], list[str]]:
        """Return the groups that one job can compute, and the members of those that are too large."""
        small = [group for group in groups if len(group) == 1 or sum(work[name] for name in group) <= self.work_per_job]
        return small, [name for group in groups if group not in small for name in group]

    def _estimation_work(self, exhibit: str) -> float:
        return float(self.people * max(1, len(self.files.exhibit(exhibit).outcomes)))

    def verification(self) -> list[StageJob]:
        """Return the jobs that estimate the numbers again."""
        work = {
            name: self._estimation_work(name) / VERIFICATION_SHARES for name in self.configuration.evaluation.exhibits
        }
        return self._jobs("verify_numbers", work, gather="collect_verification")

    def renders(self, form: str) -> list[StageJob]:
        """Return the jobs that draw up the tables, or the figures."""
        work = dict.fromkeys(self.files.exhibits_of(form), float(WORK_OF_DRAWING))
        bundled = form == "table" and work and self.configuration.project.formats.bundles
        return self._jobs(f"render_{form}s", work, gather="bundle_tables" if bundled else None)

    def _jobs(self, rule: str, work: Mapping[str, float], *, gather: str | None = None) -> list[StageJob]:
        return _numbered(rule, _split(work, self.work_per_job), gather=gather)


def _split(work: Mapping[str, float], most: int) -> list[list[str]]:
    """Split pieces of work into as few jobs as keep each at about `most`, of about equal work.

    The heaviest piece goes first, each into the job that has least so far; within a job the order is that given.
    """
    if not work:
        return []
    jobs: list[list[str]] = [[] for _ in range(min(len(work), math.ceil(sum(work.values()) / most)))]
    loads = [0.0] * len(jobs)
    order = {name: place for place, name in enumerate(work)}
    for name in sorted(work, key=lambda name: (-work[name], order[name])):
        least = loads.index(min(loads))
        jobs[least].append(name)
        loads[least] += work[name]
    return [sorted(job, key=order.__getitem__) for job in jobs]


def _split_groups(groups: Iterable[tuple[str, ...]], work: Mapping[str, float], most: int) -> list[list[str]]:
    """Split groups of exhibits as `_split` splits pieces of work; a group stays in one job."""
    members = {group[0]: group for group in groups}
    together = {unit: sum(work[name] for name in group) for unit, group in members.items()}
    return [[name for unit in job for name in members[unit]] for job in _split(together, most)]


def _numbered(rule: str, jobs: Sequence[Sequence[str]], *, gather: str | None = None) -> list[StageJob]:
    """Name the jobs of a stage; where there is not exactly one, a further job gathers their results."""
    if len(jobs) == 1:
        return [StageJob(rule, tuple(jobs[0]), gather is not None)]
    numbered = [
        StageJob(f"{rule}_{number}", tuple(names), False, f" ({number} of {len(jobs)})")
        for number, names in enumerate(jobs, start=1)
    ]
    return [*numbered, StageJob(gather, (), True)] if gather else numbered


def _connected(names: Iterable[str], read: Mapping[str, Iterable[str]]) -> list[tuple[str, ...]]:
    """Return the groups of exhibits that read each other's numbers, directly or through others."""
    group_of = {name: [name] for name in names}
    for name, others in read.items():
        for other in others:
            if group_of[name] is not group_of[other]:
                merged = [*group_of[other], *group_of[name]]
                group_of.update(dict.fromkeys(merged, merged))
    return [tuple(group) for group in {id(group): group for group in group_of.values()}.values()]


def _depth(name: str, read: Mapping[str, Sequence[str]]) -> int:
    """Return how many exhibits must be computed one after the other before this one."""
    return 1 + max(_depth(other, read) for other in read[name]) if read[name] else 0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
