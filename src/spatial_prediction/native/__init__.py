"""Compiled kernels for the CPU, where XLA leaves most of the processor idle; optional.

``python -m spatial_prediction.native`` compiles the C++ files of this folder with the machine's compiler.
Until that is done, on accelerators, and with ``SPATIAL_PREDICTION_NATIVE=0``, XLA computes the same more
slowly. Every caller of a kernel also supplies the XLA form, which is the definition that the kernel must
match.

A library compiled with the headers of one JAX runs in that version and in later ones (0.10 to 0.12 were
tried), never in earlier ones. ``build`` makes one for each version; a wheel may ship one for all.
"""

import ctypes
import functools
import hashlib
import logging
import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jaxlib
import numpy as np

from spatial_prediction.differentiation import with_compact_derivatives
from spatial_prediction.errors import SpatialPredictionError
from spatial_prediction.files import written_aside
from spatial_prediction.native import _gate
from spatial_prediction.native._gate import fits as fits
from spatial_prediction.native._placement import placed as placed
from spatial_prediction.progress import progress

logger = logging.getLogger("spatial_prediction")

FOLDER = Path(__file__).parent
SOURCES = tuple(sorted(FOLDER.glob("*.cc")))
DISABLING_VARIABLE = "SPATIAL_PREDICTION_NATIVE"
DTYPES = _gate.DTYPES
COMPILERS = ("c++", "g++", "clang++")
FLAGS_VARIABLE = "SPATIAL_PREDICTION_KERNEL_FLAGS"
FLAGS = (
    "-O3",
    "-std=c++17",
    "-fPIC",
    "-fno-math-errno",
    "-DNDEBUG",
    *os.environ.get(FLAGS_VARIABLE, "").split(),
)
"""Flags of the compiler; with further flags, as for sanitizers, a separate library is made."""


class CompilationError(SpatialPredictionError):
    """The kernels could not be compiled."""


def library_path(folder: Path = FOLDER) -> Path:
    """Return the path in ``folder`` of the kernels compiled for this JAX, whether or not it exists.

    There is one file for each version of jaxlib and each state of sources, flags and kind of processor.
    """
    return folder / f"kernels-{jaxlib.__version__}-{_state()}.so"


def _state() -> str:
    """Hash of everything that the machine code depends on, except the headers of JAX."""
    state = hashlib.sha256(f"{platform.system()} {platform.machine()} {FLAGS}".encode())
    for path in sorted([*SOURCES, *FOLDER.glob("*.h")]):
        state.update(path.read_bytes())
    return state.hexdigest()[:16]


def usable_libraries() -> list[Path]:
    """Return the compiled kernels that run here: those for this JAX first, then for earlier ones."""

    def version(path: Path) -> tuple[int, ...]:
        return tuple(map(int, re.findall(r"\d+", path.name.split("-")[1])))

    libraries = FOLDER.glob(f"kernels-*-{_state()}.so")
    return sorted(
        (path for path in libraries if version(path) <= version(library_path())), key=version, reverse=True
    )


def compiler() -> str | None:
    """Return the C++ compiler, ``CXX`` or the first of the usual ones on PATH, or None."""
    return os.environ.get("CXX") or next(filter(None, map(shutil.which, COMPILERS)), None)


def build(folder: Path = FOLDER) -> Path:
    """Compile the kernels for this JAX unless that has been done; return the path of the library.

    Libraries of earlier sources for this JAX are removed; those for other versions stay, because other
    environments may share the folder.

    Args:
        folder: folder of the library; only in the default one will it be found.

    Raises:
        CompilationError: there is no C++ compiler, it failed, or the folder cannot be written.
    """
    path = library_path(folder)
    if path.exists():
        return path
    program = compiler()
    if program is None:
        raise CompilationError(f"no C++ compiler ({', '.join(COMPILERS)}) is on PATH; install one or set CXX")
    try:
        with written_aside(path) as temporary, tempfile.TemporaryDirectory() as objects:

            def compiled(source: Path) -> Path:
                result = Path(objects, source.name).with_suffix(".o")
                _run(program, "-c", "-isystem", jax.ffi.include_dir(), source, "-o", result)
                return result

            with ThreadPoolExecutor(os.cpu_count()) as pool:
                waiting = as_completed([pool.submit(compiled, source) for source in SOURCES])
                shown = progress(
                    waiting, total=len(SOURCES), description="Compiling the kernels", unit="files"
                )
                finished = [future.result() for future in shown]
            _run(program, "-shared", *sorted(finished), "-o", temporary)
    except subprocess.CalledProcessError as error:
        raise CompilationError(f"{program} failed:\n{error.stderr[-2000:]}") from None
    except subprocess.TimeoutExpired as error:
        raise CompilationError(f"{program}: {error}") from None
    except OSError as error:
        raise CompilationError(f"{error}; the compiled kernels would be {path}") from None
    if not os.environ.get(FLAGS_VARIABLE):  # a library with further flags lies beside the usual one
        for old in set(folder.glob(f"kernels-{jaxlib.__version__}-*.so")) - {path}:
            old.unlink(missing_ok=True)
    return path


