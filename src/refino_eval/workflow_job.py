"""What every workflow script does first: pin the numerical libraries, log, and tell a user's fault from our own.

Import this before anything that imports numpy.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")  # the same bytes on any number of cores

FAULTS_VARIABLE = "REFINO_EVAL_FAULTS"
"""Environment variable: the folder in which jobs leave users' faults for the command line to tell."""


@contextmanager
def job(snakemake: Any) -> Iterator[logging.Logger]:
    """Run the body of a workflow script.

    Parameters
    ----------
    snakemake
        The script's `snakemake` object.

    Yields
    ------
    logging.Logger
        Writes to the rule's log file.

    Notes
    -----
    A `UserError` is written to the log as paragraphs, left for the command line, and ends the job with exit code 2.
    Anything else leaves its traceback in the log.
    """
    from refino_eval.errors import UserError

    path = Path(snakemake.log[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    logger = logging.getLogger("refino_eval")
    logger.setLevel(logging.INFO)
    handler = logging.FileHandler(path, mode="w", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger.addHandler(handler)
    try:
        yield logger
    except UserError as fault:
        for paragraph in fault.problems:
            logger.error(paragraph)
        _leave(snakemake.rule, fault.problems)
        print("\n".join(fault.problems), file=sys.stderr)
        sys.exit(2)
    except Exception:
        logger.error(traceback.format_exc())
        raise
    finally:
        handler.close()
        logger.removeHandler(handler)


def _leave(rule: str, faults: tuple[str, ...]) -> None:
    folder = os.environ.get(FAULTS_VARIABLE)
    if folder:
        path = Path(folder) / f"{rule}-{os.getpid()}.txt"
        path.write_text("\n".join(faults) + "\n", encoding="utf-8")
