"""Checksums of the compressed blocks of a TIFF, which GDAL does not compare.

A block compressed by deflate ends with a checksum of its samples (Adler-32, RFC 1950). GDAL stops as soon as
it has enough samples, so that damage inside a block may be read as other numbers. Other compressions have no
checksum.
"""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from spatial_prediction.errors import SceneError

if TYPE_CHECKING:
    import rasterio

_PIECE = 2**20
"""Bytes decompressed at a time."""


class BlockChecksums:
    """Compares the checksum of every block that is read, once.

    Args:
        path: the file.
        dataset: the same, open.
    """

    def __init__(self, path: Path, dataset: "rasterio.DatasetReader"):
        self._path = path
        self._dataset = dataset
        self._checked: set[tuple[int, int]] = set()
        structure = dataset.tags(ns="IMAGE_STRUCTURE")
        self._deflated = dataset.driver == "GTiff" and structure.get("COMPRESSION") == "DEFLATE"
        self._by_band = structure.get("INTERLEAVE") != "PIXEL"

    def check(self, bands: list[int], rows: slice, columns: slice) -> None:
        """Compare the blocks that hold a window.

        Args:
            bands: counted from 1 on.
            rows: in the file's order.
            columns: likewise.

        Raises:
            SceneError: a block is damaged; the message names no file.
        """
        if not self._deflated:
            return
        with open(self._path, "rb") as file:
            for band in bands if self._by_band else [1]:
                for begin, size in self._places(band, rows, columns):
                    if (begin, size) in self._checked:
                        continue
                    file.seek(begin)
                    try:
                        _decompress(file.read(size))
                    except zlib.error as error:
                        raise SceneError(
                            f"cannot be read (the block of band {band} at byte {begin}: {error}): the file "
                            "is damaged; fetch or write it again"
                        ) from error
                    self._checked.add((begin, size))

    def _places(self, band: int, rows: slice, columns: slice) -> Iterator[tuple[int, int]]:
        """Give where blocks begin in the file, and their sizes in bytes; blocks never written have none."""
        height, width = self._dataset.block_shapes[band - 1]
        for y in range(rows.start // height, (rows.stop - 1) // height + 1):
            for x in range(columns.start // width, (columns.stop - 1) // width + 1):
                begin, size = (
                    self._dataset.get_tag_item(f"BLOCK_{name}_{x}_{y}", "TIFF", bidx=band)
                    for name in ("OFFSET", "SIZE")
                )
                if begin is not None and size is not None:
                    yield int(begin), int(size)


def _decompress(content: bytes) -> None:
    """Decompress without keeping anything, to its end and checksum."""
    inflater = zlib.decompressobj()
    while content:
        inflater.decompress(content, _PIECE)
        content = inflater.unconsumed_tail
    inflater.decompress(b"", _PIECE)
    if not inflater.eof:
        raise zlib.error("incomplete or truncated stream")
