"""The only room that opens rasters.

- ``raster``: any raster in, windows of DN out; ``scenes``: the corner crop that training reads; ``listing``:
  which files of a folder are scenes.
- ``meaning``, ``probes``, ``decoding``, ``packing``, ``missing``, ``offset``, ``settings``, ``attributes``,
  ``band_choice``: what samples and names of bands mean; no formats.
- ``formats``, ``containers``: which reader opens a file, and what each of them gives. ``netcdf``,
  ``geotiff``, ``envi`` and ``band_files`` are the readers; ``netcdf_bands``, ``netcdf_axes``,
  ``netcdf_classic``, ``envi_header``, ``envi_layout``, ``tiff_checksums`` and ``safe_metadata`` help them.
- ``scene_writing``: writing scenes in the published layout; ``gdal_writing``: noticing what GDAL
  could not write.

Importing the room imports none of them. Readers are imported when a file of theirs is opened.
"""
