"""The version that users get as an artifact, where the orchestrator looks up no artifacts."""

from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import standard_artifacts
from tfx.utils import io_utils, path_utils

from astromer.serving.versions.promotion import current
from astromer.system.storage import as_path


@component
def PushedVersion(folder: Parameter[str], model: OutputArtifact[standard_artifacts.Model]):
    """Copies the version that ``latest`` names, else the newest.

    The artifact is empty where nothing has been pushed yet.

    Its result must not come from a cache: the parameters stay the same when a version is added.

    Args:
        folder: the folder that a model server watches.
        model: output.
    """
    version = current(as_path(folder))
    if version is not None:
        io_utils.copy_dir(str(version), path_utils.serving_model_dir(model.uri))
