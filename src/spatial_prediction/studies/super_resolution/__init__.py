"""The padding study: how border handling changes super-resolution of satellite images (arXiv 2502.12300).

- ``config``, ``presets``, ``validation``: its settings and their validation; no JAX.
- ``data``: from scenes to arrays and tiles.
- ``task``: the network of a preset, and the pairs it learns from.
- ``losses``: what it is trained by, and tested by meanwhile.
- ``stages``: turn names, seeds and files into objects, and results into files; one module for each stage.
- ``metrics``: tidy tables in, tidy tables out.
- ``figures``: its figures and tables.
"""
