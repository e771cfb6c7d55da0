"""Predict windows in batches of one size, so that one compiled program serves them all."""

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np

from spatial_prediction.tiling._networks import Predict, check_prediction


def predictions(
    predict: Predict, windows: Sequence[np.ndarray], factor: int, batch_size: int
) -> Iterator[np.ndarray]:
    """Predict each window, in their order.

    Args:
        predict: function of NumPy batches.
        windows: (channels, height, width) each, nearly all of one shape.
        factor: output pixels per input pixel along each axis.
        batch_size: windows at once, at most. Batches are made equally large; where that leaves the last one
            incomplete, its last window fills it up.

    Yields:
        (outputs, factor * height, factor * width) for each window.

    Raises:
        ValueError: ``batch_size`` is not positive, or the network makes maps of another size.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    for _, group in groupby(windows, key=np.shape):
        equal = list(group)
        batches = -(-len(equal) // batch_size)
        size = -(-len(equal) // batches)
        for start in range(0, len(equal), size):
            chosen = equal[start : start + size]
            batch = np.stack([*chosen, *[chosen[-1]] * (size - len(chosen))])
            prediction = np.asarray(predict(batch))
            check_prediction(prediction, batch, factor)
            yield from prediction[: len(chosen)]
