"""Put a trained network where the package keeps the one that comes with it.

  python workflow/bundle_network.py                after config/bundled_network.yaml; make network runs both

The file holds the weights, and of the header what the network is, how it was trained and on which scenes:
nothing that differs between equal trainings, such as the seconds they took.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.errors import CheckpointError
from spatial_prediction.files import read_object
from spatial_prediction.models import BUNDLED_NETWORK, network_and_header
from spatial_prediction.named_arrays import save_arrays

OVERLAY = "bundled_network"
KEPT = ("preset", "padding", "upscale_padding", "output_crop", "model", "seed")


def main(arguments: Sequence[str] | None = None) -> None:
    """Bundle as the arguments say."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument(
        "--model",
        type=Path,
        default=Path(f"results/{OVERLAY}/models/lp2x3/seed_0.safetensors"),
        help="the network, of export_model.py",
    )
    parser.add_argument(
        "--summary",
        type=Path,
        default=Path(f"resources/{OVERLAY}/arrays/summary.json"),
        help="summary of the arrays it was trained on, of build_arrays.py",
    )
    parser.add_argument(
        "--scenes", type=Path, default=Path("resources/scenes/sentinel2"), help="folder of the scenes"
    )
    parser.add_argument("--output", type=Path, default=BUNDLED_NETWORK, help="file to write")
    options = parser.parse_args(arguments)

    network, header = network_and_header(options.model)
    if network is None:
        raise CheckpointError(
            f"{options.model}: its training diverged; change its settings and train it anew"
        )
    trained_on = read_object(options.summary, ["train.scenes", "train.sha256"])["train"]
    settings = header["provenance"]["settings"]
    if settings["data"] != trained_on["sha256"]:
        raise CheckpointError(
            f"{options.model}: was trained on other scenes than {options.summary} lists; train it anew"
        )
    scenes = {
        name: hashlib.sha256((options.scenes / name).read_bytes()).hexdigest()
        for name in trained_on["scenes"]
    }
    kept = {field: header[field] for field in KEPT}
    run = {field: header["run"][field] for field in ("status", "step")}
    described = {**kept, "run": run, "training": settings["training"], "training_scenes": scenes}
    save_arrays(options.output, network.to_named_arrays(), described)


if __name__ == "__main__":
    command.run(main)
