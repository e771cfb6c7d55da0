"""Train one network: one preset, one seed.

Writes the network's arrays with its training history. Checkpoints lie in a folder of their own, so that a
job that was killed, or ran out of time, goes on from the last one when it is started again. Asked to end
(SIGTERM), it saves a checkpoint and exits with code 75.
"""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.config import (
    ModelSettings,
    Preset,
    TrainingSettings,
    add_settings,
    settings_from,
)
from spatial_prediction.experiments.compilation import keep_compiled_programs
from spatial_prediction.experiments.training_run import train_run
from spatial_prediction.files import read_json
from spatial_prediction.provenance import code_fingerprint
from spatial_prediction.training import Interrupted


def main(arguments: Sequence[str] | None = None) -> None:
    """Train as the arguments say."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument("--preset", required=True, help="name under which the network is stored")
    parser.add_argument("--padding", required=True, help="padding before 3x3 convolutions, such as lp2x3")
    parser.add_argument("--upscale-padding", required=True, help="padding before bilinear upscaling")
    parser.add_argument("--output-crop", type=int, default=0, help="input pixels cut off the output's sides")
    parser.add_argument("--seed", type=int, required=True, help="seed of weights and of the order of data")
    parser.add_argument("--train", type=Path, required=True, help="array of training scenes")
    parser.add_argument("--test", type=Path, required=True, help="array of test scenes")
    parser.add_argument("--summary", type=Path, required=True, help="summary of both arrays")
    parser.add_argument("--checkpoints", type=Path, required=True, help="folder of this preset's checkpoints")
    parser.add_argument("--output", type=Path, required=True, help="result to write (.safetensors)")
    add_settings(parser, ModelSettings)
    add_settings(parser, TrainingSettings)
    options = parser.parse_args(arguments)

    keep_compiled_programs()
    try:
        train_run(
            options.preset,
            Preset(options.padding, options.upscale_padding, options.output_crop),
            seed=options.seed,
            model_settings=settings_from(options, ModelSettings),
            settings=settings_from(options, TrainingSettings),
            train_path=options.train,
            test_path=options.test,
            data_hash=read_json(options.summary)["train"]["sha256"],
            code_hash=code_fingerprint(__file__),
            checkpoint_root=options.checkpoints,
            output=options.output,
        )
    except Interrupted as interruption:
        logging.getLogger(__name__).info("asked to end: %s; start again to go on", interruption)
        sys.exit(command.INTERRUPTED)


if __name__ == "__main__":
    command.run(main)
