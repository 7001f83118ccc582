"""The trial: who was assigned to which arm, in which cell, with which covariates, and who was excluded."""

from refino_eval.trial.cohort import Cohort, link_population
from refino_eval.trial.person_table import PersonTableData, read_person_table
from refino_eval.trial.sample_flow import FlowLine, flow_frame
from refino_eval.trial.write_cohort import write_cohort, write_outcome

__all__ = [
    "Cohort",
    "FlowLine",
    "PersonTableData",
    "flow_frame",
    "link_population",
    "read_person_table",
    "write_cohort",
    "write_outcome",
]
