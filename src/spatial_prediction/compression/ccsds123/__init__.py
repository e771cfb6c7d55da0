"""CCSDS 123.0-B-2: lossless and near-lossless compression of multispectral and hyperspectral cubes.

All of the standard of February 2019 but the block-adaptive coder and tables of supplementary information,
under its own names: ``compress(cube, P=3, fidelity="absolute", a=1)`` gives a stream, header included, that
any decoder of the standard reads, and ``decompress`` reads those of any encoder. ``Parameters`` lists them.
"""

from spatial_prediction.compression.ccsds123._codec import compress, decompress, mapped_indices
from spatial_prediction.compression.ccsds123.header import read_header
from spatial_prediction.compression.ccsds123.parameters import Parameters

__all__ = ["Parameters", "compress", "decompress", "mapped_indices", "read_header"]
