"""Scenes and the arrays made of them; the only room that opens rasters.

- ``scenes``: a netCDF file in, DN of its corner crop out.
- ``decoding``, ``offset``, ``attributes``: what stored samples mean, by their attributes; no files.
- ``netcdf_files``, ``classic_format``, ``band_variables``: opening netCDF files and finding bands in them.
- ``permutation``: the order of the scenes, by seed or from a file.
- ``arrays``: scene files in, training and test array out.
- ``fairdata``, ``web``, ``download``, ``archives``, ``retrieval``: the published data set, from its catalogue
  to scene files.
- ``synthetic``, ``scene_files``: made-up scenes, written in the published layout.

Importing the room imports neither the network code nor the synthetic scenes.
"""

from spatial_prediction.data.arrays import build_arrays
from spatial_prediction.data.permutation import scene_order
from spatial_prediction.data.scenes import list_scenes, read_scene

__all__ = ["build_arrays", "list_scenes", "read_scene", "scene_order"]
