"""Predict the pixels one cannot see from those one can.

The rooms of this package, lowest level first (a room imports only lower ones):

- ``errors``, ``files``, ``progress``, ``command``, ``config``, ``presets``, ``validation``, ``provenance``:
  what everything may use; no JAX. ``differentiation``, with JAX, gives functions derivatives of their own.
- ``native``, ``data``, ``metrics``, ``training``, ``figures``: each stands alone.
- ``padding``: predicts the frame around a map.
- ``convolution``: layers and functions that treat incomplete windows themselves, or pad as they are told.
- ``models``: networks; a padding is handed in as a module.
- ``experiments``: turns the study's preset names and seeds into objects.

Importing the package itself imports none of them.
"""

__version__ = "0.1.0"
