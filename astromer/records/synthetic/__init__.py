"""A small, seeded survey of realistic irregular light curves, to try everything without data.

Pulsating stars, eclipsing binaries, long-period variables, spotted stars, quasars and constant
stars, seen through seasons, moonlight and weather with magnitude-dependent errors and outliers.
``astromer synthetic --output DIR`` writes one as fold records.
"""

from astromer.records.synthetic.stars import STAR_CLASSES, make_star, make_survey

__all__ = ["STAR_CLASSES", "make_star", "make_survey"]
