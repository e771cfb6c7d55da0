#!/usr/bin/env bash
# rasterio 1.4.4 cannot write back the XMP packet that it reads: `tags(ns="xml:XMP")` gives {"xml:XMP": packet}, and
# `update_tags(ns="xml:XMP", **tags)` stores the text "xml:XMP=" in front of the packet, so that the TIFF's tag 700 is
# no XML any more. Each further copy puts another "xml:XMP=" in front.
#
# Affected: anyone who copies tags namespace by namespace (update_tags of what tags gave), as scripts that make a
# GeoTIFF anew do: readers of XMP fail on the copy, or drop the packet.
# Remedy: leave namespaces that begin with "xml:" out, as this project does with a warning, or copy the whole file.
#
# Seen (Linux, x86-64, Python 3.11):
#   written: xml:XMP=<x:xmpmeta xmlns:x='adobe:ns:meta/'/>
#   copied: xml:XMP=xml:XMP=<x:xmpmeta xmlns:x='adobe:ns:meta/'/>
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

warnings.simplefilter("ignore")  # that there is no transform is not what this is about
PACKET = "<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"


def stored(name, tags):
    path = f"{sys.argv[1]}/{name}.tif"
    with rasterio.open(path, "w", driver="GTiff", height=2, width=2, count=1, dtype="uint8") as file:
        file.update_tags(ns="xml:XMP", **tags)
    with rasterio.open(path) as file:
        read = file.tags(ns="xml:XMP")
    with tifffile.TiffFile(path) as file:
        text = bytes(file.pages[0].tags[700].value).rstrip(b"\0").decode()
    print(f"{name}: {text}")
    return text, read


first, read = stored("written", {"xml:XMP": PACKET})
second, _ = stored("copied", read)
expected = (f"xml:XMP={PACKET}", f"xml:XMP=xml:XMP={PACKET}")
sys.exit(0 if (first, second) == expected else "changed: what is printed above is not what was seen")
PYTHON
