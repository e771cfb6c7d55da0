#!/usr/bin/env bash
# Runs the tests with another version of Python, beside the environment that is there:
#
#     tests/other_python.sh 3.12                          with python3.12 on PATH, or else pyenv's
#     tests/other_python.sh 3.13 -m "not slow"            further arguments go to pytest
#     PYTHON=/opt/python/bin/python3 tests/other_python.sh 3.14
#
# The environment, .venv-VERSION, is made as `make setup` makes one: versions from constraints.txt, kernels
# compiled for its JAX. Remove the folder to begin anew.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=${1-}
if [[ ! $version =~ ^3\.[0-9]+$ ]]; then
    echo "error: '$version' is no version of Python; say for instance: tests/other_python.sh 3.12" >&2
    exit 2
fi
shift

is_version() {
    [[ $("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2> /dev/null) == "$version" ]]
}

for python in ${PYTHON:+"$PYTHON"} "python$version" "$(pyenv prefix "$version" 2> /dev/null)/bin/python"; do
    if is_version "$python"; then
        make setup PYTHON="$python" VENV=".venv-$version"
        PATH="$PWD/.venv-$version/bin:$PATH" exec ".venv-$version/bin/python" -m pytest -n 2 "$@"
    fi
done
echo "error: no Python $version on PATH or in pyenv; name one: PYTHON=/path/to/python tests/other_python.sh" \
    "$version" >&2
exit 1
