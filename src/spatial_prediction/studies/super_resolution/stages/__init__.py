"""The stages of the padding study: they turn names, seeds and files into objects, and results into files.

Each module is one stage. Only here and in ``task`` are networks made from the names of presets.
"""
