"""Cubes where people have them, compressed and restored with everything that their headers say.

- ``commands``: from file to file, group by group of rows; ``report``: what a compressed file holds.
- ``formats``: which reader opens a file, and which writer restores one; ``raw``, ``envi``, ``geotiff`` and
  ``netcdf`` are these, ``netcdf_content`` and ``netcdf_variables`` help the last.
- ``protocol``: what a reader gives and a writer takes.

Importing the room imports none of them.
"""
