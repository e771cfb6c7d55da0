"""Large images by tiles, whatever the network: windows, seams, and what they cost.

A network is an Equinox module or any function of NumPy batches, with its upscale factor and receptive
field; ``docs/tiling.md`` compares the strategies. Nothing here knows a network by name.
"""

from spatial_prediction.tiling._masked import fill_masked, masked_pixels, upscaled_mask
from spatial_prediction.tiling._measured_field import measured_receptive_field
from spatial_prediction.tiling._networks import Predict, as_predict
from spatial_prediction.tiling._receptive_field import (
    Halo,
    ReceptiveField,
    receptive_field_of_layers,
    stated_receptive_field,
)
from spatial_prediction.tiling._strategies import (
    CURVES,
    STRATEGY_NAMES,
    Curve,
    Strategy,
    StrategyName,
    strategy_from_name,
)
from spatial_prediction.tiling._upscaling import Strip, upscale_array, upscale_strips
from spatial_prediction.tiling._windows import Span, TilePlan, plan_tiles

__all__ = [
    "CURVES",
    "STRATEGY_NAMES",
    "Curve",
    "Halo",
    "Predict",
    "ReceptiveField",
    "Span",
    "Strategy",
    "StrategyName",
    "Strip",
    "TilePlan",
    "as_predict",
    "fill_masked",
    "masked_pixels",
    "measured_receptive_field",
    "plan_tiles",
    "receptive_field_of_layers",
    "stated_receptive_field",
    "strategy_from_name",
    "upscale_array",
    "upscale_strips",
    "upscaled_mask",
]
