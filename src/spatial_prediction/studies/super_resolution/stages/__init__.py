"""The stages of the padding study: from names, seeds and files to objects, and back to files.

Each module is one stage. Only here and in ``task`` are networks made of presets' names.
"""