def _run(program: str, *arguments: str | Path) -> None:
    command = [program, *FLAGS, *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)


def available(*arrays: jax.Array) -> bool:
    """Return whether computations with ``arrays`` on the default device use the kernels.

    Kernels take float32 and float64 arrays that are not empty and whose sizes are known when they are traced,
    unlike those of ``jax.export.symbolic_shape``. If kernels should be used but cannot be, one line of the
    log says so, once per process.
    """
    wanted = os.environ.get(DISABLING_VARIABLE, "1") != "0"
    if not (wanted and jax.default_backend() == "cpu" and _library() is not None):
        return False
    sizes = [size for array in arrays for size in array.shape]
    known = all(isinstance(size, int) and size > 0 for size in sizes)
    return known and all(array.dtype in DTYPES for array in arrays)


def kernel(
    name: str, results: Sequence[jax.ShapeDtypeStruct], *, in_place: bool = False, **attributes: Any
) -> Callable[..., Sequence[jax.Array]]:
    """Return the kernel ``name`` for the dtype of its results, to be called with arrays of that dtype.

    Leading axes of the arrays are a batch; ``jax.vmap`` adds one.

    Args:
        name: name of the kernel.
        results: shapes and dtypes of its results.
        in_place: the first result overwrites the first argument, which is copied only if something else
            needs it.
        attributes: attributes of the kernel.

    The returned function raises, before anything is computed:
        ValueError: a shape or an attribute does not fit the kernel.
        TypeError: arrays are not all float32 or all float64, or a result has another dtype than it can have.
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
    """Return the shapes and dtypes of ``arrays``, for results that are like them."""
    return [jax.ShapeDtypeStruct(array.shape, array.dtype) for array in arrays]


class BatchAxes(NamedTuple):
    """Number of leading batch axes of each array, as pytrees of the arguments and of the results.

    An argument without some of the batch axes is shared along them, and its gradient may be the sum over
    them.
    """

    arguments: tuple[Any, ...]
    results: Any


def differentiable(
    reference: Callable[..., Any],
    forward: Callable[..., Any],
    backward: Callable[..., tuple[Any, ...]],
    *,
    compact: Callable[..., Any] | None = None,
    batch: BatchAxes | None = None,
) -> Callable[..., Any]:
    """Make a differentiable function of kernels that compute ``reference`` and its gradient.

    Forward mode and derivatives of higher order use ``compact``. Programs that are exported or lowered for an
    accelerator, where there are no kernels, use JAX's operations.

    Args:
        reference: function of arrays, in JAX operations.
        forward: the same function, computed by a kernel.
        backward: ``(arguments, cotangents of the results) -> gradients``, computed by a kernel.
        compact: the same function in fewer operations, differentiable any number of times, for forward mode
            and higher derivatives.
        batch: axes along which a batch may be divided among devices; with None, XLA computes divided batches.
    """

    def reference_gradients(arguments: tuple[Any, ...], cotangents: Any) -> tuple[Any, ...]:
        return jax.vjp(reference, *arguments)[1](cotangents)

    def function(*arguments: Any) -> Any:
        return placed(forward, reference, arguments, axes=batch)

    def gradients(arguments: tuple[Any, ...], cotangents: Any) -> tuple[Any, ...]:
        return placed(
            backward,
            reference_gradients,
            (arguments, cotangents),
            axes=None if batch is None else (batch, batch.arguments),
        )

    return with_compact_derivatives(function, compact or reference, gradients=gradients)


@functools.cache
def _library() -> ctypes.CDLL | None:
    reason = "are not compiled for this JAX"
    for path in usable_libraries():
        try:
            return ctypes.CDLL(str(path))
        except OSError as error:
            reason = f"cannot be loaded ({error})"
    logger.warning(
        "the kernels of spatial_prediction %s: XLA predicts instead, 15 to 35 times more slowly; "
        "`python -m spatial_prediction.native` compiles them, %s=0 does without and silences this line",
        reason,
        DISABLING_VARIABLE,
    )
    return None


@functools.cache
def _register(target: str) -> None:
    symbol = getattr(_library(), target)
    jax.ffi.register_ffi_target(target, jax.ffi.pycapsule(symbol), platform="cpu")


def as_attribute(numbers: Any) -> np.ndarray:
    """Flatten integers to the int64 list that kernels take as an attribute."""
    return np.asarray(numbers, np.int64).reshape(-1)
