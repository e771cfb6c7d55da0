"""Small cubes in the formats that are compressed, with everything in their headers, and a quick method."""

import warnings
import zlib

import netCDF4
import numpy as np
import rasterio
from affine import Affine
from rasterio.control import GroundControlPoint

from spatial_prediction.errors import StreamError

ROWS, COLUMNS, BANDS = 11, 6, 4
TRANSFORM = Affine(30, 0, 400_000, 0, -30, 5_000_000)

HEADER = """ENVI
description = {
  a small cube, as a spectrometer gives it}
samples = 6
lines   = 11
bands = 4
header offset = 7
file type = ENVI Standard
data type = %d
interleave = %s
byte order = %d
x start = 1
y start = 1
map info = {UTM, 1, 1, 400000, 5000000, 30, 30, 33, North, WGS-84}
coordinate system string = {PROJCS["WGS 84 / UTM zone 33N"]}
wavelength units = Nanometers
wavelength = {
 420.5, 500,
 640.25, 2450 }
fwhm = {6, 6, 7, 10}
bbl = { 1, 1, 0, 1 }
Band Names = {blue, green (good), red, "far"}
data ignore value = 9999
reflectance scale factor = 10000
geo points = {1, 1, 45, 15, 6, 11, 44.99, 15.01}
acquisition time = 2022-07-24T10:15:00Z
"""


class QuickMethod:
    """Compresses without a compiler: for tests of what is around the predictors."""

    def residuals(self, group, delta):
        return group

    def encode(self, group, delta):
        return zlib.compress(np.ascontiguousarray(group).tobytes())

    def decode(self, stream, shape, dtype, delta):
        try:
            return np.frombuffer(zlib.decompress(stream), dtype).reshape(shape)
        except (zlib.error, ValueError) as error:
            raise StreamError(f"damaged: {error}") from None


def cube(dtype="<u2", seed=0):
    """Give samples (rows, columns, bands), the whole range of the type among them."""
    info = np.iinfo(dtype)
    samples = np.random.default_rng(seed).integers(100, 120, (ROWS, COLUMNS, BANDS))
    samples[0, 0], samples[-1, -1] = info.min, info.max
    return samples.astype(dtype)


def write_envi(path, samples, interleave="bil", *, header=None, newline="\n"):
    """Write an ENVI cube with 7 bytes before its samples; return the file of samples."""
    order = {"bsq": (2, 0, 1), "bil": (0, 2, 1), "bip": (0, 1, 2)}[interleave]
    path.write_bytes(b"\x00before" + samples.transpose(order).tobytes())
    kind = {"u1": 1, "i2": 2, "u2": 12, "i4": 3, "u4": 13}[samples.dtype.str[1:]]
    text = HEADER % (kind, interleave, samples.dtype.str[0] == ">")
    header = path.with_suffix(".hdr") if header is None else header
    header.write_bytes(text.replace("\n", newline).encode("latin-1"))
    return path


def write_geotiff(path, samples, *, gcps=False, **options):
    """Write a GeoTIFF with all that rasterio can say of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        settings = {
            "nodata": 9999 if samples.dtype.itemsize > 1 else 99,
            "interleave": "pixel",
            "compress": "deflate",
            "predictor": 2,
            **({} if gcps else {"crs": "EPSG:32633", "transform": TRANSFORM}),
            **options,
        }
        rows, columns, bands = samples.shape
        with rasterio.open(
            path,
            "w",
            driver="GTiff",
            height=rows,
            width=columns,
            count=bands,
            dtype=samples.dtype,
            **settings,
        ) as file:
            file.update_tags(AREA_OR_POINT="Point", sensor="tiny", note="a = b")
            file.update_tags(ns="ENVI", wavelength_units="Nanometers")
            for number in range(1, bands + 1):
                file.update_tags(number, wavelength=str(400 + number), note="")
                file.update_tags(number, ns="IMAGERY", CENTRAL_WAVELENGTH_UM=f"0.{400 + number}")
                file.set_band_description(number, f"band {number}")
            file.set_band_unit(2, "W/m2")
            file.scales, file.offsets = [1e-4] * bands, [-0.1, 0, 0, 0.5][:bands]
            if gcps:
                points = [GroundControlPoint(0, 0, 15, 45, 3), GroundControlPoint(rows, columns, 16, 44, 0)]
                file.gcps = (points, rasterio.CRS.from_epsg(4326))
            file.write(samples.transpose(2, 0, 1))
    return path


def write_netcdf(path, samples, *, order=("band", "y", "x"), data_model="NETCDF4", **options):
    """Write a CF netCDF file with coordinates, a grid mapping, text and numbers that are not finite."""
    rows, columns, bands = samples.shape
    with netCDF4.Dataset(path, "w", format=data_model) as file:
        file.setncatts(
            {"Conventions": "CF-1.11", "title": "tiny", "levels": np.array([1, 2.5, np.nan], "f4")}
        )
        for name, size in (("time", None), ("band", bands), ("y", rows), ("x", columns), ("text", 5)):
            file.createDimension(name, size)
        for name, values in (
            ("y", 5_000_000 - 30 * (np.arange(rows) + 0.5)),
            ("x", 400_000 + 30 * (np.arange(columns) + 0.5)),
        ):
            axis = file.createVariable(name, "f8", (name,))
            axis.setncatts(
                {"standard_name": f"projection_{name}_coordinate", "units": "m", "axis": name.upper()}
            )
            axis[:] = values
        wavelength = file.createVariable("wavelength", "f4", ("band",), fill_value=np.float32("nan"))
        wavelength.units = "nm"
        wavelength[:] = np.array([420.5, 500, np.nan, 2450], "f4")[:bands]
        names = file.createVariable("names", "S1", ("band", "text"))
        names.set_auto_chartostring(False)
        names[:] = np.array([list(f"b{number:04d}") for number in range(bands)], "S1")
        crs = file.createVariable("crs", "i4")
        crs.setncatts(
            {"grid_mapping_name": "transverse_mercator", "GeoTransform": "400000 30 0 5000000 0 -30"}
        )
        quality = file.createVariable("quality", "i1", ("y", "x"))
        quality[:] = np.arange(rows * columns).reshape(rows, columns) % 100
        time = file.createVariable("time", "i4", ("time",))
        time.units = "days since 2020-01-01"
        time[:] = [7]
        big = file.createVariable(
            "reflectance", samples.dtype, order, fill_value=samples.dtype.type(99), endian="native", **options
        )
        big.set_auto_maskandscale(False)
        big.setncatts({"scale_factor": 1e-4, "valid_max": samples.dtype.type(120), "grid_mapping": "crs"})
        big.setncattr("coordinates", "wavelength")
        big[:] = samples.transpose([("y", "x", "band").index(name) for name in order])
    return path
