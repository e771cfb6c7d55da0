"""Typed settings and sizes of the padding study. Imports nothing heavy, so that a dry run needs no JAX."""

import dataclasses

UPSCALE_FACTOR = 4
"""Output pixels per input pixel along each axis."""

LARGEST_OUTPUT_CROP = 10
"""Input pixels: as many as the network has 3x3 convolutions, so that beyond it no border is seen.

Test errors are stored for all output crops up to it.
"""


def tile_size(low_res_size: int, upscale_factor: int) -> int:
    """Return the pixels a high-resolution tile needs: one low-resolution pixel more on each side."""
    return (low_res_size + 2) * upscale_factor


@dataclasses.dataclass(frozen=True)
class Preset:
    """Border handling of one network.

    Attributes:
        padding: name of the border handling of every 3x3 convolution: a padding or another method.
        upscale_padding: name of the padding before the bilinear upscaling.
        output_crop: input pixels cut off each side of the output, in training loss and result alike.
    """

    padding: str
    upscale_padding: str
    output_crop: int = 0


@dataclasses.dataclass(frozen=True)
class ModelSettings:
    """Size of the network.

    Attributes:
        hidden_channels: channels between head and projection.
        blocks: RepViT blocks.
        upscale_factor: output pixels per input pixel along each axis.
    """

    hidden_channels: int = 16
    blocks: int = 8
    upscale_factor: int = UPSCALE_FACTOR
