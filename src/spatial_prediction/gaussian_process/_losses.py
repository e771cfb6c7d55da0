"""Losses of a fit: pytrees, so that fits of one shape share a compiled program."""

from typing import Any

import equinox as eqx
from jaxtyping import Float

from spatial_prediction.gaussian_process._positive_definite import after
from spatial_prediction.gaussian_process._posterior import AbstractPosterior
from spatial_prediction.gaussian_process._precision import AnyArray, in_double_precision, real


class NegativeLogLikelihood(eqx.Module):
    """-log p(y) / N of a model, for the observations of a posterior.

    Attributes:
        posterior: conditioned on the observations; its own parameters do not matter.
        count: number N of observations.
    """

    posterior: AbstractPosterior
    count: int = eqx.field(static=True)

    @in_double_precision
    def __call__(self, model: Any) -> Float[AnyArray, ""]:
        """Loss of a model's parameters, in nats per observation."""
        return real(-self.posterior.with_model(model).log_marginal_likelihood() / self.count)


class NegativePredictiveDensity(eqx.Module):
    """-log p(y_new | y) / N_new: how well a model predicts further observations, jointly.

    Attributes:
        posterior: conditioned on y; its own parameters do not matter.
        joined: conditioned on y and y_new, as ``posterior.joined(mask, values)`` gives it.
        count: number of further observations.
    """

    posterior: AbstractPosterior
    joined: AbstractPosterior
    count: int = eqx.field(static=True)

    @classmethod
    def of(cls, posterior: AbstractPosterior, mask: Any, values: Any) -> "NegativePredictiveDensity":
        """Make it of further observations; see :meth:`AbstractPosterior.log_density`."""
        return cls(posterior, posterior.joined(mask, values), len(values))

    @in_double_precision
    def __call__(self, model: Any) -> Float[AnyArray, ""]:
        """Loss of a model's parameters, in nats per further observation."""
        known = self.posterior.with_model(model).log_marginal_likelihood()
        both = self.joined.with_model(after(known, model)).log_marginal_likelihood()
        return real((known - both) / self.count)
