"""A process that runs the jobs of a run by forking, with the libraries that they need imported already.

Starting Python and importing libraries takes a job longer than most of its work. Snakemake plans, starts, logs and measures
jobs as ever, in a fork of this server itself; its shell gives their scripts to `job_client`, which has the server run each in
another fork. The server imports and does nothing else, so a job finds what a new process would. Without a server (another system, a
cluster, a server that was killed) the client starts a new process, with the same result.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from refino_eval.cli.running.job_client import STALE
from refino_eval.digest import PACKAGE
from refino_eval.workflow_job import SERVER_VARIABLE

PLANNING = (
    "pandas",
    "snakemake.cli",
    "refino_eval.workflow",
    "refino_eval.config.base:complete_models",
    "refino_eval.digest:read_package",
)
"""What Snakemake itself needs: modules, and functions that read the program's files. It comes before the first request, which is
to run Snakemake."""

EVERY_JOB = (
    "pyarrow.parquet",
    "pyarrow.dataset",
    "pyarrow.pandas_compat",
    "duckdb",
    "refino_eval.config.definitions",
)
COMPUTING = (
    "refino_eval.exhibits.aggregate",
    "refino_eval.exhibits.verification",
    "statsmodels.regression.linear_model",
    "refino_eval.exhibits.render",
    "refino_eval.exhibits.formats.write",
    "refino_eval.report.page.report_page",
    "refino_eval.report.catalogue_page",
    "refino_eval.outcomes.build",
    "refino_eval.exhibits.layout.drawn_once",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "matplotlib.backends.backend_pdf",
    "refino_eval.exhibits.formats.excel",
    "openpyxl",
    "refino_eval.exhibits.formats.word",
    "docx",
    "refino_eval.report.word.word_report",
    "jinja2",
    "linearmodels.iv.absorbing",
)
"""What the jobs of a whole run import, in the order in which they need it."""

PREPARED = (
    "refino_eval.config.base:complete_models",
    "refino_eval.text.catalogue:read_all",
    "refino_eval.report.html:compile_templates",
)
"""What jobs would each do with the program's files, done once after the imports."""

EACH_KIND = ("numbers", "layout", "text")
"""Modules of kinds of exhibits, in their folders."""

PR_SET_PDEATHSIG = 1
HEAD = 4
"""Bytes of the length of a request, and of an answer."""


@contextmanager
def job_server(environment: Mapping[str, str], *, everything: bool) -> Iterator[dict[str, str]]:
    """Start a server, and yield the environment in which Snakemake's jobs find it.

    Parameters
    ----------
    environment
        Of Snakemake and its jobs; where it names a server already, that one is used.
    everything
        Whether most jobs of the run will compute something, so that libraries are worth importing before they are asked for.
    """
    if sys.platform != "linux" or SERVER_VARIABLE in environment:
        yield dict(environment)
        return
    with tempfile.TemporaryDirectory(prefix="refino_eval_jobs_") as folder, socket.socket(socket.AF_UNIX) as listener:
        path = f"{folder}/socket"
        try:
            listener.bind(path)
        except OSError:  # the path is too long for a socket
            yield dict(environment)
            return
        listener.listen()
        command = [sys.executable, "-m", __name__, str(listener.fileno()), *(["everything"] if everything else [])]
        # BLAS reads these when numpy is imported: the same bytes on any number of cores.
        pinned = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, pass_fds=[listener.fileno()], env={**environment, **pinned}
        ) as process:
            listener.close()  # the server's copy is the only one: nobody waits for a server that has ended
            try:
                yield {**environment, SERVER_VARIABLE: path}
            finally:
                assert process.stdin is not None
                process.stdin.close()  # ends the server
                process.wait()


