"""The section about how good a model is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from astromer.evaluation.baselines import BASELINE_TITLES
from astromer.serving.model_card.markdown import escaped, number, table

_UNKNOWN = "How good it is, is unknown: the run left no evaluation."
_ROWS = {"": "this model", **{f"{name}_": title for name, title in BASELINE_TITLES.items()}}


def encoder_scores(evaluation: Mapping[str, Any]) -> str:
    """Errors at hidden steps beside the baselines, for all windows and by group."""
    model = evaluation.get("model")
    if not model:
        return _UNKNOWN
    told = evaluation.get("conditions", {})
    rows = [
        (label, *(number(model.get(f"{prefix}hidden_{score}")) for score in ("rmse", "r2")))
        for prefix, label in _ROWS.items()
    ]
    if pushed := evaluation.get("pushed_model"):
        rows.insert(
            1, ("model before it", *(number(pushed[f"hidden_{s}"]) for s in ("rmse", "r2")))
        )
    skills = ", ".join(
        f"{number(model.get(f'skill_over_{name}'), 3)} over {name}"
        for name in ("mean", "interpolation")
    )
    lines = [
        "Reconstruction of magnitudes that were hidden from the network: "
        f"{number(model['hidden_steps'])} "
        f"hidden steps in {number(model['windows'])} windows of {number(told.get('curves'))} "
        "light curves of "
        f"the {told.get('split') or 'test'} split; seed of the masks: {number(told.get('seed'))}. "
        "The baselines "
        "use the same visible steps, and are told which of them show a wrong magnitude.",
        table(("hidden steps", "RMSE [mag]", "R2"), rows),
        f"Skill, 1 - (RMSE / baseline's RMSE)^2: {skills}. RMSE at all probed steps: "
        f"{number(model.get('probed_rmse'))} mag, R2 {number(model.get('probed_r2'))}.",
    ]
    if groups := evaluation.get("groups"):
        head = ("RMSE [mag] at hidden steps", "hidden steps", *_ROWS.values())
        by_group = [
            (
                escaped(name),
                number(scores["hidden_steps"]),
                *(
                    number(scores[f"{key}_hidden_rmse"])
                    for key in ("model", "mean", "interpolation")
                ),
            )
            for name, scores in groups.items()
        ]
        lines.append(table(head, by_group))
    return "\n\n".join(lines)


def classifier_scores(evaluation: Mapping[str, Any], study: Mapping[str, Any]) -> str:
    """Scores of the served classifier beside the baselines with the same light curves."""
    served, cell = evaluation.get("served"), evaluation.get("cell", {})
    if not served:
        return _UNKNOWN
    rows = [("this classifier, as served", number(served["macro_f1"]), number(served["accuracy"]))]
    for other in study.get("cells", ()):
        same_draw = (other["shots"], other["seed"]) == (cell.get("shots"), cell.get("seed"))
        modes = (cell.get("encoder"), "none")
        if same_draw and other["source"] != cell.get("source") and other["encoder"] in modes:
            label = {"random": "random encoder, the same recipe", "forest": "random forest"}
            name = label.get(other["source"], f"{other['source']} encoder")
            rows.append((name, number(other["macro_f1"]), number(other["accuracy"])))
    if majority := study.get("majority"):
        scores = (number(majority["macro_f1"]), number(majority["accuracy"]))
        rows.append(("most frequent class", *scores))
    classes = [
        (
            escaped(name),
            *(number(scores[key], 3) for key in ("precision", "recall", "f1")),
            number(scores["support"]),
        )
        for name, scores in served.get("classes", {}).items()
    ]
    lines = [
        f"On {number(study.get('test_curves'))} light curves of the test split; the baselines "
        "were trained on the same light curves.",
        table(("test split", "macro-F1", "accuracy"), rows),
        table(("class", "precision", "recall", "F1", "test curves"), classes) if classes else "",
        "\n".join(f"- {escaped(note, len(note))}" for note in study.get("notes", ())),
    ]
    return "\n\n".join(line for line in lines if line)
