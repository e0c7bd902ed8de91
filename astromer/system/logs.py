"""Quiet logs: what TensorFlow and its friends print and no user can act on."""

from __future__ import annotations

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator

_verbose = False


def set_verbose(verbose: bool) -> None:
    """Whether the user asked for ``--verbose``: then :func:`silence` does nothing."""
    global _verbose
    _verbose = verbose


def is_verbose() -> bool:
    """Whether libraries may write to the terminal."""
    return _verbose


def silence() -> None:
    """Silences start-up noise, and chooses kernels. Must be called before TensorFlow is imported.

    Failures still surface as Python exceptions. Settings that the user made in the
    environment are kept.
    """
    # Without oneDNN, whether verbose or not: it keeps what it compiles for each shape of a pass,
    # for each thread, which grows for hours, and these networks are no faster with it.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    if _verbose:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    os.environ.setdefault("GLOG_minloglevel", "2")
    warnings.filterwarnings("ignore", category=FutureWarning)
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    warnings.filterwarnings("ignore", "pkg_resources is deprecated", UserWarning)  # TensorBoard
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    logging.getLogger("absl").setLevel(logging.ERROR)


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Drops what libraries in other languages than Python write to standard error."""
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)
