"""Shifts of 32-bit integers in numba's programs, which would widen them to 64 bits at half the speed."""

from typing import no_type_check

from numba import types
from numba.extending import intrinsic


@intrinsic
@no_type_check
def shifted(typing_context, x, bits):
    """Shift an int32 to the right, with its sign, by an int32 from 0 to 31."""

    def generate(context, builder, signature, arguments):
        return builder.ashr(*arguments)

    return types.int32(types.int32, types.int32), generate


@intrinsic
@no_type_check
def raised(typing_context, x, bits):
    """Shift an int32 to the left by an int32 from 0 to 31."""

    def generate(context, builder, signature, arguments):
        return builder.shl(*arguments)

    return types.int32(types.int32, types.int32), generate
