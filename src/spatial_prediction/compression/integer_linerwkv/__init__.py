"""LineRWKV in integers: what codes a cube, bit for bit the same everywhere. Needs neither JAX nor floats.

``definition`` says what is computed, ``kernels`` and ``coding`` compute it fast; ``linerwkv.quantised`` makes
such a network of a trained one, ``save_network`` and ``load_network`` keep it in a file.
"""

from spatial_prediction.compression.integer_linerwkv.network import IntegerNetwork
from spatial_prediction.compression.integer_linerwkv.network_file import (
    load_network,
    load_network_with_header,
    save_network,
)

__all__ = ["IntegerNetwork", "load_network", "load_network_with_header", "save_network"]
