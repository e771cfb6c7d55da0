"""Train a LineRWKV network, on cubes or on synthetic ones."""

from collections.abc import Sequence
from pathlib import Path

from spatial_prediction import command
from spatial_prediction.compiled_programs import keep_compiled_programs
from spatial_prediction.studies.compression.config import NetworkSettings, SyntheticSettings
from spatial_prediction.studies.compression.stages.inputs import train_linerwkv


def main(arguments: Sequence[str] | None = None) -> None:
    """Train as the arguments say."""
    parser = command.argument_parser(__doc__ or "")
    parser.add_argument(
        "--cubes", type=Path, nargs="*", default=[], help="cubes (build_cube.py); synthetic ones by default"
    )
    parser.add_argument("--count", type=int, default=6, help="how many synthetic cubes")
    parser.add_argument("--output", type=Path, required=True, help="network to write (.safetensors)")
    for name, field in SyntheticSettings.__dataclass_fields__.items():
        parser.add_argument(
            f"--synthetic-{name}", type=field.type, default=field.default, help=f"{name} of synthetic cubes"
        )
    command.add_settings(parser, NetworkSettings)
    options = parser.parse_args(arguments)
    synthetic = {
        name: getattr(options, f"synthetic_{name}") for name in SyntheticSettings.__dataclass_fields__
    }

    keep_compiled_programs()
    train_linerwkv(
        options.cubes,
        SyntheticSettings(**synthetic),
        options.count,
        command.settings_from(options, NetworkSettings),
        output=options.output,
    )


if __name__ == "__main__":
    command.run(main)
