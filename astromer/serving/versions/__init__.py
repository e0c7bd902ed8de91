"""Numbered versions of a model: listing, comparison, promotion and rollback.

A folder of versions, for instance ``outputs/serving/astromer``, holds the versions under their
numbers, the alias ``latest``, ``withdrawn/`` with versions that are hidden from model servers, and
``.versions/`` with a lock and the history of the alias. ``astromer versions`` is the
program. These modules load TensorFlow only to score a model, and to use a store.
"""
