"""Fits of a model's parameters. A failed fit is a result, not an exception."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax  # type: ignore[import-untyped]
from jaxtyping import Float

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.gaussian_process._precision import as_numpy, in_double_precision, with_optax

Model = TypeVar("Model")
Loss = Callable[[Any], Any]

CONVERGED, STEPS, FAILED = "converged", "steps", "failed"


@dataclass(frozen=True)
class FitResult(Generic[Model]):
    """What became of a fit.

    Attributes:
        model: parameters of the best step: lowest validation loss, or training loss if there was none.
        status: ``converged``; ``steps``: all steps were made; or ``failed: `` and the reason.
        history: training loss after 0, 1, ... steps.
        validation: validation losses, in order of ``validated_steps``.
        validated_steps: numbers of steps after which validation losses were computed.
        best_step: number of steps after which the model was best.
        best_loss: its loss, by which ``model`` was chosen.
    """

    model: Model
    status: str
    history: Float[np.ndarray, " steps"]
    validation: Float[np.ndarray, " validated"]
    validated_steps: list[int]
    best_step: int
    best_loss: float

    @property
    def failed(self) -> bool:
        """Whether the fit ended because something was not finite."""
        return self.status.startswith(FAILED)


@dataclass
class _Progress:
    """Losses so far, and the best parameters."""

    model: Any
    validation_loss: Loss | None
    validate_every: int
    history: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    validated_steps: list[int] = field(default_factory=list)
    best_step: int = 0
    best_loss: float = math.inf

    def judge(self, model: Any, *, last: bool) -> None:
        """Compare the model of the newest loss with the best one, by validation loss if there is one."""
        step, judged = len(self.history) - 1, self.history[-1]
        if self.validation_loss is not None:
            if not last and (step == 0 or step % self.validate_every):
                return
            judged = float(_evaluated(self.validation_loss, model))
            self.validation.append(judged)
            self.validated_steps.append(step)
        if judged < self.best_loss:
            self.best_loss, self.best_step, self.model = judged, step, model

    def result(self, status: str) -> FitResult:
        return FitResult(
            as_numpy(self.model),
            status,
            np.array(self.history),
            np.array(self.validation),
            self.validated_steps,
            self.best_step,
            self.best_loss,
        )


@in_double_precision
@with_optax
def fit(
    model: Model,
    loss: Loss,
    *,
    steps: int,
    optimiser: Literal["adam", "lbfgs"] = "lbfgs",
    learning_rate: float = 0.1,
    tolerance: float = 1e-5,
    validation_loss: Loss | None = None,
    validate_every: int = 1,
    on_step: Callable[[int, float], None] | None = None,
) -> FitResult[Model]:
    """Minimise a loss over all array leaves of a model.

    Args:
        model: where to start.
        loss: of a model, a scalar; such as ``NegativeLogLikelihood``. A loss that is a pytree (an Equinox
            module) lets fits of one shape share a compiled program.
        steps: most steps to make.
        optimiser: ``lbfgs`` (with a line search), or ``adam``: the reference study's is Adam with a
            learning rate of 0.1, 100 steps and tolerance 0.
        learning_rate: of Adam.
        tolerance: the fit has converged once no partial derivative exceeds it, in units of the loss per
            unit of a raw parameter; for L-BFGS also once five steps together lower the loss by less than
            a thousandth of it.
        validation_loss: of a model; the step at which it is lowest is kept. The start is not judged, as in
            the reference study.
        validate_every: steps from one validation to the next; the last step is always judged.
        on_step: called with the number of steps made and the training loss.

    Returns:
        The best parameters, with the reason why the fit ended. Where loss or gradient is not finite, the fit
        ends as failed with the best parameters until then; at the start, the model as given.

    Raises:
        ConfigurationError: ``steps`` or ``validate_every`` is less than 1, or the optimiser is not known.
    """
    if steps < 1 or validate_every < 1:
        raise ConfigurationError(
            f"steps and validate_every must be at least 1, got {steps} and {validate_every}"
        )
    if optimiser not in ("adam", "lbfgs"):
        raise ConfigurationError(f"optimiser {optimiser!r} is not known; choose adam or lbfgs")
    step = _adam_step if optimiser == "adam" else _lbfgs_step
    method = _adam(learning_rate) if optimiser == "adam" else optax.lbfgs()
    progress = _Progress(model, validation_loss, validate_every)
    parameters, fixed = eqx.partition(jax.tree.map(_as_jax, model), eqx.is_inexact_array)
    # Optax's first state has weakly typed numbers and its second has none: a step would be compiled twice.
    state = jax.tree.map(lambda leaf: jnp.asarray(leaf, leaf.dtype), method.init(parameters))
    status = STEPS
    try:
        value, gradient = _value_and_gradient(loss, parameters, fixed)
        for number in range(steps + 1):
            progress.history.append(float(value))
            if on_step is not None:
                on_step(number, float(value))
            if reason := _not_finite(float(value), gradient):
                status = f"{FAILED}: {reason} after {number} steps"
            elif tolerance > 0 and _has_converged(progress.history, gradient, tolerance, optimiser):
                status = CONVERGED
            last = number == steps or status != STEPS
            if not status.startswith(FAILED):
                progress.judge(eqx.combine(parameters, fixed), last=last)
            if last:
                break
            parameters, state, value, gradient = step(
                loss, learning_rate, parameters, fixed, state, value, gradient
            )
    except jax.errors.JaxRuntimeError as error:
        status = f"{FAILED}: {str(error).splitlines()[0]}"
    return progress.result(status)


def fit_from(starts: Iterable[Model], loss: Loss, **options: Any) -> tuple[FitResult[Model], list[FitResult]]:
    """Fit from several starts, one after the other; see :func:`fit` for the options.

    Returns:
        The best result that did not fail (the first, where all failed), and all of them in order.

    Raises:
        ConfigurationError: there is no start.
    """
    results = [fit(start, loss, **options) for start in starts]
    if not results:
        raise ConfigurationError("starts is empty; give at least one model")
    return min(results, key=lambda result: (result.failed, result.best_loss)), results


@in_double_precision
def perturbed(model: Model, *, key: jax.Array, scale: float = 0.5) -> Model:
    """Add independent normal noise of standard deviation ``scale`` to every raw parameter: a restart."""
    leaves, structure = jax.tree.flatten(model)
    keys = jax.random.split(key, max(len(leaves), 1))
    noisy = [
        leaf + scale * jax.random.normal(each, np.shape(leaf), jnp.float64)
        for leaf, each in zip(leaves, keys, strict=False)
    ]
    return jax.tree.unflatten(structure, noisy)


def _as_jax(leaf: Any) -> Any:
    return jnp.asarray(leaf) if eqx.is_array(leaf) else leaf


def _adam(learning_rate: float) -> optax.GradientTransformation:
    return optax.adam(learning_rate)


def _not_finite(value: float, gradient: Any) -> str:
    if not math.isfinite(value):
        return f"loss is {value}"
    if not all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient)):
        return "gradient is not finite"
    return ""


def _has_converged(history: list[float], gradient: Any, tolerance: float, optimiser: str) -> bool:
    largest = max((np.abs(leaf).max(initial=0.0) for leaf in jax.tree.leaves(gradient)), default=0.0)
    stalled = optimiser == "lbfgs" and len(history) > 5 and history[-6] - history[-1] < 1e-3 * tolerance
    return bool(largest <= tolerance or stalled)


@eqx.filter_jit
def _evaluated(loss: Loss, model: Any) -> Any:
    return loss(model)


@eqx.filter_jit
def _value_and_gradient(loss: Loss, parameters: Any, fixed: Any) -> tuple[Any, Any]:
    return jax.value_and_grad(lambda parameters: loss(eqx.combine(parameters, fixed)))(parameters)


def _adam_step(
    loss: Loss, learning_rate: float, parameters: Any, fixed: Any, state: Any, value: Any, gradient: Any
) -> tuple[Any, Any, Any, Any]:
    del value
    # Two programs, so that the loss is compiled once, for the start as well.
    parameters, state = _adam_update(learning_rate, parameters, state, gradient)
    return parameters, state, *_value_and_gradient(loss, parameters, fixed)


@eqx.filter_jit
def _adam_update(learning_rate: float, parameters: Any, state: Any, gradient: Any) -> tuple[Any, Any]:
    updates, state = _adam(learning_rate).update(gradient, state, parameters)
    return optax.apply_updates(parameters, updates), state


@eqx.filter_jit
def _lbfgs_step(
    loss: Loss, learning_rate: float, parameters: Any, fixed: Any, state: Any, value: Any, gradient: Any
) -> tuple[Any, Any, Any, Any]:
    del learning_rate  # the line search finds it

    def loss_of(parameters: Any) -> Any:
        return loss(eqx.combine(parameters, fixed))

    updates, state = optax.lbfgs().update(
        gradient, state, parameters, value=value, grad=gradient, value_fn=loss_of
    )
    # The line search has computed value and gradient at the new parameters already.
    found = optax.tree.get(state, "value"), optax.tree.get(state, "grad")
    return optax.apply_updates(parameters, updates), state, *found
