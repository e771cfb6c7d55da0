"""What compiled loops have in common: how they are compiled, and operations on bits that Python lacks.

Numba's integers are not NumPy's: everything in these loops is int64, whose sums and shifts wrap, and stores
into narrower arrays cut off the high bits. Functions carry ``no_type_check`` since checks of types at run
time cannot be compiled.
"""

import hashlib
from pathlib import Path
from typing import no_type_check

import numba
from llvmlite import ir
from numba import types
from numba.core.caching import FunctionCache
from numba.extending import intrinsic


def _state_of_sources() -> str:
    """Digest of all modules beside this one and below."""
    folder = Path(__file__).parent
    return hashlib.sha256(b"".join(path.read_bytes() for path in sorted(folder.rglob("*.py")))).hexdigest()


SOURCES = _state_of_sources()


class _Cache(FunctionCache):
    """Keeps programs as Numba does, which by itself would not see a change of another module."""

    @no_type_check
    def _index_key(self, *arguments):
        return (*super()._index_key(*arguments), SOURCES)


@no_type_check
def compiled(function):
    """Compile at the first call, and keep the program for later processes if any folder can be written to."""
    program = numba.njit(error_model="numpy", nogil=True)(function)
    try:
        program._cache = _Cache(function)
    except RuntimeError:  # there is none: each process compiles anew
        return program
    return program


@intrinsic
@no_type_check
def leading_zeros(typing_context, value):
    """Count the zero bits above the highest one of 64; 64 for zero."""

    def generate(context, builder, signature, arguments):
        return builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.int64), generate


@intrinsic
@no_type_check
def mirrored(typing_context, value):
    """Reverse the order of 64 bits."""

    def generate(context, builder, signature, arguments):
        return builder.bitreverse(arguments[0])

    return types.int64(types.int64), generate
