"""Weighted tiles, added up in the memory that their overlaps need."""

import numpy as np
from jaxtyping import Float
from numpy.typing import DTypeLike

from spatial_prediction.tiling._windows import TilePlan


class Mixer:
    """Adds up weighted tiles, row by row and from left to right, and gives away what is finished.

    A tile is finished from where it begins to where the next ones do, to the right and below. What
    it has beyond is kept: a strip below a row of tiles, and one to the right of the last tile.

    Args:
        plan: of the tiles.
        bands: of the predictions.
        dtype: of the sums, a floating one.
    """

    def __init__(self, plan: TilePlan, bands: int, dtype: DTypeLike = np.float32):
        self._plan = plan
        self._bands = bands
        self._dtype = np.dtype(dtype)
        self._above = self._below = self._strip(0)
        self._left = np.zeros((bands, 0, 0), self._dtype)

    def finished(self, row: int, column: int) -> tuple[slice, slice]:
        """Give the input rows and columns that are finished with a tile."""
        rows, columns = self._plan.rows, self._plan.columns
        bottom = rows[row + 1].reach.start if row + 1 < len(rows) else rows[row].reach.stop
        right = columns[column + 1].reach.start if column + 1 < len(columns) else columns[column].reach.stop
        return slice(rows[row].reach.start, bottom), slice(columns[column].reach.start, right)

    def add(
        self, row: int, column: int, prediction: Float[np.ndarray, "bands height width"] | None
    ) -> Float[np.ndarray, "bands rows columns"]:
        """Add the next tile.

        Args:
            row: of the plan.
            column: of the plan.
            prediction: for all that the tile reads; None where there is nothing to predict.

        Returns:
            The output pixels of ``finished``.
        """
        factor = self._plan.factor
        rows, columns = self._plan.rows[row], self._plan.columns[column]
        done_rows, done_columns = self.finished(row, column)
        height = (done_rows.stop - done_rows.start) * factor
        width = (done_columns.stop - done_columns.start) * factor
        if column == 0:
            self._above, self._below = self._below, self._strip(len(rows.weights) - height)
            self._left = np.zeros((self._bands, len(rows.weights), 0), self._dtype)
        if prediction is None:
            total = np.zeros((self._bands, len(rows.weights), len(columns.weights)), self._dtype)
        else:
            weights = (rows.weights[:, None] * columns.weights).astype(self._dtype)
            total = prediction[:, rows.within, columns.within] * weights
        total[:, :, : self._left.shape[2]] += self._left
        self._left = total[:, :, width:].copy()
        across = slice(done_columns.start * factor, done_columns.stop * factor)
        total[:, : self._above.shape[1], :width] += self._above[:, :, across]
        self._below[:, :, across] = total[:, height:, :width]
        return total[:, :height, :width]

    def _strip(self, rows: int) -> np.ndarray:
        return np.zeros((self._bands, rows, self._plan.columns[-1].write.stop), self._dtype)
