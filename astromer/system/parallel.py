"""How a CPU is used: threads, several micro-batches at once, and the kernels that are faster here.

TensorFlow divides every operation among all cores and waits for the slowest; between the many
small operations of a micro-batch the cores idle. Micro-batches that run side by side, each
operation on one core, wait for nothing: training is 1.3 times as fast on two cores, 1.5 times in
bfloat16. TensorFlow is imported where it is needed.

It has two sets of kernels, its own and oneDNN's, and decides between them while it is imported.
Run as a program, this file times the products of a network in TensorFlow's C API, which loads in a
fraction of the time of the Python package:

    python -I -S parallel.py libtensorflow_cc.so.2 RESULT.json
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import json
import math
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_VARIABLE = "TF_NUM_INTRAOP_THREADS"  # TensorFlow's own; a user who sets it has a reason


def map_ahead(
    function: Callable[[Item], Result], items: Iterable[Item], threads: int, ahead: int = 0
) -> Iterator[Result]:
    """Yields ``function(item)`` for each item, in order; threads of its own work ahead.

    Args:
        function: runs in the threads; ``items`` is read by the caller's.
        items: read no further than is worked ahead.
        threads: how many to start.
        ahead: most results that are computed before they are asked for; 0: one per thread.
    """
    with ThreadPoolExecutor(threads, "ahead") as pool:
        yield from _look_ahead(pool, function, items, ahead or threads)


class OrderedPool:
    """Threads that last, for many short calls of :meth:`map`; with one, no thread is started."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._pool = ThreadPoolExecutor(threads, "ordered") if threads > 1 else None

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Yields ``function(item)`` for each item, in order, as :func:`map_ahead` does."""
        if self._pool is None:
            return map(function, items)
        return _look_ahead(self._pool, function, items, self.threads)


def _look_ahead(
    pool: ThreadPoolExecutor,
    function: Callable[[Item], Result],
    items: Iterable[Item],
    ahead: int,
) -> Iterator[Result]:
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def claim_cores() -> None:
    """Gives each TensorFlow operation one core, where there is no GPU.

    Has no effect once TensorFlow is in use, or where ``TF_NUM_INTRAOP_THREADS`` is set.
    """
    import tensorflow as tf

    if os.environ.get(_VARIABLE) or tf.config.list_physical_devices("GPU"):
        return
    try:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(cores())
    except RuntimeError:
        return  # in use: micro-batches run one after the other, each on all cores


def micro_batches_at_once(replicas: int = 1) -> int:
    """How many micro-batches to run side by side; replicas run side by side anyway."""
    import tensorflow as tf

    if replicas > 1 or tf.config.list_physical_devices("GPU"):
        return 1
    one_core = tf.config.threading.get_intra_op_parallelism_threads() == 1
    return cores() if one_core or os.environ.get(_VARIABLE) == "1" else 1


KERNELS = "TF_ENABLE_ONEDNN_OPTS"
"""TensorFlow's variable: 1 for oneDNN's kernels, 0 for its own."""

FLOAT32, BFLOAT16, AUTO = "float32", "mixed_bfloat16", "auto"
"""Values of ``--precision``."""
_WAYS = ("0", "1")
_TYPES = {FLOAT32: (1, 4), BFLOAT16: (14, 2)}  # TensorFlow's number, and bytes
_SECONDS = 2.0  # that measuring may take
_BEST_OF = 5
_TIE = 0.97  # no reason to change; float32 must not lose more
_GAIN = 1.2  # bfloat16 has more to do between the products


def choose_kernels() -> None:
    """Sets :data:`KERNELS` to what is faster here, unless the user or a parent process set it.

    To be called before TensorFlow is imported.
    """
    if KERNELS in os.environ:
        return
    took = product_seconds()
    os.environ[KERNELS] = "1" if took and _onednn_is_faster(took["0"], took["1"]) else "0"


def _onednn_is_faster(without: dict[str, float], with_it: dict[str, float]) -> bool:
    faster = sum(with_it.values()) < _TIE * sum(without.values())
    return faster and _TIE * with_it[FLOAT32] < without[FLOAT32]


def faster_precision() -> str:
    """The ``--precision`` that trains faster with the kernels of this process; "" if unknown."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = map(tf.config.experimental.get_device_details, gpus)
        new = all(detail.get("compute_capability", (0,)) >= (8,) for detail in details)
        return BFLOAT16 if new else FLOAT32
    took = product_seconds().get(os.environ.get(KERNELS, "1"))
    if took is None:
        return ""
    return BFLOAT16 if _GAIN * took[BFLOAT16] < took[FLOAT32] else FLOAT32


def describe_kernels() -> str:
    """The kernels of this process, in words."""
    return f"oneDNN {'off' if os.environ.get(KERNELS) == '0' else 'on'}"


