"""Publishes blessed models as numbered versions."""

from components.pusher.component import VersionPusher

__all__ = ["VersionPusher"]
