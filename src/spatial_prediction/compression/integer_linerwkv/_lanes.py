"""Loops over features and columns in vectors of 16 numbers, written in LLVM's own terms.

Numba leaves it to LLVM to find vectors in loops, which it gives up where many arrays might overlap or where
tables are looked up. Here a formula for :class:`Lanes` becomes such a loop; what a processor lacks LLVM
replaces, so that the integers are the same everywhere.
"""

import inspect
import sys
from collections.abc import Callable
from typing import Any, no_type_check

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

COLUMNS = 64
"""Of every array: a block of columns."""
_WIDTH = 16
_VECTORS = COLUMNS // _WIDTH
_WORD, _LONG = ir.IntType(32), ir.IntType(64)
_WORDS = ir.VectorType(_WORD, _WIDTH)
_HALVES = ir.VectorType(ir.IntType(16), _WIDTH)
_BEGIN = {"sum": 0, "largest": -(2**31)}
_RESULTS = ("out", "pairs", *_BEGIN)


class Lanes:
    """16 numbers of 32 bits in a program being built; operators wrap around, ``>>`` keeps the sign."""

    def __init__(self, builder: ir.IRBuilder, value: ir.Value) -> None:
        self.builder, self.value = builder, value

    def like(self, other: "Lanes | int") -> "Lanes":
        """Return a number in every lane, or lanes as they are."""
        return other if isinstance(other, Lanes) else Lanes(self.builder, _WORDS([other] * _WIDTH))

    def _by(self, operation: Callable[..., ir.Value], other: "Lanes | int") -> "Lanes":
        return Lanes(self.builder, operation(self.value, self.like(other).value))

    def __add__(self, other: "Lanes | int") -> "Lanes":
        return self._by(self.builder.add, other)

    def __sub__(self, other: "Lanes | int") -> "Lanes":
        return self._by(self.builder.sub, other)

    def __mul__(self, other: "Lanes | int") -> "Lanes":
        return self._by(self.builder.mul, other)

    def __and__(self, other: "Lanes | int") -> "Lanes":
        return self._by(self.builder.and_, other)

    def __or__(self, other: "Lanes | int") -> "Lanes":
        return self._by(self.builder.or_, other)

    def __lshift__(self, other: "Lanes | int") -> "Lanes":
        return self._by(self.builder.shl, other)

    def __rshift__(self, other: "Lanes | int") -> "Lanes":
        return self._by(self.builder.ashr, other)

    def __lt__(self, other: "Lanes | int") -> "Lanes":
        return Lanes(self.builder, self.builder.icmp_signed("<", self.value, self.like(other).value))

    def __ge__(self, other: "Lanes | int") -> "Lanes":
        return Lanes(self.builder, self.builder.icmp_signed(">=", self.value, self.like(other).value))


