"""What public AstroMer code does and ours does not, recorded so that its weights can be used."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Quirks:
    """How a public implementation treats the steps that are hidden or padded.

    Never used in our own training: with any of these, hidden magnitudes reach the network, and
    scores on "hidden" steps partly measure copying.

    Attributes:
        attention_bias: what is added to the attention logits of those steps. Astromer 1 adds +1,
            which draws attention to them.
        blocks_queries: whether it is added where the query is such a step, too.
        shows_hidden: whether the network reads the true magnitudes of hidden steps.
    """

    attention_bias: float
    blocks_queries: bool
    shows_hidden: bool


ASTROMER_1 = Quirks(attention_bias=1.0, blocks_queries=True, shows_hidden=True)
ASTROMER_2 = Quirks(attention_bias=-1e9, blocks_queries=False, shows_hidden=True)
