"""Kernel or XLA: decided when a program is lowered, because only then is it known where it will run.

A compiled kernel is a pointer into this process, so a program that is exported, or lowered for another
platform, gets the XLA form. A program for several devices calls the kernel once for each device's share of
the batch.
"""

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import jax
from jax.core import ShapedArray
from jax.experimental.custom_partitioning import custom_partitioning
from jax.extend.core import Primitive
from jax.interpreters import batching, mlir
from jax.sharding import NamedSharding, PartitionSpec

_Flat = Callable[..., Sequence[jax.Array]]


def placed(
    by_kernel: Callable[..., Any],
    by_xla: Callable[..., Any],
    arguments: tuple[Any, ...],
    *,
    axes: tuple[Any, Any] | None,
) -> Any:
    """Compute by a kernel if the program runs on the CPUs of this process, else by XLA.

    Args:
        by_kernel: function of ``arguments`` that calls a kernel. This function and ``by_xla`` are called when
            the program is lowered, and close over no JAX arrays.
        by_xla: the same function in JAX's own operations.
        arguments: pytrees of arrays.
        axes: numbers of leading batch axes, as pytrees of ``arguments`` and of the results. An
            argument without some of them is shared along them; a result without some is a sum over them.
            None if there is no batch to divide: XLA then computes it when there are several devices.
    """
    leaves, arguments_tree = jax.tree.flatten(arguments)
    shapes = jax.eval_shape(by_kernel, *arguments)
    results_tree = jax.tree.structure(shapes)

    def flat(function: Callable[..., Any]) -> _Flat:
        def called(*values: jax.Array) -> list[jax.Array]:
            return jax.tree.leaves(function(*jax.tree.unflatten(arguments_tree, values)))

        return called

    results = _placed.bind(
        *leaves,
        by_kernel=flat(by_kernel),
        by_xla=flat(by_xla),
        devices=_needing_devices(),
        axes=None if axes is None else tuple(tuple(jax.tree.leaves(each)) for each in axes),
        results=tuple(ShapedArray(each.shape, each.dtype) for each in jax.tree.leaves(shapes)),
    )
    return jax.tree.unflatten(results_tree, results)


@functools.cache
def _needing_devices() -> Any:
    """A program with a partitioned part: only such are lowered with the knowledge of their devices."""
    cut = custom_partitioning(lambda x: x)
    cut.def_partition(partition=None, infer_sharding_from_operands=None, sharding_rule="i -> i")
    return jax.make_jaxpr(cut)(jax.ShapeDtypeStruct((1,), "float32"))


_placed = Primitive("spatial_prediction_kernel")
_placed.multiple_results = True


def _evaluate(*arguments: Any, by_kernel: _Flat, by_xla: _Flat, **_: Any) -> Sequence[jax.Array]:
    spread = any(len(each.devices()) > 1 for each in arguments if isinstance(each, jax.Array))
    return by_xla(*arguments) if spread else by_kernel(*arguments)


def _batch(
    arguments: Sequence[Any],
    mapped: Sequence[int | None],
    *,
    by_kernel: _Flat,
    by_xla: _Flat,
    axes: tuple[tuple[int, ...], tuple[int, ...]] | None,
    devices: Any,
    results: Sequence[ShapedArray],
) -> tuple[Any, list[int]]:
    size = next(each.shape[axis] for each, axis in zip(arguments, mapped, strict=True) if axis is not None)
    # an argument without batch axes may stay without this one too; all others have all of them
    shared = [
        axis is None and axes is not None and count == 0
        for axis, count in zip(mapped, axes[0] if axes else [0] * len(mapped), strict=True)
    ]
    in_axes = [None if alone else 0 for alone in shared]
    moved = [
        each if alone else batching.bdim_at_front(each, axis, size)
        for each, axis, alone in zip(arguments, mapped, shared, strict=True)
    ]
    if axes is not None:
        of_arguments = tuple(
            count if alone else count + 1 for count, alone in zip(axes[0], shared, strict=True)
        )
        axes = of_arguments, tuple(count + 1 for count in axes[1])
    found = _placed.bind(
        *moved,
        by_kernel=jax.vmap(by_kernel, in_axes),
        by_xla=jax.vmap(by_xla, in_axes),
        axes=axes,
        devices=devices,
        results=tuple(ShapedArray((size, *each.shape), each.dtype) for each in results),
    )
    return found, [0] * len(found)


