"""Claim: clipping lets runs succeed that otherwise diverge; shows its effect and bfloat16's on other runs.

Trains the seeds of a preset with each variation, on the same scenes from the same weights, and shows how many
succeed and their test losses, beside those of the same seeds with the published settings.

  make study CONFIG=config/sentinel2_scenes.yaml
  python benchmarks/training_variations.py resources/sentinel2_scenes/arrays/{train,test}.npy
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

from spatial_prediction.named_arrays import load_arrays
from spatial_prediction.studies.super_resolution.config import ModelSettings
from spatial_prediction.studies.super_resolution.presets import PRESETS
from spatial_prediction.studies.super_resolution.stages.training_run import train_runs
from spatial_prediction.training_settings import TrainingSettings

VARIATIONS: dict[str, dict[str, Any]] = {
    "published": {},
    "clip 1": {"clip_gradient_norm": 1.0},
    "clip 0.1": {"clip_gradient_norm": 0.1},
    "skip 10": {"skip_gradient_spikes": 10.0},
    "skip 3": {"skip_gradient_spikes": 3.0},
    "bfloat16": {"compute_dtype": "bfloat16"},
    "clip 0.1, bfloat16": {"clip_gradient_norm": 0.1, "compute_dtype": "bfloat16"},
}


def outcomes(variation: dict[str, Any], options: argparse.Namespace) -> list[dict[str, Any]]:
    """Records of the runs of all seeds."""
    settings = TrainingSettings(
        steps=options.steps,
        batch_size=options.batch,
        learning_rate=options.rate,
        warmup_steps=min(100, options.steps // 4),
        decay_start=2 * options.steps // 3,
        test_every=options.steps,
        checkpoint_every=options.steps,
        **variation,
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        train_runs(
            options.preset,
            PRESETS[options.preset],
            seeds=options.seeds,
            model_settings=ModelSettings(),
            settings=settings,
            train_path=options.train,
            test_path=options.test,
            data_hash="",
            code_hash="",
            checkpoint_root=folder / "checkpoints",
            output=folder / "output",
        )
        return [
            load_arrays(folder / "output" / f"seed_{seed}.safetensors")[1]["run"] for seed in options.seeds
        ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("train", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("--preset", default="zero_oc5")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(6)))
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=0.014)
    parser.add_argument("--variations", nargs="+", choices=VARIATIONS, default=list(VARIATIONS))
    options = parser.parse_args()
    print(f"{options.preset}, {options.steps} steps of {options.batch} tiles, rate {options.rate}")
    for name in options.variations:
        records = outcomes(VARIATIONS[name], options)
        losses = [
            f"{1e6 * record['final_test_loss']:.0f}"
            if record["status"] == "completed"
            else f"step {record['step']}"
            for record in records
        ]
        completed = sum(record["status"] == "completed" for record in records)
        print(
            f"  {name:18} {completed} of {len(records)} succeed; 1e6 test loss: {', '.join(losses)}",
            flush=True,
        )


if __name__ == "__main__":
    main()
