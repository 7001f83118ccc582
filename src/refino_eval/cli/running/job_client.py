"""Ask the job server of a run to run a script, and wait for it; without a server, run the script in a new process.

    python -I -S job_client.py PYTHON SCRIPT
    python -I -S job_client.py PYTHON -m MODULE ARGUMENT ...

Snakemake's shell starts this file in place of `PYTHON SCRIPT` (see `cli.running.job_server`). It imports little, since it is started
for every job.
"""

import json
import os
import signal
import socket
import sys

SOCKET_VARIABLE = "REFINO_EVAL_JOB_SERVER"
STALE = (1 << 32) - 1
"""The server's answer where its code is no longer that of the program."""

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
    # What stops this process stops the script: the server is asked to end it, and its end is awaited.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: connection.shutdown(socket.SHUT_WR))
    try:
        socket.send_fds(connection, [len(request).to_bytes(4, "big")], [0, 1, 2])
        connection.sendall(request)
        answer = connection.recv(4)
    except OSError:
        return KILLED
    code = int.from_bytes(answer, "big") if len(answer) == 4 else KILLED
    if code == STALE:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.execv(argv[0], argv)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
