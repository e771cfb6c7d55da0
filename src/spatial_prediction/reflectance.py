"""How satellite products store reflectance: as digital numbers (DN), whole and of 16 bits."""

DN_PER_REFLECTANCE = 10_000
"""Digital numbers per unit of reflectance in Sentinel-2 products."""
