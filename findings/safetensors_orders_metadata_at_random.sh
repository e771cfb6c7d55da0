#!/usr/bin/env bash
# safetensors 0.8.0 writes the metadata of a file in an order that changes from call to call, even within a process.
#
# The arrays are written in a fixed order, so files look reproducible as long as they have at most one entry of
# metadata. With three, equal arrays and metadata give up to six different files.
#
# Affected: checksums of files of weights, content-addressed caches and build systems that compare contents: a
# deterministic training seems to give another result each time.
# Remedy: sort "__metadata__" in the header after writing, as this project's named_arrays does, or put all metadata
# into one entry.
#
# Seen (Linux, x86-64, Python 3.11):
#   one entry: 1 file   three entries: 6 files
#
# Exits with 0 while this is so, with 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "safetensors==0.8.0" "numpy>=2.2,<3"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
from safetensors.numpy import save


def files(names):
    return len({save({"weight": np.zeros(3)}, dict.fromkeys(names, "text")) for _ in range(200)})


seen = files(["a"]), files(["a", "b", "c"])
print(f"one entry: {seen[0]} file   three entries: {seen[1]} files")
sys.exit(0 if seen == (1, 6) else "changed: the values above are not those that were seen")
PYTHON
