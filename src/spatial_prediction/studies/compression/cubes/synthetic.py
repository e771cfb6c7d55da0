"""A synthetic cube: smooth abundances of materials mix their spectra; detectors add noise and stripes."""

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from spatial_prediction.studies.compression.config import SyntheticSettings
from spatial_prediction.studies.compression.cubes.cube import Cube

ENDMEMBERS, ABSORPTIONS, GASES = 6, 4, 5
"""Materials, absorption features of each, and absorption features that the air adds to all."""

COARSE, FINE, FINE_SHARE = 7.0, 1.2, 0.25
"""Pixels: standard deviations of the Gaussians that smooth fields and texture, and the texture's share."""

CONTRAST = 2.5
"""Of abundances: 0 mixes all materials alike, and the larger it is, the purer are pixels."""

SHADING = 0.12
"""Standard deviation of the logarithm of the illumination."""

SIGNAL = 2200.0
"""Mean of the cube, DN."""

PHOTONS = 0.7
"""Share of the noise's variance that grows with the signal; the rest is of the electronics."""


def synthetic_cube(settings: SyntheticSettings, name: str = "synthetic") -> Cube:
    """Make a cube of uint16 from a seed.

    Each column of a pushbroom spectrometer has a detector for each band, whose gain is slightly wrong for the
    whole flight: that is what stripes are. The noise is that of photons and electronics.
    """
    rng = np.random.default_rng(settings.seed)
    shape = (settings.rows, settings.columns)
    abundances = _abundances(rng, shape)
    illumination = np.exp(SHADING * _field(rng, shape))
    signal = np.einsum("erc,eb->rcb", abundances, _spectra(rng, settings.bands)) * illumination[..., None]
    signal *= SIGNAL / signal.mean()
    variance = settings.noise**2 * (1 - PHOTONS + PHOTONS * signal / SIGNAL)
    gains = 1 + settings.striping * rng.standard_normal((settings.columns, settings.bands))
    measured = signal * gains + np.sqrt(variance) * rng.standard_normal(signal.shape)
    samples = np.rint(measured).clip(0, np.iinfo(np.uint16).max).astype(np.uint16)
    return Cube(samples, name, f"synthetic, seed {settings.seed}")


def _abundances(
    rng: np.random.Generator, shape: tuple[int, int]
) -> Float[np.ndarray, "endmembers rows columns"]:
    """Shares of the materials in each pixel, which add up to 1."""
    weights = np.exp(CONTRAST * np.stack([_field(rng, shape) for _ in range(ENDMEMBERS)]))
    return weights / weights.sum(0)


def _field(rng: np.random.Generator, shape: tuple[int, int]) -> Float[np.ndarray, "rows columns"]:
    """A field of mean 0 and standard deviation 1: large patches with some texture."""
    coarse, fine = (gaussian_filter(rng.standard_normal(shape), size, mode="wrap") for size in (COARSE, FINE))
    field = _standardised(coarse) + FINE_SHARE * _standardised(fine)
    return _standardised(field)


def _standardised(field: np.ndarray) -> np.ndarray:
    return (field - field.mean()) / max(float(field.std()), 1e-12)


def _spectra(rng: np.random.Generator, bands: int) -> Float[np.ndarray, "endmembers bands"]:
    """Radiances of the materials: reflectance in the light of the sun, less what the air absorbs."""
    place = np.linspace(0, 1, bands)
    sun = (place + 0.15) * np.exp(-3 * place)
    walks = gaussian_filter1d(
        rng.standard_normal((ENDMEMBERS, bands)), max(bands / 8, 1), axis=1, mode="nearest"
    )
    reflectance = np.exp(0.5 * np.apply_along_axis(_standardised, 1, walks))
    own = np.prod([_absorption(rng, place, (ENDMEMBERS, 1), 0.3) for _ in range(ABSORPTIONS)], axis=0)
    air = np.prod([_absorption(rng, place, (1, 1), 0.7) for _ in range(GASES)], axis=0)
    brightness = rng.uniform(0.3, 1.5, (ENDMEMBERS, 1))
    return brightness * reflectance * own * air * sun


def _absorption(
    rng: np.random.Generator, place: np.ndarray, shape: tuple[int, int], depth: float
) -> np.ndarray:
    """What is left of the light where it is absorbed about one wavelength."""
    centre, width = rng.uniform(0, 1, shape), rng.uniform(0.01, 0.06, shape)
    return 1 - rng.uniform(0, depth, shape) * np.exp(-0.5 * ((place - centre) / width) ** 2)
