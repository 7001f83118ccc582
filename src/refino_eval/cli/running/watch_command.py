"""`refino-eval run --watch`: run, wait until a definition is saved, and run again what depends on it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from queue import Queue
from threading import Event, Thread
from typing import NoReturn

from refino_eval.cli.output import report
from refino_eval.cli.running.job_server import job_server
from refino_eval.errors import MachineError, UserError
from refino_eval.workflow_job import SERVER_VARIABLE

WATCHED = ("config", "data/published")
"""Folders whose files are read as definitions."""

ENDINGS = (".yaml", ".yml", ".csv")
SETTLED = 200
"""Milliseconds within which changes count as one: an editor writes, renames and removes files when it saves."""


def watch_workflow(root: Path, run: Callable[[], object]) -> None:
    """Run, and run again whenever a definition is saved, until the user presses Ctrl-C.

    Parameters
    ----------
    root
        The project's root.
    run
        Runs the evaluation; problems in the configuration or in a job are reported, and the next change is awaited.
    """
    changes: Queue[set[str]] = Queue()
    stop = Event()
    # A thread watches all the time, so that what is saved during a run counts too.
    watcher = Thread(target=_watch, args=(root, changes, stop), daemon=True)
    watcher.start()
    try:
        # Its libraries are imported once for all runs, while the user thinks.
        with job_server(os.environ, everything=True) as environment:
            os.environ.update(environment)
            _run_at_each_change(run, changes)
    except KeyboardInterrupt:
        print("\nStopped.", flush=True)
    finally:
        os.environ.pop(SERVER_VARIABLE, None)
        stop.set()
        watcher.join(timeout=2)


def _run_at_each_change(run: Callable[[], object], changes: Queue[set[str]]) -> NoReturn:
    while True:
        try:
            run()
        except (UserError, MachineError) as error:
            report(error.problems)
        print("\nWaiting for a change of a definition; Ctrl-C ends.", flush=True)
        changed = changes.get()
        while not changes.empty():
            changed |= changes.get()
        print(f"Changed: {', '.join(sorted(changed))}", flush=True)


def _watch(root: Path, changes: Queue[set[str]], stop: Event) -> None:
    """Put the definitions that were saved, by their paths from the root, into a queue until asked to stop."""
    from watchfiles import Change, watch

    def is_definition(change: Change, path: str) -> bool:
        return path.endswith(ENDINGS) and not Path(path).name.startswith(".")

    folders = [root / name for name in WATCHED if (root / name).is_dir()]
    for found in watch(*folders, watch_filter=is_definition, debounce=SETTLED, stop_event=stop, rust_timeout=500):
        changes.put({Path(path).relative_to(root).as_posix() for _, path in found})
