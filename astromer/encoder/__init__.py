"""The AstroMer encoder and its masked-reconstruction head."""
