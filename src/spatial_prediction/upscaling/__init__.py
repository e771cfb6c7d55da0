"""Upscale rasters of any size from file to file: georeferenced, seamless, in constant memory.

- ``scenes``: the door, a raster and a network in, a complete file out; ``settings``: what can be chosen.
- ``pipeline``: read ahead, compute, write behind; ``windows``, ``programs`` are its parts.
- ``geotiff``, ``netcdf``: writers of blocks; ``output``, ``georeference``, ``samples``, ``metadata``: what
  they write.
- ``disk_space``: what is compared before the first block.

Importing the room imports none of them.
"""
