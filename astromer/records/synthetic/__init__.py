"""An endless synthetic survey to pre-train on: most classes of variable objects, many surveys.

``SyntheticSurvey(seed)[i]`` is a light curve; nothing is stored. The small survey that ``make run``
begins with is another one, ``astromer.records.synthetic.built_in``.
"""

from astromer.records.synthetic.surveys import SURVEYS, Survey
from astromer.records.synthetic.synthetic_survey import CLASSES, ObjectClass, SyntheticSurvey

__all__ = ["CLASSES", "SURVEYS", "ObjectClass", "Survey", "SyntheticSurvey"]
