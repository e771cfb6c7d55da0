"""From the name of a border handling to the object that a network takes."""

from spatial_prediction.models._borders import (
    AbstractBorder,
    DifferentialBorder,
    ExplicitBorder,
    PaddedBorder,
    PartialBorder,
)
from spatial_prediction.names import OwnConvolution, TrainedPrediction, parse_border_name
from spatial_prediction.padding import padding_from_name, trained_padding_from_name


def border_from_name(name: str) -> AbstractBorder:
    """Make the border handling called ``name``, for all 3x3 convolutions of a network.

    Args:
        name: ``part`` (partial convolution), ``diff`` (differential convolution), ``diff_edge`` (the same
            with an edge kernel), ``ebh`` (explicit boundary handling), or a name that ``padding_from_name``
            or ``trained_padding_from_name`` accepts.

    Raises:
        ValueError: nothing has that name.
        TypeError: ``name`` is not a string.
    """
    match parse_border_name(name):
        case OwnConvolution("part"):
            return PartialBorder()
        case OwnConvolution("diff"):
            return DifferentialBorder()
        case OwnConvolution("diff_edge"):
            return DifferentialBorder(edge_kernel=True)
        case OwnConvolution("ebh"):
            return ExplicitBorder()
        case TrainedPrediction():
            return PaddedBorder(trained_padding_from_name(name, 1, channels=1))
    return PaddedBorder(padding_from_name(name, 1))
