"""Apply a network to an image tile by tile."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from spatial_prediction.padding import AbstractPadding
from spatial_prediction.tiling._batches import predictions
from spatial_prediction.tiling._masked import fill_masked, masked_pixels, upscaled_mask
from spatial_prediction.tiling._mixing import Mixer
from spatial_prediction.tiling._networks import as_predict, upscale_factor_of
from spatial_prediction.tiling._strategies import Strategy
from spatial_prediction.tiling._windows import plan_tiles


@dataclass(frozen=True, eq=False)
class Strip:
    """Finished rows of an upscaled image, over its whole width.

    Attributes:
        rows: which they are, in output pixels.
        values: NaN where masked.
        mask: the input's mask, upscaled.
    """

    rows: slice
    values: Float[np.ndarray, "outputs rows width"]
    mask: Bool[np.ndarray, "rows width"]


def upscale_array(
    image: np.ndarray,
    network: Any,
    *,
    strategy: Strategy,
    tile: int = 128,
    factor: int | None = None,
    mask: np.ndarray | None = None,
    padding: AbstractPadding | None = None,
    batch_size: int = 8,
) -> Float[np.ndarray, "outputs out_height out_width"]:
    """Upscale one image (channels, height, width), tile by tile.

    Args:
        image: (channels, height, width), floating numbers as the network takes them. A NumPy masked array
            brings its mask along.
        network: an Equinox module or a function of NumPy batches; see
            :func:`~spatial_prediction.tiling.as_predict`.
        strategy: how tiles meet, such as ``Strategy.exact(network.halo)``.
        tile: input pixels along each side that a tile keeps.
        factor: output pixels per input pixel along each axis; by default the network's ``upscale_factor``.
        mask: (height, width), True where a pixel is not valid. Pixels that are not finite in some channel are
            masked too. In their place the network sees what continues the valid pixels; it sees no tile
            without a valid one.
        padding: continues valid pixels under the mask, as of :func:`~spatial_prediction.tiling.fill_masked`;
            by default the nearest one is taken.
        batch_size: tiles predicted at once.

    Returns:
        The network's outputs, shape (outputs, factor * height, factor * width), dtype as the network's; NaN
        where masked.

    Raises:
        ValueError: a size does not fit, the network makes maps of another size, or it says no factor and none
            is given.
        TypeError: ``image`` is not of floating numbers.
    """
    _check_floating(image)
    missing = masked_pixels(image, mask)
    filled = fill_masked(np.ma.getdata(image), missing, padding=padding)
    strips = _strips(
        lambda rows: (filled[:, rows], missing[rows]),
        image.shape[1:],
        network,
        strategy=strategy,
        tile=tile,
        factor=upscale_factor_of(network, factor),
        batch_size=batch_size,
    )
    return np.concatenate([strip.values for strip in strips], axis=1)


def upscale_strips(
    read: Callable[[slice], np.ndarray],
    shape: tuple[int, int],
    network: Any,
    *,
    strategy: Strategy,
    tile: int = 128,
    factor: int | None = None,
    padding: AbstractPadding | None = None,
    batch_size: int = 8,
) -> Iterator[Strip]:
    """Upscale an image of any height in the memory that a few rows of tiles need.

    As :func:`upscale_array`, but masked pixels are filled from the rows that are in memory. Valid pixels may
    then differ where within a tile's overlap there is a masked pixel whose nearest valid one is not; and near
    any masked pixel where linear prediction continues them, for its coefficients are those of the rows.

    Args:
        read: gives input rows, (channels, rows, width), floating numbers; masked arrays and NaN as above.
            It is called once for each row of tiles, from top to bottom; rows in the overlap are read twice.
        shape: of the image, rows and columns.
        network: as of :func:`upscale_array`.
        strategy: as of :func:`upscale_array`.
        tile: as of :func:`upscale_array`.
        factor: as of :func:`upscale_array`.
        padding: as of :func:`upscale_array`.
        batch_size: as of :func:`upscale_array`.

    Yields:
        The upscaled image from top to bottom, each row once.
    """

    def filled(rows: slice) -> tuple[np.ndarray, np.ndarray]:
        band = read(rows)
        _check_floating(band)
        missing = masked_pixels(band)
        return fill_masked(np.ma.getdata(band), missing, padding=padding), missing

    return _strips(
        filled,
        shape,
        network,
        strategy=strategy,
        tile=tile,
        factor=upscale_factor_of(network, factor),
        batch_size=batch_size,
    )


def _strips(
    read: Callable[[slice], tuple[np.ndarray, np.ndarray]],
    shape: tuple[int, int],
    network: Any,
    *,
    strategy: Strategy,
    tile: int,
    factor: int,
    batch_size: int,
) -> Iterator[Strip]:
    """Add up weighted tiles, and give away rows to which no further row of tiles contributes."""
    plan = plan_tiles(shape, tile=tile, strategy=strategy, factor=factor)
    predict = as_predict(network)
    mixer: Mixer | None = None
    for number, row in enumerate(plan.rows):
        band, missing = read(row.read)
        wanted = [place for place, span in enumerate(plan.columns) if not missing[:, span.read].all()]
        if not wanted and mixer is None:  # nothing else knows the number of outputs
            wanted = [0]
        windows = [band[:, :, plan.columns[place].read] for place in wanted]
        tiles = dict(zip(wanted, predictions(predict, windows, factor, batch_size), strict=True))
        if mixer is None:
            first = tiles[wanted[0]]
            mixer = Mixer(plan, len(first), first.dtype)
        parts = [mixer.add(number, place, tiles.get(place)) for place in range(len(plan.columns))]
        finished, _ = mixer.finished(number, 0)
        inside = slice(finished.start - row.read.start, finished.stop - row.read.start)
        mask = upscaled_mask(missing[inside], factor)
        values = np.concatenate(parts, axis=2)
        values[:, mask] = np.nan
        yield Strip(slice(finished.start * factor, finished.stop * factor), values, mask)


def _check_floating(image: np.ndarray) -> None:
    if image.ndim != 3 or not np.issubdtype(image.dtype, np.floating):
        raise TypeError(
            "image must be (channels, height, width) of floating numbers, scaled as the network was trained, "
            f"got shape {image.shape} of {image.dtype}"
        )
