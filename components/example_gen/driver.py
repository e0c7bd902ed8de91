"""Decides whether a fold has to be ingested again."""

from __future__ import annotations

from typing import Any

from tfx.components.example_gen import driver, utils
from tfx.types import standard_component_specs

from astromer.records.fold import Fold


class ContentDriver(driver.FileBasedDriver):
    """Looks at the content of the record files, where TFX looks at sizes and times.

    A fold that was copied or touched is not ingested again; one in which a value changed is,
    whatever the clock and the sizes say. Costs a read of the files.
    """

    def resolve_exec_properties(
        self, exec_properties: dict[str, Any], *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        """Puts the fingerprint of the content in the place of TFX's.

        Raises:
            DataNotFoundError, RecordError: as :meth:`astromer.records.fold.Fold.open`.
        """
        resolved = super().resolve_exec_properties(exec_properties, *args, **kwargs)
        fold = Fold.open(resolved[standard_component_specs.INPUT_BASE_KEY])
        resolved[utils.FINGERPRINT_PROPERTY_NAME] = fold.content_fingerprint()
        return resolved
