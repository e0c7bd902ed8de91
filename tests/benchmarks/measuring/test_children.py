from __future__ import annotations

import json

_PROGRAM = """
import json, os
from benchmarks.measuring.children import in_a_child

def work(megabytes):
    return len(bytearray(megabytes << 20)), os.getpid()

(_, child), little = in_a_child(lambda: work(1))
(size, other), much = in_a_child(lambda: work(200))
print(json.dumps([os.getpid(), child, other, size, little, much]))
in_a_child(lambda: 1 // 0)
"""


def test_a_child_has_its_own_peak_and_its_failure_is_told(toy) -> None:
    done = toy.python("-c", _PROGRAM)
    parent, child, other, size, little, much = json.loads(done.stdout)
    assert len({parent, child, other}) == 3
    assert size == 200 << 20
    assert 190 << 20 < much - little < 250 << 20
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
    assert "a process that was measured ended with status" in done.stderr.splitlines()[-1]
