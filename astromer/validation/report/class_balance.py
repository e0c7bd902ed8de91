"""How many light curves of each class every split has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from astromer.system.html.figure import SPLIT_COLOURS, Picture, label, new_figure, to_picture
from astromer.system.text import other_classes
from astromer.validation.profile import OTHERS, SplitProfile

_MOST_CLASSES = 24


def draw_class_balance(profiles: Mapping[str, SplitProfile]) -> Picture:
    """Bars, the commonest classes first; the rarest of many are joined."""
    names, counts = joined_classes(profiles)
    shares = counts / np.maximum(counts.sum(axis=0), 1) * 100
    splits = list(profiles)
    thick = 0.8 / len(splits)
    figure, axes = new_figure(6.4, 1.2 + 0.34 * len(names))
    for column, split in enumerate(splits):
        place = np.arange(len(names)) + (column - (len(splits) - 1) / 2) * thick
        axes.barh(place, shares[:, column], thick, color=SPLIT_COLOURS.get(split), label=split)
    axes.set_yticks(np.arange(len(names)))
    # A name may have dollars in it, which would start a formula.
    axes.set_yticklabels([label(name) for name in names], parse_math=False)
    for row, numbers in enumerate(counts):
        text = " / ".join(f"{number:,}" for number in numbers)
        axes.text(
            shares[row].max(initial=0), row, f"  {text}", va="center", fontsize=7.5, color="#555555"
        )
    axes.set_xlim(0, shares.max(initial=1.0) * 1.35)
    axes.set_xticks([tick for tick in axes.get_xticks() if 0 <= tick <= 100])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlabel("% of the split's light curves; numbers: " + " / ".join(splits))
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside upper center", ncols=len(splits), frameon=False, fontsize=8
    )
    return to_picture(figure, "Share of each class in each split")


def joined_classes(profiles: Mapping[str, SplitProfile]) -> tuple[list[str], np.ndarray]:
    """Names, commonest first, and int64 [names, splits] counts; "(others)" comes last."""
    total: Counter[str] = Counter()
    for profile in profiles.values():
        total.update(profile.classes)
    ordered = sorted((n for n in total if n != OTHERS), key=lambda name: (-total[name], name))
    names = ordered[:_MOST_CLASSES]
    counts = [[profile.classes.get(name, 0) for profile in profiles.values()] for name in names]
    rest = [p.curves - sum(row[i] for row in counts) for i, p in enumerate(profiles.values())]
    if any(rest):
        more = other_classes(ordered[len(names) :]) or "class unknown"
        names = [*names, more if OTHERS not in total else "other classes"]
        counts.append(rest)
    return names, np.array(counts, np.int64).reshape(len(names), len(profiles))
