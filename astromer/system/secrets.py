"""Passwords and tokens in addresses: kept out of what is printed, logged and remembered.

Imports the standard library only.
"""

from __future__ import annotations

import logging
import re
from urllib.parse import urlsplit

HIDDEN = "***"
# Up to the last @ of the word: a password may hold any character.
_LOGIN = re.compile(r"(?P<before>[A-Za-z][A-Za-z0-9+.-]*://[^\s:/@]*:)(?P<secret>\S*)@")
_NAMES = (
    r"sig|signature|token|access_?token|sas|password|passwd|pwd|secret|client_?secret|api_?key|"
    r"key|aws_?access_?key_?id|aws_?secret_?access_?key|x-(?:amz|goog)-"
    r"(?:signature|credential|security-token)"
)
_PARAMETER = re.compile(rf"(?P<before>[?&;](?:{_NAMES})=)(?P<secret>[^\s&#;'\"]*)", re.IGNORECASE)


def without_secrets(text: str) -> str:
    """A text with ``***`` for the password of each URL and for tokens among its parameters."""
    text = _LOGIN.sub(rf"\g<before>{HIDDEN}@", text)
    return _PARAMETER.sub(rf"\g<before>{HIDDEN}", text)


def has_secrets(place: str) -> bool:
    """Whether an address in a store carries a password or a token of its own."""
    try:
        login = urlsplit(place).netloc.rpartition("@")[0]
    except ValueError:  # no address: whoever opens it will say so
        login = ""
    # s3://key:secret@bucket: a secret may have a slash, which ends what urlsplit takes for it.
    return ":" in login or bool(_LOGIN.match(place)) or bool(_PARAMETER.search(place))


class Formatter(logging.Formatter):
    """Log lines of any library, without secrets."""

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))
