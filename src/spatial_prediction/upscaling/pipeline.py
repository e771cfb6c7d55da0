"""Windows read ahead, upscaled, and written behind: three things at once."""

import functools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import product
from typing import Any, Protocol, TypeVar, runtime_checkable

import jax
import numpy as np

from spatial_prediction.background import one_thread, threads
from spatial_prediction.progress import progress
from spatial_prediction.rasters.raster import Raster
from spatial_prediction.tiling import Mixer, TilePlan, upscaled_mask
from spatial_prediction.upscaling.output import Write
from spatial_prediction.upscaling.programs import Programs
from spatial_prediction.upscaling.samples import SampleType, encode
from spatial_prediction.upscaling.windows import Fill, Window, batches_of, filled_up, read_window

AHEAD = 3
"""Windows that are read, and batches that are under way, beside the ones that are waited for."""

AT_ONCE = 2
"""Batches that are computed at once: where one leaves cores idle, the other has work for them."""

Result = TypeVar("Result")


@runtime_checkable
class Upscaler(Protocol):
    """How windows are upscaled and written: computing is begun by some threads, writing done by another.

    Attributes:
        valid: output pixels written so far that are not nodata.
        limited: those of them that the type of the samples could not hold as they were.
    """

    valid: int
    limited: int

    def compute(self, windows: list[Window]) -> Any:
        """Begin to upscale a batch; return what the device will have made."""

    def write(self, windows: list[Window], made: Any) -> None:
        """Wait for what ``compute`` has begun, and write it."""


class TileByTile:
    """Each tile is written as it is predicted, in the output's samples.

    Args:
        plan: of the tiles, which do not fade into each other.
        programs: the network.
        kind: type of the samples.
        write: takes them.
        batch: windows at once.
    """

    def __init__(self, plan: TilePlan, programs: Programs, kind: SampleType, write: Write, batch: int):
        self._plan, self._programs, self._kind, self._write, self._batch = plan, programs, kind, write, batch
        self.valid = self.limited = 0

    def compute(self, windows: list[Window]) -> Any:
        """Begin to upscale a batch, unless it has no pixels."""
        if windows[0].dn is None:
            return None
        dn, valid, kept = (
            filled_up([getattr(window, name) for window in windows], self._batch)
            for name in ("dn", "valid", "kept")
        )
        return self._programs.samples(dn, valid, kept, self._kind.name, inside=windows[0].inside)

    def write(self, windows: list[Window], made: Any) -> None:
        """Write a batch. Tiles without pixels are nodata, as all that is not written."""
        if made is None:
            return
        samples, limited = map(np.asarray, made)
        margin = self._programs.margin * self._programs.factor if windows[0].inside else 0
        for window, tile, number in zip(windows, samples, limited, strict=False):
            rows, columns = self._plan.rows[window.row], self._plan.columns[window.column]
            within = (_shifted(rows.within, margin), _shifted(columns.within, margin))
            self._write(rows.write, columns.write, tile[:, *within])
            self.valid += int((window.valid & window.kept).sum()) * self._plan.factor**2
            self.limited += int(number)


class Blended:
    """Tiles fade into each other before they are rounded.

    Args:
        plan: of the tiles.
        programs: the network.
        kind: type of the samples.
        write: takes them.
        batch: windows at once.
    """

    def __init__(self, plan: TilePlan, programs: Programs, kind: SampleType, write: Write, batch: int):
        self._plan, self._programs, self._kind, self._write, self._batch = plan, programs, kind, write, batch
        self._mixer = Mixer(plan, 3)
        self.valid = self.limited = 0

    def compute(self, windows: list[Window]) -> Any:
        """Begin to upscale a batch, unless it has no pixels."""
        if windows[0].dn is None:
            return [None]
        return self._programs.predictions(
            filled_up([window.dn for window in windows if window.dn is not None], self._batch)
        )

    def write(self, windows: list[Window], made: Any) -> None:
        """Add a batch to its neighbours, and write what is finished by that."""
        made = made if isinstance(made, list) else np.asarray(made)
        for window, prediction in zip(windows, made, strict=False):
            dn = self._mixer.add(window.row, window.column, prediction)
            rows, columns = self._mixer.finished(window.row, window.column)
            read = (self._plan.rows[window.row].read, self._plan.columns[window.column].read)
            valid = window.valid[
                rows.start - read[0].start : rows.stop - read[0].start,
                columns.start - read[1].start : columns.stop - read[1].start,
            ]
            if not valid.any():
                continue
            factor = self._plan.factor
            missing = upscaled_mask(~valid, factor)
            samples, limited = encode(dn, self._kind)
            samples[:, missing] = self._kind.nodata
            self._write(_times(rows, factor), _times(columns, factor), samples)
            self.valid += missing.size - int(missing.sum())
            self.limited += int((limited.any(axis=0) & ~missing).sum())


def run(raster: Raster, plan: TilePlan, upscaler: Upscaler, *, margin: int, batch: int, fill: Fill) -> None:
    """Upscale a raster by a plan of tiles.

    One thread reads, ``AT_ONCE`` hand batches to the device, which has threads of its own, and one writes.
    Memory holds ``AHEAD`` of each, whatever the size of the raster.

    Args:
        raster: the image; read by one other thread until this returns.
        plan: of the tiles.
        upscaler: what is done with their windows.
        margin: input pixels that are cut off windows inside the image.
        batch: windows at once.
        fill: what the network sees in place of missing pixels.
    """
    places = list(product(range(len(plan.rows)), range(len(plan.columns))))
    read = functools.partial(read_window, raster, plan, margin=margin, fill=fill)
    calls = (functools.partial(read, *place) for place in places)
    with one_thread("read_ahead") as reader:
        written = _written(batches_of(_ahead(reader, calls), batch), upscaler)
        for _ in progress(written, total=len(places), description="upscaled", unit="tiles"):
            pass


def _written(batches: Iterable[list[Window]], upscaler: Upscaler) -> Iterator[Window]:
    """Upscale batches and write them in their order; give each window once it is written."""

    def compute(batch: list[Window]) -> Any:
        return jax.block_until_ready(upscaler.compute(batch))

    def write(batch: list[Window], made: Future[Any]) -> list[Window]:
        upscaler.write(batch, made.result())
        return batch

    with threads(AT_ONCE, "compute") as computing, one_thread("write_behind") as writing:
        under_way: deque[Future[list[Window]]] = deque()
        for batch in batches:
            under_way.append(writing.submit(write, batch, computing.submit(compute, batch)))
            if len(under_way) > AHEAD:
                yield from under_way.popleft().result()
        for each in under_way:
            yield from each.result()


def _ahead(reader: ThreadPoolExecutor, calls: Iterable[Callable[[], Result]]) -> Iterator[Result]:
    """Give what calls return, in their order, of which the next ones are already made."""
    waiting: deque[Future[Result]] = deque()
    for call in calls:
        waiting.append(reader.submit(call))
        if len(waiting) > AHEAD:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _times(pixels: slice, factor: int) -> slice:
    return slice(pixels.start * factor, pixels.stop * factor)


def _shifted(pixels: slice, margin: int) -> slice:
    return slice(pixels.start - margin, pixels.stop - margin)
