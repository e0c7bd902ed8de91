"""AstroMer: a transformer encoder for light curves.

``astromer.load()`` loads the encoder that comes with the package to embed with,
``astromer.load(path)`` a pushed model, ``astromer.load_trainable(path)`` its encoder to train on;
nothing heavy is imported before that.
"""

from __future__ import annotations

import typing

if typing.TYPE_CHECKING:
    from pathlib import Path

    from astromer.light_curves import LightCurves
    from astromer.serving.embedder import Embedder
    from astromer.serving.export import TrainableEncoder

__version__ = "0.2.0"


def load(path: str | Path | None = None, version: int | None = None) -> Embedder:
    """Loads a pushed model, or the one that comes with the package.

    Args:
        path: a SavedModel folder, or a folder of versions, such as ``outputs/serving/astromer``,
            where ``make run`` pushes to; by default the package's starter.
        version: which version of the folder; by default the one that ``latest`` names, else the
            newest.

    Raises:
        ModelError: if there is none, or it cannot be loaded.
        DamagedVersionError: its files have changed.
    """
    from astromer.system.logs import silence

    silence()
    from astromer.serving.embedder import Embedder
    from astromer.serving.versions.folder import find_version

    return Embedder(find_version(path, version))


def read(
    path: str | Path,
    *,
    survey: str = "auto",
    id_column: str = "",
    flux: bool = False,
    zero_point: float | None = None,
    time_offset: float | None = None,
    quiet: bool = False,
) -> LightCurves:
    """Reads the files of a survey as ``create_records`` and ``embed`` do, into memory.

    Args:
        path: a table, or a folder of tables (docs/data_format.md).
        survey: a profile's name (``astromer surveys``), a profile in TOML, or ``auto``.
        id_column, flux, zero_point, time_offset: as the options of ``create_records``.
        quiet: do not print what was understood of the files.

    Returns:
        MJD and magnitudes with ids and bands; nothing is cleaned.

    Raises:
        AstromerError: the files cannot be read, or not be understood; see the subclasses.
    """
    import tempfile
    from pathlib import Path

    from astromer.light_curves import LightCurves
    from astromer.records.config import SurveyOptions
    from astromer.records.sources.survey import read_curves
    from astromer.records.survey_config import describe_survey

    options = SurveyOptions(
        survey=survey,
        id_column=id_column,
        flux=flux,
        zero_point=zero_point,
        time_offset=time_offset,
    )
    config = describe_survey(options, Path(path).expanduser())
    with tempfile.TemporaryDirectory() as folder:
        announce = None if quiet else lambda lines: print("\n".join(lines))
        parts = list(read_curves(config, Path(folder), announce=announce, progress=not quiet))
    return LightCurves.concatenate(parts)


def load_trainable(path: str | Path | None = None, version: int | None = None) -> TrainableEncoder:
    """Rebuilds the encoder of a pushed model as a Keras layer, with its weights, to train on.

    A SavedModel that ``tf.saved_model.load`` gives back will not do: Keras 3 does not see its
    variables, so that ``fit`` around it trains the head alone and says nothing.

    Args:
        path, version: as in :func:`load`.

    Raises:
        ModelError: if there is none, or its config and weights do not fit each other.
        UsageError: Keras was imported before, with another backend or other settings.
    """
    from astromer.system.environment import check_keras
    from astromer.system.logs import silence

    silence()
    check_keras()
    from astromer.records.config import LightCurveRules
    from astromer.serving.export import TrainableEncoder, load_model
    from astromer.serving.saved_model import read_config
    from astromer.serving.versions.folder import find_version

    folder = find_version(path, version)
    return TrainableEncoder(load_model(folder), LightCurveRules(**read_config(folder)["rules"]))
