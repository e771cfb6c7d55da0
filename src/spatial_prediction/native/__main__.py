"""Compile the kernels: ``python -m spatial_prediction.native``."""

from collections.abc import Sequence

from spatial_prediction import command
from spatial_prediction.native import CompilationError, build, usable_libraries

DESCRIPTION = """\
Compile the kernels for the JAX of this environment, with the C++ compiler that CXX names or the first of the
usual ones on PATH. It takes about a minute, and does nothing if the kernels are there already."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Compile, and print the path of the library."""
    command.argument_parser(DESCRIPTION).parse_args(arguments)
    try:
        print(f"compiled kernels: {build()}")
    except CompilationError as error:
        instead = next(iter(usable_libraries()), "XLA")
        raise CompilationError(f"nothing compiled, {instead} computes instead: {error}") from None


if __name__ == "__main__":
    command.run(main)
