"""How large everything is: in full, or tiny, to try on a CPU that all of it works."""

import dataclasses

from spatial_prediction.studies.super_resolution.config import ModelSettings

PUBLISHED_MODEL = ModelSettings()


@dataclasses.dataclass(frozen=True)
class Sizes:
    """Sizes of all sections.

    Attributes:
        model: the network that is trained.
        batch: tiles of a training step.
        inference_batch: tiles of a prediction.
        seeds: networks trained together.
        scenes: from which tiles are cut, of 512 x 512 pixels.
        training_presets: trained one by one, together, and by the plain implementation.
        paddings: presets whose cost over zero padding is measured; None for all.
        first_batches: of training and of inference, from which on batches are doubled.
        largest_batch: at which doubling ends though memory has not.
        upscaled: rows and columns of the images that are upscaled, one after the other.
        tile: input pixels that a tile keeps there.
        hidden: shares of hidden cells of the Gaussian process.
        cube: lines, columns and bands that LineRWKV predicts.
        linerwkv: its sizes, by name.
        studied: presets of the published study whose days are measured; None for all.
        products: rows of the square matrices that are multiplied.
        copied: numbers that are copied.
        seconds: how long each measurement takes.
        rounds: of each measurement.
    """

    model: ModelSettings = PUBLISHED_MODEL
    batch: int = 64
    inference_batch: int = 2048
    seeds: int = 12
    scenes: int = 64
    training_presets: tuple[str, ...] = ("zero-repl", "lp2x3", "lp1x1cs", "lp6x7")
    paddings: tuple[str, ...] | None = None
    first_batches: tuple[int, int] = (256, 4096)
    largest_batch: int = 2**17
    upscaled: tuple[int, ...] = (1024, 2048, 4096, 8192)
    tile: int = 512
    hidden: tuple[float, ...] = (0.0, 0.9)
    cube: tuple[int, int, int] = (32, 64, 202)
    linerwkv: tuple[str, ...] = ("xs", "l")
    studied: tuple[str, ...] | None = None
    products: int = 8192
    copied: int = 2**28
    seconds: float = 1.0
    rounds: int = 7


TINY = Sizes(
    model=ModelSettings(blocks=1),
    batch=1,
    inference_batch=1,
    seeds=2,
    scenes=1,
    training_presets=("zero-repl",),
    paddings=("lp1x1cs",),
    first_batches=(1, 1),
    largest_batch=1,
    upscaled=(32,),
    tile=32,
    hidden=(0.9,),
    cube=(2, 4, 6),
    linerwkv=("xs",),
    studied=("zero-repl", "zero_oc1", "repl"),
    products=64,
    copied=2**10,
    seconds=0.0,
    rounds=2,
)
