"""The only room that opens rasters.

- ``scenes``: a netCDF file in, DN of its corner crop out.
- ``decoding``, ``offset``, ``attributes``: what stored samples mean, by their attributes; no files.
- ``netcdf_files``, ``classic_length``, ``band_variables``: opening netCDF files and finding bands in them.
- ``scene_writing``: writing scenes in the published layout.
"""

from spatial_prediction.rasters.scenes import list_scenes as list_scenes
from spatial_prediction.rasters.scenes import read_scene as read_scene
