"""Time training or inference of a preset with the largest batch that fits a memory budget."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.compiled_programs import keep_compiled_programs
from spatial_prediction.studies.super_resolution.config import ModelSettings, Preset
from spatial_prediction.studies.super_resolution.stages.throughput import measure_throughput
from spatial_prediction.training_settings import TrainingSettings


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure according to the arguments."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument("--kind", choices=["training", "inference"], required=True, help="what to time")
    parser.add_argument("--preset", required=True, help="name under which the timing is stored")
    parser.add_argument("--memory-budget-mib", type=int, required=True, help="memory a batch may take, MiB")
    parser.add_argument("--repeats", type=int, required=True, help="timed batches")
    parser.add_argument("--largest-batch", type=int, required=True, help="never use more tiles than this")
    parser.add_argument(
        "--weights", type=Path, help="exported weights of a trained network; default random ones"
    )
    parser.add_argument("--output", type=Path, required=True, help="timing to write (.json)")
    for settings in (Preset, ModelSettings, TrainingSettings):
        command.add_settings(parser, settings)
    options = parser.parse_args(arguments)

    keep_compiled_programs()
    measure_throughput(
        options.preset,
        command.settings_from(options, Preset),
        kind=options.kind,
        model_settings=command.settings_from(options, ModelSettings),
        settings=command.settings_from(options, TrainingSettings),
        memory_budget=options.memory_budget_mib * 2**20,
        repeats=options.repeats,
        largest_batch=options.largest_batch,
        weights=options.weights,
        output=options.output,
    )


if __name__ == "__main__":
    command.run(main)
