"""Cubes: made here, or read from raw files beside a header; and the file that keeps one.

- ``cube``: samples and where they come from.
- ``synthetic``: mixed spectra with the noise of a spectrometer.
- ``listing``, ``raw``: raw files with a header of ENVI or a description in JSON.
"""
