"""DN as numbers of a file: rounded, limited, and with a value kept for what is missing."""

from collections.abc import Mapping
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np


class SampleType(NamedTuple):
    """The numbers that an output holds.

    Attributes:
        name: of the dtype.
        nodata: stands where a pixel is missing; no valid sample has it.
        lowest: the least valid DN.
        highest: the greatest valid DN.
    """

    name: str
    nodata: float
    lowest: float
    highest: float


SAMPLE_TYPES: Mapping[str, SampleType] = {
    each.name: each
    for each in (
        SampleType("uint16", 0, 1, 65535),
        SampleType("int16", -32768, -32767, 32767),
        SampleType("float32", float("nan"), float("-inf"), float("inf")),
    )
}
"""By their dtype. Of ``uint16``, 0 is nodata, as in Sentinel-2's own products: a valid DN is at least 1."""


def encode(dn: Any, kind: SampleType, library: ModuleType = np) -> tuple[Any, Any]:
    """Round DN to the nearest number of a type and limit them to what is valid.

    Args:
        dn: float32, of any shape; an array of ``library``.
        kind: the type.
        library: ``numpy`` or ``jax.numpy``.

    Returns:
        The samples, none of them nodata, and where they were limited, both of the shape of ``dn``. What is
        not a number becomes the lowest valid one, and counts as limited; with ``float32`` nothing does.
    """
    if kind.name == "float32":
        return dn, library.zeros(dn.shape, bool)
    rounded = library.rint(dn)
    within = (rounded >= kind.lowest) & (rounded <= kind.highest)
    limited = library.where(rounded > kind.highest, kind.highest, library.where(within, rounded, kind.lowest))
    return limited.astype(kind.name), ~within
