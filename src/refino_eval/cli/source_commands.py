"""`refino-eval sources`: the registers that an evaluation reads, and the justified list of their variables."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from refino_eval.config import load_configuration
from refino_eval.config.base import Language
from refino_eval.config.load import project_root
from refino_eval.errors import UserError, nearest
from refino_eval.registers.variables import Variable
from refino_eval.registers.variables import variable_list as list_variables

FORMS = ("md", "csv")
HEADS = {
    "nb": ("Register", "Dataeier", "Variabel i leveransen", "Navn i programmet", "Type", "Hvorfor den trengs"),
    "en": ("Register", "Data owner", "Delivered variable", "Name in the program", "Type", "Why it is needed"),
}
TITLES = {
    "nb": ("Variabelliste for {name}", "Bare variabler som står her, blir lest."),
    "en": ("Variable list for {name}", "Only the variables listed here are ever read."),
}


def tell_sources(evaluation: str | None, *, variable_list: bool, language: str, form: str, out: Path | None) -> None:
    """Print or write the registers of an evaluation, or the list of their variables.

    Parameters
    ----------
    evaluation
        Which one; None for the one that `config/config.yaml` names.
    variable_list
        Each column with type and reason, instead of one line a register.
    language
        ``"nb"`` or ``"en"``.
    form
        ``"md"`` or ``"csv"`` (semicolons in Norwegian, for a spreadsheet there).
    out
        A file to write; None prints.
    """
    for given, valid, option in ((language, get_args(Language), "--language"), (form, FORMS, "--format")):
        if given not in valid:
            raise UserError(f"{option} is '{given}'.{nearest(given, valid)}")
    configuration = load_configuration(project_root(), evaluation=evaluation)
    listed = list(configuration.sources.values())
    if not listed:
        raise UserError(f"The evaluation '{configuration.evaluation.name}' reads no registers; it has a person table.")
    if not variable_list:
        lines = [f"{s.register_name:<24}{s.label[language]} ({len(s.columns)}), {s.owner}" for s in listed]
        _give("\n".join(lines) + "\n", out)
        return
    tongue: Language = "nb" if language == "nb" else "en"
    variables = list_variables(listed, tongue)
    name = configuration.evaluation.label[language]
    _give(to_markdown(variables, tongue, name) if form == "md" else to_csv(variables, tongue), out)


def _cells(variable: Variable) -> tuple[str, ...]:
    return (
        variable.register_label, variable.owner, variable.source_column, f"{variable.register}.{variable.column}",
        variable.type, variable.why,
    )  # fmt: skip


def to_markdown(variables: Sequence[Variable], language: Language, name: str) -> str:
    """Write the list as Markdown: a table for each register, headed by its owner."""
    title, lead = TITLES[language]
    lines = [f"# {title.format(name=name)}", "", lead, ""]
    head = HEADS[language][2:]
    for register in dict.fromkeys(variable.register for variable in variables):
        part = [variable for variable in variables if variable.register == register]
        lines += [f"## {part[0].register_label}", "", f"{HEADS[language][1]}: {part[0].owner}", ""]
        lines += ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
        lines += ["| " + " | ".join(text.replace("|", "\\|") for text in _cells(each)[2:]) + " |" for each in part]
        lines.append("")
    return "\n".join(lines)


def to_csv(variables: Sequence[Variable], language: Language) -> str:
    """Write the list as CSV, one line a variable."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=";" if language == "nb" else ",", lineterminator="\n")
    writer.writerow(HEADS[language])
    writer.writerows(_cells(variable) for variable in variables)
    return buffer.getvalue()


def _give(text: str, out: Path | None) -> None:
    if out is None:
        print(text, end="")
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    print(f"Written: {out}")