class Table:
    """An array of 32-bit numbers in a program being built."""

    def __init__(self, builder: ir.IRBuilder, data: ir.Value) -> None:
        self.builder, self.data = builder, data

    def at(self, index: Lanes) -> Lanes:
        """Look up a number for each lane, whose indices must be those of entries.

        Indices are taken out by two, which costs half as much; processors gather no faster.
        """
        builder = self.builder
        pairs = builder.bitcast(index.value, ir.VectorType(_LONG, _WIDTH // 2))
        found = _WORDS(ir.Undefined)
        for place in range(_WIDTH // 2):
            pair = builder.extract_element(pairs, _WORD(place))
            halves = builder.and_(pair, _LONG(0xFFFFFFFF)), builder.lshr(pair, _LONG(32))
            for lane, half in enumerate(halves if sys.byteorder == "little" else halves[::-1]):
                entry = builder.load(builder.gep(self.data, [half]))
                found = builder.insert_element(found, entry, _WORD(2 * place + lane))
        return Lanes(builder, found)


def where(condition: Lanes, this: Lanes, that: Lanes | int) -> Lanes:
    """Choose by lane."""
    builder = this.builder
    return Lanes(builder, builder.select(condition.value, this.value, this.like(that).value))


def least(x: Lanes, other: Lanes | int) -> Lanes:
    """Take the smaller by lane."""
    return where(x < other, x, other)


def most(x: Lanes, other: Lanes | int) -> Lanes:
    """Take the larger by lane."""
    return where(x >= other, x, other)


def magnitude(x: Lanes) -> Lanes:
    """Remove the sign."""
    return most(x, x.like(0) - x)


@no_type_check
def over_features(*kinds: str) -> Callable[[Callable[..., Any]], Any]:
    """Make a function for compiled loops of a formula, which is applied to all features of 64 columns.

    The function takes arrays, C-contiguous, and numbers, one for each kind:

    - ``"element"``, (features, 64) int32 or int16: given to the formula
    - ``"feature"``, (features,) int32 or int16, ``"column"``, (64,) int32, ``"number"``, int32: likewise
    - ``"table"``, int32: given as :class:`Table`
    - ``"out"``, (features, 64) int32 or int16: gets what the formula returns
    - ``"pairs"``, at least (features / 2, 64) int32: the same, below 2**15 in magnitude or from 0 to 255, as
      :func:`multiply_pairs` takes it
    - ``"sum"`` and ``"largest"``, (64,) int32: get the sum or maximum over the features

    The formula returns a result for each of the last four, in their order. Arrays may be the same.
    """

    def decorate(formula: Callable[..., Any]) -> Any:
        def loop(typing_context, *arguments):
            def generate(context, builder, signature, values):
                _Loop(kinds, formula, context, builder, signature.args, values).generate()
                return context.get_dummy_value()

            return types.void(*arguments), generate

        names = ["typing_context", *(f"{kind}_{place}" for place, kind in enumerate(kinds))]
        loop.__signature__ = inspect.Signature(  # numba would make a tuple of the arguments otherwise
            [inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY) for name in names]
        )
        loop.__name__ = formula.__name__
        return intrinsic(loop)

    return decorate


class _Loop:
    """The program of one formula."""

    def __init__(
        self,
        kinds: tuple[str, ...],
        formula: Callable[..., Any],
        context: Any,
        builder: Any,
        given: Any,
        values: Any,
    ) -> None:
        self._kinds, self._formula, self._builder = kinds, formula, builder
        self._index = context.get_value_type(types.intp)
        self._halves = [
            kind != "number" and t.dtype.bitwidth == 16 for kind, t in zip(kinds, given, strict=True)
        ]
        self._arguments = [
            value if kind == "number" else context.make_array(numba_type)(context, builder, value)
            for kind, numba_type, value in zip(kinds, given, values, strict=True)
        ]

    def generate(self) -> None:
        """Write the program."""
        builder, index = self._builder, self._index
        features = next(
            cgutils.unpack_tuple(builder, array.shape)[0]
            for kind, array in zip(self._kinds, self._arguments, strict=True)
            if kind in ("element", "feature")
        )
        if totals := [place for place, kind in enumerate(self._kinds) if kind in _BEGIN]:
            self._begin(totals)
            with cgutils.for_range(builder, features) as rows:
                for vector in map(index, range(_VECTORS)):
                    self._store([rows.index], vector, [self._results(rows.index, vector)])
            for place in totals:
                for vector in range(_VECTORS):
                    total = builder.load(self._totals[place, vector])
                    builder.store(total, self._at(place, index(vector)), align=4)
            return
        step = 2 if "pairs" in self._kinds else 1
        with cgutils.for_range_slice(builder, index(0), features, index(step)) as (first, _):
            rows = [builder.add(first, index(ahead)) for ahead in range(step)]
            with cgutils.for_range(builder, index(_VECTORS)) as vectors:
                self._store(rows, vectors.index, [self._results(row, vectors.index) for row in rows])

    def _begin(self, totals: list[int]) -> None:
        """Make room for sums and maxima of 64 columns, which LLVM keeps in registers."""
        self._totals = {}
        for place in totals:
            for vector in range(_VECTORS):
                self._totals[place, vector] = cgutils.alloca_once(self._builder, _WORDS)
                nothing = _WORDS([_BEGIN[self._kinds[place]]] * _WIDTH)
                self._builder.store(nothing, self._totals[place, vector])

    def _at(self, place: int, vector: ir.Value) -> ir.Value:
        kind = _HALVES if self._halves[place] else _WORDS
        data = self._builder.bitcast(self._arguments[place].data, kind.as_pointer())
        return self._builder.gep(data, [vector])

    def _vector_of(self, row: ir.Value, vector: ir.Value) -> ir.Value:
        return self._builder.add(self._builder.mul(row, row.type(_VECTORS)), vector)

    def _results(self, row: ir.Value, vector: ir.Value) -> tuple[Lanes, ...]:
        given: list[Lanes | Table] = []
        for place, kind in enumerate(self._kinds):
            if kind == "element":
                given.append(self._loaded(place, self._vector_of(row, vector)))
            elif kind == "column":
                given.append(self._loaded(place, vector))
            elif kind == "feature":
                given.append(self._in_every_lane(self._feature(place, row)))
            elif kind == "number":
                given.append(self._in_every_lane(self._arguments[place]))
            elif kind == "table":
                given.append(Table(self._builder, self._arguments[place].data))
        result = self._formula(*given)
        return result if isinstance(result, tuple) else (result,)

    def _loaded(self, place: int, vector: ir.Value) -> Lanes:
        halves = self._halves[place]
        value = self._builder.load(self._at(place, vector), align=2 if halves else 4)
        return Lanes(self._builder, self._builder.sext(value, _WORDS) if halves else value)

    def _feature(self, place: int, row: ir.Value) -> ir.Value:
        value = self._builder.load(self._builder.gep(self._arguments[place].data, [row]))
        return self._builder.sext(value, _WORD) if self._halves[place] else value

    def _in_every_lane(self, number: ir.Value) -> Lanes:
        unset = _WORDS(ir.Undefined)
        filled = self._builder.insert_element(unset, number, _WORD(0))
        return Lanes(self._builder, self._builder.shuffle_vector(filled, unset, _WORDS(None)))

    def _store(self, rows: list[ir.Value], vector: ir.Value, results: list[tuple[Lanes, ...]]) -> None:
        kinds = [(place, kind) for place, kind in enumerate(self._kinds) if kind in _RESULTS]
        for number, (place, kind) in enumerate(kinds):
            each = [result[number] for result in results]
            if kind == "pairs":
                even, odd = each if sys.byteorder == "little" else each[::-1]
                half = self._builder.lshr(rows[0], rows[0].type(1))
                self._put((odd << 16) | (even & 0xFFFF), place, self._vector_of(half, vector))
                continue
            for row, lanes in zip(rows, each, strict=True):
                if kind == "out":
                    self._put(lanes, place, self._vector_of(row, vector))
                else:
                    total = self._totals[place, vector.constant]
                    before = Lanes(self._builder, self._builder.load(total))
                    after = before + lanes if kind == "sum" else most(before, lanes)
                    self._builder.store(after.value, total)

    def _put(self, lanes: Lanes, place: int, vector: ir.Value) -> None:
        halves = self._halves[place]
        value = self._builder.trunc(lanes.value, _HALVES) if halves else lanes.value
        self._builder.store(value, self._at(place, vector), align=2 if halves else 4)
