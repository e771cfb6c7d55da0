"""Settings that both coders have in common, as CCSDS 123.0-B-2 names and bounds them."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from jaxtyping import Shaped, UInt32

from spatial_prediction.errors import ConfigurationError


@dataclasses.dataclass(frozen=True)
class CoderSettings:
    """Settings of an entropy coder.

    Attributes:
        D: Bits of a mapped residual, 2 to 32.
        U_max: Zeros of a codeword after which the residual stands as it is, 8 to 32.
        gamma_0: Exponent of the first value of the counter, 1 to 8.
        gamma_star: Exponent of the value of the counter at which sums are halved, 4 to 11, above gamma_0.
        encoding_order: ``"BSQ"``, band after band, or ``"BI"``, row after row.
        M: Bands that are interleaved in a row of BI: 1 is BIL, all bands BIP.
    """

    D: int = 16
    U_max: int = 18
    gamma_0: int = 1
    gamma_star: int = 6
    encoding_order: str = "BI"
    M: int = 1

    def check(self, bands: int) -> None:
        """Check every setting.

        Raises:
            ConfigurationError: one is out of its range.
        """
        check_range("D", self.D, 2, 32)
        check_range("U_max", self.U_max, 8, 32)
        check_range("gamma_0", self.gamma_0, 1, 8)
        check_range("gamma_star", self.gamma_star, max(4, self.gamma_0 + 1), 11)
        if self.encoding_order not in ("BSQ", "BI"):
            raise ConfigurationError(f"encoding_order={self.encoding_order!r}: must be 'BSQ' or 'BI'")
        check_range("M", self.M, 1, bands)

    @property
    def numbers(self) -> tuple[int, int, int, int, int]:
        """What compiled loops take: bands that are interleaved (0 for BSQ), D, U_max, gamma_0, gamma_star."""
        interleaved = 0 if self.encoding_order == "BSQ" else self.M
        return interleaved, self.D, self.U_max, self.gamma_0, self.gamma_star


def check_range(name: str, value: int, low: int, high: int) -> None:
    """Refuse what is not a whole number from ``low`` to ``high``.

    Raises:
        ConfigurationError: it is not.
    """
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or not low <= value <= high:
        raise ConfigurationError(f"{name}={value!r}: must be a whole number from {low} to {high}")


def initial_exponents(K: int | Sequence[int] | None, D: int, bands: int) -> list[int]:
    """Exponent of the first mean of each band, k'' of the standard; by default 3, or less where D is small.

    Raises:
        ConfigurationError: one is not from 0 to min(D - 2, 14), or there are not as many as bands.
    """
    high = min(D - 2, 14)
    if K is None:
        K = min(3, high)
    values = list(K) if isinstance(K, Sequence) else [K] * bands
    if len(values) != bands:
        raise ConfigurationError(f"K: has {len(values)} values for {bands} bands")
    for value in values:
        check_range("K", value, 0, high)
    return [int(value) for value in values]


def checked_residuals(residuals: Shaped[np.ndarray, "..."], D: int) -> UInt32[np.ndarray, "..."]:
    """Give residuals as compiled loops take them.

    Raises:
        ConfigurationError: they are not a cube of whole numbers of D bits.
    """
    if residuals.ndim != 3 or residuals.dtype.kind not in "iu" or 0 in residuals.shape:
        raise ConfigurationError(
            f"residuals: must be whole numbers, (rows, columns, bands), none of them 0; got "
            f"{residuals.dtype} {residuals.shape}"
        )
    low, high = int(residuals.min()), int(residuals.max())
    if low < 0 or high >= 1 << D:
        raise ConfigurationError(f"residuals: are {low} to {high}, must be 0 to {(1 << D) - 1} (D={D})")
    return residuals.astype(np.uint32, order="C")
