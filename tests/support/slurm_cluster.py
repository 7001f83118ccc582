"""Start a Slurm of one node on this machine, and end it again: all its state is in a temporary folder.

    python tests/support/slurm_cluster.py sinfo

runs one command inside such a cluster. Needs Debian's `slurm-wlm` and `munge`, and to be root, since the controller, the
node and the authentication service run as the user who owns their folders and must be able to become that user.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

DAEMONS = ("munged", "slurmctld", "slurmd")
COMMANDS = ("sbatch", "squeue", "scontrol", "scancel", "srun", "sinfo")
SYSTEM_PATHS = "/usr/sbin:/usr/bin:/sbin:/bin"
CORES, MEMORY_MB = 4, 12_000

CONFIGURATION = """
ClusterName=trial
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
# No control groups: processes are followed by their parents, and memory is measured every second.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
MpiDefault=none
# No accounting database: finished jobs stay in the memory of the controller, where squeue sees them.
AccountingStorageType=accounting_storage/none
MinJobAge=600
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=1,batch_sched_delay=0
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=2
NodeName={host} NodeAddr=127.0.0.1 Port={node_port} CPUs={cores} RealMemory={memory} State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def why_not():
    """Return why no cluster can be started here, or an empty text."""
    missing = [name for name in (*DAEMONS, *COMMANDS) if shutil.which(name, path=SYSTEM_PATHS) is None]
    if missing:
        return f"Slurm is not installed: {', '.join(missing)} not found (apt-get install slurm-wlm munge)"
    return "" if os.geteuid() == 0 else "a Slurm of one machine must be started by root"


@dataclass
class Cluster:
    """A running cluster: its folder, and the environment in which its commands find it."""

    folder: Path
    environment: dict

    def run(self, *command, **options):
        """Run a command of Slurm, or any other, in the environment of the cluster."""
        options = {"capture_output": True, "text": True, "timeout": 60, "check": True, **options}
        return subprocess.run(command, env=self.environment, **options)

    def jobs(self):
        """Return what the controller says of every job, finished ones included: {job id: {field: value}}."""
        text = self.run("scontrol", "show", "job", "--oneliner").stdout
        jobs = [dict(part.split("=", 1) for part in line.split() if "=" in part) for line in text.splitlines()]
        return {job["JobId"]: job for job in jobs if "JobId" in job}

    def logs(self):
        """Return the last lines of the logs of the daemons, for a message of failure."""
        found = sorted(self.folder.glob("*.log"))
        return "\n".join(f"== {path.name}\n{path.read_text(errors='replace')[-2000:]}" for path in found)


@contextlib.contextmanager
def slurm_cluster(*, cores=CORES, memory_mb=MEMORY_MB):
    """Start a cluster of one node and end what was started, by process id."""
    problem = why_not()
    if problem:
        raise RuntimeError(problem)
    with tempfile.TemporaryDirectory(prefix="slurm_") as name:
        folder = Path(name)
        for part in ("state", "spool"):
            (folder / part).mkdir()
        (folder / "munge.key").write_bytes(os.urandom(128))
        (folder / "munge.key").chmod(0o600)
        configuration = folder / "slurm.conf"
        configuration.write_text(
            CONFIGURATION.format(
                **{"host": socket.gethostname().split(".")[0], "folder": folder, "cores": cores, "memory": memory_mb},
                controller_port=free_port(),
                node_port=free_port(),
            )
        )
        # Snakemake takes the variables of Slurm away from the commands inside a job; this one needs them here.
        srun = folder / "srun"
        srun.write_text(f'#!/bin/sh\nSLURM_CONF={configuration} exec {shutil.which("srun", path=SYSTEM_PATHS)} "$@"\n')
        srun.chmod(0o700)
        path = f"{folder}:{os.environ.get('PATH', '')}:{SYSTEM_PATHS}"
        cluster = Cluster(folder, {**os.environ, "SLURM_CONF": str(configuration), "PATH": path})
        munge = {name: f"--{name}-file={folder / 'munge'}.{name}" for name in ("key", "pid", "log", "seed")}
        commands = {
            "munged": ["munged", "--foreground", "--force", f"--socket={folder}/munge.socket", *munge.values()],
            "slurmctld": ["slurmctld", "-D", "-c", "-f", str(configuration)],
            "slurmd": ["slurmd", "-D", "-c", "-f", str(configuration)],
        }
        started = []
        try:
            for daemon in DAEMONS:
                with (folder / f"{daemon}.out").open("w") as out:
                    process = subprocess.Popen(commands[daemon], env=cluster.environment, stdout=out, stderr=out)
                started.append(process)
                if daemon == "munged":
                    _wait(cluster, process, lambda: (folder / "munge.socket").exists())
            _wait(cluster, started[-1], lambda: "idle" in _state(cluster))
            yield cluster
        finally:
            with contextlib.suppress(subprocess.SubprocessError, OSError):
                cluster.run("scancel", "--state=RUNNING", "--user=root", check=False)
            # The node first, so that it ends the steps of its jobs.
            for process in reversed(started):
                process.terminate()
                try:
                    process.wait(timeout=15)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def free_port():
    """Return a port that nobody listens at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def _state(cluster):
    return cluster.run("sinfo", "--noheader", "--format=%T", check=False).stdout


def _wait(cluster, process, ready, seconds=30):
    """Wait until something is so; say what the daemons wrote if it does not come about."""
    for _ in range(seconds * 10):
        if process.poll() is not None:
            break
        if ready():
            return
        time.sleep(0.1)
    raise RuntimeError(f"Slurm did not start on this machine.\n{cluster.logs()}")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # end the daemons first
    with slurm_cluster() as here:
        sys.exit(here.run(*sys.argv[1:], capture_output=False, check=False, timeout=None).returncode)
