"""Large images by tiles, whatever the network: windows, seams, and what they cost.

A network is an Equinox module or any function of NumPy batches, with its upscale factor and receptive
field; ``docs/tiling.md`` compares the strategies. Nothing here knows a network by name.
"""

from spatial_prediction.tiling._continuation import continue_rings
from spatial_prediction.tiling._dataarray import upscale_dataarray
from spatial_prediction.tiling._masked import fill_masked, masked_pixels, upscaled_mask
from spatial_prediction.tiling._measured_field import measured_receptive_field
from spatial_prediction.tiling._mixing import Mixer
from spatial_prediction.tiling._networks import Predict, as_predict
from spatial_prediction.tiling._planner import Choice, Measurement, cheapest_strategy, relative_work
from spatial_prediction.tiling._receptive_field import (
    Halo,
    ReceptiveField,
    receptive_field_of_layers,
    stated_receptive_field,
)
from spatial_prediction.tiling._seams import (
    SeamSteps,
    deviation_at_crossings,
    deviation_bound,
    deviation_by_distance,
    seam_is_visible,
    seam_steps,
    stitch_lines,
    tile_mismatch,
    visible_share,
    worst_deviation,
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
    "Choice",
    "Curve",
    "Halo",
    "Measurement",
    "Mixer",
    "Predict",
    "ReceptiveField",
    "SeamSteps",
    "Span",
    "Strategy",
    "StrategyName",
    "Strip",
    "TilePlan",
    "as_predict",
    "cheapest_strategy",
    "continue_rings",
    "deviation_at_crossings",
    "deviation_bound",
    "deviation_by_distance",
    "fill_masked",
    "masked_pixels",
    "measured_receptive_field",
    "plan_tiles",
    "receptive_field_of_layers",
    "relative_work",
    "seam_is_visible",
    "seam_steps",
    "stated_receptive_field",
    "stitch_lines",
    "strategy_from_name",
    "tile_mismatch",
    "upscale_array",
    "upscale_dataarray",
    "upscale_strips",
    "upscaled_mask",
    "visible_share",
    "worst_deviation",
]
