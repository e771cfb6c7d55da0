"""Fields in space and time: one class, made from a seed or read from netCDF.

- ``field``: the class and its file.
- ``synthetic``: weather that drifts over a static climate.
- ``netcdf``: any variable of time, y and x.
"""
