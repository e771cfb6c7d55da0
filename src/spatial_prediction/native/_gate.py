"""The gate of the compiled kernels: the signature of each kernel, which every call is checked against.

Kernels read and write memory according to the shapes that they are given, so every call is checked against
the signature of the kernel when it is traced, and again by the kernel itself (``checks.h``). Signatures use
the names of the C++ sources: ``"*maps height width channels"`` are the axes of an array. The same name is the
same size everywhere, an axis given by an expression such as ``left+width+right`` must have that size,
``*maps`` are any leading axes, and ``*some`` are the first few of these. An array whose axes begin with ``?``
may also be empty.
"""

import ast
import functools
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import jax
import numpy as np

Array: TypeAlias = jax.Array | np.ndarray | jax.ShapeDtypeStruct

DTYPES = (np.float32, np.float64)
LARGEST = 1 << 16
"""The largest pad width, neighbourhood or lag, pixels."""

REAL = "a real number"
PAIRS = "[2*lags]"
_PAD_WIDTHS, _MARGINS = "top bottom left right", "above below before behind"
_MAY_BE_ZERO = {*_PAD_WIDTHS.split(), *_MARGINS.split()}
"""Sizes that may be 0, as may all that attributes name; others are positive."""


class Signature(NamedTuple):
    """Operands, results and attributes of a kernel.

    Attributes:
        operands: axes of each array that it takes, in this order.
        results: axes of each array that it returns.
        attributes: for each attribute, ``REAL``; ``PAIRS``; names for its integers, one each; or the number
            of its integers and their upper limit, ``"[unknowns] < lags"``.
        conditions: further conditions, as expressions.
        dtypes: of results that do not have the dtype of all other arrays, which is float32 then.
    """

    operands: Mapping[str, str]
    results: Mapping[str, str]
    attributes: Mapping[str, str] = {}
    conditions: Sequence[str] = ()
    dtypes: Mapping[str, Sequence[Any]] = {}

    def gradient(self, first: Mapping[str, str], *, of: str) -> "Signature":
        """Return the signature of the kernel that takes ``first`` as well and adds the gradient by ``of``."""
        return self._replace(
            operands={**first, **self.operands, **self.results}, results={"gradient": self.operands[of]}
        )


_X = "*maps height width channels"
_TAPERS = {"taper_y": "*some height", "taper_x": "*some width"}

_LAGGED_PRODUCTS = Signature(
    operands={"x": _X, **_TAPERS},
    results={"means": "*maps channels", "sums": "*maps lags channels"},
    attributes={"lags": PAIRS},
)
_PREDICTION_COEFFICIENTS = Signature(
    operands={"x": _X, "corrections": "? *maps lags channels", **_TAPERS},
    results={
        "means": "*maps channels",
        "down": "*maps down_columns down_unknowns channels",
        "right": "*maps right_columns right_unknowns channels",
    },
    attributes={
        "lags": PAIRS,
        "down_lag": "[down_unknowns*(down_unknowns+down_columns)] < lags",
        "right_lag": "[right_unknowns*(right_unknowns+right_columns)] < lags",
        "scale": REAL,
        "ridge": REAL,
    },
)
_FIRST_ORDER = Signature(
    operands={"x": _X}, results={"means": "*maps channels", "coefficients": "*maps 4 channels"}
)
_COEFFICIENTS = {
    side: f"*maps {side}_width {side}_length {side}_width channels"
    for side in ("top", "bottom", "left", "right")
}
_STRIPS = {
    "top_strip": "*maps top left+width+right channels",
    "bottom_strip": "*maps bottom left+width+right channels",
    "left_strip": "*maps height left channels",
    "right_strip": "*maps height right channels",
}
_PREDICTED_FRAME = Signature(
    operands={"x": _X, "mean": "*maps channels", **_COEFFICIENTS},
    results=_STRIPS,
    conditions=tuple(
        condition.replace("SIDE", side)
        for sides, conditions in (
            (("top", "bottom"), ("SIDE_length <= height", "SIDE_width <= left+width+right")),
            (("left", "right"), ("SIDE_length <= width", "SIDE_width <= height")),
        )
        for side in sides
        for condition in (*conditions, "SIDE_width % 2 == 1")
    ),
)
_FRAMED = {
    "x": "*maps height width inputs",
    "top": "? *maps top left+width+right inputs",
    "bottom": "? *maps bottom left+width+right inputs",
    "left": "? *maps height left inputs",
    "right": "? *maps height right inputs",
}
_KERNEL = {"kernel": "*some rows columns inputs outputs"}
_BIAS = {"bias": "*some outputs"}
_CONVOLVED = "*maps top+height+bottom-rows+1 left+width+right-columns+1 outputs"
_WIDTHS = {"widths": _PAD_WIDTHS}
_WEIGHTS = {
    "expand": "*some 1 1 channels hidden",
    "expand_bias": "*some hidden",
    "reduce": "*some 1 1 hidden channels",
    "reduce_bias": "*some channels",
}
_BLOCK = {
    **_FRAMED,
    **_KERNEL,
    **_BIAS,
    "expand": "*some 1 1 outputs hidden",
    "expand_bias": "*some hidden",
    "reduce": "*some 1 1 hidden outputs",
    "reduce_bias": "*some outputs",
}
_SYSTEM = {
    "matrix": "*maps unknowns unknowns count",
    "right_hand_side": "*maps unknowns columns count",
}

