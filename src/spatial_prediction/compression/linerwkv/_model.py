"""LineRWKV: prediction of each sample of a cube from earlier lines and from earlier bands of its line."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from spatial_prediction.compression.linerwkv._blocks import Block, BlockState, initial_state, stack, step
from spatial_prediction.compression.linerwkv._initialisation import initialised_blocks, uniform
from spatial_prediction.compression.linerwkv._layers import Affine, Decoder, Head, LineEncoder
from spatial_prediction.errors import CheckpointError


@dataclasses.dataclass(frozen=True)
class Size:
    """Sizes of a network; the published ones are in :data:`SIZES`.

    Attributes:
        features: width of every layer.
        encoder_layers: convolutions along the columns.
        line_blocks: RWKV blocks whose time is the lines.
        band_blocks: RWKV blocks whose time is the bands.
        decoder_layers: layers from features to a prediction.
    """

    features: int
    encoder_layers: int
    line_blocks: int
    band_blocks: int
    decoder_layers: int


SIZES = {
    "xs": Size(32, 1, 2, 2, 1),
    "s": Size(64, 2, 2, 2, 2),
    "m": Size(64, 4, 4, 4, 4),
    "l": Size(96, 4, 6, 6, 4),
}
"""The published networks, of 30,466, 135,042, 286,082 and 900,290 parameters."""


class LineRWKV(eqx.Module):
    """The network on normalised samples; statistics and samples as integers are its callers' affair.

    ``blocks_lines`` sees, for each column and band, one line after the other; ``blocks_bands``, for each
    column, one band of the line to predict after the other. Source: arXiv 2403.17677. No parameter depends
    on the numbers of lines, columns or bands. Published arrays are read by name.
    """

    encoder: LineEncoder
    decoder: Decoder
    bandzerodec: Head
    blocks_lines: tuple[Block, ...]
    blocks_bands: tuple[Block, ...]

    @classmethod
    def initialised(cls, size: Size, *, key: Array) -> "LineRWKV":
        """Make a network with random weights, spread as in the publication."""
        encoder_key, decoder_key, head_key, lines_key, bands_key = jax.random.split(key, 5)
        width = size.features

        def conv(outputs: int, inputs: int, taps: int, *, key: Array) -> Affine:
            weight_key, bias_key = jax.random.split(key)
            fan_in = inputs * taps
            weight = uniform((outputs, inputs, taps), fan_in, key=weight_key)
            return Affine(weight, uniform((outputs,), fan_in, key=bias_key))

        def norms(count: int) -> tuple[Affine, ...]:
            return tuple(Affine(jnp.ones(width), jnp.zeros(width)) for _ in range(count))

        encoder_keys = jax.random.split(encoder_key, size.encoder_layers)
        decoder_keys = jax.random.split(decoder_key, size.decoder_layers)
        return cls(
            encoder=LineEncoder(
                conv(width, 1, 3, key=encoder_keys[0]),
                norms(1)[0],
                tuple(conv(width, width, 3, key=key) for key in encoder_keys[1:]),
                norms(size.encoder_layers - 1),
            ),
            decoder=Decoder(
                tuple(conv(width, width, 1, key=key) for key in decoder_keys[1:]),
                norms(size.decoder_layers - 1),
                conv(1, width, 1, key=decoder_keys[0]),
            ),
            bandzerodec=Head(conv(1, width, 1, key=head_key)),
            blocks_lines=initialised_blocks(size.line_blocks, width, key=lines_key),
            blocks_bands=initialised_blocks(size.band_blocks, width, key=bands_key),
        )

    @classmethod
    def from_named_arrays(cls, arrays: Mapping[str, Any]) -> "LineRWKV":
        """Make a network from ``{name: array}`` as published; its sizes follow from the names and shapes.

        Raises:
            CheckpointError: an array is missing, unknown, or of another shape.
        """
        left = dict(arrays)
        structure = eqx.filter_eval_shape(cls.initialised, _size_of(arrays), key=jax.random.key(0))

        def array(path: tuple[Any, ...], expected: jax.ShapeDtypeStruct) -> Array:
            name = _name(path)
            if name not in left:
                raise CheckpointError(f"the weights lack {name!r}; these are not the arrays of a LineRWKV")
            found = jnp.asarray(left.pop(name))
            if found.shape != expected.shape:
                raise CheckpointError(
                    f"the weights' array {name!r} is of shape {found.shape} and should be of "
                    f"{expected.shape}; take all arrays from one network"
                )
            return found

        model = jax.tree_util.tree_map_with_path(array, structure)
        if left:
            raise CheckpointError(
                f"the weights hold {sorted(left)[0]!r}, which a LineRWKV does not have; remove it"
            )
        return model

    def to_named_arrays(self) -> dict[str, np.ndarray]:
        """Return ``{name: array}`` with the published names and shapes."""
        return {_name(path): np.asarray(leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(self)}

    def encode(self, samples: Float[Array, "*lines columns bands"]) -> Float[Array, "*lines columns bands F"]:
        """Encode each band of each line by itself."""
        return jnp.moveaxis(self.encoder(jnp.moveaxis(samples, -1, -2)), -3, -2)

    def predict(
        self, samples: Float[Array, "lines columns bands"]
    ) -> Float[Array, "predicted columns bands"]:
        """Predict lines 1 … lines - 1 of normalised samples, all in parallel.

        A prediction depends on the earlier lines and on the earlier bands of its line only.
        """
        return self.predict_encoded(samples, self.encode(samples))

    def predict_encoded(
        self, samples: Float[Array, "lines *columns bands"], encoded: Float[Array, "lines *columns bands F"]
    ) -> Float[Array, "predicted *columns bands"]:
        """Predict as :meth:`predict` does, from samples and what the line encoder made of them.

        After the encoder nothing connects the columns, so any selection of them may be given.
        """
        spatial = stack(self.blocks_lines, encoded[:-1])
        surprise = jnp.moveaxis(encoded[1:] - spatial, -2, 0)
        spectral = jnp.moveaxis(stack(self.blocks_bands, surprise), 0, -2)
        return self._head(samples[:-1], spatial, spectral)

    def begin(self, columns: int, bands: int) -> tuple[BlockState, ...]:
        """Return the state before the first line."""
        dtype = self.bandzerodec.conv_out.weight.dtype
        features = jnp.zeros((columns, bands, self.features), dtype)
        return initial_state(self.blocks_lines, features)

    def next_line(
        self, state: tuple[BlockState, ...], line: Float[Array, "columns bands"]
    ) -> tuple[tuple[BlockState, ...], Float[Array, "columns bands F"]]:
        """Take in a line; return the new state and what is expected of the encoding of the next line."""
        return step(self.blocks_lines, state, self.encode(line))

    def predict_line(
        self,
        line: Float[Array, "columns bands"],
        expected: Float[Array, "columns bands F"],
        next_line: Float[Array, "columns bands"],
    ) -> Float[Array, "columns bands"]:
        """Predict the bands of ``next_line``, each from the bands before it, by steps from band to band.

        Args:
            line: the line before.
            expected: what :meth:`next_line` returned for it.
            next_line: the line to predict.
        """
        surprise = jnp.moveaxis(self.encode(next_line) - expected, 1, 0)
        state = initial_state(self.blocks_bands, surprise[0])
        _, spectral = jax.lax.scan(lambda state, x: step(self.blocks_bands, state, x), state, surprise)
        return self._head(line, expected, jnp.moveaxis(spectral, 0, 1))

    def _head(self, before: Array, spatial: Array, spectral: Array) -> Array:
        """Predict band zero from the line before, the others also from the band before."""
        first = self.bandzerodec(spatial[..., 0, :]) + before[..., 0]
        others = self.decoder(spatial[..., 1:, :] + spectral[..., :-1, :])
        return jnp.concatenate([first[..., None], others], -1)

    @property
    def features(self) -> int:
        """Width of every layer."""
        return self.encoder.conv_in.bias.shape[0]

    @property
    def parameters(self) -> int:
        """Count of all weights."""
        return sum(leaf.size for leaf in jax.tree.leaves(self))


def _size_of(arrays: Mapping[str, Any]) -> Size:
    """Read off the sizes from names and shapes."""

    def count(pattern: str) -> int:
        prefix, suffix = pattern.split("*")
        found = 0
        while f"{prefix}{found}{suffix}" in arrays:
            found += 1
        return found

    if np.ndim(arrays.get("encoder.conv_in.bias", 0)) != 1:
        raise CheckpointError(
            "the weights lack a vector 'encoder.conv_in.bias'; these are not the arrays of a LineRWKV"
        )
    return Size(
        features=len(arrays["encoder.conv_in.bias"]),
        encoder_layers=1 + count("encoder.convs.*.bias"),
        line_blocks=count("blocks_lines.*.ln1.bias"),
        band_blocks=count("blocks_bands.*.ln1.bias"),
        decoder_layers=1 + count("decoder.convs.*.bias"),
    )


def _name(path: tuple[Any, ...]) -> str:
    return jax.tree_util.keystr(path, simple=True, separator=".")
