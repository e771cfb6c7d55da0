r"""Claim: at this size a product kernel with missing cells is fitted faster exactly than by iteration.

The first frames of FIELD (netCDF, (time, y, x)), of which a share of the cells is hidden, another one in each
frame: space x time with missing cells has no Kronecker structure left. We solve it with a dense matrix;
BoTorch's LatentKroneckerGP (an environment of its own, benchmarks/peers/botorch.txt) with conjugate gradients
on the full grid, approximately, so errors stand beside seconds and no factor is claimed. Same kernels (Matérn
5/2, a lengthscale for each axis) and starts; static + product is what the package would take. Seconds of
processors, compilation included, and errors at the hidden cells.

  python benchmarks/latent_kronecker.py continuous_signal_demo_dataset.nc \
      --python botorch=/envs/botorch/bin/python
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

PEERS = Path(__file__).parent / "peers"
MODELS = ("product", "static_product")
SHOWN = {
    "fit": ".1f",
    "wall": ".1f",
    "prediction": ".1f",
    "mae": ".3f",
    "rmse": ".3f",
    "coverage": ".3f",
    "nlpd": ".3f",
    "megabytes": ".0f",
}
"""What each model is reported by, and the form of each number."""


def own(name: str, path: str) -> None:
    """Fit one of our models in this process, and print a line of JSON."""
    sys.path.insert(0, str(PEERS))
    from product_problem import judge, scaled

    from spatial_prediction.gaussian_process import DenseGP, NegativeLogLikelihood, StaticProductGP, fit
    from spatial_prediction.gaussian_process.kernels import Matern, OnAxes, Scaled, unconstrained

    with np.load(path) as arrays:
        problem = dict(arrays)
    mask, values = problem["mask"], scaled(problem)[problem["mask"]]
    lengths = (np.array(mask.shape) - 1) / 6
    space, time = Matern(unconstrained(lengths[1:])), Matern(unconstrained(lengths[0]))
    options = {"raw_noise": unconstrained(0.1), "noise_floor": 1e-6}
    if name == "product":
        kernel = Scaled(OnAxes(space, (1, 2)) * OnAxes(time, (0,)), unconstrained(1.0))
        model = DenseGP(kernel, **options)
    else:
        field = Scaled(space, unconstrained(0.5))
        model = StaticProductGP(field, field, time, **options)
    posterior = model.condition(mask, values)
    found = []

    def fitted() -> None:
        found.append(fit(model, NegativeLogLikelihood(posterior, len(values)), steps=60))

    judge(problem, fitted, lambda: posterior.with_model(found[0].model).predict_grid(np.arange(len(mask))))


def last_line(command: list[str]) -> dict[str, float]:
    """Run a process and read the line of JSON that it printed last."""
    finished = subprocess.run(command, capture_output=True, text=True)
    if finished.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{finished.stderr[-2000:]}")
    return dict(json.loads(finished.stdout.splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("field", type=Path, metavar="FIELD")
    parser.add_argument("--variable", default="var1")
    parser.add_argument("--frames", type=int, default=10, help="how many, from the first on")
    parser.add_argument("--hidden", type=float, default=0.9, help="share of hidden cells")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--python", metavar="botorch=PATH", help="the peer's interpreter")
    parser.add_argument("--own", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.own is not None:
        own(*options.own)
        return
    import xarray

    with xarray.open_dataset(options.field, decode_times=False) as dataset:
        field = dataset[options.variable][: options.frames].values.astype(np.float64)
    mask = np.random.default_rng(options.seed).random(field.shape) >= options.hidden
    print(f"{field.shape} cells, {mask.sum():,} observed, {(~mask).sum():,} hidden")
    print("| model | fit, CPU s | wall s | prediction, CPU s | MAE | RMSE | coverage | NLPD | peak MB |")
    print("|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "problem.npz"))
        np.savez(path, field=field, mask=mask)
        commands = {
            name: [sys.executable, __file__, str(options.field), "--own", name, path] for name in MODELS
        }
        if options.python:
            peer = str(PEERS / "botorch_latent_kronecker.py")
            commands["LatentKroneckerGP"] = [options.python.removeprefix("botorch="), peer, path]
        for name, command in commands.items():
            found = last_line(command)
            shown = " | ".join(f"{found[key]:{form}}" for key, form in SHOWN.items())
            print(f"| {name} | {shown} |", flush=True)
    if not options.python:
        print("LatentKroneckerGP: absent; --python botorch=PATH names its interpreter")


if __name__ == "__main__":
    main()
