"""Run SQL on a Spark Connect server, or on Sail: a server of the same protocol, without Java, inside this process.

The panel and the outcomes are written as SQL in DuckDB's dialect; `spark_sql` translates it. The few constructs whose
meaning differs between the engines are rewritten here, so that the numbers are the same to the last bit.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from refino_eval.errors import MachineError, machine_problem, raise_problems

if TYPE_CHECKING:
    import pyarrow as pa
    import sqlglot.expressions as exp
    from pyspark.sql.connect.session import SparkSession

ADDRESS_VARIABLE = "SPARK_REMOTE"
"""Environment variable with the address of the server, as in other programs that use Spark Connect."""

LOCAL = "local"
LARGEST = "1.7976931348623157E308"
WHOLE_FROM = "4503599627370496E0"
"""2**52: from here on every double is a whole number."""

DEFAULT_PORT = 15002
CONNECTION_SECONDS = 5
PACKAGES = ("pyspark-client", "pysail", "sqlglot")
_DAYS = frozenset(("period_start", "period_stop", "first_day", "beyond", "reached"))
"""Columns of the panel's text that are days: their difference is a number of days in every engine but Spark."""


def server_address(configured: str = LOCAL) -> str:
    """Return the address of the server: ``local``, or ``sc://host:port`` with the options of Spark Connect.

    Parameters
    ----------
    configured
        The address in the configuration, which the environment replaces.
    """
    return os.environ.get(ADDRESS_VARIABLE) or configured


def use_address(configured: str) -> None:
    """Let this process and the jobs that it starts use the configured address, unless the environment gives another."""
    os.environ[ADDRESS_VARIABLE] = server_address(configured)


def engine_problems(address: str) -> list[str]:
    """Return what makes it impossible to use Spark with a server at that address; nothing is connected to."""
    problems = (_address_problem(address), _package_problem(address))
    return [problem for problem in problems if problem is not None]


def _address_problem(address: str) -> str | None:
    if address == LOCAL or re.fullmatch(r"sc://[^/;\s]+(/(;[^\s]*)?)?", address):
        return None
    return (
        f"The address of the Spark server is '{_public(address)}', which is not one. Write `local` for a server inside the "
        f"program, or `sc://host:port` (`spark_address` in config/config.yaml, or the variable {ADDRESS_VARIABLE})."
    )


def _package_problem(address: str) -> str | None:
    needed = {"pyspark": "pyspark-client", "sqlglot": "sqlglot", "grpc": "pyspark-client"}
    if address == LOCAL:
        needed["pysail"] = "pysail"
    missing = sorted({package for module, package in needed.items() if find_spec(module) is None})
    if not missing:
        return None
    return (
        f"config/config.yaml, engine: 'spark' needs the package(s) {', '.join(missing)}, which are not installed. Install "
        "the optional dependencies with `pip install 'refino-eval[spark]'`, or use `engine: duckdb`, which gives the same "
        "numbers."
    )


def server_facts() -> dict[str, str | None]:
    """Return the kind of server and the versions involved, for the record of a run; never the address itself.

    Raises
    ------
    UserError, MachineError
        As `spark_session`.
    """
    with spark_session() as session:
        kind = "inside the program" if server_address() == LOCAL else "spark connect"
        return {"server": kind, "spark": str(session.version), **{name: _version(name) for name in PACKAGES}}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


@contextlib.contextmanager
def _main_module_with_a_file() -> Iterator[None]:
    """Give the main module a file where it has none, as under ``python -c``.

    Spark's client takes a main module without file and specification for a run of its own tests, looks for a whole Spark,
    and ends the process where there is none (`pyspark.sql.connect.utils.check_dependencies`).
    """
    main: Any = sys.modules["__main__"]
    if hasattr(main, "__file__"):
        yield
        return
    main.__file__ = "<main>"
    try:
        yield
    finally:
        del main.__file__


@contextlib.contextmanager
def spark_session() -> Iterator[SparkSession]:
    """Open a session on the server that `server_address` names.

    Raises
    ------
    UserError
        When the address cannot be one, or an optional package is missing.
    MachineError
        When the server cannot be reached, cannot read or write the project's files, or stops.
    """
    address = server_address()
    raise_problems(engine_problems(address))
    if address != LOCAL:
        _require_connection(address)
    with warnings.catch_warnings(), _main_module_with_a_file():
        # Spark's client warns of pandas 3, whose data frames nothing here asks it for.
        warnings.simplefilter("ignore", FutureWarning)
        from pyspark.errors import PySparkException
        from pyspark.sql.connect.session import SparkSession

    session = None
    try:
        url = _sail_url() if address == LOCAL else address
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            session = SparkSession.builder.remote(url).create()
            # Days and doubles as everywhere; a cast that overflows is an error, never another number.
            session.conf.set("spark.sql.session.timeZone", "UTC")
            session.conf.set("spark.sql.ansi.enabled", "true")
        yield session
    except PySparkException as error:
        raise _server_problem(address, error) from error
    except Exception as error:
        if type(error).__module__.startswith("grpc"):
            raise _server_problem(address, error) from error
        raise
    finally:
        if session is not None:
            with contextlib.suppress(Exception):
                session.stop()


