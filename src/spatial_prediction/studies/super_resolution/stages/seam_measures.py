"""What a seam between tiles is, in numbers.

Four tiles meet in the middle of what is compared, and they are as in an image of any size: none is at its
border. It reaches from the centre of each tile to that of its neighbours, so that every pixel's nearest
border of a tile is a seam.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from spatial_prediction import tiling


class Measured(NamedTuple):
    """One number.

    Attributes:
        quantity: see ``metrics.seams``.
        distance: output pixels from the nearest seam, -1 for the whole.
        value: the number, of data scaled to [-1, 1].
        pixel_count: output pixels that it is a mean over.
    """

    quantity: str
    distance: int
    value: float
    pixel_count: int


def measure_seam(
    tiled: Float[np.ndarray, "bands side side"],
    whole: Float[np.ndarray, "bands side side"],
    truth: Float[np.ndarray, "bands side side"],
    *,
    shell: int,
) -> Iterator[Measured]:
    """Yield everything about a seam along the middle row and the middle column, but for the tile mismatch.

    Args:
        tiled: prediction by tiles that meet in the middle; its side is even.
        whole: prediction in one piece, by the untouched network.
        truth: what both predict.
        shell: output pixels of an input pixel, along one axis.
    """
    side = tiled.shape[-1]
    middle = (side // 2,)
    counts = _pixels_by_distance(side)
    compared = {"deviation": (tiled, whole), "error": (tiled, truth), "error_untiled": (whole, truth)}
    for quantity, (first, second) in compared.items():
        means = tiling.deviation_by_distance(first, second, middle, middle, up_to=side // 2)
        for distance, (mean, count) in enumerate(zip(means, counts, strict=True)):
            yield Measured(quantity, distance, float(mean), int(count))
    errors = [np.mean((each.astype(np.float64) - truth) ** 2) for each in (tiled, whole)]
    crossing = tiling.deviation_at_crossings(tiled, whole, middle, middle, within=shell)
    tiled_steps = tiling.SeamSteps(*_both_ways(tiled))
    figures = {
        "worst": tiling.worst_deviation(tiled, whole),
        "crossing": crossing,
        "bound": tiling.deviation_bound(*map(float, errors)),
        "step_across": tiled_steps.across,
        "step_beside": tiled_steps.beside,
        "excess": tiled_steps.excess,
        "excess_untiled": tiling.SeamSteps(*_both_ways(whole)).excess,
        "visible": _visible(tiled, shell),
        "visible_untiled": _visible(whole, shell),
    }
    for name, value in figures.items():
        yield Measured(name, -1, value, side**2)


def measure_mismatch(
    predictions: Sequence[Float[np.ndarray, "bands side side"]],
    reads: Sequence[slice],
    *,
    crop: int,
    factor: int,
) -> Measured:
    """Compare what neighbouring tiles keep of what both have read, wherever they may be cut.

    Args:
        predictions: of tiles from left to right, nothing cropped.
        reads: their columns, input pixels.
        crop: input pixels cropped from each side.
        factor: output pixels per input pixel along each axis.
    """
    kept = [slice(read.start + crop, read.stop - crop) for read in reads]
    side = (kept[0].stop - kept[0].start) * factor
    inside = slice(crop * factor, crop * factor + side)
    tiles = [each[:, inside, inside] for each in predictions]
    shared = (kept[0].stop - kept[1].start) * factor
    return Measured("tile_mismatch", -1, tiling.tile_mismatch(tiles, kept, factor), side * shared)


def _pixels_by_distance(side: int) -> np.ndarray:
    """Count the pixels at each distance from a cross in the middle: what is left of a square that shrinks."""
    left = (side - 2 * np.arange(side // 2 + 1)) ** 2
    return left[:-1] - left[1:]


def _turned(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return image, np.swapaxes(image, -1, -2)


def _both_ways(image: np.ndarray) -> np.ndarray:
    """Steps across the seam between columns and that between rows, their mean."""
    middle = (image.shape[-1] // 2,)
    return np.mean([tiling.seam_steps(each, middle) for each in _turned(image)], axis=0)


def _visible(image: np.ndarray, period: int) -> float:
    middle = (image.shape[-1] // 2,)
    return float(np.mean([tiling.seam_is_visible(each, middle, period=period) for each in _turned(image)]))
