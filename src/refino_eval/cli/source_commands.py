"""`refino-eval sources`: the registers that an evaluation reads, and the list of their variables with reasons."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from refino_eval.cli.output import check_option, write_output
from refino_eval.config import load_configuration
from refino_eval.config.base import Language
from refino_eval.config.load import project_root
from refino_eval.csv_output import csv_text
from refino_eval.errors import UserError
from refino_eval.registers.variables import Variable
from refino_eval.registers.variables import variable_list as list_variables
from refino_eval.text import say
from refino_eval.text.escaping import markdown_cell, markdown_row

FORMS = ("md", "csv")
HEADS = ("register", "owner", "delivered", "name", "type", "why")
"""Texts of the catalogue that head the columns of the list."""


def list_sources(evaluation: str | None, *, variable_list: bool, language: str, form: str, out: Path | None) -> None:
    """Print or write the registers of an evaluation, or the list of their variables.

    Parameters
    ----------
    evaluation
        The evaluation; None for the one that `config/config.yaml` names.
    variable_list
        Each column with type and reason, instead of one line per register.
    language
        ``"nb"`` or ``"en"``.
    form
        ``"md"`` or ``"csv"`` (with semicolons in Norwegian, as spreadsheets there expect).
    out
        A file to write; None prints.
    """
    check_option("--language", language, get_args(Language))
    check_option("--format", form, FORMS)
    configuration = load_configuration(project_root(), evaluation=evaluation)
    registers = list(configuration.sources.values())
    if not registers:
        raise UserError(
            f"The evaluation '{configuration.evaluation.name}' reads no registers; it reads a person table."
        )
    if not variable_list:
        lines = [f"{s.register_name:<24}{s.label[language]} ({len(s.columns)}), {s.owner}" for s in registers]
        write_output("\n".join(lines) + "\n", out)
        return
    spoken: Language = "nb" if language == "nb" else "en"
    variables = list_variables(registers, spoken)
    name = configuration.evaluation.label[language]
    write_output(to_markdown(variables, spoken, name) if form == "md" else to_csv(variables, spoken), out)


def _cells(variable: Variable) -> tuple[str, ...]:
    return (
        variable.register_label, variable.owner, variable.source_column, f"{variable.register}.{variable.column}",
        variable.type, variable.why,
    )  # fmt: skip


def to_markdown(variables: Sequence[Variable], language: Language, name: str) -> str:
    """Write the list as Markdown: one table per register, headed by its owner."""
    heads = [say(f"cli.variable_{key}", language) for key in HEADS]
    lines = [
        f"# {say('cli.variable_list', language, name=markdown_cell(name))}",
        "",
        say("cli.only_listed_are_read", language),
        "",
    ]
    for register in dict.fromkeys(variable.register for variable in variables):
        part = [variable for variable in variables if variable.register == register]
        lines += [f"## {markdown_cell(part[0].register_label)}", "", f"{heads[1]}: {markdown_cell(part[0].owner)}", ""]
        lines += [markdown_row(heads[2:]), "|" + "---|" * len(heads[2:])]
        lines += [markdown_row(_cells(variable)[2:]) for variable in part]
        lines.append("")
    return "\n".join(lines)


def to_csv(variables: Sequence[Variable], language: Language) -> str:
    """Write the list as CSV, one line per variable."""
    heads = [say(f"cli.variable_{key}", language) for key in HEADS]
    return csv_text([heads, *map(_cells, variables)], delimiter=";" if language == "nb" else ",")
