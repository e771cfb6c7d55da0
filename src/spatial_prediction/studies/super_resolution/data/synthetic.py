"""Synthetic scenes that replace Sentinel-2 Level-1C where no real imagery is available.

A study of padding needs three things in realistic proportion: sharp edges (what lies beyond the boundary of a
field cannot be predicted), texture (which can be predicted in part) and smooth surfaces (which can be
predicted well). White or fractal noise may have the right spectrum but has no edges, so a scene is composed
the way a landscape is, from the ground up:

1. *Ground*: height and moisture are random fields with power-law spectra. They place everything else: water
   lies low, forest stands on ground that was not worth ploughing, snow lies high.
2. *Cover*: farmland is a plane split again and again by straight lines, then warped a little, each parcel
   with its own crop, rows and brightness; forests have stands, crowns and clearings; towns are a finer split
   into blocks, with roofs. Roads and rivers are where a warped plane is zero, so they bend but never end.
3. *Light*: slopes are shaded by a low sun, some scenes have soft-edged clouds and their displaced shadows,
   and the atmosphere adds path radiance, most of it in blue.
4. *Sensor*: the optics' point spread function, noise and rounding to integers.

Scenes differ in region (farmland, lakeland, city, coast, mountain), season and everything that is drawn at
random. Until the sensor rounds them, images are float32 reflectances of shape (height, width, 3): red, green
and blue.
"""

from dataclasses import dataclass

import numpy as np
import scipy.fft
import scipy.ndimage
from jaxtyping import Bool, Float32, Int, Int16

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.reflectance import DN_PER_REFLECTANCE

Field = Float32[np.ndarray, "height width"]
Mask = Bool[np.ndarray, "height width"]
Image = Float32[np.ndarray, "height width 3"]
Spectrum = Float32[np.ndarray, " 3"]


@dataclass(frozen=True)
class Region:
    """What a kind of landscape is made of.

    Attributes:
        weight: how often the region is drawn, relative to the others.
        water, forest, town: typical shares of the scene's area under lakes or sea, trees and houses.
        parcel_area: typical area of a field, in pixels (100 m² each).
        relief: standard deviation of the height, in pixels (10 m each).
        snow: share of the area, from the summits down, under snow outside winter.
    """

    weight: float
    water: float
    forest: float
    town: float
    parcel_area: float
    relief: float
    snow: float = 0.0


REGIONS = {
    "farmland": Region(weight=0.44, water=0.008, forest=0.18, town=0.03, parcel_area=700.0, relief=3.0),
    "lakeland": Region(weight=0.24, water=0.14, forest=0.66, town=0.01, parcel_area=350.0, relief=4.0),
    "city": Region(weight=0.14, water=0.03, forest=0.12, town=0.55, parcel_area=500.0, relief=1.0),
    "coast": Region(weight=0.12, water=0.35, forest=0.25, town=0.06, parcel_area=500.0, relief=4.0),
    "mountain": Region(
        weight=0.06, water=0.004, forest=0.35, town=0.003, parcel_area=400.0, relief=30.0, snow=0.35
    ),
}


def _spectrum(red: float, green: float, blue: float) -> Spectrum:
    return np.array([red, green, blue], np.float32)


