"""Claim: on a CPU the network runs in two fifths of the time of PyTorch's better way, and trains faster.

The same network, its branches merged, with the same weights and data: a forward pass, and a step of
training by Adam. Here with several paddings; there with zeros and, for ``repl``, with replicated pixels,
channels-last, eager and by ``torch.compile``. Each way is a process of its own, started anew for each case
and padding; they take turns, round by round, and medians of paired ratios are given, with quartiles, and
what each held at most. The first results are compared, so that both compute the same. Shares are of the
speed of a large product of matrices in the same run, and count the arithmetic of the network as it is
defined, of which convolutions may take less.

  python -m venv PEER && PEER/bin/pip install -r benchmarks/peers/pytorch.txt
  python benchmarks/against_pytorch.py --python PEER/bin/python
  python benchmarks/against_pytorch.py --python PEER/bin/python --cases forward-64 step-64 --paddings zero
  python benchmarks/against_pytorch.py --before CHECKOUT       # of an earlier commit, its kernels compiled
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from peers.peak_memory import peak_memory

PEER = Path(__file__).parent / "peers" / "pytorch_network.py"
CASES = {
    "forward-16": ("forward", 16, 48),
    "forward-64": ("forward", 64, 48),
    "forward-512": ("forward", 1, 512),
    "step-16": ("step", 16, 48),
    "step-64": ("step", 64, 48),
    "step-512": ("step", 1, 512),
}
"""What is done, with how many maps of how many rows and columns."""
OPERATIONS = 2 * (3 * 9 * 16 + 8 * (16 * 9 * 16 + 2 * 16 * 32) + 16 * 9 * 16 + 16 * 48)
"""Of a forward pass, for each input pixel."""
PART = 16
"""Maps whose gradients are taken together."""


class Way:
    """One way to compute the network, in a process that stays."""

    def __init__(self, command: Sequence[str], environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )
        self.version = self.ask(what="version")["version"]

    def ask(self, **request: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(request), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"a process ended with exit code {self._process.wait()}")
        return json.loads(line)

    def end(self) -> None:
        self._process.communicate()


def serve() -> None:
    """Answer requests by this package."""
    import jax
    from safetensors.numpy import load_file

    import spatial_prediction

    calls: dict[tuple[str, ...], Callable[[], Any]] = {}
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["what"] == "version":
            answer: dict[str, Any] = {"version": f"this package {spatial_prediction.__version__}"}
        elif asked["what"] == "peak":
            answer = {"peak": measured_peak()}
        else:
            key = asked["what"], asked["padding"], asked["data"]
            if key not in calls:
                make = forward_pass if asked["what"] == "forward" else training_step
                calls[key] = make(
                    merged(load_file(asked["network"]), asked["padding"]), load_file(asked["data"])
                )
            clock, cpu = time.perf_counter(), time.process_time()
            results = [calls[key]() for _ in range(asked["calls"])]
            jax.block_until_ready(results)
            seconds = time.perf_counter() - clock, time.process_time() - cpu
            answer = {
                "results": [float(each) for each in results],
                "clock": seconds[0] / asked["calls"],
                "cpu": seconds[1] / asked["calls"],
                "memory": peak_memory(),
            }
        print(json.dumps(answer), flush=True)


def untrained() -> Any:
    """Return a network with its branches."""
    import jax

    from spatial_prediction.models import RVSR, border_from_name
    from spatial_prediction.padding import padding_from_name

    return RVSR.initialised(
        padding=border_from_name("zero"),
        upscale_padding=padding_from_name("repl", 1),
        key=jax.random.key(0),
    )


def merged(weights: dict[str, np.ndarray], padding: str) -> Any:
    """Return the network of these weights with a padding, its branches merged."""
    import jax

    from spatial_prediction.models import RVSR, merge_branches

    network = RVSR.from_named_arrays(weights, padding=padding, upscale_padding="repl")
    return jax.device_put(merge_branches(jax.tree.map(np.asarray, network)))  # as `load_network` does


def forward_pass(model: Any, data: dict[str, np.ndarray]) -> Callable[[], Any]:
    import equinox as eqx
    import jax.numpy as jnp

    low = jnp.asarray(data["low"])
    apply = eqx.filter_jit(lambda model, low: model.apply(low))

    def call() -> Any:
        return float(apply(model, low)[0, 0, 0, 0])

    return call


def training_step(model: Any, data: dict[str, np.ndarray]) -> Callable[[], Any]:
    import equinox as eqx
    import jax
    import jax.numpy as jnp
    import optax

    from spatial_prediction import training
    from spatial_prediction.models import pixel_unshuffle

    low, high = jnp.asarray(data["low"]), pixel_unshuffle(jnp.asarray(data["high"]), 4)
    parameters, static = eqx.partition(model, eqx.is_array)

    def loss(parameters: Any, tiles: Any) -> Any:
        low, high = tiles
        model = eqx.combine(parameters, static)
        return jnp.mean((model.phases_with_features(low)[0] - high) ** 2), None

    # as a study does; earlier commits cannot
    if hasattr(training, "mean_over_parts") and not static.couples_batch:
        loss = training.mean_over_parts(loss, PART)

    adam = optax.adam(1e-3)
    step = training.make_update(loss, adam)
    now = [jax.tree.map(jnp.array, parameters), adam.init(parameters)]

    def call() -> Any:
        *now[:], measures = step(*now, (low, high))
        return measures[0]

    return call


def measured_peak() -> float:
    """Operations per second, the best of several products of 2048 x 2048 matrices."""
    import jax
    import jax.numpy as jnp

    a = jnp.ones((2048, 2048))
    product = jax.jit(lambda a: a @ a)
    best = np.inf
    for _ in range(10):
        started = time.perf_counter()
        jax.block_until_ready(product(a))
        best = min(best, time.perf_counter() - started)
    return 2 * 2048**3 / best


def tiles(batch: int, size: int, *, pairs: bool) -> dict[str, np.ndarray]:
    """Make square inputs, smooth and rough, and targets if pairs are wanted."""
    rough = np.random.default_rng(0).standard_normal((batch, size, size, 3)).cumsum(1).cumsum(2)
    low = (rough / np.abs(rough).max()).astype(np.float32)
    return {"low": low, "high": low.repeat(4, axis=1).repeat(4, axis=2)} if pairs else {"low": low}


def weights_for_pytorch(model: Any) -> dict[str, np.ndarray]:
    """Name merged weights as PyTorch's modules are, kernels (outputs, inputs, rows, columns)."""
    layers = {"head": model.head, "tail": model.tail, "project": model.project}
    arrays = {}
    for name, layer in layers.items():
        arrays[f"{name}.weight"], arrays[f"{name}.bias"] = layer.kernel, layer.bias
    for index, block in enumerate(model.body):
        parts = {"convolution": block.repconv, "expand": block.ffn.expand, "reduce": block.ffn.reduce}
        for name, layer in parts.items():
            arrays[f"blocks.{index}.{name}.weight"] = layer.kernel
            arrays[f"blocks.{index}.{name}.bias"] = layer.bias
    return {
        name: np.ascontiguousarray(np.asarray(each).transpose(3, 2, 0, 1) if each.ndim == 4 else each)
        for name, each in arrays.items()
    }


