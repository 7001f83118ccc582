"""Ask the job server of a run to run a script, and wait for it; without a server, run the script in a new process.

    python -I -S job_client.py PYTHON SCRIPT

Snakemake's shell starts this file in place of `PYTHON SCRIPT` (see `cli.job_server`). It imports little, since it is started
for every job.
"""

import json
import os
import socket
import sys

SOCKET_VARIABLE = "REFINO_EVAL_JOB_SERVER"
KILLED = 137
"""What a shell returns for a process that was killed."""


def main(argv: list[str]) -> int:
    """Return the exit code of the script, or become the process that runs it."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(os.environ[SOCKET_VARIABLE])
    except (OSError, KeyError):
        os.execv(argv[0], argv)
    request = json.dumps({"argv": argv[1:], "folder": os.getcwd(), "environment": dict(os.environ)}).encode()
    try:
        socket.send_fds(connection, [len(request).to_bytes(4, "big")], [0, 1, 2])
        connection.sendall(request)
        answer = connection.recv(4)
    except OSError:
        return KILLED
    return int.from_bytes(answer, "big") if len(answer) == 4 else KILLED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
