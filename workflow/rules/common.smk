"""What all rules share: the checked evaluation, and how rules ask it for files and params.

`refino_eval.workflow` decides which files and params a job has; the rules say which job asks for which. Every rule names
the conda environment of workflow/envs. It is used only with `--software-deployment-method conda`; without the option,
jobs run in the environment that Snakemake runs in, locked with hashes.
"""

import os
import re
import sys
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from shlex import quote

import snakemake.benchmark
from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from refino_eval.checksums import FOLDER, unvouched
from refino_eval.cli.running import job_client
from refino_eval.digest import source_digest
from refino_eval.errors import UserError
from refino_eval.kept_results import Recorded, forget
from refino_eval.workflow import Workflow
from refino_eval.workflow_job import (
    NO_SERVER,
    PROBLEMS_VARIABLE,
    SERVER_VARIABLE,
)

try:
    EVALUATION = Workflow.load(Path.cwd(), config["evaluation"])
    FILES, PARAMS = EVALUATION.files, EVALUATION.params
except UserError as error:
    raise WorkflowError("\n".join(error.problems))

# A project includes these rules from the installed package, so they are not always below the main Snakefile.
RULES = Path(workflow.current_basedir.get_path_or_uri(secret_free=False))
SCRIPTS = RULES.parent / "scripts"
if os.environ.get(SERVER_VARIABLE, NO_SERVER) != NO_SERVER:
    # The server of `refino-eval run` runs the jobs in forks of itself; without it, each is a new process.
    CLIENT = quote(str(Path(job_client.__file__)))
    # Snakemake would look at all processes of the machine twice a second to measure a client that waits; jobs measure themselves.
    snakemake.benchmark.BENCHMARK_INTERVAL_SHORT = (
        snakemake.benchmark.BENCHMARK_INTERVAL
    )
    shell.prefix(f"set -euo pipefail; {quote(sys.executable)} -I -S {CLIENT} ")
CONFIGURATION, STUDY = EVALUATION.configuration, EVALUATION.configuration.evaluation
FROM_SPELLS = EVALUATION.only_if(STUDY.entry == "spells")
FROM_TABLE = EVALUATION.only_if(STUDY.entry == "person_table")
FROM_PANEL = EVALUATION.only_if(STUDY.entry == "panel")
SYNTHETIC = EVALUATION.only_if(STUDY.synthetic is not None)


def by(wildcard, function):
    """Return an input or params function that asks with the value of one wildcard."""
    return lambda wildcards: function(wildcards[wildcard])


def digest(script):
    """Return the hash of the library code behind a workflow script."""
    return source_digest(SCRIPTS / script)


@cache
def digest_of_kind(script):
    """Return a function: the hash of the code behind a script for one kind of exhibit, its own and no other's."""
    return cache(lambda kind: source_digest(SCRIPTS / script, kind))


# Rules are read before Snakemake has its settings: what the command line names is in its arguments alone.
NAMED = {os.path.normpath(argument) for argument in sys.argv[1:]}


def with_named(stated, made):
    """Return what Snakemake is to know that a job makes: some of its files, and of the others those that the command line names.

    Snakemake looks at each output many times, and keeps a record of each. The job records every file that it makes.
    """
    return [path for path in made if path in stated or path in NAMED]


def number_making_digests():
    """Return the hash of the library code behind each rule that computes numbers."""
    scripts = [
        "ingest_registers",
        "link_population",
        "derive_panel",
        "derive_outcomes",
        "estimate_exhibits",
    ]
    return {script: digest(f"{script}.py") for script in scripts}


def warn_of_unvouched_files():
    """Name files that Snakemake takes for up to date by their times, and that are not what their jobs wrote."""
    if not workflow.is_main_process or PROBLEMS_VARIABLE in os.environ:
        return
    found = unvouched(
        CONFIGURATION.results_folder / FOLDER, FILES.planned(), FILES.stated_release()
    )
    again = [file for file in found if file.reason]
    if again:
        listed = "\n".join(f"  {file.reason}" for file in again)
        files = " ".join(file.path for file in again)
        logger.warning(
            f"Not what the jobs wrote:\n{listed}\n`refino-eval run` makes them again, or: snakemake --forcerun {files}"
        )


warn_of_unvouched_files()


def forget_forced_results():
    """Remove the kept results that the user wants to be computed again (`--forceall`, `--forcerun`)."""
    settings = workflow.dag_settings
    if settings.forceall:
        forget(CONFIGURATION.results_folder, lambda paths: True)
    elif settings.forcerun and PROBLEMS_VARIABLE not in os.environ:
        # `refino-eval run` names files whose content is not as recorded, which the jobs notice themselves.
        forced = {str(name) for name in settings.forcerun}
        for known in workflow.rules:
            if known.name in forced:
                forced |= {
                    re.sub(r"\{[^{}]*\}", "*", str(path)) for path in known.output
                }
        forget(
            CONFIGURATION.results_folder,
            lambda paths: any(
                fnmatch(path, pattern) for path in paths for pattern in forced
            ),
        )


def not_made_exhibits():
    """Return messages about exhibits that could not be computed; `refino-eval run` reports them itself."""
    if not workflow.is_main_process or PROBLEMS_VARIABLE in os.environ:
        return []
    return list(FILES.not_made())


for MESSAGE in not_made_exhibits():
    logger.warning(f"In the results as they are: {MESSAGE}")


onstart:
    forget_forced_results()


onsuccess:
    # The exit code says that an exhibit is missing, as that of `refino-eval run` does.
    if MESSAGES := not_made_exhibits():
        raise WorkflowError("\n".join(MESSAGES))
