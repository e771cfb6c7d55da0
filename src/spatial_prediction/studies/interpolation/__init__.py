"""The interpolation study: fields over time from few observed pixels, with an uncertainty one can trust.

- ``config``, ``validation``: its settings and their validation; no JAX.
- ``fields``: where values come from. ``masks``: which of them are observed. ``protocols``: what a prediction
  may know of them.
- ``baselines``, ``metrics``: what is to be beaten, and by which measure.
- ``stages``: from files to files; one module for each stage.
- ``results``: tidy tables, and which model wins on validation frames.
- ``figures``: its figures and tables.
"""
