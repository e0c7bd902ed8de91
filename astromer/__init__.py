"""AstroMer: a transformer encoder for light curves. See ``docs/index.md``."""

__version__ = "0.1.0"
