"""The Spark server: where it is, what is said when it does not answer, and what is recorded of it."""

import shutil
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import yaml

from refino_eval.cli.check_command import check_evaluation
from refino_eval.config.load import load_configuration
from refino_eval.errors import MachineError, UserError
from refino_eval.report.provenance import record_run
from refino_eval.sql.spark_server import LOCAL, parquet_view, server_address, server_facts, spark_session, spark_sql
from refino_eval.workflow import Workflow

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path):
    """A project whose engine is Spark."""
    for folder in ("config", "data/published"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    path = tmp_path / "config" / "config.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("engine: duckdb ", "engine: spark "), encoding="utf-8")
    return tmp_path


@pytest.fixture
def closed_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_an_unknown_engine_is_reported_with_the_valid_ones(project):
    path = project / "config" / "config.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("engine: spark ", "engine: polars "), encoding="utf-8")
    with pytest.raises(
        UserError, match=r"config/config.yaml: engine: must be one of 'duckdb' or 'spark' \(given: 'polars'\)"
    ):
        load_configuration(project)


@pytest.mark.parametrize("address", ["localhost:15002", "sc://", "http://host:15002", "sc://host:1 5002"])
def test_an_address_that_is_none_is_reported(project, monkeypatch, address):
    monkeypatch.setenv("SPARK_REMOTE", address)
    with pytest.raises(UserError, match=r"The address of the Spark server .*`sc://host:port`"):
        load_configuration(project)


def test_missing_packages_are_named_with_the_command_that_installs_them(project, monkeypatch):
    monkeypatch.setenv("SPARK_REMOTE", LOCAL)
    for module in ("pysail", "sqlglot"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        UserError, match=r"pysail, sqlglot, which are not installed.*pip install 'refino-eval\[spark\]'"
    ):
        load_configuration(project)


def test_a_server_that_does_not_answer_is_an_error_of_the_machine(project, monkeypatch, closed_port):
    monkeypatch.setenv("SPARK_REMOTE", f"sc://127.0.0.1:{closed_port}/;token=secret")
    with pytest.raises(MachineError) as caught:
        list(check_evaluation(project, None))
    (problem,) = caught.value.problems
    assert f"The Spark server at sc://127.0.0.1:{closed_port} cannot be reached" in problem
    assert "secret" not in problem


@pytest.mark.skipif(server_address() == LOCAL, reason="the server inside the program sees every file that we see")
def test_a_file_that_the_server_cannot_read_is_an_error_of_the_machine(tmp_path):
    with pytest.raises(MachineError, match="cannot read or write the files of the project"), spark_session() as session:
        session.read.parquet(f"file://{tmp_path}/absent.parquet").count()


def test_a_file_that_is_not_there_is_no_file_without_rows(tmp_path):
    with pytest.raises(FileNotFoundError), spark_session() as session:
        parquet_view(session, "absent", tmp_path / "absent.parquet", ["person_id"])


def test_a_fault_of_a_query_stays_a_fault_of_the_program():
    with pytest.raises(Exception, match="nowhere") as caught, spark_session() as session:
        session.sql("SELECT * FROM nowhere").collect()
    assert not isinstance(caught.value, MachineError | UserError)


def test_check_connects_to_the_server(project):
    assert any("engine spark: the server" in line and "answers" in line for line in check_evaluation(project, None))


def test_a_program_without_a_main_file_can_use_the_engine():
    code = "from refino_eval.sql.spark_server import server_facts; print(server_facts()['pyspark-client'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_the_record_of_a_run_has_engine_and_versions_but_no_address(project, tmp_path, monkeypatch):
    path = project / "config" / "config.yaml"
    private = path.read_text(encoding="utf-8").replace(
        "spark_address: local", "spark_address: sc://private:1/;token=secret"
    )
    path.write_text(private, encoding="utf-8")
    monkeypatch.setenv("SPARK_REMOTE", server_address())
    configuration = Workflow(load_configuration(project)).params.whole_configuration()
    record_run(
        configuration,
        data_folder=tmp_path / "data",
        files=None,
        root=project,
        provenance_path=tmp_path / "provenance.json",
        configuration_path=tmp_path / "run_config.yaml",
    )
    record = yaml.safe_load((tmp_path / "provenance.json").read_text(encoding="utf-8"))
    assert record["engine"] == {"name": "spark", **server_facts()}
    assert record["engine"]["spark"].startswith("4.")
    texts = [(tmp_path / name).read_text(encoding="utf-8") for name in ("provenance.json", "run_config.yaml")]
    assert not any(word in text for text in texts for word in ("secret", "private", "127.0.0.1"))


@pytest.mark.parametrize(
    ("duckdb", "spark"),
    [
        ("SELECT beyond - first_day FROM t", "DATEDIFF(beyond, first_day)"),
        ('SELECT "order" FROM t', "`order`"),
    ],
)
def test_constructs_that_mean_something_else_in_spark_are_rewritten(duckdb, spark):
    assert spark in spark_sql(duckdb)


def test_rounding_and_floor_are_the_same_to_the_last_bit():
    given = np.array(
        [0.5, 1.5, 2.5, -0.5, -1.5, -0.2, 0.0, 2.0**51 + 0.5, -0.0, 2.0**52 + 1, -(2.0**52), 1e300, -3e15 - 0.5]
    )
    with spark_session() as session:
        session.createDataFrame(pa.table({"n": range(len(given)), "x": given})).createOrReplaceTempView("t")
        made = session.sql(spark_sql("SELECT n, ROUND_EVEN(x, 0) AS y, FLOOR(x) AS z FROM t")).toArrow().sort_by("n")
    assert made["y"].to_numpy().tobytes() == np.rint(given).tobytes()
    assert made["z"].to_numpy().tobytes() == np.floor(given).tobytes()


def test_small_relations_are_sent_to_every_worker():
    query = spark_sql("SELECT 1 FROM a AS s JOIN people ON people.x = s.x JOIN periods ON TRUE", broadcast=["people"])
    assert "/*+ BROADCAST(people) */" in query
