"""The network as compiled programs, from DN of windows to samples of the output."""

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from einops import rearrange
from jaxtyping import Array, Bool, Float, Integer, Shaped

from spatial_prediction import native
from spatial_prediction.models import RVSR, phases_of
from spatial_prediction.reflectance import DN_PER_HALF_UNIT, dn_from_scaled, scaled_from_dn
from spatial_prediction.upscaling.samples import SAMPLE_TYPES, SampleType, encode


class Programs:
    """A network whose output covers its input, and the same for windows of which a margin is cut off.

    What is cut off needs no padding: the network's output crop saves that work, and changes nothing of what
    is left. There is one compiled program for each of the two, as long as windows have one shape.

    Args:
        network: with any output crop.
        margin: input pixels that are cut off each side of a window inside the image.

    Attributes:
        margin: the part of that which the network cuts off itself.
        factor: output pixels per input pixel along each axis.
    """

    def __init__(self, network: RVSR, margin: int):
        self.margin = min(margin, network.halo)
        self.factor = network.upscale_factor
        self._whole = dataclasses.replace(network, output_crop=0)
        self._inside = dataclasses.replace(network, output_crop=self.margin)

    def samples(
        self,
        dn: Float[np.ndarray, "batch height width 3"],
        valid: Bool[np.ndarray, "batch height width"],
        kept: Bool[np.ndarray, "batch height width"],
        dtype: str,
        *,
        inside: bool,
    ) -> tuple[Shaped[Array, "batch 3 out_height out_width"], Integer[Array, " batch"]]:
        """Upscale windows to samples of the output, band by band.

        Args:
            dn: of all pixels, missing ones filled.
            valid: where they are not missing; elsewhere samples become nodata.
            kept: which pixels are counted.
            dtype: of the samples, one of ``SAMPLE_TYPES``.
            inside: the margin is cut off.

        Returns:
            Samples, smaller by the margin on each side where ``inside``; and how many of the kept output
            pixels of each window were limited to what the type holds.
        """
        network = self._inside if inside else self._whole
        return _samples(network, jnp.asarray(dn), jnp.asarray(valid), jnp.asarray(kept), dtype)

    def predictions(
        self, dn: Float[np.ndarray, "batch height width 3"]
    ) -> Float[Array, "batch 3 out_height out_width"]:
        """Upscale windows to DN that are neither rounded nor limited, band by band."""
        return _predictions(self._whole, jnp.asarray(dn))


@eqx.filter_jit
def _predictions(network: RVSR, dn: Array) -> Array:
    return _by_band(_phases(network, dn), network.upscale_factor)


@eqx.filter_jit
def _samples(network: RVSR, dn: Array, valid: Array, kept: Array, dtype: str) -> tuple[Array, Array]:
    valid, kept = (_cut(each, network.output_crop) for each in (valid, kept))
    kind, factor = SAMPLE_TYPES[dtype], network.upscale_factor
    ending, _ = network.ending(scaled_from_dn(dn))
    masks = jnp.stack([valid, kept], axis=-1).astype(jnp.float32)
    arguments = (*ending.operands, masks)

    def by_xla(*arguments: Array) -> tuple[Array, Array]:
        *operands, masks = arguments
        return _encoded(dn_from_scaled(phases_of(*operands)), masks > 0, kind, factor)

    if dtype == "float32" or not native.available(dn):
        return by_xla(*arguments)
    *batch, height, width, _ = masks.shape
    samples = jax.ShapeDtypeStruct((*batch, 3, factor * height, factor * width), dtype)
    results = [samples, jax.ShapeDtypeStruct(batch, "int32")]
    attributes: dict[str, Any] = {
        "factor": native.as_attribute(factor),
        "scale": np.float64(DN_PER_HALF_UNIT),
        "offset": np.float64(1),
        "lowest": np.float64(kind.lowest),
        "highest": np.float64(kind.highest),
        "nodata": np.float64(kind.nodata),
    }
    if not native.fits("upscaled_samples", arguments, results, **attributes):
        return by_xla(*arguments)

    def by_kernel(*arguments: Array) -> tuple[Array, Array]:
        samples, limited = native.kernel("upscaled_samples", results, **attributes)(*arguments)
        return samples, limited

    axes = (*ending.axes, len(batch)), (len(batch), len(batch))
    return native.placed(by_kernel, by_xla, arguments, axes=axes)


def _encoded(dn: Array, masks: Array, kind: SampleType, factor: int) -> tuple[Array, Array]:
    """Round phases, and count those of kept pixels that were limited."""
    samples, limited = encode(dn, kind, jnp)
    samples = jnp.where(masks[..., :1], samples, jnp.asarray(kind.nodata, samples.dtype))
    counted = limited & masks.all(axis=-1, keepdims=True)
    pixels = rearrange(counted, "n h w (c p) -> n h w c p", c=3).any(axis=3)
    return _by_band(samples, factor), pixels.sum(axis=(1, 2, 3), dtype=jnp.int32)


def _phases(network: RVSR, dn: Array) -> Array:
    """Upscale, the new pixels of each old one as channels: all that follows is cheaper before the shuffle."""
    return dn_from_scaled(network.phases_with_features(scaled_from_dn(dn))[0])


def _by_band(phases: Array, factor: int) -> Array:
    return rearrange(phases, "n h w (c a b) -> n c (h a) (w b)", a=factor, b=factor)


def _cut(mask: Array, margin: int) -> Array:
    return mask[:, margin : mask.shape[1] - margin, margin : mask.shape[2] - margin]
