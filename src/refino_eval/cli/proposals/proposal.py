"""What a proposal is: files to write, and questions that only somebody who knows the study can answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from refino_eval.cli.proposals.column_profiles import inside_name
from refino_eval.cli.proposals.design_guesses import ArmGuess

_PLAIN = re.compile(r"[A-Za-zÀ-ÿ_][A-Za-zÀ-ÿ0-9_./-]*(?: [A-Za-zÀ-ÿ0-9_./-]+)*")
_NOT_TEXT = re.compile(r"(?i)(y|n|yes|no|on|off|true|false|null|none|nan)$")


@dataclass
class Proposal:
    """A configuration to be written.

    Attributes
    ----------
    files
        Path from the project's root -> text.
    questions
        What the files could not show; each is marked TODO in the text as well.
    """

    files: dict[str, str] = field(default_factory=dict)
    questions: list[str] = field(default_factory=list)

    def ask(self, question: str) -> str:
        """Note a question, and return it as a comment."""
        if question not in self.questions:
            self.questions.append(question)
        return f"# TODO: {question}"


def scalar(value: str) -> str:
    """Return a text as YAML has it, in quotes where it would be read as something else."""
    return (
        value if _PLAIN.fullmatch(value) and not _NOT_TEXT.fullmatch(value) else json.dumps(value, ensure_ascii=False)
    )


def label(text: str, norwegian: str | None = None) -> str:
    """Return a label in both languages; words of the data are the same in both until somebody translates them."""
    return f"{{nb: {scalar(norwegian or text)}, en: {scalar(text)}}}"


def flow_list(values: Iterable[str]) -> str:
    """Return a list on one line."""
    return f"[{', '.join(scalar(value) for value in values)}]"


def flow_map(values: Mapping[str, str]) -> str:
    """Return a mapping on one line; its values are YAML already."""
    return f"{{{', '.join(f'{key}: {value}' for key, value in values.items())}}}"


def head(name: str, entry: str, data: str, proposal: Proposal, *, made_from: str) -> list[str]:
    """Return the first lines of an evaluation."""
    return [
        "# yaml-language-server: $schema=../schemas/evaluation.json",
        f"# Proposed by `refino-eval new` from {made_from}. Correct what is wrong, and answer what is marked TODO.",
        f"name: {name}",
        f"label: {label(name.replace('_', ' ').capitalize())}  "
        + proposal.ask("Title of the study in Norwegian and English, and labels likewise (`label`)."),
        "data_class: confidential  "
        + proposal.ask(
            "Are the data confidential? Then tables and report are watermarked and stay in the secure zone. "
            "Otherwise say `data_class: public`."
        ),
        f"entry: {entry}",
        f"data: {scalar(data)}",
        "",
    ]


def arm_lines(arm: ArmGuess, proposal: Proposal) -> list[str]:
    """Return the section `arms`."""
    where = f"the column '{arm.column.name}' with the codes {', '.join(arm.column.codes)}"
    question = (
        ""
        if arm.is_named
        else proposal.ask(f"Is the arm in {where}? No column is called like an arm (`--arm COLUMN`).")
    )
    side = (
        ""
        if arm.control_is_clear
        else proposal.ask(f"Which code of '{arm.column.name}' is the control arm? '{arm.control}' is a guess.")
    )
    names = arm_names(arm)
    treated = [
        flow_map(
            {
                "name": name,
                "code": json.dumps(code, ensure_ascii=False),
                "label": _arm_label(code, "Treated", "Tiltak"),
            }
        )
        for name, code in zip(names, arm.treated, strict=True)
    ]
    control = flow_map(
        {
            "name": "control",
            "code": json.dumps(arm.control, ensure_ascii=False),
            "label": _arm_label(arm.control, "Control", "Kontroll"),
        }
    )
    lines = ["arms:" + (f"  {question}" if question else "")]
    if len(treated) == 1:
        lines.append(f"  treated: {treated[0]}")
    else:
        lines += ["  treated:", *(f"    - {each}" for each in treated)]
    return [*lines, f"  control: {control}" + (f"  {side}" if side else ""), ""]


def arm_names(arm: ArmGuess) -> list[str]:
    """Return a name for each treated arm: its code where that is a word, and no name twice."""
    if len(arm.treated) == 1 and _says_nothing(arm.treated[0]):
        return ["treated"]
    names: list[str] = []
    for code in arm.treated:
        plain = inside_name(code)[:30]
        plain = (
            f"arm_{plain.removeprefix('c_')}"
            if len(code) < 3 or plain.startswith("c_") or plain == "control"
            else plain
        )
        names.append(plain if plain not in names else f"{plain}_{len(names) + 1}")
    return names


def _arm_label(code: str, otherwise: str, norwegian: str) -> str:
    return label(otherwise, norwegian) if _says_nothing(code) else label(code)


def _says_nothing(code: str) -> bool:
    """Return whether a code of an arm says no more than that people are in it, or not."""
    return len(code) < 3 or code.lower() == "nei" or _NOT_TEXT.fullmatch(code) is not None


def specification_lines(name: str, controls: Iterable[str], *, cluster: bool, indent: str = "  ") -> list[str]:
    """Return the specification that the proposed exhibits use; with clusters the usual covariance is clustered."""
    terms = ", ".join(f"{{covariate: {control}}}" for control in controls)
    words = "Cells and controls" if terms else "Cells"
    return [
        f"{indent}specifications:",
        f"{indent}  {name}:",
        f"{indent}    label: {label('Main', 'Hovedmodell')}",
        f'{indent}    description: "{words}{"; standard errors clustered by the unit that was assigned" if cluster else ""}."',
        *([f"{indent}    controls: [{terms}]"] if terms else []),
    ]
