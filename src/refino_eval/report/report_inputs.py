"""The files of a finished run that the report is made of."""

from __future__ import annotations

import io
import json
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import pandas as pd

from refino_eval.config.definitions import Definitions
from refino_eval.config.evaluation import Evaluation
from refino_eval.config.exhibits import Exhibit
from refino_eval.config.sources import Source
from refino_eval.csv_output import frame_as_written
from refino_eval.exhibits.tidy import read_tidy


@dataclass(frozen=True)
class ReportInputs:
    """A finished run.

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
        The registers by name, for their labels and the files that they are delivered in.
    stars
        Levels of p with a star each, where an exhibit does not set them.
    profile
        The disclosure profile that protected the numbers; empty for those of a run.
    configuration
        What was configured, as plain data; empty where no part of the report is kept.
    """

    evaluation: Evaluation
    definitions: Definitions
    aggregates_dir: Path
    release_dir: Path
    run_dir: Path
    sources: Mapping[str, Source] = field(default_factory=dict)
    stars: tuple[float, ...] = ()
    profile: str = ""
    configuration: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of_configuration(cls, configuration: Mapping[str, Any], results: Path) -> Self:
        """Return the run whose files are in a folder.

        Parameters
        ----------
        configuration
            What was configured, as plain data: `evaluation`, `definitions` and `sources`.
        results
            `results/<evaluation>`.
        """
        evaluation = Evaluation.model_validate(configuration["evaluation"])
        return cls(
            evaluation=evaluation,
            definitions=Definitions.model_validate(configuration["definitions"]),
            aggregates_dir=results / "aggregates",
            release_dir=results / evaluation.pages_folder,
            run_dir=results / "run",
            sources={name: Source.model_validate(source) for name, source in configuration.get("sources", {}).items()},
            stars=tuple(configuration.get("project", {}).get("stars", ())),
            configuration=configuration,
        )

    def shown(self, frames: Container[str]) -> Iterator[tuple[str, Exhibit]]:
        """Return the evaluation's exhibits that have numbers, by name, in the evaluation's order."""
        for name in self.evaluation.exhibits:
            if name in frames:
                yield name, self.definitions.exhibits[name]

    def register_label(self, name: str, language: str) -> str:
        """Return the label of a register, or its name where its source is not available."""
        return self.sources[name].label[language] if name in self.sources else name

    def numbers(self, exhibit: str) -> pd.DataFrame:
        """Return an exhibit's tidy numbers."""
        path = self.aggregates_dir / f"{exhibit}.csv"
        return _numbers(path, path.read_bytes())

    def figure(self, exhibit: str, language: str) -> str:
        """Return an exhibit's SVG."""
        return (self.release_dir / "figures" / f"{exhibit}.{language}.svg").read_text(encoding="utf-8")

    def table(self, name: str) -> pd.DataFrame | None:
        """Return a table of the run as text, or None when there is none or it is empty."""
        path = self.run_dir / f"{name}.csv"
        return _table(path.read_bytes()) if path.is_file() else None

    def provenance(self) -> dict[str, Any]:
        """Return what was recorded of the run, or nothing."""
        path = self.run_dir / "provenance.json"
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        return record


# A page asks for the same tables hundreds of times. What they hold decides, so that a file that was written again is read again.


@lru_cache(maxsize=512)
def _numbers(path: Path, content: bytes) -> pd.DataFrame:
    return read_tidy(path)


@lru_cache(maxsize=64)
def _table(content: bytes) -> pd.DataFrame | None:
    if not content.strip():
        return None
    frame = frame_as_written(pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False))
    return frame if len(frame) else None
