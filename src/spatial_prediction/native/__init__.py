"""Compiled kernels for the CPU, where XLA leaves most of the processor idle; optional.

``python -m spatial_prediction.native`` compiles the C++ files of this folder with the machine's compiler.
Until that is done, on accelerators, and with ``SPATIAL_PREDICTION_NATIVE=0``, XLA computes the same, more
slowly. Whoever calls a kernel gives the XLA form too: it is the definition, the kernel must agree.
"""

import ctypes
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jax
import jaxlib
import numpy as np

from spatial_prediction.errors import SpatialPredictionError
from spatial_prediction.files import written_aside
from spatial_prediction.native import _gate
from spatial_prediction.native._gate import fits as fits

FOLDER = Path(__file__).parent
SOURCES = tuple(sorted(FOLDER.glob("*.cc")))
DISABLING_VARIABLE = "SPATIAL_PREDICTION_NATIVE"
DTYPES = _gate.DTYPES
COMPILERS = ("c++", "g++", "clang++")
FLAGS_VARIABLE = "SPATIAL_PREDICTION_KERNEL_FLAGS"
FLAGS = ("-O3", "-std=c++17", "-fPIC", "-DNDEBUG", *os.environ.get(FLAGS_VARIABLE, "").split())
"""Of the compiler; further ones, as for sanitizers, make a library beside the usual one."""


class CompilationError(SpatialPredictionError):
    """The kernels could not be compiled."""


def library_path() -> Path:
    """Where the compiled kernels lie, or would: one file for each state of the sources, JAX and processor."""
    state = hashlib.sha256(f"{jaxlib.__version__} {platform.system()} {platform.machine()} {FLAGS}".encode())
    for path in sorted([*SOURCES, *FOLDER.glob("*.h")]):
        state.update(path.read_bytes())
    return FOLDER / f"kernels-{state.hexdigest()[:16]}.so"


def compiler() -> str | None:
    """Return the C++ compiler, ``CXX`` or the first of the usual ones on PATH, or None."""
    return os.environ.get("CXX") or next(filter(None, map(shutil.which, COMPILERS)), None)


def build() -> Path:
    """Compile the kernels unless that has been done; return the library.

    Raises:
        CompilationError: there is no C++ compiler, it failed, or the folder cannot be written.
    """
    path = library_path()
    if path.exists():
        return path
    program = compiler()
    if program is None:
        raise CompilationError(f"no C++ compiler ({', '.join(COMPILERS)}) is on PATH; install one or set CXX")
    try:
        with written_aside(path) as temporary, tempfile.TemporaryDirectory() as folder:

            def compiled(source: Path) -> Path:
                result = Path(folder, source.name).with_suffix(".o")
                _run(program, "-c", "-isystem", jax.ffi.include_dir(), source, "-o", result)
                return result

            with ThreadPoolExecutor(os.cpu_count()) as pool:
                objects = list(pool.map(compiled, SOURCES))
            _run(program, "-shared", *objects, "-o", temporary)
    except subprocess.CalledProcessError as error:
        raise CompilationError(f"{program} failed:\n{error.stderr[-2000:]}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CompilationError(f"{program}: {error}") from None
    for old in set() if os.environ.get(FLAGS_VARIABLE) else set(FOLDER.glob("kernels-*.so")) - {path}:
        old.unlink(missing_ok=True)
    return path


def _run(program: str, *arguments: str | Path) -> None:
    command = [program, *FLAGS, *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)


def available(*arrays: jax.Array) -> bool:
    """Tell whether computations with ``arrays`` on the default device use the kernels.

    They take float32 and float64, and arrays that hold something.
    """
    wanted = os.environ.get(DISABLING_VARIABLE, "1") != "0"
    if not (wanted and jax.default_backend() == "cpu" and _library() is not None):
        return False
    return all(array.dtype in DTYPES and 0 not in array.shape for array in arrays)


def kernel(
    name: str, results: Sequence[jax.ShapeDtypeStruct], *, in_place: bool = False, **attributes: Any
) -> Callable[..., Sequence[jax.Array]]:
    """Return the kernel ``name`` for the dtype of its results, to be called with arrays of that dtype.

    Leading axes of the arrays are a batch; ``jax.vmap`` adds one.

    Args:
        name: of the kernel.
        results: what it returns.
        in_place: the first result takes the place of the first argument, which is not copied where
            nothing else needs it.
        attributes: of the kernel.

    What it returns raises, before anything is computed:
        ValueError: a shape or an attribute is not what the kernel takes.
        TypeError: arrays are not all float32 or all float64.
    """

    def call(*arguments: jax.Array) -> Sequence[jax.Array]:
        _gate.check(name, arguments, results, attributes)
        target = f"{name}_{results[0].dtype}"
        _register(target)
        called = jax.ffi.ffi_call(
            target,
            list(results),
            vmap_method="broadcast_all",
            input_output_aliases={0: 0} if in_place else None,
        )
        return called(*arguments, **attributes)

    return call


def like(*arrays: jax.Array) -> list[jax.ShapeDtypeStruct]:
    """Results of the shapes and dtypes of ``arrays``."""
    return [jax.ShapeDtypeStruct(array.shape, array.dtype) for array in arrays]


def differentiable(
    reference: Callable[..., Any], forward: Callable[..., Any], backward: Callable[..., tuple[Any, ...]]
) -> Callable[..., Any]:
    """Give kernels that compute ``reference`` and its gradient their place in JAX's differentiation.

    Args:
        reference: function of arrays, in JAX operations; used for derivatives of higher order.
        forward: the same function by a kernel.
        backward: ``(arguments, slopes of the results) -> gradients`` by a kernel.
    """

    def reference_gradients(arguments: tuple[Any, ...], slopes: Any) -> Any:
        return jax.vjp(reference, *arguments)[1](slopes)

    @jax.custom_vjp
    def gradients(arguments: tuple[Any, ...], slopes: Any) -> Any:
        return backward(arguments, slopes)

    gradients.defvjp(
        lambda arguments, slopes: (gradients(arguments, slopes), (arguments, slopes)),
        lambda saved, slope: jax.vjp(reference_gradients, *saved)[1](slope),
    )

    @jax.custom_vjp
    def function(*arguments: Any) -> Any:
        return forward(*arguments)

    # Each forward rule calls the function itself, not the kernel: a second derivative goes through the rule.
    function.defvjp(lambda *arguments: (function(*arguments), arguments), gradients)
    return function


@functools.cache
def _library() -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(str(library_path()))
    except OSError:
        return None


@functools.cache
def _register(target: str) -> None:
    symbol = getattr(_library(), target)
    jax.ffi.register_ffi_target(target, jax.ffi.pycapsule(symbol), platform="cpu")


def as_attribute(numbers: Any) -> np.ndarray:
    """Integers as kernels take them."""
    return np.asarray(numbers, np.int64).reshape(-1)
