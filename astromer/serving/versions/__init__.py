"""Numbered versions of a model: which are there, which one users get, and going back.

In a folder of versions, for instance ``outputs/serving/astromer``, lie the versions by their
numbers, the alias ``latest`` (:mod:`astromer.serving.versions.alias`), ``withdrawn/`` with
versions that were taken out of the sight of model servers, and ``.versions/`` with a lock and the
history of the alias.
``astromer versions`` is the program. Nothing here loads TensorFlow before a model is
loaded or a store is looked at.
"""
