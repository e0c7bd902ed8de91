"""TFX components around :mod:`astromer`. They move artifacts; the science is in the package."""
