"""The published data set: from its catalogue to files whose checksums agree.

- ``fairdata``: the catalogue.
- ``web``, ``download``: requests with retries, and files that appear complete or not at all.
- ``extraction``: scenes out of an archive that is not to be trusted.
- ``parallel_retrieval``: all archives of a data set side by side, of which the scenes are kept.
"""
