"""Stages: what happens where tiles meet, by preset, by strategy of tiling, and with a padding exchanged."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jaxtyping import Float

from spatial_prediction.files import read_object
from spatial_prediction.models import RVSR, merge_branches, network_and_header
from spatial_prediction.provenance import provenance
from spatial_prediction.studies.super_resolution.config import Preset, largest_tile
from spatial_prediction.studies.super_resolution.data.tiles import centre_tiles, open_scene_array
from spatial_prediction.studies.super_resolution.stages.seam_measures import (
    Measured,
    measure_mismatch,
    measure_seam,
)
from spatial_prediction.studies.super_resolution.stages.tables import write_table
from spatial_prediction.studies.super_resolution.task import network_of_arrays, pair
from spatial_prediction.tiling import Curve, Span, Strategy, plan_tiles, relative_work

Image = Float[np.ndarray, "_ _ _"]
"""Rows, columns and bands."""


@dataclasses.dataclass(frozen=True)
class SeamScenes:
    """Test scenes in whose middle four tiles meet.

    Attributes:
        test: array of test scenes.
        summary: summary of the arrays.
        low_res_size: rows and columns of a training tile, input pixels. Tiles are as large, or as large as
            four of them fit into a scene.
        scenes: how many of the test scenes are taken, at most: the first ones.
    """

    test: Path
    summary: Path
    low_res_size: int
    scenes: int

    def provenance(self, **settings: Any) -> dict[str, Any]:
        """Return the provenance of a result from these scenes."""
        summary = read_object(self.summary, ["test.sha256"])
        return provenance(data=summary["test"]["sha256"], scenes=self.scenes, **settings)

    def tile(self, *, beyond: int = 0) -> int:
        """Return what a tile keeps, input pixels, that reads ``beyond`` more on each side."""
        return largest_tile(self.low_res_size, min(open_scene_array(self.test).shape[1:3]), beyond=beyond)

    def pairs(self, factor: int) -> Iterator[tuple[Image, Image]]:
        """Yield each scene as a whole, low and high resolution, in [-1, 1]."""
        array = open_scene_array(self.test)
        size = min(array.shape[1:3]) // factor * factor
        for index in range(min(self.scenes, len(array))):
            low_res, high_res = pair(centre_tiles(array[index : index + 1], size), factor)
            yield np.asarray(low_res[0]), np.asarray(high_res[0])


@dataclasses.dataclass(frozen=True)
class Seam:
    """Four tiles that meet in the middle of a scene, such as lie within a larger image.

    Attributes:
        strategy: how they meet.
        tile: input pixels along each side that a tile keeps, an even number.
        factor: output pixels per input pixel along each axis.
    """

    strategy: Strategy
    tile: int
    factor: int

    @property
    def before(self) -> int:
        """Tiles before the seam in a row of tiles so long that those at its border don't reach what is kept.

        Their windows are shifted inwards, and reach by twice the overlap further than what they keep.
        """
        return 3 + self.overlap // self.tile

    @property
    def overlap(self) -> int:
        """Input pixels that a tile reads beyond what it keeps, on each side."""
        return self.strategy.overlap[0][0]

    @property
    def spans(self) -> tuple[Span, Span]:
        """The two on either side of the seam, of rows as of columns."""
        side = 2 * self.before * self.tile
        plan = plan_tiles((side, side), tile=self.tile, strategy=self.strategy, factor=self.factor)
        return plan.rows[self.before - 1], plan.rows[self.before]

    def windows(self, scene: Image) -> list[Image]:
        """Cut what the four tiles read, row by row."""
        rows, columns = (
            [_moved(span.read, size // 2 - self.before * self.tile) for span in self.spans]
            for size in scene.shape[:2]
        )
        return [scene[row, column] for row in rows for column in columns]

    def stitched(self, predictions: Sequence[Image]) -> Image:
        """Put predictions of the four windows together; keep what lies between the tiles' centres."""
        first, second = self.spans
        origin = first.write.start
        side = second.write.stop - origin
        image = np.zeros((side, side, predictions[0].shape[-1]), np.float32)
        pairs = ((rows, columns) for rows in self.spans for columns in self.spans)
        for (rows, columns), prediction in zip(pairs, predictions, strict=True):
            weights = rows.weights[:, None, None] * columns.weights[:, None]
            inside = (_moved(rows.write, -origin), _moved(columns.write, -origin))
            image[inside] += weights * prediction[rows.within, columns.within]
        start = (2 * self.before - 1) * self.tile * self.factor // 2 - origin
        kept = slice(start, start + self.tile * self.factor)
        return image[kept, kept]

    def middle(self, image: Image) -> Image:
        """Cut from a whole scene at high resolution what ``stitched`` returns of its tiles."""
        half = self.tile // 2
        rows, columns = (
            slice((centre - half) * self.factor, (centre + half) * self.factor)
            for centre in (size // self.factor // 2 for size in image.shape[:2])
        )
        return image[rows, columns]


def evaluate_seams(model_paths: Sequence[Path], scenes: SeamScenes, *, output: Path) -> None:
    """Write how the networks of one preset deviate at seams, when they are applied as they were trained.

    Tiles read as much as training tiles; with an output crop they overlap by twice that. The reference is the
    same network applied to the whole scene. One row for each network, scene and quantity of
    ``metrics.seams``; a diverged run adds none.
    """
    record = scenes.provenance()
    tables = []
    for model, header in _networks(model_paths):
        seam = _as_trained(scenes.tile(), header["output_crop"], model.upscale_factor)
        for index, (low_res, high_res) in enumerate(scenes.pairs(model.upscale_factor)):
            whole = _upscaled(model, [low_res])[0]
            figures = _tiled_as_trained(seam, model, low_res, whole, high_res)
            tables.append(_rows(header, seam, header["padding"], header["output_crop"], index, figures))
    _write(tables, output, record)


def evaluate_strategies(
    model_paths: Sequence[Path],
    scenes: SeamScenes,
    *,
    overlaps: Sequence[int],
    curves: Sequence[Curve],
    output: Path,
) -> None:
    """Write the same for tiles that keep as much as training tiles, and meet in every way.

    They abut; overlap and are cropped; overlap and fade into each other; or overlap as far as the network
    sees. The network has no output crop of its own here.

    Args:
        model_paths: weights of any seeds of one preset.
        scenes: what is predicted.
        overlaps: input pixels on each side, of crops and blends.
        curves: of the blends.
        output: table to write.
    """
    record = scenes.provenance(overlaps=list(overlaps), curves=list(curves))
    tables = []
    for model, header in _networks(model_paths):
        strategies = [
            Strategy.abutting(),
            *map(Strategy.cropped, overlaps),
            *(Strategy.blended(overlap, curve=curve) for curve in curves for overlap in overlaps),
            Strategy.exact(model.halo),
        ]
        tile = scenes.tile(beyond=model.halo)
        seams = [Seam(each, tile, model.upscale_factor) for each in strategies]
        for index, (low_res, high_res) in enumerate(scenes.pairs(model.upscale_factor)):
            whole = _upscaled(model, [low_res])[0]
            predictions: dict[int, list[Image]] = {}  # strategies that read the same share them
            for seam in seams:
                if seam.overlap not in predictions:
                    predictions[seam.overlap] = _upscaled(model, seam.windows(low_res))
                figures = _measured(seam, seam.stitched(predictions[seam.overlap]), whole, high_res)
                tables.append(_rows(header, seam, header["padding"], 0, index, figures))
    _write(tables, output, record)


def evaluate_transfer(
    model_paths: Sequence[Path], scenes: SeamScenes, *, paddings: Sequence[str], output: Path
) -> None:
    """Write the same for networks that are given other paddings for their tiles, without training anew.

    Tiles abut; those of a preset with an output crop are also cropped by it. The reference is the network on
    the whole scene with the padding it was trained with.

    Args:
        model_paths: weights of any seeds of one preset.
        scenes: what is predicted.
        paddings: names of paddings of the 3x3 convolutions. With ``zero``, the bilinear upscaling replicates,
            as in the published baseline; else it has the same padding.
        output: table to write.

    Raises:
        ConfigurationError: no padding has one of the names.
    """
    record = scenes.provenance(paddings=list(paddings))
    tables = []
    for model, header in _networks(model_paths, merged=False):
        untouched = merge_branches(model)
        exchanged = {padding: merge_branches(_with_padding(model, padding)) for padding in paddings}
        crops = sorted({0, header["output_crop"]})
        seams = {crop: _as_trained(scenes.tile(), crop, model.upscale_factor) for crop in crops}
        for index, (low_res, high_res) in enumerate(scenes.pairs(model.upscale_factor)):
            whole = _upscaled(untouched, [low_res])[0]
            for padding, network in exchanged.items():
                for crop, seam in seams.items():
                    figures = _tiled_as_trained(seam, network, low_res, whole, high_res)
                    tables.append(_rows(header, seam, padding, crop, index, figures))
    _write(tables, output, record)


def _networks(paths: Sequence[Path], *, merged: bool = True) -> Iterator[tuple[RVSR, dict[str, Any]]]:
    for path in paths:
        model, header = network_and_header(path, output_crop=0)
        if model is not None:
            yield merge_branches(model) if merged else model, header


def _as_trained(window: int, crop: int, factor: int) -> Seam:
    """Lay tiles that read ``window`` pixels."""
    strategy = Strategy.cropped(crop) if crop else Strategy.abutting()
    return Seam(strategy, window - 2 * crop, factor)


def _tiled_as_trained(
    seam: Seam, model: RVSR, low_res: Image, whole: Image, high_res: Image
) -> list[Measured]:
    """Measure four tiles that meet, and two that overlap; predicted at once, so by one program."""
    overlapping, reads = _sharing_half(low_res, seam)
    predictions = _upscaled(model, [*seam.windows(low_res), *overlapping])
    sharing = [_bands_first(each) for each in predictions[4:]]
    return [
        *_measured(seam, seam.stitched(predictions[:4]), whole, high_res),
        measure_mismatch(sharing, reads, crop=seam.overlap, factor=seam.factor),
    ]


def _with_padding(model: RVSR, padding: str) -> RVSR:
    """Exchange the border handling; arrays of the old one, if it has any, are left out."""
    arrays = model.to_named_arrays()
    weights = {name: array for name, array in arrays.items() if not name.startswith("borders.")}
    return network_of_arrays(Preset(padding, "repl" if padding == "zero" else padding), weights)


def _upscaled(model: RVSR, windows: Sequence[Image]) -> list[Image]:
    """Predict windows of one size at once."""
    return list(np.asarray(_apply(model, jnp.asarray(np.stack(windows)))))


@eqx.filter_jit
def _apply(model: RVSR, batch: jax.Array) -> jax.Array:
    return model.apply(batch)


def _sharing_half(scene: Image, seam: Seam) -> tuple[list[Image], list[slice]]:
    """Cut two windows from the middle that have half of the columns in common that a tile keeps."""
    size = seam.tile + 2 * seam.overlap
    top, left = ((extent - size) // 2 for extent in scene.shape[:2])
    first = slice(left - seam.tile // 4, left - seam.tile // 4 + size)
    reads = [first, _moved(first, seam.tile // 2)]
    return [scene[top : top + size, columns] for columns in reads], reads


def _measured(seam: Seam, tiled: Image, whole: Image, high_res: Image) -> list[Measured]:
    images = (tiled, seam.middle(whole), seam.middle(high_res))
    work = relative_work(seam.tile, seam.overlap)
    return [
        *measure_seam(*map(_bands_first, images), shell=seam.factor),
        Measured("relative_work", -1, work, tiled.shape[0] ** 2),
    ]


def _rows(
    header: dict[str, Any], seam: Seam, padding: str, crop: int, scene: int, figures: Sequence[Measured]
) -> pd.DataFrame:
    strategy = seam.strategy
    name = f"{strategy.name} {strategy.curve}" if strategy.name == "blend" else strategy.name
    return pd.DataFrame(figures).assign(
        preset=header["preset"],
        seed=header["seed"],
        padding=padding,
        output_crop=crop,
        strategy=name,
        tile=seam.tile,
        overlap=seam.overlap,
        scene=scene,
    )[list(_TYPES)]


_TYPES = {
    "preset": str, "seed": int, "padding": str, "output_crop": int, "strategy": str, "tile": int,
    "overlap": int, "scene": int, "quantity": str, "distance": int, "value": float, "pixel_count": int,
}  # fmt: skip


def _write(tables: list[pd.DataFrame], output: Path, record: dict[str, Any]) -> None:
    """Write tables as one, without rows if every run diverged."""
    table = pd.concat(tables) if tables else pd.DataFrame(columns=list(_TYPES))
    write_table(table.astype(_TYPES), output, record)


def _bands_first(image: Image) -> np.ndarray:
    return np.moveaxis(image, -1, 0)


def _moved(part: slice, by: int) -> slice:
    return slice(part.start + by, part.stop + by)
