"""The stages of the padding study: from names, seeds and files to objects, and back to files.

Each module is one stage; only here and in ``task`` do names of presets become objects.
"""
