"""The counts of an ingestion, and the quality tables made from them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

QUALITY_COLUMNS = ("register", "delivered", "clean", "rejected", "people")
LINKAGE_COLUMNS = ("found", "ids_only_there")
RULE_COLUMNS = ("register", "rule", "rows", "people")
REPAIRED = "repaired:"
"""Prefix of the name of a rule that repaired rows instead of rejecting them."""


@dataclass(frozen=True)
class RuleCount:
    """Rows that one rule rejected (or repaired), and the people they concern (rows without a readable id concern nobody)."""

    rule: str
    rows: int
    people: int


@dataclass(frozen=True)
class FileCount:
    """A delivered file (base name) and its data rows."""

    file: str
    rows: int


@dataclass(frozen=True)
class IngestReport:
    """The counts of one register's ingestion.

    Attributes
    ----------
    delivered, clean, rejected
        Rows; clean and rejected add up to delivered.
    people
        Distinct people among the clean rows.
    rules
        Rejected rows by rule, sorted by rule; the rows add up to `rejected`.
    files
        The delivered files in the order in which later ones correct earlier ones.
    repairs
        Clean rows with a repaired value by rule, in the source's order; they are among `clean`.
    """

    register: str
    delivered: int
    clean: int
    rejected: int
    people: int
    rules: tuple[RuleCount, ...]
    files: tuple[FileCount, ...]
    repairs: tuple[RuleCount, ...] = ()

    def __post_init__(self) -> None:
        if self.clean + self.rejected != self.delivered or sum(rule.rows for rule in self.rules) != self.rejected:
            raise ValueError(f"the counts of register {self.register} do not add up")

    def to_json(self) -> str:
        """Write the report as JSON, the same bytes for the same counts."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> IngestReport:
        """Read what `to_json` wrote."""
        data: dict[str, Any] = json.loads(text)
        rules = tuple(RuleCount(**rule) for rule in data.pop("rules"))
        files = tuple(FileCount(**file) for file in data.pop("files"))
        repairs = tuple(RuleCount(**rule) for rule in data.pop("repairs", ()))
        return cls(**data, rules=rules, files=files, repairs=repairs)


def quality_tables(
    reports: Iterable[IngestReport], linkage: pd.DataFrame | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make the tables of `run/quality.csv` and `run/quality_rules.csv`.

    Parameters
    ----------
    linkage
        The table of `run/linkage.csv`; None where nothing was linked.

    Returns
    -------
    tuple of pandas.DataFrame
        One row a register (register, delivered, clean, rejected, people, and of the linkage: people of the evaluation
        who are found, ids that were never drawn), and one row a register and rule that rejected or repaired anything
        (register, rule, rows, people), where `repaired:<rule>` counts clean rows; both sorted by their keys.
    """
    import pandas as pd

    ordered = sorted(reports, key=lambda report: report.register)
    quality = [[getattr(report, name) for name in QUALITY_COLUMNS] for report in ordered]
    rules = [
        [report.register, name, rule.rows, rule.people]
        for report in ordered
        for name, rule in sorted(
            [(rule.rule, rule) for rule in report.rules]
            + [(f"{REPAIRED}{rule.rule}", rule) for rule in report.repairs],
            key=lambda pair: pair[0],
        )
    ]
    counts = pd.DataFrame(quality, columns=list(QUALITY_COLUMNS))
    if linkage is not None:
        counts = counts.merge(linkage[["register", *LINKAGE_COLUMNS]], on="register", how="left", validate="one_to_one")
        # A register that links to nobody has no such counts; those of the others stay whole numbers.
        counts = counts.astype(dict.fromkeys(LINKAGE_COLUMNS, "Int64"))
    return counts, pd.DataFrame(rules, columns=list(RULE_COLUMNS))
