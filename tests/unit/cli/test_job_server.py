"""Jobs that the job server runs in forks of itself end like jobs in new processes, and never outlive their run."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from refino_eval.cli.running import job_client
from refino_eval.cli.running.job_server import job_server
from refino_eval.cli.running.stage_times import enter_usage
from refino_eval.digest import PACKAGE
from refino_eval.workflow_job import NO_SERVER, SERVER_VARIABLE, USAGE

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the server forks on Linux alone")


@pytest.fixture(scope="module")
def environment():
    """The environment of jobs, with a server's socket."""
    with job_server({**os.environ, "FROM_SNAKEMAKE": "yes"}, everything=False) as found:
        yield found


def command(script):
    return [sys.executable, "-I", "-S", job_client.__file__, sys.executable, str(script)]


def run(tmp_path, environment, text):
    script = tmp_path / "script.py"
    script.write_text(text, encoding="utf-8")
    return subprocess.run(command(script), cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)


def wait_for(condition):
    for _ in range(100):
        if condition():
            return True
        time.sleep(0.05)
    return False


SAYS_WHERE = "import os, sys; print(os.getppid(), os.getcwd(), __name__, os.environ['FROM_SNAKEMAKE'], sys.argv[0])"


def test_client_and_jobs_name_the_same_variable():
    assert job_client.SOCKET_VARIABLE == SERVER_VARIABLE


def test_a_script_runs_in_a_fork_with_the_clients_folder_and_environment(tmp_path, environment):
    done = run(tmp_path, {**environment, "FROM_SNAKEMAKE": "changed"}, SAYS_WHERE)
    parent, folder, name, value, script = done.stdout.split()
    assert (folder, name, value, script) == (str(tmp_path), "__main__", "changed", str(tmp_path / "script.py"))
    assert int(parent) != os.getpid()
    assert done.returncode == 0
    # The same server is the parent of the next job; libraries are there that no script has imported, and models are built.
    text = (
        "import os, sys; from refino_eval.config.base import Strict; print(os.getppid(), 'pandas' in sys.modules, {})"
    )
    again = run(tmp_path, environment, text.format("Strict.__pydantic_complete__"))
    assert again.stdout.split() == [parent, "True", "True"]


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("import sys; sys.exit(2)", 2, ""),
        ("raise SystemExit('wrong')", 1, "wrong"),
        ("raise ValueError('a fault')", 1, "ValueError: a fault"),
        ("import os; os.kill(os.getpid(), 9)", 137, ""),
        ("import atexit; atexit.register(print, 'at the end')", 0, "at the end"),
    ],
)
def test_a_job_ends_as_a_new_process_would(tmp_path, environment, text, code, said):
    done = run(tmp_path, environment, text)
    assert done.returncode == code, done.stderr
    assert said in done.stdout + done.stderr


def test_what_one_job_changes_no_other_job_sees(tmp_path, environment):
    run(tmp_path, environment, "import os, json; json.changed = 1; os.environ['LEFT'] = '1'; os.chdir('/')")
    done = run(
        tmp_path, environment, "import os, json; print(hasattr(json, 'changed'), 'LEFT' in os.environ, os.getcwd())"
    )
    assert done.stdout.split() == ["False", "False", str(tmp_path)]


WRITES = "import pathlib, time\npathlib.Path('began').touch(); time.sleep(0.8); pathlib.Path('wrote').touch()"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_job_stops_when_its_client_is_stopped(tmp_path, environment, number):
    server = run(tmp_path, environment, SAYS_WHERE).stdout.split()[0]
    (tmp_path / "long.py").write_text(WRITES, encoding="utf-8")
    with subprocess.Popen(command(tmp_path / "long.py"), cwd=tmp_path, env=environment) as client:
        assert wait_for((tmp_path / "began").exists)
        client.send_signal(number)
    assert client.returncode == (143 if number == signal.SIGTERM else -9)
    time.sleep(1.0)
    assert not (tmp_path / "wrote").exists()
    assert run(tmp_path, environment, SAYS_WHERE).stdout.split()[0] == server, "the server goes on"


def test_a_module_runs_with_its_arguments(tmp_path, environment):
    server = run(tmp_path, environment, SAYS_WHERE).stdout.split()[0]
    (tmp_path / "shown.py").write_text("import os, sys; print(os.getppid(), sys.argv[1:])")
    done = subprocess.run(
        [*command("-m"), "shown", "--cores", "2"], cwd=tmp_path, env={**environment, "PYTHONPATH": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == f"{server} ['--cores', '2']\n", done.stderr


def test_edited_code_is_not_run_by_a_server_that_imported_it_before(tmp_path, monkeypatch):
    package = tmp_path / "copied" / "refino_eval"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__", "exhibits", "report", "config"))
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    with job_server({**os.environ, "FROM_SNAKEMAKE": "yes"}, everything=False) as found:
        server = run(tmp_path, found, SAYS_WHERE).stdout.split()[0]
        assert run(tmp_path, found, SAYS_WHERE).stdout.split()[0] == server
        (package / "seeds.py").write_text((package / "seeds.py").read_text() + "ADDED = 1\n")
        done = run(
            tmp_path,
            found,
            SAYS_WHERE.replace("import os", "import refino_eval.seeds, os") + "; refino_eval.seeds.ADDED",
        )
        assert done.stdout.split()[0] != server, done.stderr
        assert done.returncode == 0, done.stderr


def test_jobs_end_with_a_server_that_is_killed_and_others_run_without_it(tmp_path):
    with job_server({**os.environ, "FROM_SNAKEMAKE": "yes"}, everything=False) as found:
        server = int(run(tmp_path, found, SAYS_WHERE).stdout.split()[0])
        (tmp_path / "long.py").write_text(WRITES, encoding="utf-8")
        with subprocess.Popen(command(tmp_path / "long.py"), cwd=tmp_path, env=found) as client:
            assert wait_for((tmp_path / "began").exists)
            os.kill(server, signal.SIGKILL)
            assert client.wait(timeout=10) == job_client.KILLED
        alone = run(tmp_path, found, "import sys; print('pandas' in sys.modules); sys.exit(3)")
        assert (alone.stdout, alone.returncode) == ("False\n", 3)
        time.sleep(1.0)
        assert not (tmp_path / "wrote").exists()


def test_a_run_without_a_server_gets_its_environment_unchanged():
    with job_server({SERVER_VARIABLE: NO_SERVER}, everything=False) as found:
        assert found == {SERVER_VARIABLE: NO_SERVER}


def test_benchmarks_state_what_the_job_used_and_not_its_client(tmp_path):
    (tmp_path / "a.tsv").write_text(
        "s\th:m:s\tmax_rss\tmax_pss\tmean_load\tcpu_time\n4.0\t0:00:04\t9.1\t8.0\t0.0\t0.01\n"
    )
    os.utime(tmp_path / "a.tsv", (1000, 1000))
    (tmp_path / f"a{USAGE}").write_text('{"cpu_time": 2.0, "max_rss": 210.0}', encoding="utf-8")
    enter_usage(tmp_path, tmp_path)
    assert (tmp_path / "a.tsv").read_text().splitlines()[1] == "4.0\t0:00:04\t210.00\tNA\t50.00\t2.00"
    assert (tmp_path / "a.tsv").stat().st_mtime == 1000
