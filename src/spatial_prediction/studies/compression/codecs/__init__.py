"""What is compared, behind one protocol: cubes to bytes that say all that is needed, and back.

- ``codec``: the protocol, and codecs by their names.
- ``predictors``: this package's predictors, in its containers.
- ``arrangements``, ``images``, ``peers``: cubes as images for codecs of images, and those of imagecodecs.
"""
