"""Looks at every light curve of a fold: which break a rule, and what the others are like."""
