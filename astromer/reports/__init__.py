"""The run report: what was trained, on what, and how well it reconstructs, on one page."""
