"""Quiet logs: what TensorFlow and its friends print and no user can act on."""

from __future__ import annotations

import logging
import os
import warnings


def silence() -> None:
    """Silences start-up noise. Must be called before TensorFlow is imported.

    Failures still surface as Python exceptions. Settings that the user made in the
    environment are kept.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    os.environ.setdefault("GLOG_minloglevel", "2")
    warnings.filterwarnings("ignore", category=FutureWarning)
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    logging.getLogger("absl").setLevel(logging.ERROR)
