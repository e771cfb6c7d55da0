#!/usr/bin/env bash
# xarray 2026.9.0 keeps samples that a netCDF file declares missing, in two cases where netCDF4-python 1.7.5.1 masks
# them. Both files follow the netCDF conventions.
#
# 1. int8 samples with `_Unsigned = "true"` and `missing_value = -56` (the stored bits of 200). xarray compares the
#    attribute, still signed, with the unsigned samples, so 200 stays; as `_FillValue` it is masked.
# 2. int32 samples with `missing_value = 2147483647` and a float32 `scale_factor`. xarray turns the samples into float32
#    before it compares them, so the missing one becomes 214748.36; netCDF4-python compares what is stored.
#
# Affected: anyone who opens packed or unsigned scenes with open_dataset: nodata comes back as a large measurement.
# Remedy: open with mask_and_scale=False and decode by hand, as this project's reader does.
#
# Seen (Linux, x86-64, Python 3.11):
#   netCDF4 1: [1.0, None, 255.0]   xarray 1, missing_value: [1.0, 200.0, 255.0]   xarray 1, _FillValue: [1.0, None, 255.0]
#   netCDF4 2: [0.0001, None]   xarray 2: [0.0001, 214748.3594]
#
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    "xarray==2026.9.0" "netCDF4==1.7.5.1.post1" "numpy>=2.2,<3"
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys

import netCDF4
import numpy as np
import xarray


def written(name, dtype, samples, fill=None, **attributes):
    path = f"{sys.argv[1]}/{name}.nc"
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("x", len(samples))
        variable = file.createVariable("v", dtype, ("x",), fill_value=fill)
        variable.set_auto_maskandscale(False)
        variable[:] = np.array(samples, dtype)
        variable.setncatts(attributes)
    return path


def listed(values):
    values = np.ma.masked_invalid(np.ma.asarray(values, np.float64))
    return [None if value is None else round(value, 4) for value in values.tolist()]


def by_netcdf4(path):
    with netCDF4.Dataset(path) as file:
        return listed(file["v"][:])


def by_xarray(path):
    with xarray.open_dataset(path) as dataset:
        return listed(dataset["v"].values)


bits = [1, -56, -1]  # 1, 200, 255 where unsigned
missing = written("missing", "i1", bits, _Unsigned="true", missing_value=np.int8(-56))
filled = written("filled", "i1", bits, fill=np.int8(-56), _Unsigned="true")
scaled = written(
    "scaled", "i4", [1, 2**31 - 1], missing_value=np.int32(2**31 - 1), scale_factor=np.float32(1e-4)
)
seen = [by_netcdf4(missing), by_xarray(missing), by_xarray(filled), by_netcdf4(scaled), by_xarray(scaled)]
print(f"netCDF4 1: {seen[0]}   xarray 1, missing_value: {seen[1]}   xarray 1, _FillValue: {seen[2]}")
print(f"netCDF4 2: {seen[3]}   xarray 2: {seen[4]}")
masked = [1.0, None, 255.0]
expected = [masked, [1.0, 200.0, 255.0], masked, [0.0001, None], [0.0001, 214748.3594]]
sys.exit(0 if seen == expected else "changed: the values above are not those that were seen")
PYTHON
