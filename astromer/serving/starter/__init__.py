"""The encoder that comes with the package: pre-trained on synthetic stars, ready to embed with.

``model/`` holds it as weights and settings, without a SavedModel, which would be several times as
large; the graph is made anew when it is loaded. `make starter` trains it and writes the folder.
"""