def _require_connection(address: str) -> None:
    """Find out within seconds that nothing answers; Spark's client would go on trying for minutes."""
    location = urlsplit(address)
    try:
        socket.create_connection((location.hostname, location.port or DEFAULT_PORT), CONNECTION_SECONDS).close()
    except OSError as error:
        raise MachineError(_unreachable(address)) from error


def _unreachable(address: str) -> str:
    return (
        f"{_place(address)} cannot be reached, or stopped. Check that it is running and that this machine may connect to it "
        f"(port {DEFAULT_PORT} unless the address gives another), then repeat the command; or use `engine: duckdb`, which "
        "gives the same numbers."
    )


def _place(address: str) -> str:
    return "The Spark server inside the program" if address == LOCAL else f"The Spark server at {_public(address)}"


@lru_cache(maxsize=1)
def _sail_url() -> str:
    """Start Sail in this process, once; it ends with the process."""
    os.environ.setdefault("RUST_LOG", "error")
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer()
    server.start(background=True)
    _kept.append(server)
    _, port = server.listening_address
    return f"sc://127.0.0.1:{port}"


_kept: list[Any] = []
"""The server inside this process, which would stop if nothing referred to it."""


def _server_problem(address: str, error: Exception) -> Exception:
    """Return an error of the server as an error of the machine where it is one, and as it is otherwise."""
    text = str(error)
    place = _place(address)
    if type(error).__module__.startswith("grpc") or "UNAVAILABLE" in text or "failed to connect" in text.lower():
        return MachineError(_unreachable(address))
    if any(words in text for words in ("PATH_NOT_FOUND", "FileNotFound", "Permission denied", "AccessControl")):
        return MachineError(
            f"{place} cannot read or write the files of the project. All its workers must see the project's folder under "
            "the same path as this machine, and have access to `results/<evaluation>/person_level`: start the server as the "
            "same user, on a file system that they share."
        )
    if "OutOfMemory" in text or "ResourcesExhausted" in text or "Resources exhausted" in text:
        return MachineError(f"{place} ran out of memory. Give its driver and workers more, or use `engine: duckdb`.")
    problem = machine_problem(error)
    return MachineError(problem) if problem else error


def _public(address: str) -> str:
    """Return an address without its options, which may hold a token."""
    return address.split("/;")[0].split("@")[-1]


