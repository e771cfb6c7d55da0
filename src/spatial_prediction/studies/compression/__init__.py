"""The compression study: how few bits a spectrometer's cube takes, exactly restored, and at what cost.

- ``config``, ``validation``: its settings and their validation; nothing heavy.
- ``cubes``: where samples come from. ``codecs``: this package's predictors and what others offer, behind one
  protocol; ``measurement``: what each of them costs.
- ``training``: LineRWKV for the study. ``network``: the one that codes, and the cubes it has seen.
- ``stages``: from files to files; one module for each stage.
- ``results``: the tidy table. ``figures``: figures and tables.
"""
