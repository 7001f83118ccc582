"""What a register needs so that Spark can clean it where it lies, in a data lake; known before anything is read."""

from __future__ import annotations

from collections.abc import Mapping

from refino_eval.config.sources import Overlap, PersonNotListed, Source, Superseded
from refino_eval.sql.spark_server import LOCAL, server_address

FORMATS = ("parquet", "csv")
_REFUSED = {
    Superseded: "the order of files",
    Overlap: "the order of lines",
    PersonNotListed: "a file of the delivery's folder",
}


def lake_problems(sources: Mapping[str, Source], engine: str) -> list[str]:
    """Return what keeps an evaluation's registers from being read from a lake."""
    problems: list[str] = []
    for source in sources.values():
        if source.lake is not None and engine != "spark":
            problems.append(
                f"config/sources/{source.register_name}.yaml, lake: a register in a data lake is read by Spark, and the engine "
                f"is {engine}. Set `engine: spark` in config/config.yaml, or deliver the register as files and remove `lake`."
            )
        elif source.lake is not None:
            problems += _problems(source)
    return problems


def _problems(source: Source) -> list[str]:
    """Return what in a register's description cannot be read from a lake; one paragraph for each problem."""
    where = f"config/sources/{source.register_name}.yaml, lake:"
    again = "Deliver the register as files (`files`), which are read without Spark, or leave the rule out."
    problems = [
        f"{where} the rule {rule.rule} needs {_REFUSED[type(rule)]}, which Spark does not know. {again}"
        for rule in source.rules
        if type(rule) in _REFUSED
    ]
    if source.format not in FORMATS:
        problems.append(
            f"{where} files of the format {source.format} cannot be read there, only {' and '.join(FORMATS)}."
        )
    if source.format == "csv" and server_address() == LOCAL:
        problems.append(
            f"{where} the Spark server inside the program cannot set aside lines with too few or too many fields. Use the "
            "address of a Spark server, or write the register as parquet."
        )
    if source.temporality == "fixed":
        problems.append(
            f"{where} a register with one row a person needs the order of lines for people with several. {again}"
        )
    return problems
