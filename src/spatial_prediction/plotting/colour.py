"""Linear intensity as sRGB for the screen."""

import numpy as np


def linear_to_srgb(intensity: np.ndarray) -> np.ndarray:
    """Encode linear intensity (0..1, clipped) with the sRGB transfer function (IEC 61966-2-1); 0..1."""
    clipped = np.clip(intensity, 0.0, 1.0)
    return np.where(
        clipped <= 0.0031308, 12.92 * clipped, 1 + 1.055 * (np.maximum(clipped, 0.0031308) ** (1 / 2.4) - 1)
    )


SHOWN = (1, 99)
"""Percentiles of an image that are shown as black and as full brightness."""


def display_range(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Intensity of each image to show as black, and how far above it is white.

    Args:
        images: linear intensity of any unit, (images, height, width, bands).

    Returns:
        Both of shape (images, 1, 1, 1).
    """
    black, white = np.percentile(images.astype(np.float64), SHOWN, axis=(1, 2, 3), keepdims=True)
    return black, np.maximum(white - black, 1e-3)


def displayed(images: np.ndarray, shown: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Show images in a range, as ``display_range`` gives it of them or of others; sRGB, 0..1."""
    black, span = shown
    return linear_to_srgb((images - black) / span)


def linear_to_srgb8(intensity: np.ndarray) -> np.ndarray:
    """Encode linear intensity as 8-bit sRGB, truncated to integers as the published figures are."""
    return (linear_to_srgb(intensity) * 255).astype(np.uint8)
