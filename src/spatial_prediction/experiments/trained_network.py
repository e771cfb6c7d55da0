"""Trained networks, read from the files of the export stage."""

from pathlib import Path
from typing import Any

from spatial_prediction.models import RVSR
from spatial_prediction.named_arrays import load_arrays


def load_model(path: Path, *, output_crop: int) -> tuple[RVSR | None, dict[str, Any]]:
    """Read an exported network with the output crop wanted; None for the network of a diverged run.

    Returns:
        The network with its training branches, and the header of its file.
    """
    arrays, header = load_arrays(path)
    if header["run"]["status"] != "completed":
        return None, header
    model = RVSR.from_named_arrays(
        arrays,
        padding=header["padding"],
        upscale_padding=header["upscale_padding"],
        output_crop=output_crop,
    )
    return model, header
