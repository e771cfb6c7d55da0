"""How much of a seam there is, where tiles of a prediction meet: figures in plain NumPy.

Images are (..., height, width). A stitch line at position p lies between the pixels p - 1 and p.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, Num

from spatial_prediction.tiling._windows import TilePlan


class SeamSteps(NamedTuple):
    """Steps across stitch lines, in the image's units.

    Attributes:
        across: mean absolute step from one side of the line to the other.
        beside: the same between the pixels on either side of it and their neighbours away from it.
        excess: root mean square of the step across less the mean of the two beside it, which continues the
            gradient from both sides. Zero for a plane.
    """

    across: float
    beside: float
    excess: float


def stitch_lines(plan: TilePlan) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return where tiles of a plan meet, in output pixels: rows and columns."""
    rows, columns = (
        tuple(span.keep.start * plan.factor for span in spans[1:]) for spans in (plan.rows, plan.columns)
    )
    return rows, columns


def deviation_by_distance(
    tiled: Num[np.ndarray, "*images height width"],
    whole: Num[np.ndarray, "*images height width"],
    rows: Sequence[int],
    columns: Sequence[int],
    *,
    up_to: int,
) -> Float[np.ndarray, " distances"]:
    """Mean square deviation of a tiled from an untiled prediction, by distance from the nearest stitch line.

    Args:
        tiled: prediction by tiles.
        whole: prediction in one piece. To compare paddings, by one and the same reference network: made with
            the padding under test it would flatter that.
        rows: stitch lines between rows.
        columns: stitch lines between columns.
        up_to: number of distances.

    Returns:
        For 0 (pixels at a line) to ``up_to - 1``; NaN where no pixel is that far away.
    """
    distances = _distance_to_lines(tiled.shape, rows, columns)
    squares = _mean_squares(tiled, whole)
    return np.array([_mean(squares[distances == distance]) for distance in range(up_to)])


def deviation_at_crossings(
    tiled: Num[np.ndarray, "*images height width"],
    whole: Num[np.ndarray, "*images height width"],
    rows: Sequence[int],
    columns: Sequence[int],
    *,
    within: int,
) -> float:
    """Mean square deviation where four tiles meet: less than ``within`` pixels from lines of both directions.

    NaN where no tiles cross.
    """
    height, width = tiled.shape[-2:]
    near = (_distance(height, rows)[:, None] < within) & (_distance(width, columns) < within)
    return _mean(_mean_squares(tiled, whole)[near])


def worst_deviation(
    tiled: Num[np.ndarray, "*images height width"], whole: Num[np.ndarray, "*images height width"]
) -> float:
    """Greatest absolute deviation of a tiled from an untiled prediction."""
    return float(np.abs(tiled - whole).max())


def deviation_bound(first_error: float, second_error: float) -> float:
    """Greatest mean square deviation that two predictions with these mean square errors can have.

    Four times their mean, reached where the errors are opposite. Source: arXiv 2502.12300, appendix A.
    """
    return 2 * (first_error + second_error)


def tile_mismatch(
    predictions: Sequence[Num[np.ndarray, "outputs rows width"]],
    reads: Sequence[slice],
    factor: int,
) -> float:
    """Mean square deviation of neighbouring tiles from each other, over all that both have predicted.

    The smaller, the less it matters where tiles are cut; 0 for a network whose outputs depend on nothing
    beyond a tile. The idea of arXiv 2503.19545, here for outputs that are numbers rather than classes.

    Args:
        predictions: of a row of windows from left to right, nothing cropped.
        reads: their columns, input pixels.
        factor: output pixels per input pixel.

    Raises:
        ValueError: no neighbours share a pixel.
    """
    squares = []
    for (first, left), (second, right) in zip(
        zip(predictions[:-1], reads[:-1], strict=True),
        zip(predictions[1:], reads[1:], strict=True),
        strict=True,
    ):
        shared = (left.stop - right.start) * factor
        if shared > 0:
            squares.append(((first[..., -shared:] - second[..., :shared]) ** 2).ravel())
    if not squares:
        raise ValueError(
            f"neighbouring windows must overlap to be compared, got {reads}; read more than is kept"
        )
    return float(np.concatenate(squares).mean())


