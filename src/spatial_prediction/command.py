"""What every script and command has in common: a parser that teaches, plain logs, honest exit codes."""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence

from spatial_prediction.errors import SpatialPredictionError

INTERRUPTED = 75
"""Exit code of a job that saved its state and may be started again (EX_TEMPFAIL of sysexits)."""


def argument_parser(description: str) -> argparse.ArgumentParser:
    """Make a parser that shows ``description`` as written and every option's default."""

    class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
        pass

    return argparse.ArgumentParser(description=description, formatter_class=HelpFormatter, allow_abbrev=False)


def run(main: Callable[[Sequence[str] | None], None]) -> None:
    """Run a script's ``main`` and end the process with an exit code that tells the truth.

    Errors a user can mend are printed as one message without a traceback (exit code 1); anything else
    is a defect and keeps its traceback.
    """
    logging.getLogger("jax").setLevel(logging.WARNING)  # it would tell of every backend it doesn't find
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr
    )
    try:
        main(None)
    except SpatialPredictionError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
