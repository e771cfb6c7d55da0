"""What a device could do at most, and what share of it is reached."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import training_step

from gpu.sizes import Sizes
from gpu.timing import Clock, measured, repeated

Row = dict[str, Any]

DATA_SHEETS = (
    # Part of the device's name, TFLOP/s in float32 without tensor cores, GB/s; the first that fits counts.
    # nvidia.com: data sheets of the H200, the H100 (SXM, PCIe and NVL), the A100, the V100 and the V100S
    ("H200 NVL", 60.0, 4800),
    ("H200", 66.9, 4800),
    ("H100 PCIe", 51.2, 2000),
    ("H100 NVL", 60.0, 3900),
    ("H100", 66.9, 3350),
    ("A100-SXM4-80GB", 19.5, 2039),
    ("A100 80GB PCIe", 19.5, 1935),
    ("A100", 19.5, 1555),
    ("V100S", 16.4, 1134),
    ("V100-PCIE", 14.0, 900),
    ("V100", 15.7, 900),
    # shading units x 2 x boost clock, and width of the bus x its rate, as in NVIDIA's Ada whitepaper
    ("RTX 4070 Ti SUPER", 44.1, 672),
    ("RTX 4070 Ti", 40.1, 504),
)

OPERATIONS = training_step.operations(1) / 3 / 48**2
"""Of the merged network, for each input pixel."""

BYTES = 8 * 2 * 16 * 4
"""Read and written of each input pixel if each of eight blocks reads and writes 16 channels once."""

UNFUSED_BYTES = 8 * (32 + 48 + 48) * 4
"""The same if its convolutions of 3 x 3, to 32 channels and back each read and write their maps."""

PASSES = {"inference": 1, "training": 3}
"""A step of training is counted as three forward passes: forwards, by inputs, by weights."""


class Roofline(NamedTuple):
    """Of float32: operations and bytes per second."""

    operations: float
    bandwidth: float

    def pixels(self, kind: str) -> float:
        """Input pixels per second that are possible at most, with blocks fused."""
        return min(self.operations / OPERATIONS, self.bandwidth / BYTES) / PASSES[kind]

    def shares(self, kind: str, pixels: float) -> Row:
        """Shares of the roofline, and of it where no layers are fused, of input pixels per second."""
        unfused = min(self.operations / OPERATIONS, self.bandwidth / UNFUSED_BYTES) / PASSES[kind]
        return {"of the roofline": pixels / self.pixels(kind), "of it, unfused": pixels / unfused}


def of_data_sheet(device: str) -> Roofline | None:
    """Find a device by its name."""
    for part, teraflops, gigabytes in DATA_SHEETS:
        if part in device:
            return Roofline(1e12 * teraflops, 1e9 * gigabytes)
    return None


def device(sizes: Sizes, clock: Clock, earlier: Mapping[str, Iterable[Row]]) -> Iterator[Row]:
    """Measure a product of matrices and a copy; put the data sheet beside them."""
    sheet = of_data_sheet(jax.devices()[0].device_kind)
    side = sizes.products
    a = jnp.ones((side, side))
    for precision, what in (("highest", "float32"), ("default", "default precision")):
        product = jax.jit(lambda a, precision=precision: jnp.matmul(a, a, precision=precision))
        took = measured(repeated(lambda product=product: product(a)), sizes.seconds, sizes.rounds)
        row = {"what": f"product of matrices, {what}", "unit": "TFLOP/s"}
        known = sheet.operations / 1e12 if sheet and precision == "highest" else None
        yield {**row, "measured": 2 * side**3 / took.median / 1e12, "data sheet": known}
    x = jnp.ones(sizes.copied)
    copy = jax.jit(lambda x: x + 1)
    took = measured(repeated(lambda: copy(x)), sizes.seconds, sizes.rounds)
    row = {"what": "copy in memory", "unit": "GB/s", "measured": 2 * x.nbytes / took.median / 1e9}
    yield {**row, "data sheet": sheet.bandwidth / 1e9 if sheet else None}


def roofline_of(earlier: Mapping[str, Iterable[Row]]) -> Roofline | None:
    """Take the data sheet's figures where there are any, and the measured ones elsewhere."""
    if sheet := of_data_sheet(jax.devices()[0].device_kind):
        return sheet
    found = {row["what"]: row["measured"] for row in earlier.get("device", ())}
    try:
        return Roofline(1e12 * found["product of matrices, float32"], 1e9 * found["copy in memory"])
    except KeyError:
        return None
