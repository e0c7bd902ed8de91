"""Fold records: the TFRecord files that light curves are kept in between programs."""
