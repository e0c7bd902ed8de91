"""Whether a run that met a fault ended as it may: well, or in one clear error."""

from __future__ import annotations

import signal

from tools.faults.run import Ended

WITHOUT_A_WORD = (-signal.SIGABRT, -signal.SIGKILL, -signal.SIGSEGV)
"""How native code ends that gets no memory; a second process tells it."""


def unclear(ended: Ended, codes: tuple[int, ...]) -> list[str]:
    """What is wrong with an ending.

    Args:
        ended: the run.
        codes: that it may have.
    """
    found = []
    lines = ended.stderr.splitlines()
    told = [line for line in lines if line.startswith("error:")]
    if ended.code not in codes:
        last = (told or lines or ["no message"])[-1]
        found.append(f"ended with {ended.code}, which must be of {codes}: {last[:300]}")
    if "Traceback" in ended.stderr or "Traceback" in ended.stdout:
        found.append("told a traceback")
    if "error: Unexpected " in ended.stderr:
        found.append(f"was not foreseen: {told[-1][:300]}")
    if ended.code and len(told) != 1:
        found.append(f"told {len(told)} errors, not one")
    return found