def started(options: argparse.Namespace) -> dict[str, Way]:
    """Start a process for each way: anew for each comparison, so that its peak of memory is its own."""
    from spatial_prediction.command import JOB_ENVIRONMENT

    here = [sys.executable, __file__, "--serve"]
    ways = {"here": Way(here, JOB_ENVIRONMENT)}
    if options.before:
        ways["before"] = Way(here, {**JOB_ENVIRONMENT, "PYTHONPATH": str(options.before / "src")})
    if options.python:
        peer = [str(options.python), str(PEER), "--threads", str(options.threads)]
        ways["PyTorch eager"] = Way(peer, {"PYTHONPATH": ""})
        ways["PyTorch compiled"] = Way([*peer, "--compile"], {"PYTHONPATH": ""})
    return ways


def compare(ways: dict[str, Way], request: dict[str, Any], case: str, rounds: int) -> float:
    """Print medians of one case with one padding, and ratios of paired rounds; return our seconds."""
    what, batch, size = CASES[case]
    padding = request["padding"]
    theirs = "replicate" if padding == "repl" else "zeros"
    asked = {name: {**request, "padding": theirs if "PyTorch" in name else padding} for name in ways}
    begun = {name: way.ask(**asked[name], calls=3) for name, way in ways.items()}
    for name in [name for name in ways if "fault" in begun[name]]:
        print(f"{case}, {padding}: {name} fails: {begun[name]['fault']}", flush=True)
    ways = {name: way for name, way in ways.items() if "fault" not in begun[name]}
    first = {name: begun[name]["results"] for name in ways}
    calls = max(1, round(1.5 / (ways["here"].ask(**asked["here"], calls=1)["clock"] + 1e-3)))
    answers: dict[str, list[dict[str, Any]]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            answers[name].append(way.ask(**asked[name], calls=max(1, calls // (1 if name == "here" else 2))))
    seconds = {
        kind: {name: np.array([each[kind] for each in answers[name]]) for name in ways}
        for kind in ("clock", "cpu")
    }
    medians = {name: float(np.median(each)) for name, each in seconds["clock"].items()}
    memory = ", ".join(f"{name} {answers[name][-1]['memory']:.0f}" for name in ways)
    times = ", ".join(f"{name} {1e3 * each:.1f}" for name, each in medians.items())
    operations = OPERATIONS * batch * size**2 * (3 if what == "step" else 1)
    share = operations / medians["here"] / ways["here"].ask(what="peak")["peak"]
    print(f"{case}, {padding}: ms {times}; {share:.0%} of the peak; MiB {memory}")
    for rivals in ([n for n in ways if "PyTorch" in n], [n for n in ways if n == "before"]):
        if not rivals:
            continue
        better = min(rivals, key=lambda name: medians[name])
        ratios = [
            np.percentile(each[better] / each["here"], [50, 25, 75]).round(2) for each in seconds.values()
        ]
        line = "  {}: {} times the clock ({} to {}), ".format(better, *ratios[0])
        line += "{} times the CPU time ({} to {})".format(*ratios[1])
        if padding in ("zero", "repl") or better == "before":
            difference = max(abs(a - b) for a, b in zip(first["here"], first[better], strict=True))
            line += f"; first results differ by {difference:.0e}"
        print(line, flush=True)
    return medians["here"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--python", type=Path, help="interpreter that has PyTorch")
    parser.add_argument("--before", type=Path, help="a checkout of this package to compare with")
    parser.add_argument("--cases", nargs="+", choices=list(CASES), default=list(CASES))
    parser.add_argument("--paddings", nargs="+", default=["zero", "repl", "lp1x1cs", "lp2x3"])
    parser.add_argument("--threads", type=int, default=2, help="on as many cores")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        return serve()
    if not (options.python or options.before):
        parser.error("--python or --before: there is nothing to compare with")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    from safetensors.numpy import save_file

    with tempfile.TemporaryDirectory() as folder:
        network = {name: np.asarray(each) for name, each in untrained().to_named_arrays().items()}
        files = {each: str(Path(folder) / f"{each}.safetensors") for each in ("network", "weights")}
        save_file(network, files["network"])
        save_file(weights_for_pytorch(merged(network, "zero")), files["weights"])
        for case in options.cases:
            what, batch, size = CASES[case]
            data = f"{folder}/{case}.safetensors"
            save_file(tiles(batch, size, pairs=what == "step"), data)
            spent: dict[str, float] = {}
            for padding in options.paddings:
                ways = started(options)
                if case == options.cases[0] and not spent:
                    print(", ".join(f"{name}: {way.version}" for name, way in ways.items()), flush=True)
                request = {"what": what, "data": data, "padding": padding, **files}
                spent[padding] = compare(ways, request, case, options.rounds)
                for way in ways.values():
                    way.end()
            if "zero" in spent:
                costs = ", ".join(f"{name} {spent[name] / spent['zero']:.2f}" for name in spent)
                print(f"  {case}, over zero padding: {costs}", flush=True)


if __name__ == "__main__":
    main()
