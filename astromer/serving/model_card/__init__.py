"""The card of a pushed version: what it was made from, how good it is, and what it is not for.

It is written as ``README.md``, the name under which model hubs and file browsers show a card, with
the facts that it was written from beside it in ``assets.extra/card.json``.
"""

from astromer.serving.model_card.card import write_card
from astromer.serving.model_card.evidence import Evidence

__all__ = ["Evidence", "write_card"]
