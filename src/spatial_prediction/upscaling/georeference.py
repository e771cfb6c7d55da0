"""Where a raster and its upscaled image lie: the same outer corners, finer pixels."""

from typing import NamedTuple

from affine import Affine

from spatial_prediction.rasters.containers import GroundControlPoint
from spatial_prediction.rasters.raster import Raster


class Georeference(NamedTuple):
    """Where the pixels of a raster lie.

    Attributes:
        transform: from (column, row) to (x, y) of pixel corners; None where nothing states it.
        crs: the reference system as well-known text; None where nothing states it.
        gcps: ground control points.
        gcps_crs: their reference system as well-known text.
    """

    transform: Affine | None
    crs: str | None
    gcps: tuple[GroundControlPoint, ...]
    gcps_crs: str | None

    @property
    def is_known(self) -> bool:
        """Whether anything places the pixels on the ground."""
        return self.transform is not None or bool(self.gcps)

    @property
    def is_rotated(self) -> bool:
        """Whether rows do not run along x."""
        return self.transform is not None and (self.transform.b != 0 or self.transform.d != 0)

    def finer(self, factor: int) -> "Georeference":
        """Place pixels of which each old one holds ``factor`` along each axis.

        Rows and columns count from the outer corner, so that those of ground control points are multiplied.
        """
        transform = self.transform
        if transform is not None:
            a, b, c, d, e, f = transform[:6]
            transform = Affine(a / factor, b / factor, c, d / factor, e / factor, f)
        gcps = tuple(
            point._replace(row=point.row * factor, column=point.column * factor) for point in self.gcps
        )
        return self._replace(transform=transform, gcps=gcps)


def georeference_of(raster: Raster) -> Georeference:
    """Give the georeference of an open raster."""
    return Georeference(raster.transform, raster.crs, tuple(raster.gcps), raster.gcps_crs)
