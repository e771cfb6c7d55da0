"""RVSR, a small super-resolution network with exchangeable border handling."""

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from einops import rearrange
from jaxtyping import Array, Float

from spatial_prediction.models._block import convolve_and_feed_forward
from spatial_prediction.models._border_names import border_from_name
from spatial_prediction.models._borders import AbstractBorder, PaddedBorder, as_border, check_one_pixel
from spatial_prediction.models._convolution import Convolution
from spatial_prediction.models._ending import Ending
from spatial_prediction.models._feed_forward import FeedForward
from spatial_prediction.models._repconv import ExpandedConvolution, RepConv
from spatial_prediction.padding import AbstractPadding, padding_from_name


class Block(eqx.Module):
    """RepViT block: a RepConv (or its merged convolution) and a feed-forward part."""

    repconv: RepConv | Convolution
    ffn: FeedForward


class RVSR(eqx.Module):
    """Super-resolution by a factor of four with configurable border handling.

    A 3x3 head, ``blocks`` RepViT blocks with a skip across them, a RepConv, a 1x1 projection and a pixel
    shuffle, added to the bilinearly upscaled input. Each 3x3 convolution handles its border with one of
    ``borders``, in the order of the layers; the bilinear upscaling pads with ``upscale_padding``.
    Feed-forward GELUs are the only non-linearity.

    ``output_crop`` input pixels are cropped from each side of the output. The last ``output_crop`` of the ten
    3x3 convolutions then need no padding and run without it, which gives exactly the kept part of the
    uncropped output.

    The blocks of ``body`` are stacked, with a leading axis; those of a merged network are apart.

    Call it on one example (3, height, width); ``apply`` takes channels-last batches, as in training.
    Values are reflectance scaled to [-1, 1]. Source: arXiv 2404.16484, as re-implemented for arXiv
    2502.12300, whose parameter count (218,928) and numbers it reproduces.
    """

    head: Convolution
    body: Block | tuple[Block, ...]
    tail: RepConv | Convolution
    project: Convolution
    borders: tuple[AbstractBorder, ...]
    upscale_padding: AbstractPadding
    output_crop: int = eqx.field(static=True)
    upscale_factor: int = eqx.field(static=True)

    def __check_init__(self) -> None:
        if not 0 <= self.output_crop <= self.depth:
            raise ValueError(
                f"output_crop must be 0 to {self.depth} (one a 3x3 convolution), got {self.output_crop}"
            )
        if not isinstance(self.upscale_padding, AbstractPadding):
            raise TypeError(
                "the upscaling is padded by an object, such as padding_from_name('repl', 1), got "
                f"{self.upscale_padding!r}"
            )
        check_one_pixel(self.upscale_padding)

    @classmethod
    def initialised(
        cls,
        *,
        padding: AbstractBorder | AbstractPadding,
        upscale_padding: AbstractPadding,
        output_crop: int = 0,
        hidden_channels: int = 16,
        blocks: int = 8,
        upscale_factor: int = 4,
        key: Array,
    ) -> "RVSR":
        """Make a network with random weights; they depend on ``key`` and the sizes, not on the borders.

        Args:
            padding: border handling of every 3x3 convolution: a padding of one pixel on each side, or
                another handling, such as ``border_from_name`` makes.
            upscale_padding: padding of one pixel before the bilinear upscaling.
            output_crop: input pixels cropped from each side of the output.
            hidden_channels: channels between head and projection.
            blocks: number of RepViT blocks.
            upscale_factor: output pixels per input pixel along each axis.
            key: random key of the weights.

        Raises:
            ValueError: a padding is not of one pixel on each side, or there is no such output crop.
            TypeError: ``padding`` or ``upscale_padding`` is something else, such as a name.
        """
        head_key, body_key, tail_key, project_key = jax.random.split(key, 4)

        def block(key: Array) -> Block:
            repconv_key, ffn_key = jax.random.split(key)
            return Block(
                RepConv.initialised(hidden_channels, key=repconv_key),
                FeedForward.initialised(hidden_channels, key=ffn_key),
            )

        head = Convolution.initialised(3, hidden_channels, 3, key=head_key)
        body = eqx.filter_vmap(block)(jax.random.split(body_key, blocks))
        tail = RepConv.initialised(hidden_channels, key=tail_key)
        return cls(
            head=head,
            body=body,
            tail=tail,
            project=Convolution.initialised(hidden_channels, 3 * upscale_factor**2, 1, key=project_key),
            borders=_borders_of_layers(as_border(padding), head, body, tail),
            upscale_padding=upscale_padding,
            output_crop=output_crop,
            upscale_factor=upscale_factor,
        )

    @classmethod
    def from_named_arrays(
        cls,
        arrays: Mapping[str, Any],
        *,
        padding: AbstractBorder | AbstractPadding | str,
        upscale_padding: AbstractPadding | str,
        output_crop: int = 0,
    ) -> "RVSR":
        """Make a network from ``{name: array}`` as ``to_named_arrays`` returns it.

        Sizes follow from the shapes.

        Args:
            arrays: those of the network, and of its border handling if that has any.
            padding: border handling of every 3x3 convolution, as for ``initialised``; or its name,
                which stands for ``border_from_name(padding)``.
            upscale_padding: padding of one pixel before the bilinear upscaling; or its name, which stands for
                ``padding_from_name(upscale_padding, 1)``.
            output_crop: input pixels cropped from each side of the output.

        Raises:
            ValueError: an array is missing or unknown, no border handling or padding has the name, a padding
                is not of one pixel on each side, or there is no such output crop.
            TypeError: ``padding`` is not a border handling, padding or name.
        """
        border = border_from_name(padding) if isinstance(padding, str) else as_border(padding)
        if isinstance(upscale_padding, str):
            upscale_padding = padding_from_name(upscale_padding, 1)
        left = dict(arrays)

        def array(name: str) -> Any:
            if name not in left:
                raise ValueError(
                    f"the weights lack {name!r}; these are not the arrays of an RVSR network with "
                    f"{padding if isinstance(padding, str) else type(padding).__name__!r}"
                )
            return left.pop(name)

        def convolution(name: str) -> Convolution:
            # Arranged before they become arrays of JAX, which would compile a program for each arrangement.
            kernel = rearrange(array(f"{name}.weight"), "... o i h w -> ... h w i o")
            return Convolution(_on_device(kernel), _on_device(array(f"{name}.bias")[..., 0, 0]))

        def repconv(name: str) -> RepConv:
            def branch(branch_name: str) -> ExpandedConvolution:
                parts = ("expand", "spatial", "reduce")
                return ExpandedConvolution(*(convolution(f"{name}.{branch_name}.{part}") for part in parts))

            return RepConv(
                branch("branch_1"),
                branch("branch_2"),
                convolution(f"{name}.residual_1x1"),
                convolution(f"{name}.residual_3x3"),
            )

        body = Block(
            repconv("body.repconv"),
            FeedForward(convolution("body.ffn.expand"), convolution("body.ffn.reduce")),
        )
        head, tail = convolution("head"), repconv("tail.repconv")
        borders = eqx.filter_eval_shape(_borders_of_layers, border, head, body, tail)
        model = cls(
            head=head,
            body=body,
            tail=tail,
            project=convolution("tail.project"),
            borders=jax.tree_util.tree_map_with_path(
                lambda path, _: _on_device(array(_border_name(path))), borders
            ),
            upscale_padding=upscale_padding,
            output_crop=output_crop,
            upscale_factor=round((len(arrays["tail.project.bias"]) / 3) ** 0.5),
        )
        if left:
            raise ValueError(f"the weights hold {sorted(left)[0]!r}, which an RVSR network does not have")
        return model

    def to_named_arrays(self) -> dict[str, np.ndarray]:
        """Return ``{name: array}``: weights (outputs, inputs, rows, columns), biases (outputs, 1, 1).

        Arrays of the body have a leading axis over the blocks. Arrays of the border handling keep their
        shapes and are named ``borders.LAYER.FIELD``.

        Raises:
            ValueError: the branches have been merged; their weights are gone.
        """
        body = self.body
        if (
            isinstance(self.tail, Convolution)
            or isinstance(body, tuple)
            or isinstance(body.repconv, Convolution)
        ):
            raise ValueError("branches have been merged; export the network before merge_branches")
        named = {}
        parts = {"head": self.head, "tail.project": self.project}
        parts |= {"body.ffn.expand": body.ffn.expand, "body.ffn.reduce": body.ffn.reduce}
        for name, repconv in (("body.repconv", body.repconv), ("tail.repconv", self.tail)):
            parts[f"{name}.residual_1x1"] = repconv.residual_1x1
            parts[f"{name}.residual_3x3"] = repconv.residual_3x3
            for branch in ("branch_1", "branch_2"):
                for part in ("expand", "spatial", "reduce"):
                    parts[f"{name}.{branch}.{part}"] = getattr(getattr(repconv, branch), part)
        for name, convolution in parts.items():
            kernel = rearrange(np.asarray(convolution.kernel), "... h w i o -> ... o i h w")
            named[f"{name}.weight"] = np.ascontiguousarray(kernel)
            named[f"{name}.bias"] = np.asarray(convolution.bias)[..., None, None]
        for path, leaf in jax.tree_util.tree_leaves_with_path(self.borders):
            named[_border_name(path)] = np.asarray(leaf)
        return named

    def __call__(self, x: Float[Array, "3 height width"]) -> Float[Array, "3 out_height out_width"]:
        """Upscale one example of shape (3, height, width) to (3, 4 (height - 2 crop), 4 (width - 2 crop))."""
        return jnp.moveaxis(self.apply(jnp.moveaxis(x, 0, -1)[None])[0], -1, 0)

    def apply(self, x: Float[Array, "batch height width 3"]) -> Float[Array, "batch out_height out_width 3"]:
        """Upscale a channels-last batch."""
        return self.ending(x)[0].pixels()

    def with_features(self, x: Float[Array, "batch height width 3"]) -> tuple[Array, list[Array]]:
        """Upscale, and also return the feature maps of ``phases_with_features``."""
        ending, features = self.ending(x)
        return ending.pixels(), features

    def phases_with_features(self, x: Float[Array, "batch height width 3"]) -> tuple[Array, list[Array]]:
        """Upscale without the final pixel shuffle, which a loss does not need.

        Returns:
            The output as ``pixel_unshuffle`` returns it, and the input of each 3x3 convolution after the
            head: ``blocks + 1`` feature maps (batch, height, width, channels) before padding.

        Raises:
            TypeError: ``x`` does not have a floating dtype.
        """
        ending, features = self.ending(x)
        return ending.phases(), features

    def ending(self, x: Float[Array, "batch height width 3"]) -> tuple[Ending, list[Array]]:
        """Compute all but the end, and the feature maps that ``phases_with_features`` returns.

        Raises:
            TypeError: ``x`` does not have a floating dtype.
        """
        if not jnp.issubdtype(x.dtype, jnp.floating):
            raise TypeError(f"x must be reflectance scaled to [-1, 1], of floating numbers; got {x.dtype}")
        head = self._convolved(x, 0, self.head)
        features = [head]
        # A loop over equal blocks (lax.scan) would compile sooner, but XLA runs convolutions inside loops
        # several times slower on CPUs.
        for index, block in enumerate(_blocks(self.body), 1):
            features.append(self._block(features[-1], index, block))
        features[-1] = features[-1] + _cropped(head, (head.shape[1] - features[-1].shape[1]) // 2)
        return self._ending(x, features[-1]), features

    def remembered(self, maps: Sequence[Array]) -> "RVSR | None":
        """Add the statistics of a batch to the memories of border handlings that have one.

        Args:
            maps: the input of each 3x3 convolution: that of the network, then the feature maps of
                ``with_features``.

        Returns:
            A network with the new memories and None for every other array; None if there is no memory.
        """
        borders = [border.remember(each) for border, each in zip(self.borders, maps, strict=True)]
        if not any(borders):
            return None
        nothing = jax.tree.map(lambda _: None, self)
        kept = tuple(new or old for new, old in zip(borders, nothing.borders, strict=True))
        return eqx.tree_at(lambda model: model.borders, nothing, kept)

    def _ending(self, x: Array, body: Array) -> Ending:
        features = self._convolved(body, self.depth - 1, self.tail)
        x = self.upscale_padding.extend(x) if self.output_crop == 0 else _cropped(x, self.output_crop - 1)
        return Ending(x, features, self.project, self.upscale_factor)

    def _convolved(self, x: Array, index: int, layer: RepConv | Convolution) -> Array:
        """Apply the ``index``-th 3x3 convolution, without padding if the kept output does not need it."""
        if index < self.depth - self.output_crop:
            return self.borders[index].convolve(x, layer)
        return layer(x)

    def _block(self, x: Array, index: int, block: Block) -> Array:
        """Apply a block, the ``index``-th 3x3 convolution of which is as in ``_convolved``."""
        if index < self.depth - self.output_crop:
            return self.borders[index].convolve_and_feed_forward(x, block.repconv, block.ffn)
        if isinstance(block.repconv, Convolution):
            return convolve_and_feed_forward(x, block.repconv, block.ffn)
        return block.ffn(block.repconv(x))

    @property
    def depth(self) -> int:
        """Number of 3x3 convolutions between input and output."""
        return len(self.borders)

    @property
    def padding(self) -> AbstractPadding | None:
        """The padding of the network's input; None if borders are handled otherwise."""
        border = self.borders[0]
        return border.padding if isinstance(border, PaddedBorder) else None

    @property
    def couples_batch(self) -> bool:
        """Whether an output, or a memory for later ones, depends on which examples form a batch."""
        return self.upscale_padding.couples_batch or any(each.couples_batch for each in self.borders)

    @property
    def halo(self) -> int:
        """Input pixels beyond its own that an output pixel sees on each side: one a 3x3 convolution."""
        return self.depth


@eqx.filter_jit  # most handlings do not use the layers, which are then not even taken apart
def _borders_of_layers(
    border: AbstractBorder, head: Convolution, body: Block, tail: RepConv
) -> tuple[AbstractBorder, ...]:
    """Make the border handling of each 3x3 convolution before training."""
    return tuple(border.for_layer(layer) for layer in _layers(head, body, tail))


@eqx.filter_jit
def _merged_borders(model: RVSR) -> tuple[AbstractBorder, ...]:
    layers = _layers(model.head, model.body, model.tail)
    return tuple(border.merged(layer) for border, layer in zip(model.borders, layers, strict=True))


def _layers(
    head: Convolution, body: Block | tuple[Block, ...], tail: RepConv | Convolution
) -> list[RepConv | Convolution]:
    """Take the 3x3 layers apart, in the order of the borders."""
    return [head, *(block.repconv for block in _blocks(body)), tail]


def _blocks(body: Block | tuple[Block, ...]) -> tuple[Block, ...]:
    """Take the blocks apart."""
    if isinstance(body, tuple):
        return body
    count = body.ffn.expand.bias.shape[0]
    return tuple(jax.tree.map(lambda leaf, index=index: leaf[index], body) for index in range(count))


def _on_device(array: Any) -> Array:
    """Copy an array: ``device_put`` may share NumPy's memory, ``asarray`` compiles for each shape."""
    return jax.device_put(np.array(array))


def _border_name(path: tuple[Any, ...]) -> str:
    return "borders." + jax.tree_util.keystr(path, simple=True, separator=".")


def merge_branches(model: RVSR) -> RVSR:
    """Return the inference form: each RepConv as one 3x3 convolution, with the same outputs.

    The blocks are taken apart, too: to take a weight out of a stack costs a copy in each call. Cheap and
    differentiable, so training may merge inside the step: the loss and its gradient with respect to the
    branches are those of the unmerged form, for a tenth of the arithmetic.
    """
    body = model.body
    if (
        isinstance(model.tail, Convolution)
        or isinstance(body, tuple)
        or isinstance(body.repconv, Convolution)
    ):
        return model
    merged = (_blocks(Block(body.repconv.merged(), body.ffn)), model.tail.merged(), _merged_borders(model))
    return eqx.tree_at(lambda m: (m.body, m.tail, m.borders), model, merged)


def _cropped(x: Array, margin: int) -> Array:
    return x[:, margin : x.shape[1] - margin, margin : x.shape[2] - margin]
