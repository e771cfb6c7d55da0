"""From scenes to the arrays and tiles that a network is trained on.

- ``permutation``: the order of the scenes, by seed or from a file.
- ``arrays``: scene files in, training and test array out.
- ``tiles``, ``resident``, ``degradation``: tiles of an array, and the input made of each target.
- ``synthetic``: synthetic scenes.

Importing the package imports no network code.
"""

from spatial_prediction.studies.super_resolution.data.arrays import build_arrays as build_arrays
from spatial_prediction.studies.super_resolution.data.permutation import scene_order as scene_order
