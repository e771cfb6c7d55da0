"""Section: the same network in PyTorch, on the same device."""

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import against_pytorch
import jax
from safetensors.numpy import load_file, save_file

from gpu import worker
from gpu.networks import PIXELS, Earlier
from gpu.roofline import Row, roofline_of
from gpu.sizes import Sizes
from gpu.timing import Clock, measured, repeated
from spatial_prediction.models import merge_branches


def pytorch(sizes: Sizes, clock: Clock, earlier: Earlier, *, python: Path | None) -> Iterator[Row]:
    """Compare forward passes and steps of the merged network with zero padding."""
    if python is None:
        raise worker.NotHereError("--python names no interpreter that has PyTorch")
    roofline = roofline_of(earlier)
    kinds = {
        "inference": ("forward", against_pytorch.forward_pass, sizes.inference_batch),
        "training": ("step", against_pytorch.training_step, sizes.batch),
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        weights = folder / "merged.safetensors"
        network = merge_branches(against_pytorch.untrained())
        save_file(against_pytorch.weights_for_pytorch(network), weights)
        request = {"padding": "zeros", "weights": str(weights)}
        for compiler, options in (("eager", []), ("torch.compile", ["--compile"])):
            if not clock.has_room(compiler):
                return
            peer = against_pytorch.Way(command(python) + options, {"PYTHONPATH": ""})
            try:
                for kind, (what, make, batch) in kinds.items():
                    if not clock.has_room(f"{compiler}, {kind}"):
                        return
                    data = folder / f"{kind}.safetensors"
                    save_file(against_pytorch.tiles(batch, 48, pairs=kind == "training"), data)
                    call = make(network, load_file(data))
                    theirs = partial(answers, peer, {**request, "what": what, "data": str(data)})
                    differ = abs(float(call()) - theirs(1)[0])
                    here = measured(repeated(call), sizes.seconds, sizes.rounds)
                    there = measured(theirs, sizes.seconds, sizes.rounds)
                    for who, took in (("this package", here), (f"{peer.version}, {compiler}", there)):
                        images = batch / took.median
                        row = {"pass": kind, "who": who, "batch": batch, "ms": 1e3 * took.median}
                        row |= {"over this package": took.median / here.median, "images/s": images}
                        row["first results differ by"] = differ
                        yield {**row, **(roofline.shares(kind, images * PIXELS) if roofline else {})}
            finally:
                peer.end()


def answers(peer: against_pytorch.Way, request: dict[str, str], calls: int) -> list[float]:
    """Let the peer make some calls; return its results."""
    return peer.ask(**request, calls=calls)["results"]


def command(python: Path) -> list[str]:
    """Start the peer on the kind of device that JAX has."""
    device = "cpu" if jax.default_backend() == "cpu" else "cuda"
    return [str(python), str(against_pytorch.PEER), "--threads", "2", "--device", device]
