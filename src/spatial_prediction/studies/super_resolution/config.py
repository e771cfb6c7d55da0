"""Typed settings and sizes of the padding study. Imports nothing heavy, so that a dry run needs no JAX."""

import dataclasses

UPSCALE_FACTOR = 4
"""Output pixels per input pixel along each axis."""

LARGEST_OUTPUT_CROP = 10
"""Input pixels: the number of 3x3 convolutions of the network, so that the kept part depends on no border.

Test errors are stored for all output crops up to this one.
"""


def tile_size(low_res_size: int, upscale_factor: int) -> int:
    """Return the pixels of a high-resolution tile: one low-resolution pixel more per side than the input."""
    return (low_res_size + 2) * upscale_factor


def largest_tile(low_res_size: int, scene_size: int, *, beyond: int = 0) -> int:
    """Return how much of a scene each of four tiles can keep that meet in its middle.

    Args:
        low_res_size: rows and columns of a training tile, input pixels: the most that is kept.
        scene_size: rows and columns of the scene at high resolution.
        beyond: input pixels that a tile reads beyond what it keeps, on each side.

    Returns:
        Input pixels along each side, an even number.
    """
    low_res_scene = scene_size // UPSCALE_FACTOR - 2
    return min(low_res_size, low_res_scene // 2 - beyond) // 2 * 2


@dataclasses.dataclass(frozen=True)
class Preset:
    """Border handling of one network.

    Attributes:
        padding: name of the border handling of every 3x3 convolution: a padding or another method.
        upscale_padding: name of the padding before the bilinear upscaling.
        output_crop: input pixels cropped from each side of the output, in the training loss as in the
            results.
    """

    padding: str
    upscale_padding: str
    output_crop: int = 0


@dataclasses.dataclass(frozen=True)
class ModelSettings:
    """Size of the network.

    Attributes:
        hidden_channels: channels between head and projection.
        blocks: number of RepViT blocks.
        upscale_factor: output pixels per input pixel along each axis.
    """

    hidden_channels: int = 16
    blocks: int = 8
    upscale_factor: int = UPSCALE_FACTOR
