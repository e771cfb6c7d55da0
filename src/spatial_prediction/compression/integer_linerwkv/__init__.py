"""LineRWKV in integers: what codes a cube, bit for bit the same everywhere. Needs neither JAX nor floats.

``definition`` says what is computed, ``kernels`` and ``coding`` compute it fast; ``linerwkv.quantised`` makes
such a network of a trained one.
"""

from spatial_prediction.compression.integer_linerwkv.network import IntegerNetwork

__all__ = ["IntegerNetwork"]
