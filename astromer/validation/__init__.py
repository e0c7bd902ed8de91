"""Checks every light curve of a fold, describes the accepted ones and finds duplicates."""
