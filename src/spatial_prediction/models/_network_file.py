"""Trained networks, read from the files that the study writes, and the one that comes with the package."""

import dataclasses
import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import numpy as np

from spatial_prediction.errors import CheckpointError
from spatial_prediction.models._border_names import border_from_name
from spatial_prediction.models._rvsr import RVSR, merge_branches
from spatial_prediction.named_arrays import load_arrays
from spatial_prediction.padding import padding_from_name

BUNDLED_NETWORK = Path(__file__).parent / "bundled" / "lp2x3.safetensors"
"""File of the network that comes with the package; ``docs/model_card.md`` says what it is."""

_FIELDS = {"padding": str, "upscale_padding": str, "output_crop": int, "model": Mapping, "run": Mapping}
_NO_NETWORK = "so it is no network of the study; give a file of results/models"
_REMEDY = "fetch the file again, or train the network anew"


def load_network(path: str | Path, *, output_crop: int | None = None, merged: bool = True) -> RVSR:
    """Read a network that the study has trained, ready for use.

    Sizes, paddings and output crop are those of its training, which are in the file's header.

    Args:
        path: ``results/models/{preset}/seed_{seed}.safetensors``.
        output_crop: input pixels cropped from each side of the output; by default as in training. Without a
            crop (0) the output covers the whole input.
        merged: return the inference form, one convolution per layer, see :func:`merge_branches`; False keeps
            the branches, for further training or ``to_named_arrays``.

    Returns:
        The network. Call it on reflectance scaled to [-1, 1] (DN / 5000 - 1), shape (3, height, width), bands
        B04, B03, B02.

    Raises:
        CheckpointError: the file is missing or damaged, has another format version, is no network of the
            study, has arrays of other shapes than its header says, or is of a run that diverged and has no
            weights.
        ValueError: the network has no such output crop, or the crop is not a whole number.
    """
    network, header = network_and_header(path, output_crop=output_crop)
    if network is None:
        run = header["run"]
        raise CheckpointError(
            f"{path}: its training diverged at step {run.get('step')} ({run.get('reason')}), so it holds no "
            "weights; take another seed or preset"
        )
    return _merged(network) if merged else network


def bundled_network(*, output_crop: int | None = None, merged: bool = True) -> RVSR:
    """Read the network that comes with the package, 4x super-resolution of Sentinel-2's B04, B03 and B02.

    Its borders are padded by linear prediction (``lp2x3``), and by default its output covers the whole input.
    It was trained on seven scenes, which contain modified Copernicus Sentinel data of 2018, 2019 and a year
    that is not known. ``docs/model_card.md`` has sources, errors and limits.

    Args:
        output_crop: as of :func:`load_network`.
        merged: as of :func:`load_network`.

    Returns:
        The network, which is called as :func:`load_network` says.

    Raises:
        CheckpointError: the package's file is missing or damaged.
        ValueError: the network has no such output crop.
    """
    return load_network(BUNDLED_NETWORK, output_crop=output_crop, merged=merged)


def _merged(network: RVSR) -> RVSR:
    """Merge the branches by NumPy: to compile that takes longer than to merge, and 90 MiB of memory."""
    return jax.device_put(merge_branches(jax.tree.map(np.asarray, network)))


def network_and_header(
    path: str | Path, *, output_crop: int | None = None
) -> tuple[RVSR | None, dict[str, Any]]:
    """Read a network with its training branches (None for a diverged run) and the header of its file.

    Raises:
        CheckpointError: as :func:`load_network`, except for diverged runs.
    """
    arrays, header = load_arrays(path)
    try:
        fields = {field: header[field] for field in _FIELDS}
    except KeyError as error:
        raise CheckpointError(f"{path}: its header lacks {error}, {_NO_NETWORK}") from None
    for field, kind in _FIELDS.items():
        if not isinstance(fields[field], kind):
            raise CheckpointError(f"{path}: {field!r} in its header is {fields[field]!r}, {_NO_NETWORK}")
    if header["run"].get("status") != "completed":
        return None, header
    model = _network(path, arrays, header)
    crop = header["output_crop"] if output_crop is None else output_crop
    if not isinstance(crop, int | np.integer) or not 0 <= crop <= model.depth:
        raise ValueError(
            f"output_crop must be 0 to {model.depth} (whole pixels, one a 3x3 convolution) for {path}, "
            f"got {crop!r}"
        )
    return dataclasses.replace(model, output_crop=int(crop)), header


def _network(path: str | Path, arrays: Mapping[str, np.ndarray], header: Mapping[str, Any]) -> RVSR:
    """Put the arrays in their places, and compare their shapes with the sizes in the header."""
    padding, upscale_padding = header["padding"], header["upscale_padding"]
    try:
        wanted = _shapes(padding, upscale_padding, json.dumps(header["model"]))
        model = RVSR.from_named_arrays(arrays, padding=padding, upscale_padding=upscale_padding)
    except (ValueError, TypeError, IndexError, KeyError, ArithmeticError) as error:
        raise CheckpointError(f"{path}: {error}; {_REMEDY}") from None
    sizes = [
        (jax.tree_util.keystr(place), leaf.shape)
        for place, leaf in jax.tree_util.tree_leaves_with_path(eqx.filter(model, eqx.is_array))
    ]
    for (place, shape), right in zip(sizes, wanted, strict=True):
        if shape != right:
            raise CheckpointError(
                f"{path}: the weights {place} have shape {shape}, and {right} by the sizes in the header, "
                f"{header['model']}; {_REMEDY}"
            )
    return model


@functools.lru_cache(maxsize=32)
def _shapes(padding: str, upscale_padding: str, sizes: str) -> list[tuple[int, ...]]:
    """Shapes of the arrays of a network with these sizes (JSON), found without making them."""
    make = functools.partial(
        RVSR.initialised,
        padding=border_from_name(padding),
        upscale_padding=padding_from_name(upscale_padding, 1),
        **json.loads(sizes),
    )
    expected = eqx.filter_eval_shape(lambda: make(key=jax.random.key(0)))
    return [leaf.shape for leaf in jax.tree.leaves(eqx.filter(expected, lambda x: hasattr(x, "shape")))]
