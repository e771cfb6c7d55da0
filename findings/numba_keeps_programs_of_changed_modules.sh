#!/usr/bin/env bash
# Numba 0.68.1 keeps a compiled function (cache=True) as long as the file of that function is as it was. Functions of
# other modules that were compiled into it are not looked at: after a change of one of them, the next process runs
# the old code without a word, while the function called by itself is the new one.
#
# Who is hurt: whoever has compiled functions in more than one module and changes or updates one of them. A codec may
# write streams by one rule and read them by another, and tests pass on code that is no longer there.
# What to do: put a digest of all sources into the key of what is kept (spatial_prediction.compression._compiled), or
# all functions that call each other into one module.
#
# Seen (Linux, x86-64, Python 3.11):
#   before the change: 1 1   after: 2 1
#
# Ends with 0 while this is so, with 1 when it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "numba==0.68.1"
cd "$folder"
cat > caller.py <<'PYTHON'
import called
import numba


@numba.njit(cache=True)
def through_caller():
    return called.number()


print(called.number(), through_caller())
PYTHON
printf 'import numba\n\n\n@numba.njit(cache=True)\ndef number():\n    return 1\n' > called.py
before=$("$folder/venv/bin/python" caller.py)
sleep 1.1
printf 'import numba\n\n\n@numba.njit(cache=True)\ndef number():\n    return 2  # changed\n' > called.py
after=$("$folder/venv/bin/python" caller.py)
echo "before the change: $before   after: $after"
if [[ "$before; $after" != "1 1; 2 1" ]]; then
    echo "changed: what is printed above is not what was seen" >&2
    exit 1
fi
