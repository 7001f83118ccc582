"""What the rules of the workflow need to know of an evaluation: files, params and constraints, typed and tested.

`workflow/rules/common.smk` makes one `Workflow`; every rule asks it. Nothing here imports Snakemake.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from refino_eval.config import Configuration, load_configuration
from refino_eval.errors import raise_problems
from refino_eval.outcomes.registered_plan import load_plan
from refino_eval.registers.lake_limits import lake_problems
from refino_eval.registers.register_files import find_files
from refino_eval.sql.spark_server import use_address
from refino_eval.workflow.job_params import JobParams
from refino_eval.workflow.job_plan import JobPlan
from refino_eval.workflow.result_files import ResultFiles

__all__ = ["NOTHING", "JobParams", "JobPlan", "ResultFiles", "Workflow"]

NOTHING = "(?!)"
"""A pattern that matches no name: the rule has nothing to do in this evaluation."""


@dataclass(frozen=True)
class Workflow:
    """The workflow of one evaluation.

    Attributes
    ----------
    configuration
        The evaluation's configuration, checked.
    """

    configuration: Configuration

    @classmethod
    def load(cls, root: Path, evaluation: str | None) -> Workflow:
        """Load and check an evaluation, and make sure that the registers of a real delivery are there.

        Jobs find the address of a Spark server in the environment: it is no param, since no number depends on it.

        Raises
        ------
        UserError
            With everything that is wrong.
        """
        configuration = load_configuration(root, evaluation=evaluation)
        if configuration.project.engine == "spark":
            use_address(configuration.project.spark_address)
        raise_problems(lake_problems(configuration.sources, configuration.project.engine))
        study = configuration.evaluation
        if study.synthetic is None and study.entry == "spells":
            for source in configuration.sources.values():
                find_files(source, configuration.data_folder)
        return cls(configuration)

    @cached_property
    def files(self) -> ResultFiles:
        """Paths of what goes in and comes out."""
        return ResultFiles(self.configuration)

    @cached_property
    def params(self) -> JobParams:
        """Params of the jobs."""
        return JobParams(self.configuration, load_plan(self.configuration.root, self.name))

    @cached_property
    def jobs(self) -> JobPlan:
        """How the work of each stage is split into jobs."""
        return JobPlan(self.configuration, self.files)

    @property
    def name(self) -> str:
        """Name of the evaluation."""
        return self.configuration.evaluation.name

    def only_if(self, condition: bool) -> str:
        """Return the constraint of the wildcard `evaluation` for rules that not every evaluation has."""
        return re.escape(self.name) if condition else NOTHING