def spark_sql(
    text: str,
    *,
    broadcast: Sequence[str] = (),
    bucket: tuple[str, str] | None = None,
    schema: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """Translate a query from DuckDB's dialect to Spark's.

    Parameters
    ----------
    text
        One statement.
    broadcast
        Relations that are small enough to be sent to every worker whole.
    bucket
        Name and SQL of a column that the result gets in addition; the query's last ORDER BY is then left out.
    schema
        Columns of the relations, for queries with ``SELECT * REPLACE``, which Spark does not have.

    Notes
    -----
    Beyond what `sqlglot` translates: FLOOR gives an integer of 64 bits in Spark, and a double here; ROUND_EVEN is written out; the
    difference between two days is an interval in Spark, and a number here.
    """
    import sqlglot
    import sqlglot.expressions as exp
    from sqlglot.optimizer.qualify import qualify

    tree = sqlglot.parse_one(text, read="duckdb")
    if schema is not None:
        listed: dict[str, object] = {name: dict.fromkeys(columns, "text") for name, columns in schema.items()}
        tree = qualify(tree, schema=listed, dialect="duckdb", validate_qualify_columns=False)
    tree = tree.transform(_same_meaning)
    for select in tree.find_all(exp.Select):
        joined = [join.this.alias_or_name for join in select.args.get("joins") or ()]
        small = [name for name in joined if name in broadcast]
        if small:
            hints = [exp.Anonymous(this="BROADCAST", expressions=[exp.to_identifier(name)]) for name in small]
            select.set("hint", exp.Hint(expressions=hints))
    if bucket is not None:
        assert isinstance(tree, exp.Select)
        name, value = bucket
        tree.set("order", None)
        tree = tree.select(exp.alias_(sqlglot.parse_one(value, read="duckdb"), name))
    return tree.sql(dialect="spark", pretty=True)


def _same_meaning(node: exp.Expression) -> exp.Expression:
    """Rewrite a construct that means something else in Spark."""
    import sqlglot.expressions as exp

    if isinstance(node, exp.Floor):
        value = node.this.transform(_same_meaning).sql(dialect="duckdb")
        unchanged = f"ABS({value}) >= {WHOLE_FROM} OR {value} = 0E0"
        return _parsed(f"(CASE WHEN {unchanged} THEN {value} ELSE CAST(FLOOR({value}) AS DOUBLE) END)")
    if isinstance(node, exp.Anonymous) and node.name.upper() == "ROUND_EVEN":
        return _rounded_half_even(node.expressions[0].transform(_same_meaning).sql(dialect="duckdb"))
    if isinstance(node, exp.Sub) and all(
        isinstance(side, exp.Column) and side.name in _DAYS for side in (node.this, node.expression)
    ):
        return exp.DateDiff(this=node.this, expression=node.expression)
    if isinstance(node, exp.RegexpFullMatch):
        whole = exp.Literal.string(f"^(?:{node.expression.name})$")
        return exp.RegexpLike(this=node.this.transform(_same_meaning), expression=whole)
    if isinstance(node, exp.Anonymous):
        return _same_function(node)
    return node


def _same_function(node: exp.Anonymous) -> exp.Expression:
    """Rewrite a function of DuckDB that `sqlglot` does not know."""
    import sqlglot
    import sqlglot.expressions as exp

    name, arguments = node.name.upper(), [argument.transform(_same_meaning) for argument in node.expressions]
    if name == "ISFINITE":
        return exp.LTE(this=exp.Abs(this=arguments[0]), expression=sqlglot.parse_one(LARGEST))
    if name == "TRY_STRPTIME":
        # The pattern of days is the one that writes them.
        written = sqlglot.parse_one(f"STRFTIME(x, {arguments[1].sql()})", read="duckdb").sql("spark")
        pattern = exp.Literal.string(written.rsplit("'", 2)[1])
        return exp.Anonymous(this="TRY_TO_TIMESTAMP", expressions=[arguments[0], pattern])
    return node


def _rounded_half_even(value: str) -> exp.Expression:
    """Write the nearest whole number, of two equally near the even one, in arithmetic of doubles alone.

    Servers disagree on the ties of RINT. Adding 2**52 leaves no bits for decimals. The outer minus keeps the sign of zero.
    """
    whole = WHOLE_FROM
    return _parsed(
        f"(CASE WHEN ABS({value}) >= {whole} OR {value} = 0E0 THEN {value} WHEN {value} < 0E0 THEN -((-({value}) + {whole}) - {whole}) "
        f"ELSE ({value} + {whole}) - {whole} END)"
    )


def _parsed(text: str) -> exp.Expression:
    import sqlglot
    import sqlglot.expressions as exp

    tree = sqlglot.parse_one(text, read="duckdb")
    assert isinstance(tree, exp.Expression)
    return tree


def parquet_view(
    session: SparkSession,
    name: str,
    path: Path,
    columns: Sequence[str],
    limits: tuple[str, str] | None = None,
) -> None:
    """Make a view of some columns of a parquet file, which the server reads itself.

    Parameters
    ----------
    limits
        First and last person_id that are read; by default everybody is.
    """
    path.stat()  # Sail takes a file that is not there for one without rows
    frame = session.read.parquet(f"file://{path.resolve()}").select(*columns)
    if limits is not None:
        frame = frame.where(frame["person_id"].between(*limits))
    frame.createOrReplaceTempView(name)


def result_tables(
    session: SparkSession, query: str, folder: Path, *, keys: Sequence[str], bucket: str | None = None
) -> Iterator[pa.Table]:
    """Run a query on the server, which writes its rows as parquet; then yield them in order.

    Parameters
    ----------
    query
        In Spark's dialect. The order of its rows is not used: it is not the same in the files of every server.
    folder
        Folder for the server's files, which does not exist; it is removed afterwards.
    keys
        Columns that the rows are sorted by.
    bucket
        Integer column of the query that cuts the sorted rows into tables, so that one of them is in memory at a time;
        it is left out of the tables. By default there is one table.
    """
    rows = session.sql(query)
    try:
        if bucket is None:
            rows.write.parquet(f"file://{folder.resolve()}")
            yield _sorted_rows(folder, keys)
            return
        # A bucket's rows come from one task, so that there are no more files than buckets.
        rows.repartition(bucket).write.partitionBy(bucket).parquet(f"file://{folder.resolve()}")
        parts = {int(part.name.removeprefix(f"{bucket}=")): part for part in folder.glob(f"{bucket}=*")}
        for number in sorted(parts):
            yield _sorted_rows(parts[number], keys)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sorted_rows(folder: Path, keys: Sequence[str]) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    tables = [pq.read_table(path, partitioning=None) for path in sorted(folder.glob("*.parquet"))]
    return pa.concat_tables(tables).sort_by([(key, "ascending") for key in keys]) if tables else pa.table({})
