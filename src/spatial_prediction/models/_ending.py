"""The end of a network that upscales: features projected onto the bilinearly upscaled input."""

from typing import Any, NamedTuple

import jax
from jaxtyping import Array, Float

from spatial_prediction import native
from spatial_prediction.convolution import convolve
from spatial_prediction.models._convolution import Convolution
from spatial_prediction.models._upscaling import bilinear_kernel, pixel_shuffle


class Ending(NamedTuple):
    """What the output of a network is computed from, by one compiled kernel, without either term in memory.

    Attributes:
        x: input of the network, in a frame of one pixel, (batch, height + 2, width + 2, colours).
        features: (batch, height, width, channels).
        project: a 1x1 convolution of the features to phases, ordered (colour, row, column).
        factor: output pixels per input pixel along each axis.
    """

    x: Array
    features: Array
    project: Convolution
    factor: int

    @property
    def operands(self) -> tuple[Array, ...]:
        """The arrays that the kernels ``upscaled_...`` take first."""
        kernel = bilinear_kernel(self.x, self.factor)
        return self.x, kernel, self.features, self.project.kernel, self.project.bias

    @property
    def axes(self) -> tuple[int, ...]:
        """Number of batch axes of each operand."""
        batch = self.x.ndim - 3
        return batch, 0, batch, 0, 0

    def phases(self) -> Float[Array, "batch height width phases"]:
        """Return the output with the new pixels of each old one as channels."""
        result = jax.ShapeDtypeStruct((*self.features.shape[:-1], self.project.bias.shape[-1]), self.x.dtype)
        if not self._suits("upscaled_phases", result):
            return phases_of(*self.operands)

        def forward(*operands: Array) -> Array:
            return native.kernel("upscaled_phases", [result])(*operands)[0]

        def backward(operands: tuple[Array, ...], cotangent: Array) -> tuple[Array, ...]:
            return jax.vjp(phases_of, *operands)[1](cotangent)

        axes = native.BatchAxes(self.axes, self.axes[0])
        return native.differentiable(phases_of, forward, backward, batch=axes)(*self.operands)

    def pixels(self) -> Float[Array, "batch out_height out_width colours"]:
        """Return the output."""
        *batch, height, width, _ = self.features.shape
        shape = (*batch, self.factor * height, self.factor * width, self.x.shape[-1])
        result = jax.ShapeDtypeStruct(shape, self.x.dtype)
        factor: dict[str, Any] = {"factor": native.as_attribute(self.factor)}

        def reference(*operands: Array) -> Array:
            return pixel_shuffle(phases_of(*operands), self.factor)

        if not self._suits("upscaled_pixels", result, **factor):
            return reference(*self.operands)

        def forward(*operands: Array) -> Array:
            return native.kernel("upscaled_pixels", [result], **factor)(*operands)[0]

        def backward(operands: tuple[Array, ...], cotangent: Array) -> tuple[Array, ...]:
            return jax.vjp(reference, *operands)[1](cotangent)

        axes = native.BatchAxes(self.axes, self.axes[0])
        return native.differentiable(reference, forward, backward, batch=axes)(*self.operands)

    def _suits(self, kernel: str, result: jax.ShapeDtypeStruct, **attributes: Any) -> bool:
        if not native.available(self.x, self.features):
            return False
        return native.fits(kernel, self.operands, [result], **attributes)


def phases_of(x: Array, kernel: Array, features: Array, pointwise: Array, bias: Array) -> Array:
    """Compute the phases from ``Ending.operands``, the two terms one after the other."""
    return convolve(features, pointwise, bias) + convolve(x, kernel)
