"""One scene in several kinds of files, which must be upscaled to the same pixels.

python -m tests.scene_versions FOLDER    # every scene of a folder, by the bundled network
"""

import argparse
import logging
import tempfile
from pathlib import Path
from typing import NamedTuple

import netCDF4
import numpy as np
import rasterio
import rasterio.shutil
from affine import Affine

from spatial_prediction.rasters.listing import list_scenes
from spatial_prediction.upscaling.scenes import upscale
from spatial_prediction.upscaling.settings import UpscaleSettings

BANDS = ("B04", "B03", "B02")
MISSING = -32768


class Scene(NamedTuple):
    """DN (bands, rows, columns), the first row the northernmost, and where they lie."""

    dn: np.ndarray
    transform: Affine
    crs: rasterio.CRS


def read_netcdf(path, size=None):
    """Read a scene without this package; of its north-western corner, ``size`` pixels."""
    with netCDF4.Dataset(path) as file:
        file.set_auto_maskandscale(False)
        dn = np.stack([file[band][0, :size, :size] for band in BANDS])
        x, y = np.asarray(file["x"][:]), np.asarray(file["y"][:])
        crs = rasterio.CRS.from_wkt(file["crs"].crs_wkt)
    dx, dy = ((axis[-1] - axis[0]) / (len(axis) - 1) for axis in (x, y))
    assert dy < 0
    return Scene(dn, Affine(dx, 0, x[0] - dx / 2, 0, dy, y[0] - dy / 2), crs)


def write_netcdf(path, scene, *, packed=False):
    _, height, width = scene.dn.shape
    a, _, c, _, e, f = scene.transform[:6]
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("y", height)
        file.createDimension("x", width)
        file.createVariable("x", "f8", ("x",))[:] = c + a * (np.arange(width) + 0.5)
        file.createVariable("y", "f8", ("y",))[:] = f + e * (np.arange(height) + 0.5)
        file.createVariable("crs", "i4").crs_wkt = scene.crs.to_wkt()
        for name, dn in zip(BANDS, scene.dn, strict=True):
            kind, fill = ("u2", 65535) if packed else ("i2", MISSING)
            variable = file.createVariable(name, kind, ("y", "x"), fill_value=fill)
            variable.set_auto_maskandscale(False)
            variable.grid_mapping = "crs"
            if packed:
                variable.setncatts({"scale_factor": 1e-4, "add_offset": -0.1})
            variable[:] = dn.astype("i4") + 1000 if packed else dn
    return path


def write_geotiff(path, samples, scene, *, nodata=MISSING, bottom_up=False):
    transform = scene.transform
    if bottom_up:
        transform = transform * Affine(1, 0, 0, 0, -1, samples.shape[1])
        samples = samples[:, ::-1]
    bands, height, width = samples.shape
    with rasterio.open(
        path, "w", driver="GTiff", dtype=samples.dtype, count=bands, height=height, width=width,
        transform=transform, crs=scene.crs, nodata=nodata,
    ) as file:  # fmt: skip
        file.write(samples)
        file.descriptions = BANDS
    return path


def write_versions(folder, scene):
    """Write the scene in every kind; return the path and the settings that each is read with."""
    plain = write_geotiff(folder / "plain.tif", scene.dn, scene)
    rasterio.shutil.copy(plain, folder / "cog.tif", driver="COG", blocksize=128)
    reflectance = (scene.dn / 10_000).astype("f4")
    bottom_up = write_geotiff(folder / "bottom_up.tif", scene.dn, scene, bottom_up=True)
    return {
        "netCDF": (write_netcdf(folder / "plain.nc", scene), {}),
        "GeoTIFF": (plain, {}),
        "COG": (folder / "cog.tif", {}),
        "reflectance": (
            write_geotiff(folder / "reflectance.tif", reflectance, scene, nodata=np.nan),
            {"scale": "reflectance"},
        ),
        "packed": (write_netcdf(folder / "packed.nc", scene, packed=True), {}),
        "bottom-up": (bottom_up, {}),
    }


def upscaled_versions(folder, scene, *, original=None, model=None, **settings):
    """Upscale the scene in every kind of file, ``original`` too; return the samples of each.

    Every output has the outer corners of the scene, its reference system and four times its pixels.
    """
    versions = write_versions(folder, scene)
    if original is not None:
        versions["as it came"] = (original, {})
    found = {}
    for name, (path, own) in versions.items():
        out = folder / "out.tif"
        chosen = UpscaleSettings(
            bands=BANDS, format="gtiff", compress="none", overwrite=True, **(settings | own)
        )
        upscale(path, out, model=model, settings=chosen)
        with rasterio.open(out) as file:
            _, height, width = scene.dn.shape
            assert file.shape == (4 * height, 4 * width), name
            assert file.transform.almost_equals(scene.transform * Affine.scale(1 / 4), 1e-6), name
            assert file.crs == scene.crs, name
            assert file.descriptions == BANDS, name
            found[name] = file.read()
    return found


def differences(found):
    """Greatest difference of each version from the first, and the share of samples that differ."""
    first = next(iter(found.values())).astype(int)
    apart = {name: np.abs(samples - first) for name, samples in found.items()}
    return {name: (int(each.max()), float((each > 0).mean())) for name, each in apart.items()}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="scenes as netCDF")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    worst = 0
    for path in list_scenes(options.folder):
        with tempfile.TemporaryDirectory() as name:
            found = differences(upscaled_versions(Path(name), read_netcdf(path), original=path))
        worst = max(worst, *(greatest for greatest, _ in found.values()))
        listed = (f"{kind} {greatest} DN ({share:.1e})" for kind, (greatest, share) in found.items())
        print(f"{path.name}: {', '.join(listed)}", flush=True)
    print(f"greatest difference {worst} DN; every georeference right")


if __name__ == "__main__":
    main()
