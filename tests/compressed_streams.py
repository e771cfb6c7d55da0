"""Streams to damage, and how; what may come of it."""

import numpy as np

from spatial_prediction.compression import ccsds123
from spatial_prediction.errors import StreamError

HYBRID = {"entropy_coder": "hybrid", "fidelity": "absolute", "a": 20}
EACH_KIND = {
    "default": {},
    "interleaved": {"encoding_order": "BI", "M": 2, "prediction_mode": "reduced", "P": 1},
    "limits that change": {
        "encoding_order": "BI",
        "fidelity": "absolute_and_relative",
        "u": 1,
        "a": [3, 1, 2],
        "r": [[150] * 4, [90] * 4, [120] * 4],
    },
    "tables": {
        "K": [3, 2, 1, 0],
        "Theta": 2,
        "phi": [1, 2, 3, 0],
        "P": 1,
        "Q": 3,
        "Lambda": [[0, 1, -1]] + [[1, 2, 3, -4]] * 3,
        "zeta": [[1]] + [[-6, 5]] * 3,
    },
    "hybrid": HYBRID,
    "hybrid, interleaved": {**HYBRID, "encoding_order": "BI", "M": 4, "u": 2, "a": [30, 9], "B": 4},
}


def smooth_cube(shape=(5, 6, 4), seed=0):
    """A cube such as a spectrometer gives: smooth, alike in all bands, a little noise."""
    rng = np.random.default_rng(seed)
    rows, columns, bands = shape
    field = np.cumsum(rng.normal(size=(rows, columns)), axis=1)
    gain = 1 + np.sin(np.arange(bands))[None, None]
    return (1000 + 50 * field[..., None] * gain + rng.normal(size=shape) * 3).clip(0, 60000).astype(np.uint16)


def damaged(stream, rng):
    """One stream that differs from another in a few bits or bytes, or in length."""
    data = bytearray(stream)
    kind = rng.integers(5)
    for _ in range(rng.integers(1, 4)):
        place = int(rng.integers(len(data)))
        if kind == 0:
            data[place] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            data[place] = int(rng.integers(256))
        elif kind == 2:
            del data[place:]
            data = data or bytearray(1)
        elif kind == 3:
            data.insert(place, int(rng.integers(256)))
        else:
            data[min(place, 18)] = int(rng.integers(256))
    return bytes(data)


def outcome(stream):
    """A cube or an error, the only two things that may come of a stream."""
    try:
        cube = ccsds123.decompress(stream)
    except StreamError:
        return "error"
    assert cube.ndim == 3
    return "cube"