def product_seconds() -> dict[str, dict[str, float]]:
    """Seconds that matrix products take, by the value of :data:`KERNELS` and by precision.

    Measured once for each processor and release of TensorFlow, and kept in the user's
    ``~/.cache/astromer``. Empty where nothing can be measured or kept, or where it takes too long:
    then the programs that measure go on, for the next call.
    """
    from astromer.system.environment import library_versions, processor, processor_features
    from astromer.system.untrusted_files import read_json

    releases = library_versions(("tensorflow", "tensorflow-cpu"))
    machine = json.dumps([processor(), processor_features(), releases]).encode()
    name = hashlib.sha256(machine).hexdigest()[:12]
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    files = {way: Path(cache) / "astromer" / f"kernels-{name}-{way}.json" for way in _WAYS}
    try:
        _measure({way: file for way, file in files.items() if not file.exists()})
        found = {way: read_json(file) for way, file in files.items()}
        return {way: {p: float(found[way][p]) for p in _TYPES} for way in _WAYS}
    except OSError:
        return {}
    except (ValueError, KeyError, TypeError):  # damaged: to be measured again by the next program
        for file in files.values():
            file.unlink(missing_ok=True)
        return {}


def _measure(files: dict[str, Path]) -> None:
    """Runs this file for each value of :data:`KERNELS`, at once, and waits for a while."""
    found = importlib.util.find_spec("tensorflow") if files else None
    places = (found.submodule_search_locations if found else None) or [""]
    library = Path(places[0]) / "libtensorflow_cc.so.2"
    if not library.is_file():
        return
    started = []
    for way, file in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        started.append(
            subprocess.Popen(
                [sys.executable, "-I", "-S", __file__, str(library), str(file)],
                env=os.environ | {KERNELS: way, "TF_CPP_MIN_LOG_LEVEL": "3"},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
    deadline = time.monotonic() + _SECONDS
    with suppress(subprocess.TimeoutExpired):
        for process in started:
            process.wait(max(deadline - time.monotonic(), 0.0))


def _time_products(library: str) -> dict[str, float]:
    """Seconds of the products of a block and its gradient, on one core, by precision.

    Args:
        library: path of ``libtensorflow_cc.so.2``.
    """
    loaded = ctypes.CDLL(library)

    def call(name: str, *arguments: Any) -> Any:
        function = getattr(loaded, name)
        function.restype = ctypes.c_void_p
        return function(*(ctypes.c_void_p(a) if isinstance(a, int) else a for a in arguments))

    status, options = call("TF_NewStatus"), call("TFE_NewContextOptions")
    one_core = b"\x10\x01\x28\x01"  # a ConfigProto: a thread within operations, one between
    call("TFE_ContextOptionsSetConfig", options, one_core, len(one_core), status)
    context = call("TFE_NewContext", options, status)

    def tensor(name: str, *shape: int) -> Any:
        number, size = _TYPES[name][0], _TYPES[name][1] * math.prod(shape)
        made = call(
            "TF_AllocateTensor", number, (ctypes.c_int64 * len(shape))(*shape), len(shape), size
        )
        ctypes.memset(call("TF_TensorData", made), 0x3C, size)  # numbers of 0.01
        return call("TFE_NewTensorHandle", made, status)

    def multiply(name: str, operation: bytes, x: Any, y: Any, transposed: bytes) -> None:
        made = call("TFE_NewOp", context, operation, status)
        call("TFE_OpSetAttrType", made, b"T", _TYPES[name][0])
        if transposed:
            call("TFE_OpSetAttrBool", made, transposed, 1)
        for factor in (x, y):
            call("TFE_OpAddInput", made, factor, status)
        product, count = (ctypes.c_void_p * 1)(), ctypes.c_int(1)
        call("TFE_Execute", made, product, ctypes.byref(count), status)
        if call("TF_GetCode", status):
            raise OSError(f"{operation!r} failed")
        call("TFE_DeleteTensorHandle", product[0])
        call("TFE_DeleteOp", made)

    def seconds(name: str) -> float:
        x, kernel = tensor(name, 800, 256), tensor(name, 256, 256)
        query, key = tensor(name, 8, 200, 64), tensor(name, 8, 136, 64)
        weights = tensor(name, 8, 200, 136)
        products = (
            (b"MatMul", x, kernel, b""),
            (b"MatMul", x, kernel, b"transpose_b"),
            (b"MatMul", x, x, b"transpose_a"),
            (b"BatchMatMulV2", query, key, b"adj_y"),
            (b"BatchMatMulV2", weights, key, b""),
            (b"BatchMatMulV2", weights, query, b"adj_x"),
        )
        total = 0.0
        for product in products:
            took = []
            for _ in range(_BEST_OF):
                before = time.process_time()
                multiply(name, *product)
                took.append(time.process_time() - before)
            total += min(took)
        return total

    return {name: seconds(name) for name in _TYPES}


if __name__ == "__main__":
    partial = Path(f"{sys.argv[2]}.{os.getpid()}")
    partial.write_text(json.dumps(_time_products(sys.argv[1])), encoding="utf-8")
    partial.replace(sys.argv[2])
