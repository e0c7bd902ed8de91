"""Stands for ``.venv/bin/python`` and ``astromer``: a process that loaded TensorFlow runs them.

Started with ``-IS``, so that it costs hundredths of a second. What it cannot hand over it gives to
the real interpreter.
"""

import array
import json
import os
import socket
import sys

FOLDER = os.path.dirname(os.path.abspath(__file__))
INSTALLED = {"astromer": ["-m", "astromer"], "astromer-pipeline": ["pipeline/local_runner.py"]}


def main() -> None:
    """Sends the command, the environment and the terminal; exits as the command does."""
    with open(os.path.join(FOLDER, "warm.json")) as file:
        settings = json.load(file)
    words = [*INSTALLED.get(os.path.basename(sys.argv[0]), []), *sys.argv[1:]]
    known = not words or words[0] in ("-m", "-") or words[0].endswith(".py")
    if not known:  # -c among them, by which a process asks about the interpreter or starts workers
        os.execv(settings["python"], [settings["python"], *words])
    message = {"words": words, "cwd": os.getcwd(), "environment": dict(os.environ)}
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(settings["socket"])
        # As socket.send_fds, which needs no import that -S leaves out, but Python 3.9.
        descriptors = array.array("i", (0, 1, 2))
        server.sendmsg([b"!"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)])
        server.sendall(json.dumps(message).encode() + b"\n")
        answer = server.makefile().readline()
    sys.exit(int(answer or 1))


main()
