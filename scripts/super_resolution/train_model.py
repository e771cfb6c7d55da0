"""Train the networks of one preset, from one seed or several in one program.

Writes each network's arrays with its training history. Checkpoints have a separate folder, so that a
job that was killed, or ran out of time, goes on from the last one when it is started again. Asked to end
(SIGTERM), it saves a checkpoint and exits with code 75.
"""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.compiled_programs import keep_compiled_programs
from spatial_prediction.files import read_object
from spatial_prediction.provenance import code_fingerprint
from spatial_prediction.studies.super_resolution.config import ModelSettings, Preset
from spatial_prediction.studies.super_resolution.stages.training_run import train_runs
from spatial_prediction.training import Interrupted
from spatial_prediction.training_settings import TrainingSettings


def main(arguments: Sequence[str] | None = None) -> None:
    """Train according to the arguments."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument("--preset", required=True, help="name under which the network is stored")
    parser.add_argument(
        "--seeds", type=int, nargs="+", required=True, help="seeds of weights and of the order of data"
    )
    parser.add_argument("--train", type=Path, required=True, help="array of training scenes")
    parser.add_argument("--test", type=Path, required=True, help="array of test scenes")
    parser.add_argument("--summary", type=Path, required=True, help="summary of both arrays")
    parser.add_argument("--checkpoints", type=Path, required=True, help="folder of this preset's checkpoints")
    parser.add_argument("--output", type=Path, required=True, help="folder to write seed_N.safetensors to")
    for settings in (Preset, ModelSettings, TrainingSettings):
        command.add_settings(parser, settings)
    options = parser.parse_args(arguments)

    keep_compiled_programs()
    try:
        train_runs(
            options.preset,
            command.settings_from(options, Preset),
            seeds=options.seeds,
            model_settings=command.settings_from(options, ModelSettings),
            settings=command.settings_from(options, TrainingSettings),
            train_path=options.train,
            test_path=options.test,
            data_hash=read_object(options.summary, ["train.sha256"])["train"]["sha256"],
            code_hash=code_fingerprint(__file__),
            checkpoint_root=options.checkpoints,
            output=options.output,
        )
    except Interrupted as interruption:
        logging.getLogger(__name__).info("asked to end: %s; start again to go on", interruption)
        sys.exit(command.INTERRUPTED)


if __name__ == "__main__":
    command.run(main)
