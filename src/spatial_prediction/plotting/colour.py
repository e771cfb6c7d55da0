"""Linear intensity as sRGB for the screen."""

import numpy as np


def linear_to_srgb(intensity: np.ndarray) -> np.ndarray:
    """Encode linear intensity (0..1, clipped) with the sRGB transfer function (IEC 61966-2-1); 0..1."""
    clipped = np.clip(intensity, 0.0, 1.0)
    return np.where(
        clipped <= 0.0031308, 12.92 * clipped, 1 + 1.055 * (np.maximum(clipped, 0.0031308) ** (1 / 2.4) - 1)
    )


def linear_to_srgb8(intensity: np.ndarray) -> np.ndarray:
    """Encode linear intensity as 8-bit sRGB, truncated to integers as the published figures are."""
    return (linear_to_srgb(intensity) * 255).astype(np.uint8)
