"""Writes a trained model into the package, with its card."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from astromer.serving.config import STARTER
from astromer.serving.embedder import Embedder
from astromer.serving.model_card.card import Evidence, write_card
from astromer.serving.saved_model import CARD_FILE, read_config
from astromer.serving.starter.package import Starter
from astromer.system.storage import size_of
from astromer.system.terminal import say
from astromer.validation.output import SUMMARY_FILE
from tools.starter.files import check_goldens, write_starter
from tools.starter.stars import HELD_OUT

if TYPE_CHECKING:
    from tools.starter.train import StarterConfig

_ORIGIN = """
## Where its weights come from

They were trained on {stars:,} stars of the synthetic survey of this software (`astromer.records.synthetic`, seed {seed}), 1 in {held_out} of which was kept for validation and for the test. No measurement of a real survey went into them, and none was used to choose them during the training. They are licensed as the software is (MIT). The command was

```sh
{command}
```

`results.json` has what it reaches on surveys that it has not seen, as far as that was measured; `goldens.npz` has light curves and the embeddings that it gave for them.
"""  # noqa: E501


def write(model: Path, fold: Path, config: StarterConfig) -> Starter:
    """Writes the starter and says what it is.

    Args:
        model: the exported model.
        fold: the stars.
        config: how it was trained.
    """
    metadata = read_config(model)["metadata"]
    summary = Path(config.work) / "validation" / SUMMARY_FILE
    evidence = Evidence(
        fold=str(fold),
        validation=json.loads(summary.read_text(encoding="utf-8")),
        evaluation={"model": metadata["test"], "conditions": {"split": "test"}},
    )

    def describe(copy: Path, release: str) -> None:
        write_card(copy, release, evidence, STARTER)
        card = copy / CARD_FILE
        origin = _ORIGIN.format(
            stars=config.used, seed=config.star_seed, held_out=HELD_OUT, command=config.command
        )
        card.write_text(card.read_text(encoding="utf-8") + origin, encoding="utf-8")

    starter = write_starter(
        model, Path(config.folder), config.release, describe, command=config.command
    )
    difference = check_goldens(Embedder(starter.path))
    say(f"{starter} in {starter.path}, {size_of(starter.path) / 1e6:.2f} MB")
    say(f"its goldens differ by {difference:.1g} when it is loaded again")
    return starter
