"""The published data set: from its catalogue to files whose checksums agree.

- ``fairdata``: the catalogue.
- ``web``, ``download``: requests with retries, and files that appear complete or not at all.
- ``archives``, ``scene_archives``: unpacking with guards, and the scenes of an archive.
"""
