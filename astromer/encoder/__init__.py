"""The AstroMer encoder and its masked-reconstruction head."""

from astromer.encoder.encoder import Encoder
from astromer.encoder.reconstructor import Reconstructor

__all__ = ["Encoder", "Reconstructor"]
