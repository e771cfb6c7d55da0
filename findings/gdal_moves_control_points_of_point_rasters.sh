#!/usr/bin/env bash
# GDAL writes the ground control points of a GeoTIFF whose samples stand for points (AREA_OR_POINT=Point) a whole pixel
# off, down and to the right: it adds half a pixel when it writes them, where it should subtract it, and half a pixel
# when it reads them. Only copies of a whole file (CreateCopy) keep what is there; samples that stand for areas do.
#
# Affected: anyone who makes such a file and sets its control points (swaths of scanners, scanned maps), with rasterio
# or GDAL's own interface: they are a pixel off, without a message.
# Remedy: measure the shift on a file in memory and take it off before writing, as this project's writers do.
#
# Seen (rasterio 1.4.4 with GDAL 3.10.3, and 1.5.2 with 3.12.2; Linux, x86-64); a point set at row 0, column 0:
#   Area: stored [0.0, 0.0], read (0.0, 0.0)
#   Point: stored [0.5, 0.5], read (1.0, 1.0)
#
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    "rasterio==1.4.4" "tifffile==2025.5.10" "numpy>=2.2,<3" "affine<3"
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys
import warnings

import rasterio
import tifffile
from rasterio.control import GroundControlPoint

warnings.simplefilter("ignore")  # that there is no transform is what this is about


def seen(kind):
    path = f"{sys.argv[1]}/{kind}.tif"
    with rasterio.open(path, "w", driver="GTiff", height=2, width=2, count=1, dtype="uint8") as file:
        file.update_tags(AREA_OR_POINT=kind)
        file.gcps = ([GroundControlPoint(0, 0, 15, 45, 0)], rasterio.CRS.from_epsg(4326))
    with tifffile.TiffFile(path) as file:
        stored = list(file.pages[0].tags["ModelTiepointTag"].value[:2])
    with rasterio.open(path) as file:
        point = file.gcps[0][0]
    line = f"{kind}: stored {stored}, read {(point.row, point.col)}"
    print(line)
    return line


expected = ["Area: stored [0.0, 0.0], read (0.0, 0.0)", "Point: stored [0.5, 0.5], read (1.0, 1.0)"]
sys.exit(0 if [seen("Area"), seen("Point")] == expected else "changed: what is printed above is not what was seen")
PYTHON