_UPSCALED = {
    "x": "*maps height width inputs",
    "kernel": "*some rows columns inputs outputs",
    "features": "*maps height-rows+1 width-columns+1 channels",
    "pointwise": "*some 1 1 channels outputs",
    "bias": "*some outputs",
}
_AT_LEAST_THE_KERNEL = ("rows <= height", "columns <= width")

SIGNATURES: Mapping[str, Signature] = {
    "lagged_products": _LAGGED_PRODUCTS,
    "lagged_products_gradient": _LAGGED_PRODUCTS.gradient({"cotangents": _X}, of="x"),
    "prediction_coefficients": _PREDICTION_COEFFICIENTS,
    "prediction_coefficients_gradient": _PREDICTION_COEFFICIENTS.gradient(
        {"cotangents": _X}, of="x"
    )._replace(
        results={"gradient": _X, "correction_gradient": _PREDICTION_COEFFICIENTS.operands["corrections"]},
    ),
    "first_order": _FIRST_ORDER,
    "first_order_gradient": _FIRST_ORDER.gradient({"cotangents": _X}, of="x"),
    "predicted_frame": _PREDICTED_FRAME,
    "predicted_frame_gradient": _PREDICTED_FRAME._replace(
        operands={"cotangents": _X, **_PREDICTED_FRAME.operands, **_STRIPS},
        results={f"of_{name}": axes for name, axes in _PREDICTED_FRAME.operands.items()},
    ),
    "convolution": Signature({**_FRAMED, **_KERNEL, **_BIAS}, {"y": _CONVOLVED}, _WIDTHS),
    "convolution_map_gradient": Signature(
        operands={
            "cotangents": "*maps out_height out_width outputs",
            **_KERNEL,
        },
        results=_FRAMED,
        attributes={**_WIDTHS, "margins": _MARGINS},
        conditions=(
            "above+out_height+below-rows+1 == top+height+bottom",
            "before+out_width+behind-columns+1 == left+width+right",
        ),
    ),
    "convolution_kernel_gradient": Signature(
        {"cotangents": _CONVOLVED, **_FRAMED}, {**_KERNEL, **_BIAS}, _WIDTHS
    ),
    "feed_forward": Signature({"x": _X, **_WEIGHTS}, {"y": _X}),
    "feed_forward_gradient": Signature(
        {"cotangents": _X, "x": _X, **{name: _WEIGHTS[name] for name in ("expand", "expand_bias", "reduce")}},
        {f"of_{name}": axes for name, axes in {"x": _X, **_WEIGHTS}.items()},
    ),
    "upscaled_phases": Signature(
        _UPSCALED, {"y": "*maps height-rows+1 width-columns+1 outputs"}, conditions=_AT_LEAST_THE_KERNEL
    ),
    "upscaled_pixels": Signature(
        _UPSCALED,
        {"y": "*maps factor*(height-rows+1) factor*(width-columns+1) colours"},
        {"factor": "factor"},
        (*_AT_LEAST_THE_KERNEL, "colours*factor*factor == outputs"),
    ),
    "upscaled_samples": Signature(
        {**_UPSCALED, "masks": "*maps height-rows+1 width-columns+1 2"},
        {"samples": "*maps colours factor*(height-rows+1) factor*(width-columns+1)", "limited": "*maps"},
        {"factor": "factor", **dict.fromkeys(("scale", "offset", "lowest", "highest", "nodata"), REAL)},
        (*_AT_LEAST_THE_KERNEL, "factor == 4", "colours*factor*factor == outputs"),
        {"samples": (np.uint16, np.int16), "limited": (np.int32,)},
    ),
    "block": Signature(_BLOCK, {"y": _CONVOLVED}, _WIDTHS),
    "block_gradient": Signature(
        {
            "cotangents": _CONVOLVED,
            **{name: axes for name, axes in _BLOCK.items() if name != "reduce_bias"},
        },
        {f"of_{name}": axes for name, axes in _BLOCK.items()},
        _WIDTHS,
    ),
    "normal_equations": Signature(_SYSTEM, {"solution": _SYSTEM["right_hand_side"]}),
    "normal_equations_gradient": Signature(
        {**_SYSTEM, "cotangents": _SYSTEM["right_hand_side"]},
        {f"of_{name}": axes for name, axes in _SYSTEM.items()},
    ),
}


