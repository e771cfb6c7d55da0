"""Compile the kernels: ``python -m spatial_prediction.native``."""

import sys

from spatial_prediction.native import CompilationError, build

try:
    print(f"compiled kernels: {build()}")
except CompilationError as error:
    print(f"no compiled kernels, XLA computes instead: {error}", file=sys.stderr)
