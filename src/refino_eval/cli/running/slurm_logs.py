"""Say why Slurm ended jobs of a run: what its logs state, in words and with what to do."""

from __future__ import annotations

import re
from pathlib import Path

LOGS = ".snakemake/slurm_logs"
"""Folder of the logs of jobs: `rule_<name>/...`; Slurm writes into them why it ended a job."""

_REASONS = (
    (
        re.compile(r"exceeded (?:job )?memory limit|oom.kill|out.of.memory", re.IGNORECASE),
        "used more memory than it had asked for",
        "mem_mb: 8000",
    ),
    (re.compile(r"DUE TO TIME LIMIT"), "took longer than it had asked for", "runtime: 240"),
    (re.compile(r"DUE TO NODE FAILURE"), "ran on a node that failed", ""),
    (re.compile(r"CANCELLED AT"), "was cancelled", ""),
)


def slurm_problems(root: Path, began: float) -> list[str]:
    """Return a paragraph for each rule with a job that Slurm ended in this run.

    Parameters
    ----------
    root
        The project.
    began
        When the run began, in seconds of the clock of `time.time`.
    """
    problems: dict[tuple[str, str], str] = {}
    for log in sorted((root / LOGS).glob("rule_*/**/*.log")):
        if log.stat().st_mtime < began:
            continue
        text = log.read_text("utf-8", errors="replace")
        reason = next((reason for reason in _REASONS if reason[0].search(text)), None)
        if reason is None:
            continue
        rule = log.relative_to(root / LOGS).parts[0].removeprefix("rule_")
        _, what, resource = reason
        resources = f"set-resources: {{{rule}: {{{resource}}}}}"
        advice = f"Ask for more in the profile, for instance `{resources}`" if resource else ""
        advice += ", or split the panel into more parts (`panel_parts`)" if advice and "panel" in rule else ""
        problems[rule, what] = (
            f"Slurm ended a job of the rule {rule}, which {what}. {advice or 'Run again: finished jobs are kept'}. "
            f"Log: {log.relative_to(root).as_posix()}"
        )
    return list(problems.values())
