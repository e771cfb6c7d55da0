"""The same DN in every container, packing and layout, for tests of what reads them."""

import warnings
from typing import NamedTuple

import netCDF4
import numpy as np
import rasterio
import rasterio.shutil
from affine import Affine

HEIGHT, WIDTH = 11, 14
NAMES = ("B02", "B03", "B04")
WAVELENGTHS = (492.0, 560.0, 665.0)
HOLE = (4, 9)
"""Row and column that no band has."""

TRANSFORM = Affine(10, 0, 500_000, 0, -10, 4_000_000)


class Encoding(NamedTuple):
    """How DN become stored numbers.

    Attributes:
        dtype: of what is stored.
        scale: as CF has it; None for no packing.
        shift: likewise.
        missing: attribute that marks the hole, and the stored number; None where nothing is missing.
        unsigned: the samples are stored as signed ones of the same bits.
        reflectance: floats are reflectance, without a packing.
    """

    dtype: str
    scale: float | None = None
    shift: float = 0.0
    missing: tuple[str, float] | None = None
    unsigned: bool = False
    reflectance: bool = False

    @property
    def attributes(self):
        found = {} if self.scale is None else {"scale_factor": self.scale, "add_offset": self.shift}
        if self.unsigned:
            found["_Unsigned"] = "true"
        return found

    def stored(self, dn):
        """Give what is stored for DN of (bands, height, width)."""
        values = np.asarray(dn, "f8")
        if self.scale is not None:
            values = np.rint((values / 10_000 - self.shift) / self.scale)
        elif self.reflectance:
            values = values / 10_000
        stored = values.astype(self.dtype)
        if self.missing is not None:
            stored[:, HOLE[0], HOLE[1]] = self.missing[1]
        return stored.view(self.dtype[1:]) if self.unsigned else stored


ENCODINGS = {
    "int16": Encoding("int16"),
    "int16, fill": Encoding("int16", missing=("_FillValue", -9999)),
    "uint16, missing 0": Encoding("uint16", missing=("missing_value", 0)),
    "int16, valid_min": Encoding("int16", missing=("valid_min", -30_000)),
    "uint16 packed with offset, fill 0": Encoding("uint16", 1e-4, -0.1, ("_FillValue", 0)),
    "int16 packed, missing value": Encoding("int16", 1e-4, 0.0, ("missing_value", -32768)),
    "int32 packed finely, fill": Encoding("int32", 1e-6, 0.05, ("_FillValue", 2147483647)),
    "unsigned in int16 packed": Encoding("uint16", 1e-5, 0.0, ("_FillValue", 65535), unsigned=True),
    "float32 DN, NaN": Encoding("float32", missing=("_FillValue", np.nan)),
    "float32 reflectance, -9999": Encoding("float32", missing=("_FillValue", -9999.0), reflectance=True),
    "float64 reflectance": Encoding("float64", reflectance=True),
}


def dn(encoding=None, seed=0):
    """Make DN of (bands, height, width), below 0 too where the encoding takes them."""
    low = -300 if encoding is None or encoding.dtype[0] != "u" or encoding.shift else 1
    return np.random.default_rng(seed).integers(low, 6_000, (3, HEIGHT, WIDTH))


def expected(encoding, values):
    """Give DN with NaN in the hole, and where samples are."""
    values = values.astype("f4")
    valid = np.ones(values.shape[1:], bool)
    if encoding.missing is not None:
        valid[HOLE] = False
        values[:, ~valid] = np.nan
    return values, valid


LAYOUTS = {
    "y x": ("y", "x"),
    "t y x": ("t", "y", "x"),
    "x y": ("x", "y"),
    "lat lon": ("lat", "lon"),
    "band y x": ("band", "y", "x"),
    "y x band": ("y", "x", "band"),
    "time band x y": ("time", "band", "x", "y"),
}


def write_netcdf(path, values, encoding, layout="y x", *, ascending=False, names=NAMES, format="NETCDF4"):
    """Write DN of (bands, height, width), the first row the northernmost."""
    stored = encoding.stored(values)
    dimensions = LAYOUTS[layout]
    y, x = (name for name in ("y", "lat", "x", "lon") if name in dimensions)
    northings = TRANSFORM.f - 10 * (np.arange(HEIGHT) + 0.5)
    if ascending:
        stored, northings = stored[:, ::-1], northings[::-1]
    lengths = {y: HEIGHT, x: WIDTH, "band": 3, "t": 1, "time": 1}
    with netCDF4.Dataset(path, "w", format=format) as file:
        for name in dimensions:
            file.createDimension(name, lengths[name])
        file.createVariable(y, "f8", (y,))[:] = northings
        file.createVariable(x, "f8", (x,))[:] = TRANSFORM.c + 10 * (np.arange(WIDTH) + 0.5)
        if "band" in dimensions:
            _label(file, names)
            _write_variable(file, "reflectance", stored, ("band", y, x), dimensions, encoding)
        else:
            for name, band in zip(names, stored, strict=True):
                _write_variable(file, name, band, (y, x), dimensions, encoding)
    return path


def _label(file, names):
    if isinstance(names[0], float):
        wavelength = file.createVariable("wavelength", "f4", ("band",))
        wavelength.units = "nm"
        wavelength[:] = names
        return
    file.createDimension("letters", 5)
    label = file.createVariable("band", "S1", ("band", "letters"))
    label[:] = netCDF4.stringtochar(np.array([name.ljust(5) for name in names], "S5"))


