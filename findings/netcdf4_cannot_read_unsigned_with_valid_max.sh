#!/usr/bin/env bash
# netCDF4-python 1.7.5.1 cannot read a variable of signed bytes that declares `_Unsigned = "true"` and a `valid_max` but
# no `_FillValue`: it raises a TypeError about a fill value that the file does not have. Without `valid_max`, or with
# a `_FillValue`, the same variable is read. The netCDF conventions allow all three attributes together.
#
# Affected: readers of classic-format files, where unsigned bytes can be stored in no other way.
# Remedy: set_auto_maskandscale(False) and decode by hand, as this project's reader does.
#
# Seen (Linux, x86-64, Python 3.11):
#   with valid_max: TypeError: Cannot convert fill_value -127 to dtype uint8
#   without valid_max: [1, 100, 200]   with _FillValue too: [1, 100, None]
#
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "netCDF4==1.7.5.1.post1" "numpy>=2.2,<3"
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys

import netCDF4
import numpy as np


def read(name, fill=None, **attributes):
    path = f"{sys.argv[1]}/{name}.nc"
    with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as file:
        file.createDimension("x", 3)
        variable = file.createVariable("v", "i1", ("x",), fill_value=fill)
        variable.set_auto_maskandscale(False)
        variable[:] = np.array([1, 100, -56], "i1")  # 1, 100, 200 where unsigned
        variable.setncatts({"_Unsigned": "true", **attributes})
    with netCDF4.Dataset(path) as file:
        try:
            return str(np.ma.asarray(file["v"][:]).tolist())
        except TypeError as error:
            return f"TypeError: {error}"


largest = {"valid_max": np.int8(-57)}  # 199 where unsigned
seen = [read("max", **largest), read("plain"), read("filled", fill=np.int8(-56), **largest)]
print(f"with valid_max: {seen[0]}")
print(f"without valid_max: {seen[1]}   with _FillValue too: {seen[2]}")
expected = ["TypeError: Cannot convert fill_value -127 to dtype uint8", "[1, 100, 200]", "[1, 100, None]"]
sys.exit(0 if seen == expected else "changed: what is printed above is not what was seen")
PYTHON
