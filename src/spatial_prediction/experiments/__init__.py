"""The studies' stages: from names, seeds and files to objects, and back to files.

The only room that turns preset names into objects. Each module is one stage of the padding study.
"""
