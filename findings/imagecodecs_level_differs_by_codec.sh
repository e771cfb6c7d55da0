#!/usr/bin/env bash
# imagecodecs 2026.3.6: `level` is another quantity in each codec for samples of 16 bits, and 0 is lossless in all
# but JPEG XL, where it is the poorest quality.
#
# In JPEG-LS and LERC it is the largest error, in JPEG 2000 the wanted ratio of peak signal to noise in decibel (of
# the type's range, 65,535, whatever the samples use), in JPEG XL a quality up to 100. One sweep over levels 0, 1 and
# 100 of several codecs therefore compares lossless coding with nothing left, and an error of 1 with one of 31,572
# in samples that end at 2,802. None of the calls warns.
#
# Affected: rate-distortion tables of 16-bit scenes and cubes, and archives written with level=0 for "lossless".
# Remedy: lossless=True for JPEG XL; decode and compare whatever was coded, as this project's studies do.
#
# Seen (Linux, x86-64, Python 3.11; largest errors with level 0, 1, 100):
#   jpegls: 0 1 100   lerc: 0 1 100   jpeg2k: 0 31572 3   jpegxl: 209 266 8
#
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "imagecodecs==2026.3.6" "numpy==2.3.5"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import imagecodecs
import numpy as np

rows, columns = np.mgrid[:64, :64]
noise = np.random.default_rng(0).normal(0, 4, (64, 64))
samples = (2000 + 500 * np.sin(columns / 9) + 300 * np.cos(rows / 7) + noise).astype(np.uint16)


def largest_error(codec, level):
    stream = getattr(imagecodecs, f"{codec}_encode")(samples, level=level)
    decoded = getattr(imagecodecs, f"{codec}_decode")(stream)
    return int(np.abs(decoded.astype(int) - samples).max())


print("samples end at", samples.max())
seen = {
    codec: [largest_error(codec, level) for level in (0, 1, 100)]
    for codec in ("jpegls", "lerc", "jpeg2k", "jpegxl")
}
print("   ".join(f"{codec}: {' '.join(map(str, errors))}" for codec, errors in seen.items()))
same = all(seen[codec] == [0, 1, 100] for codec in ("jpegls", "lerc"))
same &= seen["jpeg2k"][0] == 0 and seen["jpeg2k"][1] > samples.max() and 0 < seen["jpeg2k"][2] < 10
same &= min(seen["jpegxl"]) > 0 and seen["jpegxl"][0] > 100
sys.exit(0 if same else "changed: the values above are not those that were seen")
PYTHON