def seam_steps(image: Num[np.ndarray, "*images height width"], columns: Sequence[int]) -> SeamSteps:
    """Compare the steps across stitch lines between columns with those beside them.

    For lines between rows, give the image with its last two axes swapped. A published upscaler's seam
    measured 4.1 across and 0.9 beside, of 255.

    Args:
        image: the tiled prediction; no reference is needed.
        columns: positions of the lines, with two pixels on each side.

    Raises:
        ValueError: there is no line, or one has fewer than two pixels on a side.
    """
    _check_lines(image.shape[-1], columns)
    before, across, behind = _three_steps(image, columns)
    beside = (np.abs(before).mean() + np.abs(behind).mean()) / 2
    excess = across - (before + behind) / 2
    return SeamSteps(float(np.abs(across).mean()), float(beside), float(np.sqrt((excess**2).mean())))


def seam_is_visible(
    image: Num[np.ndarray, "*images height width"],
    columns: Sequence[int],
    *,
    level: float = 0.05,
    period: int = 1,
) -> bool:
    """Say whether the stitch lines stand out from the other lines of the image.

    They do if the excess of their steps is greater than that of all but a share ``level`` of the other lines
    between columns, those next to a stitch line left out. So where there is no seam at all, about that share
    of images is taken to have one; fewer with several stitch lines, whose excess is that of all.

    Args:
        image: the tiled prediction.
        columns: positions of the lines, with two pixels on each side.
        level: share of images without a seam that may be taken to have one.
        period: only lines are compared that lie a multiple of these pixels from the stitch lines. Networks
            that upscale have a grid of their own, with larger steps between blocks of factor x factor pixels
            than within them; give the factor, or lines at block borders stand out where nothing is tiled.

    Raises:
        ValueError: there is no line, or one has fewer than two pixels on a side, or no line is left to
            compare with.
    """
    excess = seam_steps(image, columns).excess
    distance = _distance_of_lines(image.shape[-1], columns)
    others = [
        line
        for line in range(2, image.shape[-1] - 1)
        if distance[line] > 1 and any((line - column) % period == 0 for column in columns)
    ]
    if not others:
        raise ValueError(
            f"no line of {image.shape[-1]} columns is away from the stitch lines {tuple(columns)}; "
            "take larger tiles"
        )
    usual = [seam_steps(image, [line]).excess for line in others]
    return bool(excess > np.quantile(usual, 1 - level))


def visible_share(
    images: Iterable[Num[np.ndarray, "*images height width"]],
    columns: Sequence[int],
    *,
    level: float = 0.05,
    period: int = 1,
) -> float:
    """Share of images with a visible seam, see :func:`seam_is_visible`."""
    visible = [seam_is_visible(image, columns, level=level, period=period) for image in images]
    return float(np.mean(visible))


def _three_steps(image: np.ndarray, columns: Sequence[int]) -> tuple[np.ndarray, ...]:
    steps = np.diff(image.astype(np.float64), axis=-1)  # step i: from pixel i to i + 1
    lines = np.asarray(columns)
    return steps[..., lines - 2], steps[..., lines - 1], steps[..., lines]


def _check_lines(width: int, columns: Sequence[int]) -> None:
    if not columns or min(columns) < 2 or max(columns) > width - 2:
        raise ValueError(
            f"stitch lines must have two pixels on each side, at 2 to {width - 2}, got {tuple(columns)}"
        )


def _mean_squares(tiled: np.ndarray, whole: np.ndarray) -> Float[np.ndarray, "height width"]:
    squares = (tiled.astype(np.float64) - whole) ** 2
    return squares.mean(axis=tuple(range(squares.ndim - 2)))


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float("nan")


def _distance_to_lines(
    shape: Sequence[int], rows: Sequence[int], columns: Sequence[int]
) -> Int[np.ndarray, "height width"]:
    return np.minimum(_distance(shape[-2], rows)[:, None], _distance(shape[-1], columns))


def _distance(size: int, lines: Sequence[int]) -> Int[np.ndarray, " size"]:
    """Whole pixels between each pixel and the nearest line; ``size`` where there is none."""
    distance = np.full(size, size)
    pixels = np.arange(size)
    for line in lines:
        distance = np.minimum(distance, np.where(pixels < line, line - 1 - pixels, pixels - line))
    return distance


def _distance_of_lines(size: int, lines: Sequence[int]) -> Int[np.ndarray, " lines"]:
    return np.abs(np.arange(size)[:, None] - np.asarray(lines)).min(axis=1)
