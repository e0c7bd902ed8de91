"""What a model was not made for, as far as its own data and scores tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from astromer.serving.model_card.markdown import UNKNOWN, listed, number
from astromer.serving.saved_model import CLASSIFIER, model_kind
from astromer.validation.profile import UNKNOWN as NO_NAME

SERVED = {
    "serve_max_observations": "observations of a light curve",
    "serve_max_batch": "light curves of a request",
    "serve_max_steps": "steps of the windows of a request",
}

_FEW = 20  # light curves of a class


def limits(
    config: Mapping[str, Any], data: Mapping[str, Any], evaluation: Mapping[str, Any]
) -> list[str]:
    """Sentences, each from something that was measured or is known not to be known."""
    train = data["splits"].get("train")
    found = [*_of_data(config, data, train)] if train else [_nothing_known()]
    found += _of_training(config)
    found += _of_requests(config)
    scores = _of_classifier if model_kind(config) == CLASSIFIER else _of_encoder
    return [*found, *scores(evaluation)]


def _nothing_known() -> str:
    return (
        "What it was trained on is unknown: compare bands, lengths and cadence with yours before "
        "it is used."
    )


def _of_data(
    config: Mapping[str, Any], data: Mapping[str, Any], train: Mapping[str, Any]
) -> Iterator[str]:
    bands = [name for name in train["bands"] if name != NO_NAME]
    if bands:
        yield f"Bands: it has seen {listed(bands)} and no other."
    if NO_NAME in train["bands"]:
        yield (
            f"Bands: of {number(train['bands'][NO_NAME])} training light curves the band is "
            "unknown."
        )
    window = number(config.get("window_size"))
    spans = {
        "length": f"observations per light curve. The network sees {window} at a time and knows "
        "nothing of the others",
        "cadence": "days between observations (median of a light curve)",
        "time_span": "days from the first to the last observation",
        "mag": "mag. A window's mean is taken off, so that a zero point does not matter",
    }
    for name, told in spans.items():
        if span := train["quantiles"].get(name):
            low, high = (_rounded(name, span[fraction]) for fraction in ("0.01", "0.99"))
            title = {"mag": "Magnitudes", "length": "Lengths", "cadence": "Cadence"}.get(
                name, "Time spans"
            )
            yield f"{title}: 98% of what it was trained on has {low} to {high} {told}."
    classes = {name: count for name, count in train["classes"].items() if name != NO_NAME}
    if not classes:
        yield "Kinds of stars: unknown; the training light curves have no classes."
    if few := [f"{name} ({count})" for name, count in classes.items() if count < _FEW]:
        yield f"Few light curves to learn from, below {_FEW}: {listed(few)}."
    if data["error_fill"] is not None:
        yield "Some errors may be filled in, not measured (see Preprocessing)."


def _rounded(name: str, value: float) -> str:
    return number(round(value)) if name == "length" else number(value, 3)


def _of_training(config: Mapping[str, Any]) -> Iterator[str]:
    metadata = config.get("metadata", {})
    training, done = metadata.get("training", {}), metadata.get("summary", {})
    if training.get("debug"):
        yield (
            "A trial (`--debug`): it was trained on a small part of the data, to see that all "
            "works."
        )
    best = done.get("best_epoch")
    if best is not None and training and best + 1 == training.get("epochs"):
        yield (
            f"Training ended while it was still getting better: epoch {number(best + 1)}, the "
            "last one, was the best."
        )


def _of_requests(config: Mapping[str, Any]) -> Iterator[str]:
    known = config.get("serving")
    if not known:
        yield "Requests: it checks no limits, and a large one may take all memory of a server."
        return
    told = [f"{number(known[name])} {what}" for name, what in SERVED.items() if name in known]
    yield (
        f"Requests: at most {', '.join(told)}. A light curve above gets `status` 4, a request "
        "above an error (`serving` in `assets.extra/config.json`)."
    )


def _of_encoder(evaluation: Mapping[str, Any]) -> Iterator[str]:
    model = evaluation.get("model")
    if not model:
        yield f"Reconstruction: {UNKNOWN}."
        return
    for name, title in (("mean", "the window's mean"), ("interpolation", "linear interpolation")):
        skill = model.get(f"skill_over_{name}")
        if skill is None or not skill > 0:
            yield (
                f"**On the test split it does not reconstruct better than {title}** (skill "
                f"{number(skill, 3)})."
            )
    worse = [
        name
        for name, scores in evaluation.get("groups", {}).items()
        if not scores["model_hidden_rmse"]
        < min(scores["mean_hidden_rmse"], scores["interpolation_hidden_rmse"])
    ]
    if worse:
        yield (
            "Not better than the better baseline in these groups of the test split: "
            f"{listed(worse)}."
        )


def _of_classifier(evaluation: Mapping[str, Any]) -> Iterator[str]:
    classes = evaluation.get("served", {}).get("classes", {})
    yield (
        f"It answers with one of {listed(list(classes))}, whatever it is shown: other kinds of "
        "stars get one of these names, too."
        if classes
        else f"Its scores by class: {UNKNOWN}."
    )
    if missed := [
        name for name, scores in classes.items() if not scores["f1"] > 0 and scores["support"]
    ]:
        yield f"**Never right on the test split**: {listed(missed)}."
    if rare := [f"{n} ({s['support']})" for n, s in classes.items() if 0 < s["support"] < _FEW]:
        yield (
            f"Scores of these classes rest on few test light curves, below {_FEW}: {listed(rare)}."
        )
