"""Predict the pixels one cannot see from those one can.

The rooms of this package, lowest level first (a room imports only lower ones):

- ``errors``, ``files``, ``output_files``, ``named_arrays``, ``background``, ``process_lock``, ``progress``,
  ``command``, ``normalisation``, ``configuration``, ``training_settings``, ``tidy_tables``,
  ``provenance``, ``reflectance``: what everything may use; no JAX.
  ``names`` reads every name of a padding or another border handling. ``differentiation`` and
  ``compiled_programs``, with JAX, give functions derivatives of their own and keep what was compiled.
- ``native``, ``rasters``, ``statistics``, ``plotting``, ``training``, ``gaussian_process``, ``compression``:
  each stands alone; ``retrieval`` fetches what ``rasters`` reads.
- ``padding``: predicts the frame around a map; ``padding/linear_prediction`` is its machinery,
  ``padding/contrib`` what was tried and lost.
- ``cube_files``: cubes of ``rasters``' formats, compressed by ``compression`` and restored.
- ``interpolation``: fields and images with gaps in, filled with their uncertainty, by ``gaussian_process``.
- ``convolution``: layers and functions that treat incomplete windows themselves, or pad as they are asked to.
- ``models``: networks; border handling is given as an object. ``tiling`` applies any network to images,
  tile by tile.
- ``upscaling``: rasters of any size from file to file.
- ``studies``: each study with its settings, stages, metrics and figures; none imports another.
- ``cli``, ``__main__``: the command ``spatial-prediction``.

Importing the package itself imports none of them.
"""

__version__ = "0.1.0"