# Surface reflectances in red, green and blue, read off atmospherically corrected scenes.
CROPS = {
    "young crop": _spectrum(0.045, 0.080, 0.038),
    "grass": _spectrum(0.062, 0.080, 0.042),
    "dry grass": _spectrum(0.100, 0.092, 0.058),
    "oilseed rape": _spectrum(0.120, 0.135, 0.045),
    "ripe grain": _spectrum(0.165, 0.130, 0.080),
    "stubble": _spectrum(0.190, 0.150, 0.100),
    "moist soil": _spectrum(0.095, 0.078, 0.055),
    "dry soil": _spectrum(0.150, 0.120, 0.085),
    "snow": _spectrum(0.720, 0.730, 0.740),
}
SEASONS = {  # how much of the farmland each crop covers, in the order of CROPS
    "spring": (0.26, 0.24, 0.08, 0.06, 0.00, 0.04, 0.17, 0.15, 0.00),
    "summer": (0.24, 0.30, 0.14, 0.02, 0.16, 0.05, 0.05, 0.04, 0.00),
    "autumn": (0.14, 0.26, 0.16, 0.00, 0.02, 0.16, 0.18, 0.08, 0.00),
    "winter": (0.00, 0.02, 0.06, 0.00, 0.00, 0.04, 0.04, 0.00, 0.84),
}
SEASON_WEIGHTS = (0.30, 0.42, 0.22, 0.06)

CONIFERS = _spectrum(0.018, 0.028, 0.018)
BROADLEAVES = _spectrum(0.028, 0.050, 0.024)
CLEARING = _spectrum(0.090, 0.085, 0.055)
GARDEN = _spectrum(0.060, 0.075, 0.045)
PAVEMENT = _spectrum(0.100, 0.100, 0.095)
ROOF_GREY = _spectrum(0.150, 0.145, 0.140)
ROOF_TILE = _spectrum(0.170, 0.115, 0.090)
CLEAR_WATER = _spectrum(0.012, 0.022, 0.024)
TURBID_WATER = _spectrum(0.055, 0.072, 0.055)
SAND = _spectrum(0.230, 0.205, 0.160)
ROCK = _spectrum(0.140, 0.128, 0.112)
SNOW = _spectrum(0.820, 0.830, 0.840)
CLOUD = _spectrum(0.700, 0.690, 0.700)

SKYLIGHT = _spectrum(0.30, 0.34, 0.42)
"""Share of skylight in the light on open ground; all that is left in a shadow."""
PATH_REFLECTANCE = _spectrum(0.022, 0.040, 0.067)
"""Path reflectance of a clean atmosphere, added at its top."""
TRANSMITTANCE = _spectrum(0.93, 0.88, 0.83)
"""Transmittance of the path down to the surface and up again."""


def synthetic_scene(*, seed: int, index: int, size: int = 520) -> Int16[np.ndarray, "size size 3"]:
    """Make one scene.

    Args:
        seed: seed of the data set, not negative.
        index: number of the scene within the data set, not negative.
        size: height and width in pixels of 10 m, at least 16.

    Returns:
        DN (reflectance x 10,000) of the bands red, green and blue (B04, B03, B02). The same ``seed``,
        ``index`` and ``size`` give the same scene, whatever was made before.

    Raises:
        ConfigurationError: if ``seed`` or ``index`` is negative or ``size`` below 16.
    """
    for name, value, least in (("seed", seed, 0), ("index", index, 0), ("size", size, 16)):
        if value < least:
            raise ConfigurationError(f"{name} is {value}; a synthetic scene needs {name} >= {least}.")
    # Each part has its own stream, so that a change to one leaves the others as they were.
    character, ground, cover, sky, sensor = np.random.default_rng([seed, index]).spawn(5)
    region = list(REGIONS.values())[_draw(character, [region.weight for region in REGIONS.values()])]
    season = list(SEASONS)[_draw(character, SEASON_WEIGHTS)]
    surface, height = _landscape(ground, cover, size, region, season)
    lit = surface * _light(sky, height, season)
    return _sensed(sensor, _through_atmosphere(sky, lit))


# --- Random fields and shapes -------------------------------------------------------------------------------


