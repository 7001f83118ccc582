"""Participants of providers: the people of each arm who started its programme, with the spells that payment rules look at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from refino_eval.checksums import Checksums
from refino_eval.config.money.payments import PaymentRules
from refino_eval.config.provider_exhibit import ProviderExhibit
from refino_eval.economics.milestones import Event, assess
from refino_eval.economics.provider_payments import Codes, Registers, participants
from refino_eval.economics.spells import Participant
from refino_eval.exhibits.numbers.study import Context

COLUMNS = {
    "programmes": ["programme"],
    "jobs": ["contract", "position_percent", "employer_id"],
    "sickness": ["grade"],
    "disability": ["grade"],
    "allowance": [],
    "education": ["level"],
}
"""What is read of each register, in addition to the person and the spell."""


_known: dict[tuple[str, ...], dict[tuple[Any, ...], Participant | None]] = {}
"""Participants by the registers and codes that they were made of, then by row, person and day of random assignment: exhibits
of one job have most people in common."""


def participants_by_arm(exhibit: ProviderExhibit, context: Context) -> Iterator[tuple[str, list[Participant], int]]:
    """Yield each arm with its participants, in the order of the cohort, and the number of people assigned to it."""
    cohort, study = context.cohort, context.study
    paths = {role: context.files.clean[name] for role, name in exhibit.registers.model_dump(exclude_none=True).items()}
    codes = Codes(contracts=exhibit.contracts, wage_subsidy=frozenset(exhibit.wage_subsidy))
    made_from = [f"{role}={_content(path)}" for role, path in paths.items()]
    made_from += [repr(sorted(codes.contracts.items())), repr(sorted(codes.wage_subsidy))]
    for arm, programmes in exhibit.programmes.items():
        drawn = cohort.loc[cohort["treated"] == int(arm == study.treated), ["person_id", "draw_date"]]
        keys = list(zip(drawn.index, drawn["person_id"], drawn["draw_date"], strict=True))
        known = _known.setdefault((*made_from, repr(programmes)), {})
        missing = drawn[[key not in known for key in keys]]
        if len(missing):
            new = {
                person.row: person
                for person in participants(missing, _registers(paths), programmes=programmes, codes=codes)
            }
            known |= {key: new.get(int(key[0])) for key in keys if key not in known}
        yield arm, [person for key in keys if (person := known[key]) is not None], len(drawn)


def events_of(
    people: Sequence[Participant], rules: PaymentRules, *, observed_to: dt.date
) -> Iterator[tuple[Event, ...]]:
    """Yield each participant's milestones under one set of rules; the days are observed until before `observed_to`."""
    key = (rules.model_dump_json(), observed_to)
    for person in people:
        if key not in person.assessed:
            person.assessed[key] = assess(person, rules, observed_to=observed_to)
        yield person.assessed[key]


def _content(path: Path) -> str:
    checksum = Checksums().of(str(path))
    return checksum.sha256 if checksum is not None else str(path)


def _registers(paths: Mapping[str, Path]) -> Registers:
    return Registers(
        **{
            role: pd.read_parquet(path, columns=["person_id", "start", "stop", *COLUMNS[role]])
            for role, path in paths.items()
        }
    )
