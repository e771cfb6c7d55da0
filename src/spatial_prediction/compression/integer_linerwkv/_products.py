"""The product of an int16 matrix with int16 columns, by the processor's instruction for pairs of products.

Numba would multiply 32-bit numbers one by one. Here the loop is written in LLVM's own terms, without any
instruction by name: where a processor multiplies pairs of 16-bit numbers and adds them up, LLVM uses that.
"""

from typing import no_type_check

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from spatial_prediction.compression.integer_linerwkv._lanes import COLUMNS

_WORD, _HALF = ir.IntType(32), ir.IntType(16)
_WORDS, _HALVES = ir.VectorType(_WORD, 16), ir.VectorType(_HALF, 32)
_PRODUCTS = ir.VectorType(_WORD, 32)
_VECTORS = COLUMNS // 16
_ROWS = 4  # of sums kept in registers, four vectors each


@intrinsic
@no_type_check
def multiply_pairs(typing_context, weight, pairs, out):
    """Multiply a matrix with columns; sums must fit 32 bits.

    Args:
        typing_context: numba's.
        weight: (outputs, inputs) int16, C-contiguous, outputs a multiple of four.
        pairs: two inputs in a word, at least (inputs / 2, 64) int32, C-contiguous.
        out: (outputs, 64) int32, C-contiguous.
    """

    def generate(context, builder, signature, arguments):
        weight, pairs, out = (
            context.make_array(kind)(context, builder, value)
            for kind, value in zip(signature.args, arguments, strict=True)
        )
        outputs, inputs = cgutils.unpack_tuple(builder, weight.shape)
        index = outputs.type
        steps = builder.lshr(inputs, index(1))
        factors = builder.bitcast(weight.data, _WORD.as_pointer())  # two at a time
        columns = builder.bitcast(pairs.data, _HALVES.as_pointer())
        results = builder.bitcast(out.data, _WORDS.as_pointer())
        sums = [[cgutils.alloca_once(builder, _WORDS) for _ in range(_VECTORS)] for _ in range(_ROWS)]

        def at(pointer, *terms):
            position = terms[0]
            for term in terms[1:]:
                position = builder.add(position, term)
            return builder.gep(pointer, [position])

        with cgutils.for_range_slice(builder, index(0), outputs, index(_ROWS)) as (row, _):
            for each in (total for line in sums for total in line):
                builder.store(_WORDS(None), each)
            with cgutils.for_range(builder, steps) as loop:
                first = builder.mul(loop.index, index(_VECTORS))
                x = [builder.load(at(columns, first, index(v)), align=4) for v in range(_VECTORS)]
                x = [builder.sext(each, _PRODUCTS) for each in x]
                for r in range(_ROWS):
                    line = builder.mul(builder.add(row, index(r)), steps)
                    factor = _in_every_lane(builder, builder.load(at(factors, line, loop.index), align=2))
                    for each, total in zip(x, sums[r], strict=True):
                        added = builder.add(builder.load(total), _added_pairs(builder, each, factor))
                        builder.store(added, total)
            for r in range(_ROWS):
                first = builder.mul(builder.add(row, index(r)), index(_VECTORS))
                for v, total in enumerate(sums[r]):
                    builder.store(builder.load(total), at(results, first, index(v)), align=4)
        return context.get_dummy_value()

    return types.void(weight, pairs, out), generate


@no_type_check
def _in_every_lane(builder, pair):
    """Repeat two 16-bit factors, which come as one word, and widen them."""
    unset = _WORDS(ir.Undefined)
    words = builder.shuffle_vector(builder.insert_element(unset, pair, _WORD(0)), unset, _WORDS(None))
    return builder.sext(builder.bitcast(words, _HALVES), _PRODUCTS)


@no_type_check
def _added_pairs(builder, x, factor):
    """Multiply, and add neighbouring products: the pattern that LLVM knows as one instruction."""
    products = builder.mul(x, factor)
    even, odd = (
        builder.shuffle_vector(
            products, _PRODUCTS(ir.Undefined), ir.Constant(_WORDS, list(range(first, 32, 2)))
        )
        for first in (0, 1)
    )
    return builder.add(even, odd)
