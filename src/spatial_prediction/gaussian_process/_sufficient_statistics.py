"""What an additive model needs to know of observations on a grid, whatever its parameters.

Observation i lies at pixel and frame: a row of Z = [A B] has two ones. With n_p observations of pixel p and
counts M (frames, pixels), Z = U V' where

    V' = [[diag(n_p)^1/2, diag(n_p)^-1/2 M'],  [0, Lambda^1/2 E']],

E Lambda E' is the eigendecomposition of the frames' Schur complement diag(n_t) - M diag(n_p)^-1 M', without
the eigenvalues that are zero (one for each connected component of the graph of pixels and frames), and U has
orthonormal columns. Pixels need no decomposition, so that the part of the covariance that belongs to them is
only scaled, never multiplied. Frames or pixels that nobody observed drop out.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from spatial_prediction.gaussian_process._grid import GridObservations
from spatial_prediction.gaussian_process._precision import AnyArray
from spatial_prediction.gaussian_process.sizes import check_rows


class SufficientStatistics(eqx.Module):
    """Reduced observations of an additive model: q numbers and a residual in place of N numbers.

    Attributes:
        pixels: coordinates of the observed pixels.
        times: coordinates of the observed frames.
        root_counts: square roots of the number of observations of each pixel.
        frame_loadings: columns of V' that belong to frames; q = P + r.
        projected: U'y.
        residual_sum_of_squares: |y - U U'y|^2.
        count: number N of observations.
    """

    pixels: Float[AnyArray, "P 2"]
    times: Float[AnyArray, " T"]
    root_counts: Float[AnyArray, " P"]
    frame_loadings: Float[AnyArray, "q T"]
    projected: Float[AnyArray, " q"]
    residual_sum_of_squares: Float[AnyArray, ""]
    count: Float[AnyArray, ""]

    @classmethod
    def of(cls, observations: GridObservations) -> "SufficientStatistics":
        """Reduce observations, in O(N + P T^2)."""
        observed_pixels, pixel = np.unique(observations.pixels, return_inverse=True)
        observed_frames, frame = np.unique(observations.frames, return_inverse=True)
        check_rows(
            observed_pixels.size + observed_frames.size,
            "take a coarser grid, fewer pixels or a variational model",
        )
        counts = np.zeros((observed_frames.size, observed_pixels.size))
        np.add.at(counts, (frame, pixel), 1.0)
        of_pixels, of_frames = counts.sum(0), counts.sum(1)
        values = observations.values

        schur = np.diag(of_frames) - (counts / of_pixels) @ counts.T
        eigenvalues, vectors = np.linalg.eigh(schur)
        kept = eigenvalues > 1e-10 * np.max(of_frames)
        roots, vectors = np.sqrt(eigenvalues[kept]), vectors[:, kept]

        # Residuals, not differences of sums of squares, which cancel.
        means = np.bincount(pixel, values) / of_pixels
        residual = values - means[pixel]
        of_vectors = vectors.T @ np.bincount(frame, residual) / roots
        offsets = vectors @ (of_vectors / roots)
        residual = residual - offsets[frame] + (counts.T @ offsets / of_pixels)[pixel]
        return cls(
            pixels=observations.grid.pixels[observed_pixels],
            times=observations.grid.times[observed_frames],
            root_counts=np.sqrt(of_pixels),
            frame_loadings=np.concatenate([(counts / np.sqrt(of_pixels)).T, (vectors * roots).T]),
            projected=np.concatenate([np.sqrt(of_pixels) * means, of_vectors]),
            residual_sum_of_squares=np.asarray(residual @ residual),
            count=np.asarray(float(values.size)),
        )

    @property
    def of_ones(self) -> Float[AnyArray, " q"]:
        """U'1, the reduction of a constant."""
        return jnp.pad(self.root_counts, (0, self.projected.shape[0] - self.root_counts.shape[0]))
