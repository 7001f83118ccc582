"""Participants of providers: the people of each arm who started its programme, with the spells that payment rules look at."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from refino_eval.config.provider_exhibit import ProviderExhibit
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


def participants_by_arm(exhibit: ProviderExhibit, context: Context) -> Iterator[tuple[str, list[Participant], int]]:
    """Yield each arm with its participants, in the order of the cohort, and the number of people assigned to it."""
    cohort, study = context.cohort, context.study
    registers = {}
    for role, register in exhibit.registers.model_dump(exclude_none=True).items():
        path = context.files.clean[register]
        frame = pd.read_parquet(path, columns=["person_id", "start", "stop", *COLUMNS[role]])
        registers[role] = frame[frame["person_id"].isin(cohort["person_id"])]
    codes = Codes(contracts=exhibit.contracts, wage_subsidy=frozenset(exhibit.wage_subsidy))
    for arm, programmes in exhibit.programmes.items():
        drawn = cohort.loc[cohort["treated"] == int(arm == study.treated), ["person_id", "draw_date"]]
        yield arm, participants(drawn, Registers(**registers), programmes=programmes, codes=codes), len(drawn)
