"""Upscale an xarray.DataArray, lazily where it lies in Dask's chunks."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from spatial_prediction.padding import AbstractPadding
from spatial_prediction.tiling._coordinates import upscaled_attributes, upscaled_coordinates
from spatial_prediction.tiling._networks import upscale_factor_of
from spatial_prediction.tiling._strategies import Strategy
from spatial_prediction.tiling._upscaling import upscale_array

if TYPE_CHECKING:
    import xarray


def upscale_dataarray(
    array: "xarray.DataArray",
    network: Any,
    *,
    strategy: Strategy,
    tile: int = 128,
    factor: int | None = None,
    outputs: int | None = None,
    dims: tuple[str, str] = ("y", "x"),
    padding: AbstractPadding | None = None,
    batch_size: int = 8,
) -> "xarray.DataArray":
    """Upscale an array of one image; one of Dask's stays lazy, and is computed chunk by chunk.

    Each chunk reads the strategy's overlap from its neighbours and is itself upscaled by tiles. At the outer
    border of the image the network handles what lies beyond, as ever. NaN is filled within a chunk and its
    overlap, as by :func:`~spatial_prediction.tiling.upscale_strips` within rows.

    Args:
        array: three dimensions: ``dims`` and one of the channels, in any order; floating numbers.
        network: as of :func:`~spatial_prediction.tiling.upscale_array`. With several processes, one that can
            be sent to them.
        strategy: how tiles meet; on several chunks none that fades, for each chunk is written by one task.
        tile: input pixels along each side that a tile keeps.
        factor: output pixels per input pixel along each axis; by default the network's ``upscale_factor``.
        outputs: channels that the network makes; by default as many as it takes, whose coordinate is then
            kept.
        dims: names of the rows' and the columns' dimension.
        padding: continues valid pixels where others are NaN; as of
            :func:`~spatial_prediction.tiling.upscale_array`.
        batch_size: tiles predicted at once.

    Returns:
        Dimensions as of ``array``, its dtype and attributes; coordinates along ``dims`` made finer with the
        same outer corners, and ``GeoTransform``, ``transform`` and ``res`` with them.

    Raises:
        ValueError: dimensions or coordinates do not fit, or the strategy fades across chunks.
        TypeError: ``array`` is not of floating numbers.
    """
    import xarray

    factor = upscale_factor_of(network, factor)
    others = [dim for dim in array.dims if dim not in dims]
    if array.ndim != 3 or len(others) != 1:
        raise ValueError(
            f"array must have {dims[0]!r}, {dims[1]!r} and a dimension of channels, got {array.dims}"
        )
    if not np.issubdtype(array.dtype, np.floating):
        raise TypeError(
            f"array must be of floating numbers, scaled as the network was trained, got {array.dtype}"
        )
    (channel,) = others
    image = array.transpose(channel, *dims)
    outputs = outputs or image.shape[0]
    coordinates = upscaled_coordinates(image, dims, factor)
    if outputs != image.shape[0]:
        coordinates = {
            name: value
            for name, value in coordinates.items()
            if name in dims or channel not in image.coords[name].dims
        }
    options = {
        "strategy": strategy,
        "tile": tile,
        "factor": factor,
        "padding": padding,
        "batch_size": batch_size,
    }
    if image.chunks is None:
        values = _upscaled_block(image.values, network, outputs, options)
    else:
        values = _upscaled_chunks(image.data, network, outputs, options)
    upscaled = xarray.DataArray(
        values,
        coords=coordinates,
        dims=image.dims,
        name=array.name,
        attrs=upscaled_attributes(array.attrs, factor),
    )
    return upscaled.transpose(*array.dims)


def _upscaled_chunks(data: Any, network: Any, outputs: int, options: dict[str, Any]) -> Any:
    """Make a lazy array of a Dask array (channels, height, width)."""
    from dask.array.overlap import ensure_minimum_chunksize

    strategy: Strategy = options["strategy"]
    factor: int = options["factor"]
    chunks = [(len(data),)]
    depth: dict[int, tuple[int, int]] = {0: (0, 0)}
    for axis, step in enumerate(strategy.step):
        before, after = (-(-width // step) * step for width in strategy.overlap[axis])
        sizes = data.chunks[axis + 1]
        if sum(sizes) > max(before, after):
            sizes = ensure_minimum_chunksize(max(before, after, 1), sizes)
        else:
            sizes = (sum(sizes),)
        if any(size % step for size in sizes[:-1]):
            raise ValueError(
                f"chunks must be multiples of the network's step {step}, got {sizes}; use rechunk"
            )
        chunks.append(sizes)
        depth[axis + 1] = (before, after) if len(sizes) > 1 else (0, 0)
    if strategy.fade and max(map(len, chunks)) > 1:
        raise ValueError(
            "chunks cannot fade into each other, for each is written by one task; use Strategy.exact or "
            "Strategy.cropped, or array.compute() first"
        )
    return data.rechunk(chunks).map_overlap(
        _upscaled_block,
        depth=depth,
        boundary="none",
        trim=False,
        chunks=((outputs,), *(tuple(size * factor for size in sizes) for sizes in chunks[1:])),
        meta=np.empty((0, 0, 0), data.dtype),
        network=network,
        outputs=outputs,
        options=options,
        overlaps=depth,
    )


def _upscaled_block(
    block: np.ndarray,
    network: Any,
    outputs: int,
    options: dict[str, Any],
    overlaps: dict[int, tuple[int, int]] | None = None,
    block_info: Any = None,
) -> np.ndarray:
    """Upscale a chunk together with what it reads of its neighbours, and cut that off."""
    upscaled = upscale_array(block, network, **options)
    if len(upscaled) != outputs:
        raise ValueError(
            f"the network makes {len(upscaled)} channels, not {outputs}; give outputs={len(upscaled)}"
        )
    if overlaps is not None:
        location, numbers = block_info[0]["chunk-location"], block_info[0]["num-chunks"]
        upscaled = upscaled[:, *_own(location, numbers, overlaps, options["factor"], upscaled.shape)]
    return upscaled.astype(block.dtype, copy=False)


def _own(
    location: Sequence[int],
    numbers: Sequence[int],
    overlaps: dict[int, tuple[int, int]],
    factor: int,
    shape: Any,
) -> tuple[slice, ...]:
    """Rows and columns of a chunk itself; at the outer border nothing was read beyond."""
    return tuple(
        slice(
            overlaps[axis][0] * factor if location[axis] > 0 else 0,
            shape[axis] - (overlaps[axis][1] * factor if location[axis] < numbers[axis] - 1 else 0),
        )
        for axis in (1, 2)
    )
