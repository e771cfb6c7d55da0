"""The lock of the netCDF library, which ends the process when two threads use it at once."""

import threading

NETCDF_LOCK = threading.RLock()
"""Held by whoever reads, writes, opens or closes a netCDF file."""
