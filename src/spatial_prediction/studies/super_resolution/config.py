"""Typed settings of the padding study. Imports nothing heavy, so that a dry run needs no JAX."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Preset:
    """Border handling of one network.

    Fields:
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

    Fields:
        hidden_channels: channels between head and projection.
        blocks: RepViT blocks.
        upscale_factor: output pixels per input pixel along each axis.
    """

    hidden_channels: int = 16
    blocks: int = 8
    upscale_factor: int = 4