@dataclass
class _Server:
    """The server itself: one loop over requests, the ends of jobs, and modules to import when nothing else is to do."""

    listener: socket.socket
    modules: list[str]
    jobs: dict[int, socket.socket] = field(default_factory=dict)
    code: dict[str, tuple[int, int]] = field(default_factory=lambda: code_of())

    def serve(self) -> None:
        """Answer requests until standard input is closed, which is when the run ends, in whatever way."""
        selector = selectors.DefaultSelector()
        gc.disable()  # modules leave little garbage, and looking for it takes a fifth of the time of importing them
        # SIGCHLD writes a byte into a pipe, so that one `select` waits for requests and for the ends of jobs alike.
        ended, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Snakemake decides what Ctrl-C means for its jobs
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        for name in PLANNING:
            self._load(name)
        for source in (0, ended, self.listener):
            selector.register(source, selectors.EVENT_READ)
        while True:
            ready = selector.select(0 if self.modules else None)
            if not ready and self.modules:
                self._load(self.modules.pop(0))
            for key, _ in ready:
                if key.fileobj == 0:
                    for process in self.jobs:
                        os.kill(process, signal.SIGTERM)
                    return
                if key.fileobj == ended:
                    os.read(ended, 512)
                    for connection in self._answer():
                        with suppress(KeyError):  # its client asked for the end
                            selector.unregister(connection)
                        connection.close()
                elif key.fileobj is self.listener:
                    connection, _ = self.listener.accept()
                    if self._start(connection):
                        selector.register(connection, selectors.EVENT_READ)
                    else:
                        connection.close()
                else:
                    self._stop(key.fileobj)
                    selector.unregister(key.fileobj)

    def _load(self, name: str) -> None:
        """Import a module, and call a function of it where one is named."""
        module, _, function = name.partition(":")
        with suppress(Exception):  # a job that needs it reports what is wrong
            loaded = import_module(module)
            if function:
                getattr(loaded, function)()

    def _answer(self) -> Iterator[socket.socket]:
        """Tell clients whose jobs have ended the exit code, and yield their connections."""
        while self.jobs:
            process, status = os.waitpid(-1, os.WNOHANG)
            if not process:
                return
            connection = self.jobs.pop(process)
            code = os.waitstatus_to_exitcode(status)
            with suppress(OSError):
                # Shells report a process that signal s ended as 128 + s.
                connection.sendall((code if code >= 0 else 128 - code).to_bytes(HEAD, "big"))
            yield connection

    def _start(self, connection: socket.socket) -> bool:
        """Fork for a request; return whether it was whole."""
        connection.settimeout(10)
        try:
            # The job's standard streams come with the length of the request, and its text after.
            head, files, _, _ = socket.recv_fds(connection, HEAD, 3)
            text = b""
            while len(text) < int.from_bytes(head, "big"):
                if not (part := connection.recv(1 << 16)):
                    return False
                text += part
        except OSError:
            return False
        if code_of() != self.code:
            # A developer's edit: what was imported is not what a new process would import.
            with suppress(OSError):
                connection.sendall(STALE.to_bytes(HEAD, "big"))
            for file in files:
                os.close(file)
            return False
        process = os.fork()
        if not process:
            _become(json.loads(text), files, os.getppid())
        for file in files:
            os.close(file)
        self.jobs[process] = connection
        return True

    def _stop(self, connection: object) -> None:
        """Stop a job whose client was killed."""
        for process, other in self.jobs.items():
            if other is connection:
                os.kill(process, signal.SIGTERM)


def code_of() -> dict[str, tuple[int, int]]:
    """Return size and time of the program's files."""
    found = {}
    for folder, names, files in os.walk(PACKAGE):
        names[:] = [name for name in names if name != "__pycache__"]
        for name in files:
            path = os.path.join(folder, name)
            with suppress(OSError):
                stat = os.stat(path)
                found[path] = (stat.st_size, stat.st_mtime_ns)
    return found


def _become(request: dict[str, object], files: Sequence[int], server: int) -> None:
    """Run a script in this process as if it were a new one, and end."""
    code = 1
    try:
        # A job ends with the server: nothing may write results after a run was killed.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        # A server that died between the fork and `prctl` gives no signal any more.
        if os.getppid() != server:
            os._exit(1)
        # What the server imported is never garbage: looking through its 250,000 objects again and again takes a tenth
        # of a job's time, and copies the memory that jobs share.
        gc.freeze()
        gc.enable()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number, file in enumerate(files):
            os.dup2(file, number)
        # The server's sockets and pipes: a new process would not have them.
        os.closerange(3, 256)
        os.chdir(str(request["folder"]))
        environment = request["environment"]
        assert isinstance(environment, dict)
        os.environ.clear()
        os.environ.update(environment)
        # Chosen when it was first asked for, by the server's environment.
        tempfile.tempdir = None
        argv = request["argv"]
        assert isinstance(argv, list)
        if argv[0] == "-m":
            sys.argv, sys.path[0] = argv[1:], os.getcwd()
            runpy.run_module(argv[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = argv
            sys.path[0] = str(Path(argv[0]).parent)
            runpy.run_path(argv[0], run_name="__main__")
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(BaseException):
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
        # Not `sys.exit`: this is still the server's stack, whose loop must not go on in a second process.
        os._exit(code)


def _modules(everything: bool) -> list[str]:
    """Return what to import, in the order in which a run needs it."""
    if not everything:
        return list(EVERY_JOB)
    kinds = [
        f"refino_eval.exhibits.kinds.{path.parent.name}.{part}"
        for part in EACH_KIND
        for path in sorted((PACKAGE / "exhibits" / "kinds").glob(f"*/{part}.py"))
    ]
    return [*EVERY_JOB, *COMPUTING, *kinds, *PREPARED]


if __name__ == "__main__":
    gc.disable()  # the server only imports; its forks collect garbage again
    _Server(socket.socket(fileno=int(sys.argv[1])), _modules("everything" in sys.argv)).serve()
