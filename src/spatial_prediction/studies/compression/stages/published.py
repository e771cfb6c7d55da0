"""The network of its authors instead of one that the study trains: fetched, and made integers."""

import logging
from pathlib import Path

from spatial_prediction.compression.linerwkv import (
    LARGEST_FILE,
    PUBLISHED,
    LineRWKV,
    parsed_state_dict,
    read_state_dict,
)
from spatial_prediction.errors import RetrievalError
from spatial_prediction.files import written_aside
from spatial_prediction.retrieval.web import PATIENCE, Patience, get_bytes
from spatial_prediction.studies.compression.network import save_published

logger = logging.getLogger(__name__)


def retrieve_linerwkv(size: str, output: Path, *, patience: Patience = PATIENCE) -> None:
    """Fetch the file of a published network, and keep it if it holds the parameters that it should.

    Args:
        size: of the network, ``xs`` or ``s``.
        output: file to write, as fetched.
        patience: time limits and retries.

    Raises:
        RetrievalError: it cannot be had.
        CheckpointError: it is something else.
    """
    published = PUBLISHED[size]
    try:
        content = get_bytes(published.address, largest=LARGEST_FILE, patience=patience)
    except RetrievalError as error:
        raise RetrievalError(
            f"{error}; or name a copy of the file by compression.network.published.path"
        ) from None
    published.check(parsed_state_dict(content, published.address), published.address)
    with written_aside(output) as temporary:
        temporary.write_bytes(content)
    logger.info("%s: %d bytes", published.address, len(content))


def build_linerwkv(weights: Path, size: str, output: Path) -> None:
    """Make the published network in such a file into integers, and keep it.

    Args:
        weights: the file; nothing in it is run.
        size: of the network, ``xs`` or ``s``.
        output: file of the network.

    Raises:
        CheckpointError: the file is damaged, or holds other parameters.
    """
    arrays = read_state_dict(weights)
    PUBLISHED[size].check(arrays, str(weights))
    save_published(output, LineRWKV.from_named_arrays(arrays), PUBLISHED[size])