def _write_variable(file, name, stored, axes, dimensions, encoding):
    attribute, number = encoding.missing or (None, None)
    fill = stored.dtype.type(_signed(number, encoding)) if attribute == "_FillValue" else False
    variable = file.createVariable(name, stored.dtype, dimensions, fill_value=fill)
    variable.set_auto_maskandscale(False)
    variable.setncatts(encoding.attributes)
    if attribute == "valid_min":
        variable.valid_min = stored.dtype.type(number + 1)
    elif attribute not in (None, "_FillValue"):
        variable.setncattr(attribute, stored.dtype.type(number))
    kept = [axis for axis in dimensions if axis in axes]
    moved = stored.transpose([axes.index(axis) for axis in kept])
    variable[:] = moved.reshape([len(file.dimensions[axis]) for axis in dimensions])


def _signed(number, encoding):
    return number - 65536 if encoding.unsigned and number > 32767 else number


PROFILES = {
    "striped": {},
    "tiled, deflated, pixel": {
        "compress": "deflate",
        "predictor": 2,
        "tiled": True,
        "blockxsize": 16,
        "blockysize": 16,
        "interleave": "pixel",
    },
    "big-endian, LZW": {"ENDIANNESS": "BIG", "compress": "lzw", "interleave": "band"},
    "BigTIFF, zstd": {"BIGTIFF": "YES", "compress": "zstd"},
}


def write_geotiff(path, values, encoding, profile="striped", *, names=NAMES, ascending=False, driver="GTiff"):
    """Write DN of (bands, height, width) with rasterio."""
    stored = encoding.stored(values)
    transform = TRANSFORM
    if ascending:
        stored, transform = stored[:, ::-1], Affine(10, 0, TRANSFORM.c, 0, 10, TRANSFORM.f - 10 * HEIGHT)
    options = PROFILES[profile] if isinstance(profile, str) else profile
    if stored.dtype.kind == "f":
        options = {key: value for key, value in options.items() if key != "predictor"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with rasterio.open(
            path,
            "w",
            driver=driver,
            count=len(stored),
            height=HEIGHT,
            width=WIDTH,
            dtype=stored.dtype.name,
            crs="EPSG:32633",
            transform=transform,
            **options,
        ) as file:
            file.write(stored)
            if names is not None:
                for index, name in enumerate(names, 1):
                    if isinstance(name, float):
                        file.update_tags(index, wavelength=str(name), wavelength_units="Nanometers")
                    else:
                        file.set_band_description(index, name)
            _describe(file, encoding)
    return path


def _describe(file, encoding):
    if encoding.scale is not None:
        file.scales = [encoding.scale] * file.count
        file.offsets = [encoding.shift] * file.count
    for index in file.indexes:
        if encoding.unsigned:
            file.update_tags(index, _Unsigned="true")
        attribute, number = encoding.missing or (None, None)
        if attribute == "valid_min":
            file.update_tags(index, valid_min=str(number + 1))
        elif attribute == "missing_value":
            file.update_tags(index, missing_value=str(number))
    if encoding.missing is not None and encoding.missing[0] == "_FillValue":
        file.nodata = _signed(encoding.missing[1], encoding)


def write_envi(path, values, encoding, interleave="bsq", *, order=0, names=NAMES, ascending=False, more=()):
    """Write DN of (bands, height, width) by hand: ``path`` and its header."""
    stored = encoding.stored(values)
    if ascending:
        stored = stored[:, ::-1]
    axes = {"bsq": (0, 1, 2), "bil": (1, 0, 2), "bip": (1, 2, 0)}[interleave]
    numbers = {"int16": 2, "int32": 3, "float32": 4, "float64": 5, "uint16": 12}
    south = TRANSFORM.f - 10 * HEIGHT
    lines = [
        "ENVI",
        "description = {",
        "  made for a test, bands = 99 }",
        f"samples = {WIDTH}",
        f"lines   = {HEIGHT}",
        f"bands = {len(stored)}",
        "header offset = 7",
        "file type = ENVI Standard",
        f"Data Type = {numbers[stored.dtype.name]}",
        f"interleave = {interleave.upper()}",
        f"byte order = {order}",
        f"map info = {{UTM, 1.0, 1.0, {TRANSFORM.c}, {south if ascending else TRANSFORM.f}, 10, "
        f"{-10 if ascending else 10}, 33, North, WGS-84}}",
        *more,
    ]
    if names is not None:
        key = "wavelength" if isinstance(names[0], float) else "band names"
        lines.append(f"{key} = {{{', '.join(map(str, names))}}}")
    if encoding.missing is not None:
        lines.append(f"data ignore value = {encoding.missing[1]}")
    if encoding.scale is not None:
        lines += [
            f"data gain values = {{{', '.join([str(encoding.scale)] * len(stored))}}}",
            f"data offset values = {{{', '.join([str(encoding.shift)] * len(stored))}}}",
        ]
    path.with_suffix(".hdr").write_text("\r\n".join(lines) + "\r\n", encoding="utf-8")
    samples = stored.transpose(axes).astype(stored.dtype.newbyteorder(">" if order else "<"))
    path.write_bytes(b"skipped" + samples.tobytes())
    return path


def write_band_files(folder, values, encoding, *, suffix=".tif", stem="T33UUB_20200101_{}_10m", **options):
    """Write each band into a GeoTIFF or a lossless JPEG 2000 named after it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, band in zip(NAMES, values, strict=True):
        path = folder / f"{stem.format(name)}.tif"
        write_geotiff(path, band[np.newaxis], encoding, names=None, **options)
        if suffix == ".jp2":
            lossless = {"QUALITY": "100", "REVERSIBLE": "YES"}
            rasterio.shutil.copy(path, path.with_suffix(suffix), driver="JP2OpenJPEG", **lossless)
            path.unlink()
    return folder