def _lower_for_cpu(
    context: mlir.LoweringRuleContext,
    *operands: Any,
    by_kernel: _Flat,
    by_xla: _Flat,
    axes: tuple[tuple[int, ...], tuple[int, ...]] | None,
    results: Sequence[ShapedArray],
    **_: Any,
) -> Any:
    module = context.module_context
    if module.lowering_parameters.for_export or len(module.platforms) > 1:
        chosen = by_xla
    elif _devices(module.axis_context) == 1 or _is_manual(module.axis_context):
        chosen = by_kernel
    elif axes is None:
        chosen = by_xla
    else:
        chosen = _partitioned(by_kernel, axes, context.avals_in, results)
    return mlir.lower_fun(chosen, multiple_results=True)(context, *operands)


def _lower_elsewhere(context: mlir.LoweringRuleContext, *operands: Any, by_xla: _Flat, **_: Any) -> Any:
    return mlir.lower_fun(by_xla, multiple_results=True)(context, *operands)


def _devices(axis_context: Any) -> int:
    if isinstance(axis_context, mlir.ShardingContext):
        return int(axis_context.num_devices)
    return int(axis_context.mesh.size) if isinstance(axis_context, mlir.SPMDAxisContext) else 1


def _is_manual(axis_context: Any) -> bool:
    """Return whether the program is written for one device of a mesh, as in ``jax.shard_map``."""
    return isinstance(axis_context, mlir.SPMDAxisContext) and (
        axis_context.manual_axes == frozenset(axis_context.mesh.axis_names)
    )


def _partitioned(
    function: _Flat,
    axes: tuple[tuple[int, ...], tuple[int, ...]],
    arguments: Sequence[Any],
    results: Sequence[ShapedArray],
) -> _Flat:
    """Let each device call ``function`` with its share of the batch."""
    of_arguments, of_results = axes
    most = max(of_arguments)

    def batch_of(shardings: Sequence[Any]) -> tuple[Any, ...]:
        """Mesh axes of each batch axis, as in the first sharded argument, most batch axes first."""
        for count, each in sorted(zip(of_arguments, shardings, strict=True), key=lambda pair: -pair[0]):
            spec = getattr(each.sharding, "spec", ())
            named = (*spec, *[None] * most)[:count]
            if any(named):
                return (*named, *[None] * most)[:most]
        return (None,) * most

    def partition(mesh: Any, arg_shapes: Any, result_shapes: Any) -> Any:
        del result_shapes
        batch = batch_of(arg_shapes)

        def sharding(count: int) -> NamedSharding:
            return NamedSharding(mesh, PartitionSpec(*batch[:count]))

        def on_one_device(*values: jax.Array) -> tuple[jax.Array, ...]:
            found = []
            for value, count in zip(function(*values[: len(arguments)]), of_results, strict=True):
                over = jax.tree.leaves(batch[count:])  # a batch axis may be divided along several mesh axes
                found.append(jax.lax.psum(value, tuple(over)) if over else value)
            return tuple(found)

        return mesh, on_one_device, tuple(map(sharding, of_results)), tuple(map(sharding, of_arguments))

    def infer(mesh: Any, arg_shapes: Any, result_shape: Any) -> Any:
        del result_shape
        batch = batch_of(arg_shapes)
        return tuple(NamedSharding(mesh, PartitionSpec(*batch[:count])) for count in of_results)

    # The program for the whole batch supplies shapes. Its constants must be passed as arguments.
    whole = jax.make_jaxpr(function)(*(jax.ShapeDtypeStruct(each.shape, each.dtype) for each in arguments))
    constants = [jax.numpy.asarray(each) for each in whole.consts]
    of_arguments += (0,) * len(constants)
    names = itertools.count()

    def factors(count: int, value: Any) -> str:
        own = [f"own{next(names)}" for _ in value.shape[count:]]
        return " ".join([*(f"batch{axis}" for axis in range(count)), *own])

    def side(counts: Sequence[int], values: Sequence[Any]) -> str:
        return ", ".join(factors(count, value) for count, value in zip(counts, values, strict=True))

    rule = f"{side(of_arguments, [*arguments, *constants])} -> {side(of_results, results)}"

    def undivided(*values: jax.Array) -> tuple[jax.Array, ...]:
        own, held = values[: len(arguments)], values[len(arguments) :]
        return tuple(jax.core.eval_jaxpr(whole.jaxpr, held, *own))

    cut = custom_partitioning(undivided)
    cut.def_partition(partition=partition, infer_sharding_from_operands=infer, sharding_rule=rule)
    return lambda *values: cut(*values, *constants)


_placed.def_impl(_evaluate)
_placed.def_abstract_eval(lambda *_, results, **__: list(results))
batching.primitive_batchers[_placed] = _batch
mlir.register_lowering(_placed, _lower_elsewhere)
mlir.register_lowering(_placed, _lower_for_cpu, platform="cpu")
