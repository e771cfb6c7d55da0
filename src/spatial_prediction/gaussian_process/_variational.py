"""A sparse variational Gaussian process, trained on minibatches."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax  # type: ignore[import-untyped]
from jaxtyping import Float

from spatial_prediction.errors import ObservationError
from spatial_prediction.gaussian_process._best_distribution import best_distribution
from spatial_prediction.gaussian_process._grid import (
    Grid,
    GridObservations,
    checked_noise_variances,
    checked_points,
    checked_values,
)
from spatial_prediction.gaussian_process._model import AbstractGP
from spatial_prediction.gaussian_process._positive_definite import Factor
from spatial_prediction.gaussian_process._posterior import AbstractPosterior
from spatial_prediction.gaussian_process._precision import (
    AnyArray,
    as_numpy,
    in_double_precision,
    real,
    with_optax,
)
from spatial_prediction.gaussian_process.fitting import FAILED, STEPS, FitResult
from spatial_prediction.gaussian_process.kernels import AbstractKernel

JITTER = 1e-6
"""Added to the variance of inducing and predicted points, as GPyTorch does in float64."""


class SparseVariationalGP(AbstractGP["VariationalPosterior"]):
    """y = mean + f(time, row, column) + noise, summarised by M inducing points.

    u = f(inducing points) = mean + L v with L L' their covariance; the variational distribution of v is
    N(m, C C') (whitened). An approximation, for any number of observations: O(M^3 + B M^2) for a batch of B.

    Source: Hensman, Fusi and Lawrence 2013 (arXiv 1309.6835).

    Attributes:
        kernel: of points (time, row, column).
        inducing_points: (M, 3), where f is summarised; they are trained too.
        variational_mean: m, (M,).
        variational_factor: C, (M, M); only its lower triangle counts.
    """

    kernel: AbstractKernel
    inducing_points: Float[AnyArray, "M 3"] = eqx.field(converter=real)
    variational_mean: Float[AnyArray, " M"] = eqx.field(converter=real)
    variational_factor: Float[AnyArray, "M M"] = eqx.field(converter=real)

    @classmethod
    @in_double_precision
    def at_observations(
        cls,
        kernel: AbstractKernel,
        points: Any,
        inducing_points: int,
        *,
        key: jax.Array,
        **options: Any,
    ) -> "SparseVariationalGP":
        """Start with inducing points at observed ones, drawn without replacement (all, where that is more).

        The variational mean starts as noise of 1e-3, the factor as the identity.

        Args:
            kernel: of points (time, row, column).
            points: (N, 3), where values are observed.
            inducing_points: number M of them.
            key: of the draw.
            options: ``mean``, ``raw_noise``, ``noise_floor``; see the class.
        """
        points = checked_points(points)
        size = min(inducing_points, len(points))
        of_points, of_mean = jax.random.split(key)
        chosen = jax.random.choice(of_points, len(points), (size,), replace=False)
        start = 1e-3 * jax.random.normal(of_mean, (size,), jnp.float64)
        return cls(kernel, points[np.asarray(chosen)], start, np.eye(size), **options)

    @in_double_precision
    def divergence(self) -> Float[AnyArray, ""]:
        """KL(q(v) || N(0, I)): shape (), not divided by a number of observations."""
        lower, mean = jnp.tril(self.variational_factor), self.variational_mean
        log_determinant = 2.0 * jnp.sum(jnp.log(jnp.abs(jnp.diagonal(lower))))
        return 0.5 * (jnp.sum(lower**2) + mean @ mean - mean.shape[0] - log_determinant)

    def factor(self) -> Factor:
        """Factor of the covariance of the inducing points, within float64."""
        jitter = JITTER * jnp.eye(self.inducing_points.shape[0], dtype=jnp.float64)
        return Factor(self.kernel.gram(self.inducing_points, self.inducing_points) + jitter)

    def marginals(
        self, points: Float[AnyArray, "B 3"]
    ) -> tuple[Float[AnyArray, " B"], Float[AnyArray, " B"]]:
        """Mean and variance of f, without noise, at points."""
        white = self.factor().whiten(self.kernel.gram(self.inducing_points, points))
        spread = jnp.tril(self.variational_factor).T @ white
        prior = self.kernel.diagonal(points) + JITTER
        variance = prior + jnp.sum(spread**2, axis=0) - jnp.sum(white**2, axis=0)
        return self.mean + self.variational_mean @ white, variance

    @in_double_precision
    def evidence_lower_bound(
        self, points: Any, values: Any, count: Any, noise_variances: Any = 0.0
    ) -> Float[AnyArray, ""]:
        """Evidence lower bound per observation, estimated from a batch.

        Args:
            points: (B, 3), those of the batch.
            values: (B,).
            count: number N of all observations, of which these are a sample.
            noise_variances: (B,), known variances beside that of the noise.

        Returns:
            float64 of shape (): mean expected log likelihood of the batch minus divergence / N.
        """
        mean, variance = self.marginals(real(points))
        noise = self.noise_variance + real(noise_variances)
        squares = (real(values) - mean) ** 2 + variance
        expected = -0.5 * (squares / noise + jnp.log(noise) + np.log(2.0 * np.pi))
        return jnp.mean(expected) - self.divergence() / real(count)

    def given(self, observations: GridObservations) -> "VariationalPosterior":
        """Take checked observations of a grid; predictions are those of the trained inducing points."""
        known = np.zeros(len(observations.values))
        return VariationalPosterior(self, observations.points, observations.values, known, observations)

    def condition_points(
        self, points: Any, values: Any, *, noise_variances: Any = None
    ) -> "VariationalPosterior":
        """Take values at points, (N, 3) and (N,), with known variances of errors, (N,); see :meth:`given`."""
        points = checked_points(points)
        known = checked_noise_variances(noise_variances, len(points))
        return VariationalPosterior(self, points, checked_values(values, len(points)), known)


class VariationalPosterior(AbstractPosterior):
    """A variational model and the observations that it is, or will be, trained on.

    Predictions follow the variational distribution: observations change them through :meth:`trained` and
    :meth:`solved` only.
    """

    model: SparseVariationalGP
    points: Float[AnyArray, "N 3"]
    values: Float[AnyArray, " N"]
    noise_variances: Float[AnyArray, " N"]
    observations: GridObservations | None = None

    @property
    def grid(self) -> Grid:
        """Grid of the observations.

        Raises:
            ObservationError: they were given as points.
        """
        if self.observations is None:
            raise ObservationError("conditioned on points, not on a grid; predict at points, or give a mask")
        return self.observations.grid

    def log_marginal_likelihood(self) -> Float[AnyArray, ""]:
        """Evidence lower bound: at most the log density of the observed values. float64, shape ()."""
        count = len(self.values)
        bound = self.model.evidence_lower_bound(self.points, self.values, count, self.noise_variances)
        return real(bound * count)

    @in_double_precision
    def solved(self) -> SparseVariationalGP:
        """Give the model the distribution that maximises the bound for all else as it is.

        In closed form, because the noise is normal: one pass over the observations, O(N M^2), where training
        by steps would need hundreds.
        """
        best = best_distribution(
            self.model, self.model.factor(), self.points, self.values, self.noise_variances
        )
        return eqx.tree_at(lambda model: (model.variational_mean, model.variational_factor), self.model, best)

    def joined(self, mask: Any, values: Any) -> "VariationalPosterior":
        """Refuse: a variational distribution is not conditioned further.

        Raises:
            ObservationError: always.
        """
        raise ObservationError(
            "a variational model has no exact joint density; train it on all observations, or judge the mean "
            "log density of single predictions"
        )

    def _prepared(self) -> None:
        """Nothing: what inducing points need is small."""

    @in_double_precision
    def _predict_chunk(
        self, prepared: None, points: Float[AnyArray, "M 3"]
    ) -> tuple[Float[AnyArray, " M"], Float[AnyArray, " M"]]:
        return _predict(self.model, points)

    @in_double_precision
    @with_optax
    def trained(
        self, *, epochs: int, batch_size: int, key: jax.Array, learning_rate: float = 0.01
    ) -> FitResult[SparseVariationalGP]:
        """Train all parameters by Adam on shuffled batches.

        Args:
            epochs: passes over the observations.
            batch_size: the last batch of an epoch is completed with observations of its first.
            key: of the shuffling.
            learning_rate: of Adam.

        Returns:
            The model after the last epoch, or after the last one whose loss was finite. ``history`` has the
            mean negative bound of each epoch, in nats per observation.
        """
        size = min(batch_size, len(self.values))
        model = jax.tree.map(jnp.asarray, self.model)
        state = optax.adam(learning_rate).init(model)
        history: list[float] = []
        kept, status = model, STEPS
        for epoch in range(epochs):
            order = np.asarray(jax.random.permutation(jax.random.fold_in(key, epoch), len(self.values)))
            order = np.concatenate([order, order[: -len(order) % size]])
            losses = []
            for batch in order.reshape(-1, size):
                model, state, loss = _train_step(
                    model,
                    state,
                    learning_rate,
                    (self.points[batch], self.values[batch], len(self.values), self.noise_variances[batch]),
                )
                losses.append(loss)
            history.append(float(np.mean([float(loss) for loss in losses])))
            if not np.isfinite(history[-1]):
                status = f"{FAILED}: loss is {history[-1]} in epoch {epoch}"
                break
            kept = model
        finite = len(history) - (status != STEPS)
        best = history[finite - 1] if finite else np.inf
        return FitResult(as_numpy(kept), status, np.array(history), np.zeros(0), [], finite, float(best))


@eqx.filter_jit
def _predict(
    model: SparseVariationalGP, points: Float[AnyArray, "M 3"]
) -> tuple[Float[AnyArray, " M"], Float[AnyArray, " M"]]:
    mean, variance = model.marginals(points)
    return mean, variance + model.noise_variance


@eqx.filter_jit
def _train_step(
    model: SparseVariationalGP,
    state: Any,
    learning_rate: float,
    batch: tuple[Any, ...],
) -> tuple[SparseVariationalGP, Any, Float[AnyArray, ""]]:
    loss, gradient = jax.value_and_grad(lambda model: -model.evidence_lower_bound(*batch))(model)
    updates, state = optax.adam(learning_rate).update(gradient, state, model)
    return optax.apply_updates(model, updates), state, loss
