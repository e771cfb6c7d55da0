#!/usr/bin/env bash
# netCDF4-python 1.7.5.1 opens a valid file of the classic format by its path, and refuses the same bytes given as
# memory=, with "PermissionError: Operation not permitted". It depends on the length of the header: of files that
# differ only in the length of a text attribute, most are refused. Files of netCDF-4 are not concerned.
#
# Who is hurt: whoever reads classic files from an archive, a web response or an object store without a temporary file.
# What to do: append twice its length of zero bytes to a copy of the file's bytes, which the format allows, or write a
# temporary file. The error does not mean that the file is damaged.
#
# Seen (Linux, x86-64, Python 3.11), attributes of 1, 5, 9, 13, 17, 21 and 2000 letters:
#   by path: 7 of 7   from memory: refused open open refused refused refused refused   with zeros appended: 7 of 7
#
# Ends with 0 while this is so, with 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "netCDF4==1.7.5.1.post1" "numpy<3"
cd "$folder"
venv/bin/python - <<'PYTHON'
import sys
from pathlib import Path

import netCDF4


def opens(*place, **options):
    try:
        with netCDF4.Dataset(*place, **options) as dataset:
            return dataset["v"][:].tolist() == [0, 1]
    except PermissionError:
        return False


by_path, from_memory, appended = [], [], []
for letters in (1, 5, 9, 13, 17, 21, 2000):
    path = f"{letters}.nc"
    with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as dataset:
        dataset.comment = "a" * letters
        dataset.createDimension("y", 2)
        dataset.createVariable("v", "i1", ("y",))[:] = [0, 1]
    content = Path(path).read_bytes()
    by_path.append(opens(path))
    from_memory.append(opens("memory", memory=content))
    appended.append(opens("memory", memory=content + bytes(2 * len(content))))
words = " ".join("open" if each else "refused" for each in from_memory)
print(f"by path: {sum(by_path)} of 7   from memory: {words}   with zeros appended: {sum(appended)} of 7")
sys.exit(0 if all(by_path) and all(appended) and sum(from_memory) < 7 else "changed: see above")
PYTHON