def _power_law_field(rng: np.random.Generator, size: int, exponent: float, outer_scale: float) -> Field:
    """A Gaussian field of zero mean and unit variance whose power falls as ``frequency ** -exponent``.

    Wavelengths above ``outer_scale`` pixels all have the same power. The field is cut from a larger one,
    because fields made by a Fourier transform are periodic and a scene is not.
    """
    period = scipy.fft.next_fast_len(size + min(size // 4, int(outer_scale)), real=True)
    rows, columns = np.fft.fftfreq(period)[:, None], np.fft.rfftfreq(period)[None]
    amplitude = (rows**2 + columns**2 + outer_scale**-2) ** (-exponent / 4)
    noise = rng.standard_normal((2, *amplitude.shape), dtype=np.float32)
    spectrum = (noise[0] + 1j * noise[1]) * amplitude.astype(np.float32)
    field = scipy.fft.irfft2(spectrum, (period, period))[:size, :size]
    return (field - field.mean()) / field.std()


def _draw(rng: np.random.Generator, weights: list[float] | tuple[float, ...]) -> int:
    """The index of one of several cases, drawn by weight."""
    return int(rng.choice(len(weights), p=np.divide(weights, np.sum(weights))))


def _spread(rng: np.random.Generator, typical: float, factor: float) -> float:
    """A positive number around ``typical``, usually within a factor ``factor`` of it."""
    return float(typical * factor ** rng.standard_normal())


def _highest(field: Field, share: float) -> Mask:
    """The given ``share`` of the area where ``field`` is highest."""
    return field > float(np.quantile(field, 1 - np.clip(share, 0, 1)))


def _distance_to_line(rng: np.random.Generator, wander: Field, amplitude: float) -> Field:
    """Distance in pixels, roughly, to a curve that crosses the scene.

    The curve is where a plane tilted in a random direction, bent by ``amplitude`` times the smooth field
    ``wander``, is zero; dividing by the steepness turns its value into a distance.
    """
    size = len(wander)
    angle = rng.uniform(0, 2 * np.pi)
    row, column = np.mgrid[:size, :size].astype(np.float32)
    through = rng.uniform(0.15, 0.85, 2) * size
    plane = (row - through[0]) * float(np.sin(angle)) + (column - through[1]) * float(np.cos(angle))
    plane = (plane + amplitude * wander).astype(np.float32)
    slope = np.hypot(*np.gradient(plane))
    return np.abs(plane) / np.maximum(slope, 0.3)


@dataclass(frozen=True)
class Parcels:
    """A plane divided into parcels.

    Attributes:
        label: number of each pixel's parcel.
        angle: direction of the longer sides of each parcel, in radians.
        row, column: warped coordinates in which the boundaries are straight, in pixels.
    """

    label: Int[np.ndarray, "height width"]
    angle: Float32[np.ndarray, " parcels"]
    row: Field
    column: Field

    def along(self) -> tuple[Field, Field]:
        """Coordinates along and across each pixel's parcel, in pixels."""
        sine, cosine = np.sin(self.angle)[self.label], np.cos(self.angle)[self.label]
        return cosine * self.column + sine * self.row, cosine * self.row - sine * self.column

    def drawn(self, rng: np.random.Generator, deviation: float) -> Field:
        """A normal deviate for each parcel, as an image."""
        return rng.normal(0, deviation, len(self.angle)).astype(np.float32)[self.label]

    def boundaries(self, rng: np.random.Generator, share: float) -> Mask:
        """One-pixel lines along the given ``share`` of the boundaries."""
        drawn = rng.random(len(self.angle)) < share
        line = np.zeros(self.label.shape, bool)
        for axis in (0, 1):
            inner = [slice(None), slice(None)]
            inner[axis] = slice(1, None)
            before = np.delete(self.label, -1, axis)
            after = self.label[tuple(inner)]
            # The smaller label decides, so that a boundary is drawn from end to end or not at all.
            line[tuple(inner)] |= (before != after) & drawn[np.minimum(before, after)]
        return line


def _split_into_parcels(
    rng: np.random.Generator, warp: tuple[Field, Field], area: float, disorder: float
) -> Parcels:
    """Divide the plane like land that was inherited and sold: split each piece across its longer side.

    Pieces form a binary tree, and a pixel finds its parcel by descending it. ``area`` is the typical final
    area in square pixels, ``warp`` displaces the boundaries in pixels, and ``disorder`` is the standard
    deviation, in radians, by which a first split turns the direction of the pieces; later ones turn it less.
    """
    size = len(warp[0])
    row, column = np.mgrid[:size, :size].astype(np.float32)
    row, column = row + warp[0], column + warp[1]
    label = np.zeros((size, size), np.int32)
    # A piece is kept as a rectangle: its centre, the direction of its length, its length and width.
    centre = np.full((1, 2), size / 2)
    angle = rng.uniform(0, np.pi, 1)
    length = width = np.full(1, 1.3 * size)
    limit = area * rng.lognormal(0.3, 0.5, 1)
    for level in range(int(np.log2(size**2 / area)) + 4):
        divided = length * width > limit
        normal = np.stack([np.sin(angle), np.cos(angle)], 1)
        cut = rng.normal(0, 0.1, len(length)) * length  # from the centre, along the length
        # A piece that stays whole has all its pixels on the near side of a line infinitely far away.
        line = np.where(divided, (centre * normal).sum(1) + cut, np.inf).astype(np.float32)
        across = normal.astype(np.float32)
        label = 2 * label + (row * across[label, 0] + column * across[label, 1] > line[label])

        divided = np.repeat(divided, 2)
        halves = np.stack([length / 2 + cut, length / 2 - cut], 1).ravel()
        middles = np.stack([cut - length / 2, cut + length / 2], 1).ravel() / 2
        centre, normal = np.repeat(centre, 2, axis=0), np.repeat(normal, 2, axis=0)
        centre = centre + np.where(divided, middles, 0)[:, None] * normal
        halves, width = np.where(divided, halves, np.repeat(length, 2)), np.repeat(width, 2)
        turn = np.where(divided, disorder / (1 + level) * rng.standard_normal(len(halves)), 0)
        angle = np.repeat(angle, 2) + turn + np.where(halves < width, np.pi / 2, 0)
        length, width = np.maximum(halves, width), np.minimum(halves, width)
        limit = np.where(divided, area * rng.lognormal(0.3, 0.5, len(halves)), np.repeat(limit, 2))
    return Parcels(label, angle.astype(np.float32), row, column)


# --- Cover --------------------------------------------------------------------------------------------------


def _landscape(
    ground: np.random.Generator, cover: np.random.Generator, size: int, region: Region, season: str
) -> tuple[Image, Field]:
    """Reflectance of the surface, and its height in pixels of 10 m."""
    height = _power_law_field(ground, size, exponent=4.2, outer_scale=float(size))
    if region is REGIONS["coast"]:
        height = _tilted_to_the_sea(ground, height)
    wetness = _power_law_field(ground, size, exponent=3.5, outer_scale=size / 2) - height
    texture = _power_law_field(ground, size, exponent=2.0, outer_scale=60.0)
    wander = _power_law_field(ground, size, exponent=5.0, outer_scale=size / 5)
    warp = (3 * wander, _spread(ground, 5.0, 1.5) * height)

    parcels = _split_into_parcels(cover, warp, _spread(cover, region.parcel_area, 1.6), disorder=0.5)
    surface = _farmland(cover, parcels, texture, season)
    # Whole parcels are left to the trees as often as not, so that many edges of woods are straight.
    wildness = _power_law_field(cover, size, exponent=3.2, outer_scale=size / 4) - wetness
    trees = _highest(wildness + parcels.drawn(cover, 0.8), _spread(cover, region.forest, 1.3))
    surface = np.where(trees[..., None], _forest(cover, warp, texture, season), surface)
    roads = _roads(cover, wander)
    blocks = _split_into_parcels(cover, warp, _spread(cover, 180.0, 1.4), disorder=0.4)
    density = wander - 0.5 * np.log1p(roads) + blocks.drawn(cover, 0.3)
    houses = _highest(density, _spread(cover, region.town, 1.3))
    surface = np.where(houses[..., None], _town(cover, blocks, texture), surface)
    surface = _over(surface, PAVEMENT * _spread(cover, 1.3, 1.3), np.clip(1.2 - roads, 0, 0.9))
    surface = _with_water(cover, surface, height, wetness, wander, region, season)
    if region.snow:
        surface = _with_summits(cover, surface, height, texture, region, season)
    return surface.astype(np.float32), height * _spread(ground, region.relief, 1.3)


def _tilted_to_the_sea(rng: np.random.Generator, height: Field) -> Field:
    """Height that falls to one side, so that the lowest land is one sea and not many lakes."""
    angle = rng.uniform(0, 2 * np.pi)
    row, column = np.mgrid[-1 : 1 : len(height) * 1j, -1 : 1 : len(height) * 1j].astype(np.float32)
    return height + 2.5 * (row * float(np.sin(angle)) + column * float(np.cos(angle)))


def _over(below: Image, spectrum: Spectrum, opacity: Field) -> Image:
    """``spectrum`` painted over an image."""
    return below + opacity[..., None] * (spectrum - below)


def _mottled(image: Image, strength: float | Field, texture: Field) -> Image:
    """Brightness varied by ``texture``, most in red, because plants hide soil that is redder than them."""
    grain = (np.float32(strength) * texture)[..., None] * _spectrum(1.2, 1.0, 0.9)
    return image * np.exp(grain)


def _farmland(rng: np.random.Generator, parcels: Parcels, texture: Field, season: str) -> Image:
    """Fields with their crops, rows, moist patches, hedges and tracks."""
    count = len(parcels.angle)
    palette = np.stack(list(CROPS.values()))
    crop = rng.choice(len(CROPS), count, p=SEASONS[season])
    blend = rng.beta(1, 5, (count, 1)).astype(np.float32)
    neighbour = rng.choice(len(CROPS), count, p=SEASONS[season])
    spectra = (1 - blend) * palette[crop] + blend * palette[neighbour]
    spectra *= rng.lognormal(0, 0.2, (count, 1)).astype(np.float32)

    _, across = parcels.along()
    period = rng.uniform(3, 7, count).astype(np.float32)[parcels.label]
    strength = rng.exponential(0.025, count).astype(np.float32)[parcels.label]
    rows = strength * np.cos(2 * np.pi * across / period)
    patchiness = rng.gamma(2, 0.03, count).astype(np.float32)[parcels.label]
    fields = _mottled(spectra[parcels.label], patchiness, texture) * (1 + rows[..., None])

    hedges = parcels.boundaries(rng, rng.uniform(0.1, 0.8))
    tracks = parcels.boundaries(rng, rng.uniform(0, 0.25))
    fields[hedges] = 0.2 * fields[hedges] + 0.8 * BROADLEAVES
    fields[tracks] = 0.4 * fields[tracks] + 0.6 * PAVEMENT * 1.3
    return fields


def _forest(rng: np.random.Generator, warp: tuple[Field, Field], texture: Field, season: str) -> Image:
    """Trees: conifers and broadleaves in stands, lit and shaded crowns, a few clearings."""
    size = len(texture)
    stands = _split_into_parcels(rng, warp, area=1500.0, disorder=1.0)
    count = len(stands.angle)
    broad = rng.beta(0.7, 0.7, (count, 1)).astype(np.float32)
    spectra = CONIFERS + broad * (BROADLEAVES - CONIFERS)
    spectra *= rng.lognormal(0, 0.1, (count, 1)).astype(np.float32)
    clearing = (rng.random(count) < 0.06)[:, None]
    if season == "winter":
        spectra = spectra + rng.uniform(0.01, 0.1, (count, 1)).astype(np.float32)
        spectra = np.where(clearing, SNOW, spectra)
    else:
        spectra = np.where(clearing, CLEARING, spectra)
    # Crowns of 5 to 15 m: each pixel holds about one, lit from one side.
    crowns = scipy.ndimage.gaussian_filter(rng.standard_normal((size, size), dtype=np.float32), 0.6)
    roughness = np.where(clearing[:, 0], 0.3, 1).astype(np.float32)[stands.label]
    return _mottled(spectra[stands.label], roughness, 0.06 * texture + 0.3 * crowns)


def _roads(rng: np.random.Generator, wander: Field) -> Field:
    """Distance in pixels to the nearest of a few winding roads."""
    count = rng.integers(2, 6)
    lines = [_distance_to_line(rng, np.rot90(wander, turns), rng.uniform(2, 14)) for turns in range(count)]
    return np.min(np.stack(lines), axis=0)


def _town(rng: np.random.Generator, blocks: Parcels, texture: Field) -> Image:
    """Blocks between streets, with roofs in rows and gardens between them."""
    count = len(blocks.angle)
    industrial = rng.random(count) < 0.08
    footprint = np.where(industrial, rng.uniform(5, 10, count), rng.uniform(1.5, 3, count)).astype(np.float32)
    along, across = blocks.along()
    pace = footprint[blocks.label]
    # A table looked up by a hash of block, row and column gives each house its number without drawing it.
    house = (
        np.floor(along / (1.4 * pace)).astype(np.int64) * 73_856_093
        ^ np.floor(across / pace).astype(np.int64) * 19_349_663
        ^ blocks.label.astype(np.int64) * 83_492_791
    ) & 4095
    tiled = rng.random((4096, 1)) < rng.uniform(0.1, 0.6)
    roofs = np.where(tiled, ROOF_TILE, ROOF_GREY) * rng.lognormal(-0.1, 0.4, (4096, 1))
    ground = np.where(rng.random((4096, 1)) < 0.3, PAVEMENT, GARDEN) * rng.lognormal(0, 0.2, (4096, 1))
    plots = np.where(rng.random((4096, 1)) < rng.uniform(0.35, 0.55), roofs, ground).astype(np.float32)
    town = plots[house]
    town[industrial[blocks.label]] *= 1.4
    green = (rng.random(count) < 0.12)[blocks.label]
    town[green] = GARDEN * 0.9
    town[blocks.boundaries(rng, 1.0)] = PAVEMENT
    return _mottled(town, 0.05, texture)


def _with_water(
    rng: np.random.Generator,
    surface: Image,
    height: Field,
    wetness: Field,
    wander: Field,
    region: Region,
    season: str,
) -> Image:
    """Lakes or the sea where the land lies low, a beach around the sea, and in most scenes a river."""
    coast = region is REGIONS["coast"]
    level = -height + 0.1 * wander if coast else wetness
    share = min(_spread(rng, region.water, 1.5), 0.7)
    water = _highest(level, share)
    if coast:
        surface = np.where(_highest(level, share + 0.012)[..., None], SAND, surface)
    depth = np.maximum(level - float(np.quantile(level, 1 - share)), 0)
    if rng.random() < 0.6:
        river = _distance_to_line(rng, wander, rng.uniform(8, 22))
        width = _spread(rng, 3.0, 1.7)
        surface = _over(surface, BROADLEAVES, np.clip(width + 2 - river, 0, 0.6))
        water |= river < width
    turbidity = np.exp(-rng.uniform(1, 6) * depth)[..., None] * np.float32(rng.uniform(0, 1))
    colour = CLEAR_WATER + turbidity * (TURBID_WATER - CLEAR_WATER)
    if season == "winter":
        colour = np.broadcast_to(SNOW * 0.95, colour.shape)
    return np.where(water[..., None], colour, surface)


def _with_summits(
    rng: np.random.Generator, surface: Image, height: Field, texture: Field, region: Region, season: str
) -> Image:
    """Rock above the trees and snow above the rock, both reaching down in tongues."""
    altitude = height + 0.12 * texture
    rock = _mottled(np.broadcast_to(ROCK, surface.shape), 0.2, texture)
    surface = np.where(_highest(altitude, 0.65)[..., None], rock, surface)
    share = 0.75 if season == "winter" else _spread(rng, region.snow, 1.5)
    snow = np.clip(4 * (altitude - float(np.quantile(altitude, 1 - min(share, 0.9)))), 0, 1)
    drifts = _mottled(np.broadcast_to(SNOW, surface.shape), 0.06, texture)
    return surface + snow[..., None] * (drifts - surface)


# --- Light and sensor ---------------------------------------------------------------------------------------


def _light(rng: np.random.Generator, height: Field, season: str) -> Image:
    """Illumination of each pixel relative to level ground in the sun."""
    elevation = np.deg2rad(rng.uniform(12, 25) if season == "winter" else rng.uniform(30, 58))
    azimuth = np.deg2rad(rng.normal(165, 10))
    down, right = np.gradient(height)
    # The sun stands in the south at 10.30 local time; rows run southwards, so a slope to the south has height
    # falling with the row.
    towards_sun = down * float(np.cos(azimuth)) - right * float(np.sin(azimuth))
    upright = 1 / np.sqrt(1 + down**2 + right**2)
    cosine = upright * (float(np.sin(elevation)) + float(np.cos(elevation)) * towards_sun)
    sunlight = np.clip(cosine / float(np.sin(elevation)), 0, 1.8)[..., None]
    visible_sky = (1 + upright[..., None]) / 2
    return (1 - SKYLIGHT) * sunlight + SKYLIGHT * visible_sky


def _through_atmosphere(rng: np.random.Generator, lit: Image) -> Image:
    """Reflectance at the top of the atmosphere: haze over everything, clouds over some scenes."""
    size = len(lit)
    haze = _spread(rng, 1.0, 1.08)
    air = PATH_REFLECTANCE * haze
    if rng.random() > 0.25:
        return air + TRANSMITTANCE * lit
    shift = rng.integers(8, 40, 2)
    margin = int(np.max(shift))
    billows = _power_law_field(rng, size + margin, exponent=_spread(rng, 3.0, 1.05), outer_scale=size / 3)
    cover = min(_spread(rng, 0.12, 2.0), 0.6)
    thickness = rng.uniform(2, 6) * np.maximum(billows - float(np.quantile(billows, 1 - cover)), 0)
    opacity = 1 - np.exp(-thickness)
    cloud = opacity[:size, :size, None]
    # The shadow falls north-west of the cloud, as far as the cloud is high, and its edge is soft.
    shade = scipy.ndimage.gaussian_filter(opacity, 1.5)[shift[0] :, shift[1] :][:size, :size]
    ground = air + TRANSMITTANCE * lit * (1 - shade[..., None] * (1 - SKYLIGHT))
    brightness = rng.uniform(0.7, 1.1) * (1 + 0.12 * billows[:size, :size, None])
    return ground + cloud * (CLOUD * brightness.astype(np.float32) - ground)


def _sensed(rng: np.random.Generator, reflectance: Image) -> Int16[np.ndarray, "height width 3"]:
    """Reflectance as the instrument delivers it: blurred, noisy, rounded to DN."""
    width = rng.uniform(0.5, 0.62)  # lets 15 % to 30 % of the contrast through at the Nyquist frequency
    dn = DN_PER_REFLECTANCE * scipy.ndimage.gaussian_filter(reflectance, (width, width, 0))
    noise = rng.standard_normal(dn.shape, dtype=np.float32)
    # Photon noise grows with the square root of the signal; four DN are the electronics'.
    dn += noise * np.sqrt(16 + 0.03 * np.maximum(dn, 0))
    return np.clip(np.rint(dn), 1, 20_000).astype(np.int16)
