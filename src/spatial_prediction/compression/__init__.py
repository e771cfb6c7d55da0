"""Compression of cubes (rows, columns, bands) of integers: predict the next sample, code what remains.

``compress`` and ``decompress`` turn cubes into self-contained streams and back, ``cubes`` does so group by
group of rows, in a ``container``, and ``zarr_codec`` for chunks of Zarr arrays. ``ccsds123`` is the standard
CCSDS 123.0-B-2 itself, ``entropy_coder`` codes the residuals of any predictor. What decides a bit of a
stream is computed with integers, so that every machine writes and reads the same. Compressing needs the extra
``compression``; importing does not.
"""

from spatial_prediction.compression.cubes import compress, decompress

__all__ = ["compress", "decompress"]
