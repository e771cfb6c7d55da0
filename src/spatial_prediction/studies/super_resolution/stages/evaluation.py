"""Stages: test errors by output crop, and errors of paddings on feature maps."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from spatial_prediction.files import read_object
from spatial_prediction.models import RVSR, merge_branches, network_and_header
from spatial_prediction.progress import progress
from spatial_prediction.provenance import provenance
from spatial_prediction.studies.super_resolution.config import LARGEST_OUTPUT_CROP, tile_size
from spatial_prediction.studies.super_resolution.data.tiles import corner_tiles, open_scene_array
from spatial_prediction.studies.super_resolution.stages.tables import write_table
from spatial_prediction.studies.super_resolution.task import configured_padding, pair, replicated_bilinear

KNOWN_SIZE = 28
"""Rows and columns of a feature map that a padding is given; it predicts the ring around them."""


@dataclasses.dataclass(frozen=True)
class CornerTiles:
    """The corner tiles of all test scenes, and how they are read.

    Attributes:
        test: array of test scenes.
        summary: summary of the arrays.
        low_res_size: rows and columns of the input.
        batch_size: tiles per batch.
    """

    test: Path
    summary: Path
    low_res_size: int
    batch_size: int

    def provenance(self, **settings: Any) -> dict[str, Any]:
        """Return the provenance of a result from these tiles."""
        summary = read_object(self.summary, ["test.sha256"])
        return provenance(data=summary["test"]["sha256"], **settings)

    def batches(self, upscale_factor: int) -> Iterator[np.ndarray]:
        """Yield the high-resolution tiles, int16 (batch, size, size, 3), the four of a scene together."""
        size = tile_size(self.low_res_size, upscale_factor)
        scenes = open_scene_array(self.test, smallest_size=size)
        scenes_per_batch = max(1, self.batch_size // 4)
        firsts = range(0, len(scenes), scenes_per_batch)
        for first in progress(firsts, total=len(firsts), description="evaluating", unit="batches"):
            chosen = scenes[first : first + scenes_per_batch]
            yield np.concatenate([corner_tiles(scene, size) for scene in chosen])


def evaluate_mse(model_paths: Sequence[Path], tiles: CornerTiles, *, output: Path) -> None:
    """Write the squared errors of the networks of one preset on the corner tiles of all test scenes.

    One row per network, image and output crop up to the largest: sum of squares over the four corners, three
    bands and all kept pixels, and their count. A diverged run adds no rows.
    """
    record = tiles.provenance()  # first, because it needs a readable summary
    headers, models = [], []
    for path in model_paths:
        model, header = network_and_header(path, output_crop=0)
        if model is not None:
            headers.append(header)
            models.append(eqx.partition(merge_branches(model), eqx.is_array))
    tables = []
    if models:
        static = models[0][1]
        sums, counts = corner_errors(
            lambda parameters, low_res: eqx.combine(parameters, static).apply(low_res),
            [parameters for parameters, _ in models],
            static.upscale_factor,
            tiles,
        )
        tables = [_rows(h["preset"], h["seed"], each, counts) for h, each in zip(headers, sums, strict=True)]
    _write_rows(tables, output, record)


def evaluate_bilinear(tiles: CornerTiles, *, upscale_factor: int, output: Path) -> None:
    """Write the squared errors of bilinear upscaling, in the same form as :func:`evaluate_mse`.

    Every network must beat it; the border is replicated.
    """
    record = tiles.provenance()

    def predict(_: None, low_res: jax.Array) -> jax.Array:
        return replicated_bilinear(low_res, upscale_factor)

    (sums,), counts = corner_errors(predict, [None], upscale_factor, tiles)
    _write_rows([_rows("bilinear", 0, sums, counts)], output, record)


def corner_errors(
    predict: Callable[[Any, jax.Array], jax.Array],
    parameters: Sequence[Any],
    factor: int,
    tiles: CornerTiles,
) -> tuple[np.ndarray, np.ndarray]:
    """Measure uncropped predictions of several networks on the corner tiles of all test scenes, in one pass.

    Tiles are read and prepared once for all networks, and one program serves them all.

    Args:
        predict: function of parameters and low-resolution tiles (batch, h, w, 3) that returns (batch, factor
            h, factor w, 3).
        parameters: those of each network.
        factor: upscale factor.
        tiles: the tiles to predict.

    Returns:
        Sums of squares, float64 (networks, images, crops), and pixel counts, int64 (crops,), by output crop.
    """
    crops = range(LARGEST_OUTPUT_CROP + 1)
    side = tiles.low_res_size * factor
    insides = jnp.asarray(np.stack([_inside(side, crop * factor) for crop in crops]), jnp.float32)
    prepared = jax.jit(lambda batch: pair(batch, factor))

    @jax.jit
    def crop_sums(parameters: Any, low_res: jax.Array, high_res: jax.Array) -> jax.Array:
        squares = jnp.sum((predict(parameters, low_res) - high_res) ** 2, axis=-1)
        return jnp.einsum("nyx,cyx->nc", squares, insides, precision="highest")

    sums = []
    for batch in tiles.batches(factor):
        low_res, high_res = prepared(batch)
        of_networks = [crop_sums(each, low_res, high_res) for each in parameters]
        sums.append(np.asarray(jnp.stack(of_networks), np.float64))
    counts = np.array([4 * 3 * (side - 2 * crop * factor) ** 2 for crop in crops])
    joined = np.concatenate(sums, axis=1)
    return joined.reshape(len(parameters), -1, 4, len(crops)).sum(axis=2), counts


def _rows(preset: str, seed: int, sums: np.ndarray, counts: np.ndarray) -> pd.DataFrame:
    """One row per image and crop."""
    images, crops = (axis.ravel() for axis in np.indices(sums.shape))
    return pd.DataFrame(
        {
            "preset": preset,
            "seed": seed,
            "image": images,
            "output_crop": crops,
            "sum_of_squares": sums.ravel(),
            "pixel_count": counts[crops],
        }
    )


def _write_rows(tables: list[pd.DataFrame], output: Path, provenance: dict[str, Any]) -> None:
    """Write tables as one, without rows if there are no tables."""
    none = _rows("", 0, np.zeros((0, 1)), np.zeros(1, int))
    table = pd.concat(tables) if tables else none
    write_table(table.astype({"preset": str, "seed": int}), output, provenance)


def evaluate_nmse(model_path: Path, tiles: CornerTiles, *, paddings: list[str], output: Path) -> None:
    """Write how well each padding predicts a ring of a network's feature maps.

    The network runs without padding on the corner tiles of all test scenes. The central 28 x 28 pixels of
    every map are padded by one pixel, and the ring is compared with the true one. One row per padding and
    map: 0 is the input, 1 to 9 are the inputs of the inner 3x3 convolutions, 10 is the output. Squared errors
        and squared
    deviations of the ring from its own mean are summed over images, channels and pixels; their ratio is the
    NMSE.

    Raises:
        ConfigurationError: no padding has one of the names.
    """
    record = tiles.provenance(paddings=paddings)
    model, header = network_and_header(model_path, output_crop=LARGEST_OUTPUT_CROP)
    rows: dict[str, list] = {"padding": [], "feature_map": [], "squared_error": [], "variance": []}
    if model is not None:
        measure = _ring_errors(paddings)
        merged = merge_branches(model)
        batches = tiles.batches(model.upscale_factor)
        totals = np.sum(
            [np.asarray(measure(merged, jnp.asarray(batch)), np.float64) for batch in batches], axis=0
        )
        errors, variances = totals[:-1], totals[-1]
        for padding, of_maps in zip(paddings, errors, strict=True):
            for feature_map, squared_error in enumerate(of_maps):
                rows["padding"].append(padding)
                rows["feature_map"].append(feature_map)
                rows["squared_error"].append(squared_error)
                rows["variance"].append(variances[feature_map])
    table = pd.DataFrame({"preset": header["preset"], "seed": header["seed"], **rows})
    types = {"preset": str, "seed": int, "padding": str, "feature_map": int}
    write_table(
        table.astype({**types, "squared_error": float, "variance": float}),
        output,
        record,
    )


def _ring_errors(paddings: list[str]) -> Callable[[RVSR, jax.Array], jax.Array]:
    pads = [configured_padding(name, 1) for name in paddings]
    ring = np.pad(np.zeros((KNOWN_SIZE, KNOWN_SIZE), bool), 1, constant_values=True)
    where = np.nonzero(ring)

    @eqx.filter_jit
    def measure(model: RVSR, tiles: jax.Array) -> jax.Array:
        """Sum squares, shape (paddings + 1, maps); the last row is the variance of the ring."""
        low_res, _ = pair(tiles, model.upscale_factor)
        prediction, features = model.with_features(low_res)
        columns = []
        for feature in (low_res, *features, prediction):
            target = _central(feature, KNOWN_SIZE + 2)
            actual = target[:, *where]  # (batch, ring pixels, channels)
            variance = jnp.sum((actual - actual.mean(axis=1, keepdims=True)) ** 2)
            known = target[:, 1:-1, 1:-1]
            errors = [jnp.sum((pad.extend(known)[:, *where] - actual) ** 2) for pad in pads]
            columns.append(jnp.stack([*errors, variance]))
        return jnp.stack(columns, axis=1)

    return measure


def _inside(side: int, margin: int) -> np.ndarray:
    inside = np.zeros((side, side))
    inside[margin : side - margin, margin : side - margin] = 1
    return inside


def _central(x: jax.Array, size: int) -> jax.Array:
    top, left = ((extent - size) // 2 for extent in x.shape[1:3])
    return x[:, top : top + size, left : left + size]