def check(
    name: str, arguments: Sequence[Array], results: Sequence[Array], attributes: Mapping[str, Any]
) -> None:
    """Refuse a call that does not fit the signature of the kernel.

    Args:
        name: name of the kernel.
        arguments: its arguments, before any transformation adds axes to them.
        results: shapes and dtypes of its results.
        attributes: attributes of the call.

    Raises:
        ValueError: a shape, the number of arrays, or the value of an attribute does not fit.
        TypeError: arrays are not all float32 or all float64, or an attribute has another type.
    """
    signature = SIGNATURES[name]
    names = [*signature.operands, *signature.results]
    if (len(arguments), len(results)) != (len(signature.operands), len(signature.results)):
        raise ValueError(
            f"kernel {name} takes {', '.join(signature.operands)} and gives {', '.join(signature.results)}; "
            f"got {len(arguments)} arrays for {len(results)} results"
        )
    arrays = list(
        zip(
            names,
            [*signature.operands.values(), *signature.results.values()],
            [*arguments, *results],
            strict=True,
        )
    )
    dtype = np.dtype(np.float32) if signature.dtypes else results[0].dtype
    wanted = (dtype,) if dtype in DTYPES else DTYPES
    for operand, _, array in arrays:
        possible = signature.dtypes.get(operand, wanted)
        if array.dtype not in possible:
            names_of_dtypes = " or ".join(np.dtype(each).name for each in possible)
            raise TypeError(f"kernel {name}: {operand} has dtype {array.dtype}, wanted {names_of_dtypes}")
    sizes = _Sizes(name)
    sizes.take_attributes(signature.attributes, attributes)
    for operand, axes, array in arrays:
        sizes.take(operand, axes, array.shape)
    for operand, axes, array in arrays:
        sizes.compare(operand, axes, array.shape)
    sizes.compare_attributes(signature.attributes, attributes)
    for condition in signature.conditions:
        if not sizes.value(condition):
            raise ValueError(f"kernel {name}: needs {condition}, got {sizes.in_words(condition)}")


def fits(name: str, arguments: Sequence[Array], results: Sequence[Array], **attributes: Any) -> bool:
    """Return whether a call fits the signature of the kernel; see ``check``."""
    try:
        check(name, arguments, results, attributes)
    except (TypeError, ValueError):
        return False
    return True


