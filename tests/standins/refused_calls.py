"""Runs a program for which the kernel refuses system calls, as some file systems do.

python tests/standins/refused_calls.py locks links -- PROGRAM ARGUMENT ...

``locks``: flock and the locks of fcntl, as Lustre without its option ``flock``; ``links``:
symbolic links, as FAT. A seccomp filter, which children inherit, and which needs no privileges.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from pathlib import Path

_NUMBERS = {
    "x86_64": {"flock": 73, "fcntl": 72, "symlink": 88, "symlinkat": 266},
    "aarch64": {"flock": 32, "fcntl": 25, "symlinkat": 36},
}
_LOCK_COMMANDS = (5, 6, 7)  # F_GETLK, F_SETLK, F_SETLKW
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06  # of BPF, for words of struct seccomp_data
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 38, 22, 2  # of prctl


def obstacle() -> str:
    """Why it does not work here; "" where it does."""
    known = sys.platform == "linux" and platform.machine() in _NUMBERS
    return "" if known else "the numbers of this machine's system calls are not known"


def command(*kinds: str) -> list[str]:
    """Arguments of Python that a program and its arguments follow."""
    return [str(Path(__file__).resolve()), *kinds, "--"]


def refuse(*kinds: str) -> None:
    """Refuses this process and its children system calls: ``locks``, ``links``."""
    program = b"".join(_instructions(kinds))
    content = ctypes.create_string_buffer(program, len(program))
    libc = ctypes.CDLL(None, use_errno=True)
    head = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(content))
    for arguments in ((_NO_NEW_PRIVILEGES, 1, 0, 0, 0), (_SECCOMP, _FILTER, head)):
        if libc.prctl(*arguments):
            raise OSError(ctypes.get_errno(), "prctl")


def _instructions(kinds: tuple[str, ...]) -> list[bytes]:
    numbers = _NUMBERS[platform.machine()]
    code: list[bytes] = [_instruction(_LOAD, 0)]  # the number of the call
    if "locks" in kinds:
        code += _refused(numbers["flock"], errno.ENOSYS)
        refused = _instruction(_RETURN, _ERRNO | errno.ENOSYS)
        code.append(_instruction(_JUMP_IF_EQUAL, numbers["fcntl"], otherwise=6))
        code.append(_instruction(_LOAD, 24))  # the low word of its second argument
        for left, command in zip((3, 2, 1), _LOCK_COMMANDS):
            code.append(_instruction(_JUMP_IF_EQUAL, command, then=left - 1, otherwise=left == 1))
        code += [refused, _instruction(_LOAD, 0)]
    if "links" in kinds:
        for name in ("symlink", "symlinkat"):
            if name in numbers:
                code += _refused(numbers[name], errno.EPERM)
    return [*code, _instruction(_RETURN, _ALLOW)]


def _refused(number: int, error: int) -> list[bytes]:
    return [
        _instruction(_JUMP_IF_EQUAL, number, otherwise=1),
        _instruction(_RETURN, _ERRNO | error),
    ]


def _instruction(operation: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("HBBI", operation, then, otherwise, value)


if __name__ == "__main__":
    split = sys.argv.index("--")
    refuse(*sys.argv[1:split])
    os.execvp(sys.argv[split + 1], sys.argv[split + 1 :])
