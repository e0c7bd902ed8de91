from __future__ import annotations

import errno
import os
import re
from pathlib import Path

import pytest
import tensorflow as tf

from astromer.system import errors
from astromer.system.errors import (
    OutOfMemoryError,
    RecordError,
    StorageError,
    is_system_error,
    system_error,
    worker_error,
)


def test_every_error_has_an_exit_code_of_its_own() -> None:
    classes = [
        cls
        for cls in vars(errors).values()
        if isinstance(cls, type) and issubclass(cls, errors.AstromerError)
    ]
    codes = [cls.exit_code for cls in classes]
    assert len(classes) > 8
    assert len(set(codes)) == len(codes)
    assert all(0 < code < 256 for code in codes)


@pytest.mark.parametrize(
    ("error", "kind", "told"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/x/y"), StorageError, "/x/y"),
        (OSError(errno.EDQUOT, os.strerror(errno.EDQUOT), "/x"), StorageError, "MB are left"),
        (
            OSError(errno.EROFS, os.strerror(errno.EROFS), "/x"),
            StorageError,
            "Change the permissions",
        ),
        (PermissionError(errno.EACCES, "no", "/x"), StorageError, "Permission denied at /x"),
        (OSError(errno.EIO, "bad", "/x"), StorageError, "dmesg"),
        (OSError(errno.EMFILE, "many", "/x"), StorageError, "ulimit -n"),
        (RuntimeError("query: database or disk is full query: COMMIT;"), StorageError, "/out"),
        (
            tf.errors.ResourceExhaustedError(None, None, "/a/b; No space left on device"),
            StorageError,
            "No space left on device at /a/b",
        ),
        (
            tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor of [9]"),
            OutOfMemoryError,
            "OOM when allocating",
        ),
        (MemoryError(), OutOfMemoryError, "MemoryError"),
        (RuntimeError("can't start new thread"), OutOfMemoryError, "--bs"),
        (
            ImportError("libtensorflow_cc.so.2: failed to map segment from shared object"),
            OutOfMemoryError,
            "libtensorflow_cc",
        ),
    ],
)
def test_it_is_named(error: Exception, kind: type, told: str) -> None:
    found = system_error(error, Path("/out"), lambda: "A run needs 3 MB. ")
    assert type(found) is kind
    assert told in str(found)
    assert is_system_error(error)


def test_the_room_that_is_needed_is_told(tmp_path: Path) -> None:
    error = OSError(errno.ENOSPC, "full", str(tmp_path / "deep" / "file"))
    text = str(system_error(error, tmp_path, lambda: "A run needs 3 MB. "))
    assert "A run needs 3 MB. Free some space" in text
    assert "MB are left" in text


def test_a_store_that_does_not_answer_is_no_disk() -> None:
    error = OSError(errno.EIO, "libcurl code 6: no such host", "gs://bucket/records")
    told = str(system_error(error))
    assert "the store must answer" in told
    assert "no such host at gs://bucket/records" in told


def test_what_it_was_raised_because_of_counts() -> None:
    error = ValueError("cannot train")
    error.__cause__ = OSError(errno.ENOSPC, "full")
    assert isinstance(system_error(error), StorageError)


@pytest.mark.parametrize("error", [ValueError("odd"), FileNotFoundError(2, "none", "/x")])
def test_other_errors_are_left_alone(error: Exception) -> None:
    assert system_error(error) is None


def test_what_has_been_said_better_stays() -> None:
    error = RecordError("records/0.record is damaged")
    error.__cause__ = OSError(errno.EIO, "bad")
    assert system_error(error) is None


TRACEBACK = """Error received from SDK harness for instruction 4: Traceback (most recent call last):
  File "apache_beam/runners/common.py", line 1499, in apache_beam.runners.common.DoFnRunner.process
  File "work.py", line 8, in work
    raise RecordError(f"a rule: record {number} is bad")
KeyError: 'before'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "apache_beam/runners/common.py", line 686, in apache_beam.runners.common.SimpleInvoker.invoke
{error}
"""


@pytest.mark.parametrize(
    ("error", "kind", "told"),
    [
        (
            "astromer.system.errors.RecordError: record 2 of /x/0.record is bad.\nCopy: it again. "
            "[while running 'CheckFile']",
            RecordError,
            r"^record 2 of /x/0.record is bad. Copy: it again.$",
        ),
        ("astromer.system.errors.ModelError: it is gone.", errors.ModelError, r"^it is gone.$"),
        (
            "OSError: [Errno 28] No space left on device: '/x' [while running 'Write']",
            StorageError,
            "^the disk must have space",
        ),
        (
            "ValueError: no such thing. [while running 'Embed/RunInference']",
            errors.AstromerError,
            r"^A worker failed in the step Embed/RunInference: ValueError: no such thing\. Run",
        ),
    ],
)
def test_the_first_error_of_a_worker_is_told(error, kind, told) -> None:
    raised = RuntimeError("the job failed")
    raised.__cause__ = RuntimeError(TRACEBACK.replace("{error}", error))
    found = worker_error(raised)
    assert type(found) is kind
    assert re.search(told, str(found))


def test_in_this_process_beam_only_adds_the_step() -> None:
    error = errors.DataAnomalyError("it is odd. [while running 'Match']", table="a table")
    assert worker_error(error) is error
    assert (str(error), error.table) == ("it is odd.", "a table")


@pytest.mark.parametrize(
    "error", [RecordError("bad"), ValueError("a rule: b"), RuntimeError("Traceback\n  File x")]
)
def test_what_no_worker_has_raised_is_left_alone(error) -> None:
    assert worker_error(error) is None
