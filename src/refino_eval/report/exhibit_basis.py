"""What one exhibit's part of a report is made from, so that it can be kept while other definitions are edited.

The part is made from exactly what is compared: of the outcomes and exhibits, from those alone that its definition or its
numbers name. An outcome that was overlooked would be missing in every run, and not only in one after an edit.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from refino_eval.report.report_inputs import ReportInputs

NAME = re.compile(r"[a-z0-9_]+")
DEFINITIONS = ("outcomes", "exhibits")
"""The kinds of definitions that differ between exhibits; an edit of another kind concerns all of them."""


class ExhibitBasis:
    """What each exhibit of a report in one language is made from.

    Parameters
    ----------
    inputs
        The run.
    language
        Of the report.
    """

    def __init__(self, inputs: ReportInputs, language: str) -> None:
        self._inputs, self._language = inputs, language

    def inputs_of(self, exhibit: str) -> ReportInputs:
        """Return the run as one exhibit sees it: without other exhibits, and without outcomes that it does not name."""
        definitions = self._inputs.definitions
        entry = definitions.exhibits[exhibit]
        read = [definitions.exhibits[name] for name in (exhibit, *entry.exhibits_read) if name in definitions.exhibits]
        texts = [each.model_dump_json() for each in read]
        texts.append((self._inputs.aggregates_dir / f"{exhibit}.csv").read_text(encoding="utf-8"))
        names = {outcome for each in read for outcome in each.outcomes}
        names |= {name for text in texts for name in NAME.findall(text)}
        update = {
            "outcomes": {name: outcome for name, outcome in definitions.outcomes.items() if name in names},
            "exhibits": {exhibit: entry},
        }
        return replace(self._inputs, definitions=definitions.model_copy(update=update))

    def of(self, inputs: ReportInputs, exhibit: str) -> list[Any]:
        """Return, as plain data, everything that an exhibit's part is made from; `inputs` are those of the exhibit."""
        given = inputs.configuration["definitions"]
        figure = inputs.release_dir / "figures" / f"{exhibit}.{self._language}.svg"
        return [
            self._shared,
            {kind: {name: given[kind][name] for name in getattr(inputs.definitions, kind)} for kind in DEFINITIONS},
            [_sha256(path) for path in (inputs.aggregates_dir / f"{exhibit}.csv", figure)],
            [[bool(rows), rows.get(exhibit)] for rows in self._rows],
        ]

    @cached_property
    def _shared(self) -> str:
        """The hash of what concerns every exhibit; the provenance of the code is written by the page itself."""
        configuration = dict(self._inputs.configuration)
        configuration["definitions"] = {
            kind: entries for kind, entries in configuration["definitions"].items() if kind not in DEFINITIONS
        }
        basis = [
            configuration,
            self._inputs.stars,
            self._inputs.profile,
            self._language,
            self._inputs.provenance().get("delivery"),
            _sha256(self._inputs.run_dir / "flow.csv"),
        ]
        return hashlib.sha256(json.dumps(basis, sort_keys=True, default=str).encode()).hexdigest()

    @cached_property
    def _rows(self) -> list[dict[str, list[list[str]]]]:
        """The rows of the run's tables that name an exhibit first: verification, and comparison with published numbers."""
        tables = []
        for name in ("verify", "comparison"):
            rows: dict[str, list[list[str]]] = {}
            path = self._inputs.run_dir / f"{name}.csv"
            if path.is_file():
                with path.open(encoding="utf-8", newline="") as stream:
                    for row in csv.reader(stream):
                        rows.setdefault(row[0] if row else "", []).append(row)
            tables.append(rows)
        return tables


def _sha256(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
