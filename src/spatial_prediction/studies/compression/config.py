"""Names and settings of the compression study; imports nothing heavy."""

from dataclasses import dataclass

DPCM, CCSDS123, LEAST_SQUARES, LINERWKV, MIXTURE = PREDICTORS = (
    "dpcm", "ccsds123", "least_squares", "linerwkv", "mixture",
)  # fmt: skip
"""Predictors of this package: neighbours, the standard, least squares, the network, and least squares that
take the network for one more neighbour."""

WITH_NETWORK = (LINERWKV, MIXTURE)
"""Those that need a trained network."""

PEER_CODECS = ("zstd", "blosc2", "aec", "jpegls", "jpeg2000", "jpegxl")
"""Codecs of imagecodecs."""

ARRANGEMENTS = ("bands", "differences", "pixels")
"""How a cube becomes images for a codec of images: see ``codecs.arrangements``."""

PEERS = tuple(f"{codec}-{arrangement}" for codec in PEER_CODECS for arrangement in ARRANGEMENTS)
"""Every such codec with every arrangement, by name."""

SIZES = ("xs", "s", "m", "l")
"""Sizes of the network, as published."""

NETWORK_SOURCES = ("trained", "published")
"""Where the network comes from: the study trains it, or its authors did."""

PUBLISHED_SIZES = ("xs", "s")
"""Sizes of the authors' networks that can be had."""

TRAINING_DATA = ("synthetic", "others", "directory")
"""What the network is trained on: synthetic cubes, the other cubes of the study, or those of a folder."""


@dataclass(frozen=True)
class SyntheticSettings:
    """How a cube is made.

    Attributes:
        rows: lines, in the direction of flight.
        columns: samples of a line, each by a detector of its own.
        bands: of the spectrometer.
        seed: equal seeds give equal cubes.
        noise: standard deviation of the noise where the signal is the cube's mean, DN.
        striping: standard deviation of the detectors' gains about 1.
    """

    rows: int = 64
    columns: int = 64
    bands: int = 96
    seed: int = 0
    noise: float = 6.0
    striping: float = 0.003


@dataclass(frozen=True)
class NetworkSettings:
    """How LineRWKV is trained.

    Attributes:
        size: of the network, ``xs``, ``s``, ``m`` or ``l``.
        steps: updates.
        learning_rate: of the first step; it falls to a tenth, along a cosine.
        batch_size: patches of an update.
        lines: of a patch.
        columns: of a patch.
        bands: of a patch.
        seed: of weights and patches.
    """

    size: str = "xs"
    steps: int = 400
    learning_rate: float = 3e-3
    batch_size: int = 2
    lines: int = 16
    columns: int = 16
    bands: int = 24
    seed: int = 0
