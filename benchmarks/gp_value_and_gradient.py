r"""Claim: value and gradient of an exact space-time likelihood take no longer for ten times the observations.

An additive Matérn 5/2 model of 50 frames of 17 x 48 pixels, of which 10, 50 and 100 % are observed
(N = 4,083, 20,305, 40,800, the masks of NumPy's RandomState(0)): CPU seconds of one value and gradient after
compilation, by the clock beside it, the reduction per mask apart, and peak memory of the process. Peers
solve the smallest problem with a dense matrix, same kernel, parameters and data, in float64, each in an
environment of its own (benchmarks/peers/NAME.txt has its pins), and must find the same value.

  python benchmarks/gp_value_and_gradient.py
  python benchmarks/gp_value_and_gradient.py --python tinygp=/envs/tinygp/bin/python \
      --python gpjax=/envs/gpjax/bin/python --python gpytorch=/envs/gpytorch/bin/python
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

PEERS = Path(__file__).parent / "peers"
NAMES = ("tinygp", "gpjax", "gpytorch")
SHAPE = (50, 17, 48)
HIDDEN = (0.9, 0.5, 0.0)
PARAMETERS = {
    "mean": 0.94,
    "noise": 2e-4,
    "space_variance": 1e-3,
    "space_length": 6.0,
    "time_variance": 1e-4,
    "time_length": 3.0,
}
NOISE_FLOOR = 1e-4
STEPS = 100
"""Of a fit, over which the reduction of a mask is spread."""


def mask_of(hidden: float) -> np.ndarray:
    """Observed cells: the stream of the reference study."""
    random = np.random.RandomState(0)
    return np.stack([random.choice(2, size=SHAPE[1:], p=[hidden, 1 - hidden]) for _ in range(SHAPE[0])]) == 1


def field() -> np.ndarray:
    """A static image, a time series and noise, of the size of the normalised temperatures."""
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[: SHAPE[1], : SHAPE[2]]
    image = 0.94 - 0.004 * rows + 0.01 * np.sin(columns / 7)
    series = 0.01 * np.sin(np.arange(SHAPE[0]) / 5)
    return image + series[:, None, None] + 0.014 * random.normal(size=SHAPE)


def own(hidden: float) -> None:
    """Measure this library in this process, and print a line of JSON."""
    sys.path.insert(0, str(PEERS))
    import jax
    from additive_problem import measure

    once, reduction = prepared(hidden)
    print(json.dumps(reduction))
    with jax.enable_x64(True):
        measure(once, repeats=7)


def prepared(hidden: float) -> tuple[Callable[[], tuple[float, list[float]]], dict[str, float]]:
    """Reduce a mask; return what computes value and gradient, in float64, and the seconds this took."""
    import resource
    import time

    import equinox as eqx
    import jax

    from spatial_prediction.gaussian_process import AdditiveGridGP
    from spatial_prediction.gaussian_process.kernels import Matern, Scaled, unconstrained

    def kernel(name: str) -> Scaled:
        length, variance = PARAMETERS[f"{name}_length"], PARAMETERS[f"{name}_variance"]
        return Scaled(Matern(unconstrained(length)), unconstrained(variance))

    model = AdditiveGridGP(
        kernel("time"),
        kernel("space"),
        mean=PARAMETERS["mean"],
        raw_noise=unconstrained(PARAMETERS["noise"] - NOISE_FLOOR),
        noise_floor=NOISE_FLOOR,
    )
    mask = mask_of(hidden)
    values = field()[mask]
    clock, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    posterior = model.condition(mask, values)
    now = resource.getrusage(resource.RUSAGE_SELF)
    reduction = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    seconds = {"reduction": reduction, "reduction_wall": time.perf_counter() - clock}

    @eqx.filter_jit
    def value_and_gradient(posterior, model):
        return jax.value_and_grad(lambda model: posterior.with_model(model).log_marginal_likelihood())(model)

    def once() -> tuple[float, list[float]]:
        value, gradient = value_and_gradient(posterior, posterior.model)
        return float(value), [float(leaf) for leaf in jax.tree.leaves(gradient)]

    return once, seconds


def last_lines(command: list[str]) -> dict[str, float]:
    """Run a process and join the lines of JSON that it printed."""
    finished = subprocess.run(command, capture_output=True, text=True)
    if finished.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{finished.stderr[-2000:]}")
    found: dict[str, float] = {}
    for line in finished.stdout.splitlines():
        if line.startswith("{"):
            found |= json.loads(line)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--python", action="append", default=[], metavar="NAME=PATH", help=f"a peer's interpreter: {NAMES}"
    )
    parser.add_argument("--hidden", type=float, nargs="+", default=HIDDEN, help="shares of hidden cells")
    parser.add_argument("--own", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.own is not None:
        own(options.own)
        return
    interpreters = dict(text.split("=", 1) for text in options.python)
    if unknown := set(interpreters) - set(NAMES):
        parser.error(f"--python {sorted(unknown)[0]}: choose among {', '.join(NAMES)}")

    results = {}
    print(
        "| solver | N | CPU s | wall s | reduction, CPU s | both, over 100 steps | peak MB | log likelihood |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for hidden in options.hidden:
        found = last_lines([sys.executable, __file__, "--own", str(hidden)])
        results[hidden] = found
        spread = found["cpu"] + found["reduction"] / STEPS
        print(
            f"| structured | {mask_of(hidden).sum():,} | {found['cpu']:.3f} | {found['wall']:.3f} "
            f"| {found['reduction']:.3f} | {spread:.3f} | {found['megabytes']:.0f} | {found['value']:.6f} |"
        )
    smallest, largest = results[options.hidden[0]], results[options.hidden[-1]]
    print(f"largest to smallest: {largest['cpu'] / smallest['cpu']:.2f} times the CPU seconds")

    mask = mask_of(options.hidden[0])
    with tempfile.TemporaryDirectory() as folder:
        problem = Path(folder, "problem.npz")
        np.savez(problem, points=np.argwhere(mask).astype(float), values=field()[mask], **PARAMETERS)
        for name in NAMES:
            if name not in interpreters:
                print(f"{name}: absent; --python {name}=PATH names its interpreter")
                continue
            script = str(PEERS / f"{name}_value_and_gradient.py")
            found = last_lines([interpreters[name], script, str(problem)])
            print(
                f"| {name} | {mask.sum():,} | {found['cpu']:.3f} | {found['wall']:.3f} | | | "
                f"{found['megabytes']:.0f} | {found['value']:.6f} |"
            )
            off = abs(found["value"] / smallest["value"] - 1)
            print(
                f"{name}: {found['cpu'] / smallest['cpu']:.1f} times our CPU seconds; value off by {off:.1e}"
            )


if __name__ == "__main__":
    main()
