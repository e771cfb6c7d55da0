"""Networks as programs that run with JAX and without this package."""

import jax
import jax.core
import jax.export  # no part of jax until it is imported
import jax.numpy as jnp
from jaxtyping import Array, Float

from spatial_prediction.models._rvsr import RVSR, merge_branches

PLATFORMS = ("cpu", "cuda", "rocm", "tpu")
"""What a program runs on."""

SMALLEST = 16
"""Rows and columns of the smallest image that a program for any size takes.

Neighbourhoods of linear prediction shrink on smaller maps, which a program for any size cannot do.
"""


def portable_program(network: RVSR, *, size: tuple[int, int] | None = None) -> bytes:
    """Write a network as a program of StableHLO with its weights in it, by ``jax.export``.

    It takes float32 images (batch, 3, height, width) and gives (batch, 3, out_height, out_width), values and
    bands as the network does. The branches are merged; compiled kernels are not part of it.

    Args:
        network: to be written.
        size: rows and columns of all images. By default of any size from ``SMALLEST`` on.

    Returns:
        What ``jax.export.deserialize`` reads: that of the JAX which wrote it and, for six months at least, of
        later ones.

    Raises:
        ValueError: the network handles borders in a way that only a program for one size can.
    """
    merged = merge_branches(network)

    def program(x: Float[Array, "batch 3 height width"]) -> Float[Array, "batch 3 out_height out_width"]:
        return jnp.moveaxis(merged.apply(jnp.moveaxis(x, 1, -1)), -1, 1)

    def exported(shape: str, *constraints: str) -> bytes:
        images = jax.ShapeDtypeStruct(jax.export.symbolic_shape(shape, constraints=constraints), jnp.float32)
        return bytes(jax.export.export(jax.jit(program), platforms=PLATFORMS)(images).serialize())

    if size is not None:
        return exported(f"batch, 3, {size[0]}, {size[1]}")
    try:
        return exported("batch, 3, height, width", f"height >= {SMALLEST}", f"width >= {SMALLEST}")
    except (jax.core.InconclusiveDimensionOperation, TypeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(
            f"this network cannot be a program for images of any size, because of its borders ({reason}); "
            "give the size of the images"
        ) from error
