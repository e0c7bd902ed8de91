"""The card of a pushed version: data, settings, scores and limits.

It is ``README.md``, the name under which model hubs and file browsers show a card, with the facts
that it was written from in ``assets.extra/card.json``. Needs the extra ``pipeline``.
"""

from astromer.serving.model_card.card import write_card
from astromer.serving.model_card.facts import Evidence

__all__ = ["Evidence", "write_card"]
