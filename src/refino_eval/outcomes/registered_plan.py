"""The registered plan, and how far the primary outcomes have moved from it.

`python -m refino_eval.outcomes.registered_plan EVALUATION [yyyy-mm-dd]` writes the plan of an evaluation as it now stands.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any, Literal

from refino_eval.config import Configuration
from refino_eval.config.definitions import Definitions
from refino_eval.config.dependencies import needed_states, outcome_states, used_outcomes
from refino_eval.config.load import load_configuration, project_root
from refino_eval.config.model_errors import validate
from refino_eval.config.plans import RegisteredPlan
from refino_eval.config.without_text import without_text
from refino_eval.config.yaml_files import read_yaml, yaml_text
from refino_eval.csv_output import csv_text
from refino_eval.errors import UserError

FOLDER = Path("config/plans")


@dataclass(frozen=True)
class PlanChange:
    """One way in which a primary outcome is no longer what was registered.

    Attributes
    ----------
    outcome
        Its name.
    change
        ``definition`` (it or a state behind it says something else), ``role`` (it is no longer primary), ``removed``
        (there is no such outcome any more), ``added`` (it is primary, and the plan does not know it) or ``edited``
        (the plan's file does not match its own hash).
    registered_sha256, current_sha256
        Hash then and now; empty where there is none.
    fields
        What differs, as ``path: then -> now``, joined by semicolons.
    """

    outcome: str
    change: Literal["definition", "role", "removed", "added", "edited"]
    registered_sha256: str
    current_sha256: str
    fields: str

    @property
    def sentence(self) -> str:
        """What changed, in one sentence for a terminal."""
        what = {
            "definition": "is defined otherwise than in the registered plan",
            "role": "was registered as primary and is not any more",
            "removed": "was registered as primary and is not defined any more",
            "added": "is primary and is in no registered plan",
            "edited": "does not match its own hash in the registered plan: the plan's file was edited",
        }[self.change]
        hashes = f" ({self.registered_sha256[:12] or 'none'} then, {self.current_sha256[:12] or 'none'} now)"
        return f"the outcome '{self.outcome}' {what}{hashes}" + (f": {self.fields}" if self.fields else "")


def outcome_form(name: str, definitions: Definitions) -> dict[str, Any]:
    """Return what an outcome is: its definition, its family and every state behind it, without words and defaults."""
    outcome = definitions.outcomes[name]
    states = needed_states(definitions, outcome_states(outcome))
    return {
        "family": outcome.family,
        "outcome": without_text(outcome, with_defaults=False),
        "states": {state: without_text(definitions.states[state], with_defaults=False) for state in sorted(states)},
    }


def form_hash(form: Mapping[str, Any]) -> str:
    """Return the hash of a definition: the same for the same meaning, whatever its words and order of keys."""
    text = json.dumps(form, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def make_plan(
    definitions: Definitions,
    *,
    evaluation: str,
    outcomes: Sequence[str],
    registered: dt.date,
    reference: str | None = None,
) -> RegisteredPlan:
    """Write down the primary ones among some outcomes as they now stand."""
    forms = {name: outcome_form(name, definitions) for name in outcomes if definitions.outcomes[name].role == "primary"}
    return RegisteredPlan.model_validate(
        {
            "evaluation": evaluation,
            "registered": registered,
            "reference": reference,
            "primary": {name: {"sha256": form_hash(form), "definition": form} for name, form in forms.items()},
        }
    )


def load_plan(root: Path, evaluation: str) -> RegisteredPlan | None:
    """Read the registered plan of an evaluation; None when it has none.

    Raises
    ------
    UserError
        For a plan that cannot be read, or that is another evaluation's.
    """
    path = root / FOLDER / f"{evaluation}.yaml"
    if not path.is_file():
        return None
    name = (FOLDER / path.name).as_posix()
    plan = validate(read_yaml(path, name), RegisteredPlan, name)
    if plan.evaluation != evaluation:
        raise UserError(f"{name}: the key 'evaluation' says '{plan.evaluation}'; it must equal the file's name.")
    return plan


def compare_plan(
    definitions: Definitions, plan: RegisteredPlan | None, *, outcomes: Sequence[str] = ()
) -> list[PlanChange]:
    """Compare the definitions with the registered plan.

    Parameters
    ----------
    definitions
        As they now stand.
    plan
        What was registered; without one there is nothing to depart from.
    outcomes
        The outcomes that the evaluation uses; primary ones that the plan does not have are reported.

    Returns
    -------
    list of PlanChange
        In the plan's order, then what was added; empty when all is as registered.
    """
    if plan is None:
        return []
    changes: list[PlanChange] = []
    for name, planned in plan.primary.items():
        then = form_hash(planned.definition)
        if then != planned.sha256:
            changes.append(PlanChange(name, "edited", planned.sha256, then, ""))
        outcome = definitions.outcomes.get(name)
        if outcome is None:
            changes.append(PlanChange(name, "removed", planned.sha256, "", ""))
            continue
        form = outcome_form(name, definitions)
        now = form_hash(form)
        if now != planned.sha256:
            differing = "; ".join(_differences(planned.definition, form))
            changes.append(PlanChange(name, "definition", planned.sha256, now, differing))
        if outcome.role != "primary":
            changes.append(PlanChange(name, "role", planned.sha256, now, f"role: primary -> {outcome.role}"))
    for name in dict.fromkeys(outcomes):
        outcome = definitions.outcomes.get(name)
        if outcome is not None and outcome.role == "primary" and name not in plan.primary:
            changes.append(PlanChange(name, "added", "", form_hash(outcome_form(name, definitions)), ""))
    return changes


def _differences(then: Any, now: Any, path: str = "") -> list[str]:
    """List the fields in which two definitions differ."""
    if isinstance(then, dict) and isinstance(now, dict):
        return [
            difference
            for key in sorted({*then, *now})
            for difference in _differences(then.get(key), now.get(key), f"{path}.{key}" if path else str(key))
        ]
    return [] if then == now else [f"{path}: {_short(then)} -> {_short(now)}"]


def _short(value: Any) -> str:
    return "(nothing)" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)


def write_changes(changes: Sequence[PlanChange], path: Path) -> None:
    """Write `run/plan.csv`: a row a change, only the header when all is as registered."""
    rows = [[field.name for field in fields(PlanChange)], *map(astuple, changes)]
    path.write_text(csv_text(rows), encoding="utf-8")


def plan_lines(configuration: Configuration) -> list[str]:
    """Say, a line each, how an evaluation's primary outcomes stand to its registered plan; nothing without a plan."""
    study = configuration.evaluation
    plan = load_plan(configuration.root, study.name)
    if plan is None:
        return []
    used = used_outcomes(study, configuration.definitions)
    changes = compare_plan(configuration.definitions, plan, outcomes=used)
    if not changes:
        return [f"the {len(plan.primary)} primary outcomes are as registered on {plan.registered}"]
    return [f"since the plan of {plan.registered}: {change.sentence}" for change in changes]


def write_plan(root: Path, evaluation: str, registered: dt.date) -> Path:
    """Write the plan of an evaluation as its definitions now stand; an existing one is never written over."""
    configuration = load_configuration(root, evaluation=evaluation)
    path = root / FOLDER / f"{evaluation}.yaml"
    if path.exists():
        raise UserError(
            f"{(FOLDER / path.name).as_posix()}: the plan is registered already. A plan is not written anew; if another one "
            "was registered, put the old file away under its date first."
        )
    used = used_outcomes(configuration.evaluation, configuration.definitions)
    plan = make_plan(configuration.definitions, evaluation=evaluation, outcomes=used, registered=registered)
    text = yaml_text(plan.model_dump(mode="json", exclude_none=True))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"# The primary outcomes as registered; written by the program, not by hand.\n{text}", encoding="utf-8"
    )
    return path


if __name__ == "__main__":
    import sys

    day = dt.date.fromisoformat(sys.argv[2]) if len(sys.argv) > 2 else dt.date.today()
    print(write_plan(project_root(), sys.argv[1], day).relative_to(project_root()))
