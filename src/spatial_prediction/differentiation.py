"""Functions with derivatives of their own, in forward and in reverse mode.

``jax.custom_vjp`` knows no forward mode, and ``jax.custom_jvp`` leaves reverse mode to the transpose of
its rule. Here a function comes with both: a primitive computes the tangents in forward mode, and in
reverse mode is transposed by the rule for cotangents.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

_Flat = Callable[..., Sequence[jax.Array]]


def with_derivatives(
    function: Callable[..., Any],
    *,
    tangents: Callable[[tuple[Any, ...], tuple[Any, ...]], Any],
    cotangents: Callable[[tuple[Any, ...], Any], tuple[Any, ...]],
    anew: Callable[..., Any] | None = None,
) -> Callable[..., Any]:
    """Give a function of pytrees of floating arrays its derivatives.

    Args:
        function: of any number of arguments.
        tangents: ``(arguments, tangents of them) -> tangents of the results``, linear in the second.
        cotangents: ``(arguments, cotangents of the results) -> cotangents of the arguments``, its transpose.
            Both are differentiated in their turn for derivatives of higher order.
        anew: computes the function where it has been differentiated once, and is differentiated in its turn.
    """

    @jax.custom_jvp
    def differentiable(*arguments: Any) -> Any:
        return function(*arguments)

    @differentiable.defjvp
    def rule(arguments: tuple[Any, ...], changes: tuple[Any, ...]) -> tuple[Any, Any]:
        # By default the function itself, not what computes it: a second derivative comes by this rule again.
        results = (anew or differentiable)(*arguments)
        values, arguments_tree = jax.tree.flatten(arguments)
        flat_results, results_tree = jax.tree.flatten(results)

        def forward(*flat: Any) -> list[jax.Array]:
            primals = jax.tree.unflatten(arguments_tree, flat[: len(values)])
            directions = jax.tree.unflatten(arguments_tree, flat[len(values) :])
            return jax.tree.leaves(tangents(primals, directions))

        def backward(*flat: Any) -> list[jax.Array]:
            primals = jax.tree.unflatten(arguments_tree, flat[: len(values)])
            weights = jax.tree.unflatten(results_tree, flat[len(values) :])
            return jax.tree.leaves(cotangents(primals, weights))

        changed = _linear.bind(
            *values,
            *jax.tree.leaves(changes),
            forward=forward,
            backward=backward,
            constants=len(values),
            results=tuple(map(jax.typeof, flat_results)),
        )
        return results, jax.tree.unflatten(results_tree, changed)

    return differentiable


def with_compact_derivatives(
    function: Callable[..., Any],
    compact: Callable[..., Any],
    *,
    gradients: Callable[[tuple[Any, ...], Any], tuple[Any, ...]] | None = None,
) -> Callable[..., Any]:
    """Take gradients of one form of a function, and all other derivatives of another.

    A form that runs fast may be of hundreds of operations, whose second derivatives are of thousands.

    Args:
        function: runs fast.
        compact: computes the same with few operations; for forward mode and for derivatives of the gradient.
        gradients: ``(arguments, cotangents of the results) -> gradients``; by default those of ``function``.
    """

    def own_gradients(arguments: tuple[Any, ...], cotangents: Any) -> tuple[Any, ...]:
        return jax.vjp(function, *arguments)[1](cotangents)

    def compact_gradients(arguments: tuple[Any, ...], cotangents: Any) -> tuple[Any, ...]:
        return jax.vjp(compact, *arguments)[1](cotangents)

    return with_derivatives(
        function,
        tangents=lambda arguments, changes: jax.jvp(compact, arguments, changes)[1],
        cotangents=_differentiated_as(compact_gradients, gradients or own_gradients),
        anew=_differentiated_as(compact, function),
    )


def bilinear(
    function: Callable[[Any, Any], Any], gradients: Callable[[Any, Any, Any], tuple[Any, Any]]
) -> Callable[[Any, Any], Any]:
    """Give a function that is linear in each of two arguments derivatives of all orders, made of itself.

    Args:
        function: of two pytrees of floating arrays.
        gradients: ``(first, second, cotangents of the results) -> cotangents of first and second``. That of
            the first is linear in second argument and cotangents, that of the second in first and cotangents.
    """

    def change(arguments: tuple[Any, Any], changes: tuple[Any, Any]) -> Any:
        (first, second), (of_first, of_second) = arguments, changes
        return _sum(value(of_first, second), value(first, of_second))

    def change_of_gradients(arguments: tuple[Any, Any, Any], changes: tuple[Any, Any, Any]) -> Any:
        first, second, weights = arguments
        of_first, of_second, of_weights = changes
        return _sum(gradient(of_first, of_second, weights), gradient(first, second, of_weights))

    def cotangents_of_gradients(arguments: tuple[Any, Any, Any], cotangents: tuple[Any, Any]) -> Any:
        first, second, weights = arguments
        return *gradient(*cotangents, weights), change((first, second), cotangents)

    value = with_derivatives(
        function, tangents=change, cotangents=lambda arguments, weights: gradient(*arguments, weights)
    )
    gradient = with_derivatives(gradients, tangents=change_of_gradients, cotangents=cotangents_of_gradients)
    return value


def quadratic(
    function: Callable[[Any], Any],
    gradient: Callable[[Any, Any], Any],
    mixed: Callable[[Any, Any], Any],
) -> Callable[[Any], Any]:
    """Give a quadratic form derivatives of all orders, made of only three functions.

    Args:
        function: of a pytree of floating arrays.
        gradient: ``(argument, cotangents of the results) -> cotangents of the argument``, linear in both.
        mixed: ``(argument, change of it) -> change of the results``, linear in both and symmetric.
    """
    value = with_derivatives(
        function,
        tangents=lambda arguments, changes: changed(*arguments, *changes),
        cotangents=lambda arguments, weights: (spread(*arguments, weights),),
    )
    spread = with_derivatives(
        gradient,
        tangents=lambda arguments, changes: _sum(
            spread(changes[0], arguments[1]), spread(arguments[0], changes[1])
        ),
        cotangents=lambda arguments, weights: (spread(weights, arguments[1]), changed(arguments[0], weights)),
    )
    changed = with_derivatives(
        mixed,
        tangents=lambda arguments, changes: _sum(
            changed(changes[0], arguments[1]), changed(arguments[0], changes[1])
        ),
        cotangents=lambda arguments, weights: (spread(arguments[1], weights), spread(arguments[0], weights)),
    )
    return value


def _sum(first: Any, second: Any) -> Any:
    return jax.tree.map(jnp.add, first, second)


def _differentiated_as(compact: Callable[..., Any], function: Callable[..., Any]) -> Callable[..., Any]:
    """Compute by ``function``; where a derivative is taken, value and derivative by ``compact``."""

    @jax.custom_jvp
    def computed(*arguments: Any) -> Any:
        return function(*arguments)

    @computed.defjvp
    def rule(arguments: tuple[Any, ...], changes: tuple[Any, ...]) -> tuple[Any, Any]:
        return jax.jvp(compact, arguments, changes)

    return computed


_linear = Primitive("linear_with_transpose")
"""``forward(*constants, *linear)``; ``backward(*constants, *cotangents)`` is its transpose."""
_linear.multiple_results = True


def _evaluate(*arguments: Any, forward: _Flat, **_: Any) -> Sequence[jax.Array]:
    return forward(*arguments)


def _differentiate(arguments: Sequence[Any], changes: Sequence[Any], **parameters: Any) -> tuple[Any, Any]:
    constants = parameters["constants"]
    results = _linear.bind(*arguments, **parameters)
    if all(isinstance(change, ad.Zero) for change in changes[:constants]):
        directions = map(ad.instantiate_zeros, changes[constants:])
        return results, _linear.bind(*arguments[:constants], *directions, **parameters)
    changes = tuple(map(ad.instantiate_zeros, changes))
    return results, jax.jvp(parameters["forward"], tuple(arguments), changes)[1]


def _transpose(
    weights: Sequence[Any],
    *arguments: Any,
    backward: _Flat,
    constants: int,
    results: Sequence[ShapedArray],
    **_: Any,
) -> list[Any]:
    del results
    found = backward(*arguments[:constants], *map(ad.instantiate_zeros, weights))
    wanted = map(ad.is_undefined_primal, arguments[constants:])
    return [None] * constants + [w if want else None for w, want in zip(found, wanted, strict=True)]


def _batch(
    arguments: Sequence[Any],
    axes: Sequence[int | None],
    *,
    forward: _Flat,
    backward: _Flat,
    constants: int,
    results: Sequence[ShapedArray],
) -> tuple[Any, list[int]]:
    size = next(each.shape[axis] for each, axis in zip(arguments, axes, strict=True) if axis is not None)
    linear = [
        batching.bdim_at_front(each, axis, size)
        for each, axis in zip(arguments[constants:], axes[constants:], strict=True)
    ]
    of_constants = list(axes[:constants])
    changed = _linear.bind(
        *arguments[:constants],
        *linear,
        forward=jax.vmap(forward, [*of_constants, *[0] * len(linear)]),
        backward=jax.vmap(backward, [*of_constants, *[0] * len(results)]),
        constants=constants,
        results=tuple(ShapedArray((size, *each.shape), each.dtype) for each in results),
    )
    return changed, [0] * len(changed)


_linear.def_impl(_evaluate)
_linear.def_abstract_eval(lambda *_, results, **__: list(results))
ad.primitive_jvps[_linear] = _differentiate
ad.primitive_transposes[_linear] = _transpose
batching.primitive_batchers[_linear] = _batch
mlir.register_lowering(_linear, mlir.lower_fun(_evaluate, multiple_results=True))
