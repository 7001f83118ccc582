"""What the report is made of, and reading it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pandas as pd

from refino_eval.config.definitions import Definitions
from refino_eval.config.evaluation import Evaluation
from refino_eval.config.sources import Source
from refino_eval.exhibits.tidy import read_tidy


@dataclass(frozen=True)
class ReportInputs:
    """Where a finished run stands.

    Attributes
    ----------
    evaluation
        The study.
    definitions
        What it defines, its own definitions merged in.
    aggregates_dir
        Tidy numbers to show, `<exhibit>.csv`: those that may be released.
    release_dir
        Holds `figures/<exhibit>.<language>.svg`.
    run_dir
        `flow.csv`, `quality.csv`, `quality_rules.csv`, `comparison.csv`, `verify.csv` and `provenance.json`; what is absent
        is left out.
    sources
        The registers, by name, for what they are called and which files they are delivered in.
    stars
        Levels of p that a star each is given for, where an exhibit does not say.
    """

    evaluation: Evaluation
    definitions: Definitions
    aggregates_dir: Path
    release_dir: Path
    run_dir: Path
    sources: Mapping[str, Source] = field(default_factory=dict)
    stars: tuple[float, ...] = ()

    @classmethod
    def of_configuration(cls, configuration: Mapping[str, Any], results: Path) -> Self:
        """Return the run whose files stand in a folder.

        Parameters
        ----------
        configuration
            What was configured, as plain data: `evaluation`, `definitions` and `sources`.
        results
            `results/<evaluation>`.
        """
        return cls(
            evaluation=Evaluation.model_validate(configuration["evaluation"]),
            definitions=Definitions.model_validate(configuration["definitions"]),
            aggregates_dir=results / "aggregates",
            release_dir=results / "release",
            run_dir=results / "run",
            sources={name: Source.model_validate(each) for name, each in configuration.get("sources", {}).items()},
            stars=tuple(configuration.get("project", {}).get("stars", ())),
        )

    def numbers(self, exhibit: str) -> pd.DataFrame:
        """Return an exhibit's tidy numbers."""
        return read_tidy(self.aggregates_dir / f"{exhibit}.csv")

    def figure(self, exhibit: str, language: str) -> str:
        """Return an exhibit's SVG."""
        return (self.release_dir / "figures" / f"{exhibit}.{language}.svg").read_text(encoding="utf-8")

    def table(self, name: str) -> pd.DataFrame | None:
        """Return a table of the run as text, or None when there is none or it is empty."""
        path = self.run_dir / f"{name}.csv"
        if not path.is_file() or not path.read_text(encoding="utf-8").strip():
            return None
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        return frame if len(frame) else None

    def provenance(self) -> dict[str, Any]:
        """Return what was recorded of the run, or nothing."""
        path = self.run_dir / "provenance.json"
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        return found
