"""Claim: a change makes neither a padded layer nor the network slower, forwards or in a training step.

Runs this checkout's library and another's in two processes that take turns: forward pass and gradient of
``PaddedConv2d`` under ``jax.vmap`` and of ``RVSR``, in processor time. Shows the ratio, this checkout over
the other, mean and 95 % interval over the rounds. Both checkouts need kernels of their own, or neither.

  git worktree add ../before COMMIT
  PYTHONPATH=../before/src python -m spatial_prediction.native
  python benchmarks/two_checkouts.py ../before
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

SOURCE = Path(__file__).parents[1] / "src"
PADDINGS = ("zero", "repl", "lp2x3")


def programs(weights: Path, batch: int, paddings: Sequence[str]) -> Iterator[tuple[str, Callable[[], None]]]:
    """What is timed, by name, in the form that checkouts of any age understand: names, no border objects."""
    import equinox as eqx
    import jax
    import jax.numpy as jnp

    from spatial_prediction.convolution import PaddedConv2d
    from spatial_prediction.models import RVSR, merge_branches

    rng = np.random.default_rng(0)
    maps = jnp.asarray(rng.normal(size=(batch, 16, 48, 48)), jnp.float32)
    tiles = jnp.asarray(rng.uniform(-1, 1, size=(batch // 4, 48, 48, 3)), jnp.float32)
    with np.load(weights) as stored:
        arrays = dict(stored)

    def runs(
        name: str, model: Any, x: jax.Array, apply: Callable[..., jax.Array]
    ) -> Iterator[tuple[str, Any]]:
        def loss(model: Any, x: jax.Array) -> jax.Array:
            return jnp.mean(apply(model, x) ** 2)

        for kind, function in (("forward", apply), ("gradient", eqx.filter_grad(loss))):
            program = eqx.filter_jit(function).lower(model, x).compile()
            yield f"{name}, {kind}", lambda program=program: jax.block_until_ready(program(model, x))

    for padding in paddings:
        layer = PaddedConv2d(16, 16, 3, padding=1, padding_mode=padding, key=jax.random.key(0))
        yield from runs(f"layer {padding}", layer, maps, lambda layer, x: jax.vmap(layer)(x))
        network = RVSR.from_named_arrays(arrays, padding=padding, upscale_padding="repl")
        yield from runs(
            f"RVSR {padding}", network, tiles, lambda network, x: merge_branches(network).apply(x)
        )


def serve(weights: Path, batch: int, paddings: Sequence[str]) -> None:
    """Answer each line, a name and repeats, with the processor seconds of a repeat."""
    known = dict(programs(weights, batch, paddings))
    for run in known.values():
        run()
    print(json.dumps(list(known)), flush=True)
    for line in sys.stdin:
        name, repeats = json.loads(line)
        started = time.process_time()
        for _ in range(repeats):
            known[name]()
        print((time.process_time() - started) / repeats, flush=True)


class Checkout:
    """A process that has imported the library of one checkout."""

    def __init__(self, source: Path, arguments: Sequence[str], stack: ExitStack) -> None:
        environment = {**os.environ, "PYTHONPATH": str(source)}
        command = [sys.executable, __file__, "--serve", *arguments]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self.process = stack.enter_context(process)
        stack.callback(process.stdin.close)
        self.names = json.loads(process.stdout.readline())

    def seconds(self, name: str, repeats: int) -> float:
        """Processor time of one of ``repeats`` calls of a program."""
        print(json.dumps([name, repeats]), file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("other", type=Path, help="folder of the other checkout")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--batch", type=int, default=64, help="maps of a layer; the network gets a quarter")
    parser.add_argument("--paddings", nargs="+", default=PADDINGS)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        return serve(options.other, options.batch, options.paddings)

    import jax

    from spatial_prediction.models import RVSR
    from spatial_prediction.padding import padding_from_name
    from spatial_prediction.statistics.intervals import bootstrap_interval

    border = padding_from_name("repl", 1)
    network = RVSR.initialised(padding=border, upscale_padding=border, key=jax.random.key(0))
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        weights = Path(folder, "weights.npz")
        np.savez(weights, **network.to_named_arrays())
        arguments = [str(weights), "--batch", str(options.batch), "--paddings", *options.paddings]
        sources = (SOURCE, options.other.resolve() / "src")
        checkouts = [Checkout(source, arguments, stack) for source in sources]
        print(f"{'':28} ms here  this checkout over the other")
        for name in checkouts[0].names:
            repeats = max(1, round(0.1 / checkouts[0].seconds(name, 3)))
            turns = np.empty((options.rounds, 2))
            for number in range(options.rounds):
                for which in (0, 1) if number % 2 else (1, 0):
                    turns[number, which] = checkouts[which].seconds(name, repeats)
            ratio = bootstrap_interval(turns[:, 0] / turns[:, 1], rng_seed=0)
            milliseconds = np.median(turns[:, 0]) * 1e3
            interval = f"{ratio.mean:.3f} ({ratio.low:.3f} to {ratio.high:.3f})"
            print(f"{name:28} {milliseconds:7.2f}  {interval}", flush=True)


if __name__ == "__main__":
    main()