class _Sizes:
    """The values of a signature's names in one call."""

    def __init__(self, kernel: str) -> None:
        self._kernel = kernel
        self._leading: dict[str, tuple[int, ...]] = {}
        self.known: dict[str, int] = {}

    def take(self, operand: str, axes: str, shape: tuple[int, ...]) -> None:
        """Take the values of the names in an array's axes from its shape, unless they are known."""
        leading, *rest = axes.removeprefix("? ").split()
        if axes.startswith("?") and 0 in shape:
            return
        if len(shape) < len(rest):
            raise ValueError(f"kernel {self._kernel}: {operand} has shape {shape}, wanted ({axes})")
        before, behind = shape[: len(shape) - len(rest)], shape[len(shape) - len(rest) :]
        self._leading.setdefault(leading, before)
        for axis, size in zip(rest, behind, strict=True):
            if axis.isidentifier() and axis not in self.known:
                if not size and axis not in _MAY_BE_ZERO:
                    raise ValueError(f"kernel {self._kernel}: {operand} has shape {shape}, no {axis}")
                self.known[axis] = size

    def take_attributes(self, wanted: Mapping[str, str], found: Mapping[str, Any]) -> None:
        """Take the values of the names in attributes."""
        if wanted.keys() != found.keys():
            raise ValueError(
                f"kernel {self._kernel}: attributes are {sorted(found)}, wanted {sorted(wanted)}"
            )
        for attribute, meaning in wanted.items():
            value = np.asarray(found[attribute])
            dtype, rank = (np.float64, 0) if meaning == REAL else (np.int64, 1)
            if value.dtype != dtype or value.ndim != rank:
                raise TypeError(
                    f"kernel {self._kernel}: attribute {attribute} is {found[attribute]!r}, wanted "
                    f"{'a float64' if meaning == REAL else 'a list of int64'}"
                )
            if meaning == PAIRS:
                self.known["lags"] = len(value) // 2
            elif meaning != REAL and not meaning.startswith("["):
                sizes = meaning.split()
                if len(value) != len(sizes) or (value < 0).any() or (value > LARGEST).any():
                    raise ValueError(
                        f"kernel {self._kernel}: attribute {attribute} is {value.tolist()}, wanted "
                        f"({meaning}), none negative or above {LARGEST}"
                    )
                self.known.update(zip(sizes, value.tolist(), strict=True))

    def compare(self, operand: str, axes: str, shape: tuple[int, ...]) -> None:
        """Refuse an array whose shape does not agree with the known sizes."""
        leading, *rest = axes.removeprefix("? ").split()
        if axes.startswith("?") and 0 in shape:
            return
        before = self._leading[leading]
        wanted = *before, *map(self.value, rest)
        if shape != wanted or before != self._leading["*maps"][: len(before)]:
            raise ValueError(f"kernel {self._kernel}: {operand} has shape {shape}, wanted {wanted} ({axes})")

    def compare_attributes(self, wanted: Mapping[str, str], found: Mapping[str, Any]) -> None:
        """Refuse lists of integers that have another length or exceed their limit."""
        for attribute, meaning in wanted.items():
            if not meaning.startswith("["):
                continue
            length, _, limit = meaning.removeprefix("[").partition("]")
            values = np.asarray(found[attribute])
            low, high = (0, self.value(limit.removeprefix(" < ")) - 1) if limit else (-LARGEST, LARGEST)
            if len(values) != self.value(length) or ((values < low) | (values > high)).any():
                raise ValueError(
                    f"kernel {self._kernel}: attribute {attribute} is {values.tolist()}, wanted "
                    f"{self.value(length)} integers from {low} to {high}"
                )

    def value(self, expression: str) -> int:
        """Evaluate an expression of sizes, or a comparison of two."""

        def of(node: ast.AST) -> int:
            match node:
                case ast.Constant(value=int(number)):
                    return number
                case ast.Name(id=name):
                    return self.known[name]
                case ast.BinOp(left=left, op=sign, right=right):
                    return _OPERATIONS[type(sign)](of(left), of(right))
                case ast.Compare(left=left, ops=[sign], comparators=[right]):
                    return _OPERATIONS[type(sign)](of(left), of(right))
            raise AssertionError(f"a signature says {expression!r}")

        return of(_parsed(expression))

    def in_words(self, expression: str) -> str:
        """Write the values of the names in an expression."""
        names = sorted({node.id for node in ast.walk(_parsed(expression)) if isinstance(node, ast.Name)})
        return ", ".join(f"{name} = {self.known[name]}" for name in names)


@functools.cache
def _parsed(expression: str) -> ast.AST:
    return ast.parse(expression, mode="eval").body


_OPERATIONS: Mapping[type, Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Mod: operator.mod,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
}
