"""Passwords and tokens are cut out of what is said, and refused where they would be kept."""

from __future__ import annotations

import logging

import pytest

from astromer.commands.cli import Parser, run_program
from astromer.system.errors import UsageError
from astromer.system.log_file import noise_to
from astromer.system.secrets import HIDDEN, without_secrets
from astromer.system.storage import as_path

SECRET = "hunter2"
ADDRESSES = [
    f"postgresql://ann:{SECRET}@host:5432/lineage",
    f"mysql://ann:{SECRET}/@a:b@host/lineage",
    f"s3://AKIAX:{SECRET}@bucket/folder",
    f"s3://AKIAX:{SECRET}/x@bucket/folder",
    f"az://account/container/a?sv=2020&sig={SECRET}%3D",
    f"https://store/x?X-Amz-Signature={SECRET}&x=1",
    f"gs://bucket/folder?access_token={SECRET}",
]
HARMLESS = [
    "gs://bucket/folder",
    "hdfs://ann@host:9000/user/ann",
    "http://localhost:8080/#/runs",
    "/data/a:b@c/x?size=1",
    "a b: c@d",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_secret_is_not_said(address, capsys) -> None:
    told = without_secrets(f"cannot reach {address}: refused")
    assert SECRET not in told
    assert HIDDEN in told
    assert told.startswith("cannot reach ")
    assert told.endswith("refused")
    # As when the name of an option has a typing mistake, or is given to a program without it.
    with pytest.raises(SystemExit):
        Parser(prog="x").parse_args(["--metdata", address])
    assert SECRET not in "".join(capsys.readouterr())


@pytest.mark.parametrize("address", HARMLESS)
def test_other_addresses_are_said_as_they_are(address) -> None:
    assert without_secrets(address) == address
    assert str(as_path(address)).endswith(address.rpartition("/")[2])


@pytest.mark.parametrize("address", ADDRESSES[2:])
def test_a_place_with_a_secret_is_refused(address, capsys) -> None:
    def main() -> None:
        as_path(address)

    with pytest.raises(SystemExit) as ended:
        run_program(main)
    assert ended.value.code == UsageError.exit_code
    said = capsys.readouterr().err
    assert "must carry no password or token" in said
    assert SECRET not in said


def test_no_log_has_one(tmp_path) -> None:
    log = tmp_path / "run.log"
    with noise_to(log):
        logging.getLogger("urllib3").warning("retrying %s", ADDRESSES[5])
        try:
            raise ValueError(ADDRESSES[0])
        except ValueError:
            logging.getLogger("x").exception("lost")
    text = log.read_text()
    assert SECRET not in text
    assert "retrying https://store/x" in text
    assert "ValueError: postgresql://ann:***@host" in text
