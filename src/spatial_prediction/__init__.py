"""Predict the pixels one cannot see from those one can.

The rooms of this package, lowest level first (a room imports only lower ones):

- ``errors``, ``files``, ``progress``, ``command``, ``config``, ``presets``, ``validation``, ``provenance``:
  what everything may use; no JAX.
- ``padding``, ``data``, ``metrics``, ``training``, ``figures``: each stands alone.
- ``models``: networks; a padding is handed in as a module.
- ``experiments``: turns the study's preset names and seeds into objects.

Importing the package itself imports none of them.
"""

__version__ = "0.1.0"
