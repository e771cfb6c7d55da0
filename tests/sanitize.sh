#!/usr/bin/env bash
# Builds the kernels with AddressSanitizer and UndefinedBehaviorSanitizer, beside the usual ones, and runs their tests
# under both: `make sanitize`. Further arguments go to pytest. Needs GCC with its sanitizers' libraries.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

compiler=${CXX:-c++}
runtime=$("$compiler" -print-file-name=libasan.so):$("$compiler" -print-file-name=libubsan.so)
if [[ $runtime != /*:/* ]]; then
    echo "error: $compiler has no libasan.so and libubsan.so to load before Python; set CXX to a GCC that has" >&2
    exit 1
fi
export SPATIAL_PREDICTION_KERNEL_FLAGS="-O1 -g1 -DONE_VERSION -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined"
python -m spatial_prediction.native

# Python itself keeps memory until it ends, which is no leak of ours. The tests left out compile or start programs.
export LD_PRELOAD=$runtime ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1
exec python -m pytest -n 0 -q tests/unit/native/test_gate.py tests/unit/native/test_kernels.py \
    -k "not compiler and not link and not registers" "$@"
