"""Parameters of CCSDS 123.0-B-2 under the standard's names, with their ranges."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Shaped

from spatial_prediction.compression.entropy_coder._settings import (
    CoderSettings,
    check_range,
    initial_exponents,
)
from spatial_prediction.errors import ConfigurationError

LOCAL_SUMS = ("wide_neighbor", "narrow_neighbor", "wide_column", "narrow_column")
FIDELITIES = ("lossless", "absolute", "relative", "absolute_and_relative")
ENTROPY_CODERS = ("sample_adaptive", "hybrid")
PREDICTION_MODES = ("full", "reduced")

PerBand = int | Sequence[int]


@dataclasses.dataclass(frozen=True)
class Parameters:
    """Everything that a stream's header says, and the start of the hybrid coder's statistics.

    Sequences are taken in any form and kept as tuples. ``check`` says whether values are in their ranges.

    Attributes:
        N_X: Columns.
        N_Y: Rows.
        N_Z: Bands.
        D: Bits of a sample, 2 to 32.
        signed: Whether samples are from -2^(D-1), or from 0.
        user_data: A number from 0 to 255 that the standard leaves to users.
        encoding_order: ``"BSQ"``, band after band, or ``"BI"``, row after row.
        M: Bands that are interleaved in a row of BI: 1 is BIL, N_Z is BIP. Without effect in BSQ.
        B: The stream is filled to a multiple of this number of bytes, 1 to 8.
        entropy_coder: ``"sample_adaptive"`` or ``"hybrid"``.
        fidelity: What the largest error of a sample is bounded by: ``"lossless"`` (none is made),
            ``"absolute"`` (by a), ``"relative"`` (by r) or ``"absolute_and_relative"`` (by both).
        P: Bands before that predict a band, 0 to 15.
        prediction_mode: ``"full"``, which also uses differences within the band, or ``"reduced"``.
        local_sum: Which neighbours a sample is compared with: those in the row and the row before, or the
            one above (column); narrow sums do not use the sample just before.
        R: Bits of the register that sums are kept in, up to 64.
        Omega: Bits behind the point of weights, 4 to 19.
        t_inc: Pixels, a power of two from 16 to 2048, after which weights adapt half as fast.
        v_min: First exponent of the speed at which weights adapt, from -6.
        v_max: Last one, up to 9.
        Q: Bits of custom initial weights, 3 to Omega + 3; 0 without any.
        Lambda: Custom initial weights, a sequence for each band: north, west, northwest (full mode), then one
            for each band before, at most P.
        zeta: Offsets of the exponents, -6 to 5, a sequence for each band: one for the directional weights
            (full mode), then one for each band before.
        Theta: Resolution of sample representatives in bits, 0 to 4; at 0 they are the samples.
        phi: Damping, below 2^Theta, for all bands or a sequence of one for each.
        psi: Offset towards the prediction, likewise.
        a: Absolute error limit, for all bands or a sequence of one for each; with u a sequence of such, one
            for each period.
        D_A: Bits of an absolute limit in the stream; by default as many as the largest needs.
        r: Relative error limit in units of 2^-D, as a.
        D_R: As D_A.
        u: Error limits change every 2^u rows (BI only); None where they never do.
        U_max: Zeros of a codeword after which the index stands as it is, 8 to 32.
        gamma_0: Exponent of the first value of the counter, 1 to 8.
        gamma_star: Exponent of the value of the counter at which statistics are halved, 4 to 11.
        K: Exponent of the first mean of the sample-adaptive coder, 0 to min(D - 2, 14), or a sequence of one
            for each band; by default 3.
        Sigma_0: First sums of the hybrid coder, below 2^(D + gamma_0), or a sequence of one for each band; by
            default 4 times 2^gamma_0. Not in the stream, whose decoder does not need them.
    """

    N_X: int
    N_Y: int
    N_Z: int
    D: int = 16
    signed: bool = False
    user_data: int = 0
    encoding_order: str = "BSQ"
    M: int = 1
    B: int = 1
    entropy_coder: str = "sample_adaptive"
    fidelity: str = "lossless"
    P: int = 3
    prediction_mode: str = "full"
    local_sum: str = "wide_neighbor"
    R: int = 64
    Omega: int = 14
    t_inc: int = 64
    v_min: int = -1
    v_max: int = 3
    Q: int = 0
    Lambda: Sequence[Sequence[int]] | None = None
    zeta: Sequence[Sequence[int]] | None = None
    Theta: int = 0
    phi: int | Sequence[int] = 0
    psi: int | Sequence[int] = 0
    a: Any = None
    D_A: int | None = None
    r: Any = None
    D_R: int | None = None
    u: int | None = None
    U_max: int = 18
    gamma_0: int = 1
    gamma_star: int = 6
    K: int | Sequence[int] | None = None
    Sigma_0: int | Sequence[int] | None = None

    def __post_init__(self) -> None:
        for name in ("Lambda", "zeta", "phi", "psi", "a", "r", "K", "Sigma_0"):
            object.__setattr__(self, name, _plain(name, getattr(self, name)))
        for limit, bits in (("a", "D_A"), ("r", "D_R")):
            if getattr(self, limit) is not None and getattr(self, bits) is None:
                largest = max(_flat(getattr(self, limit)), default=0)
                object.__setattr__(self, bits, max(1, largest.bit_length()))

    @property
    def components(self) -> int:
        """Weights of a band that has P bands before it."""
        return self.P + (3 if self.prediction_mode == "full" else 0)

    @property
    def rows_of_period(self) -> int:
        """Rows for which error limits hold."""
        return self.N_Y if self.u is None else 1 << self.u

    @property
    def periods(self) -> int:
        """Number of periods of error limits."""
        return -(-self.N_Y // self.rows_of_period)

    @property
    def coder(self) -> CoderSettings:
        """Settings of the entropy coder."""
        return CoderSettings(
            self.D, self.U_max, self.gamma_0, self.gamma_star, self.encoding_order, min(self.M, self.N_Z)
        )

    @property
    def exponents(self) -> list[int]:
        """K of each band."""
        return initial_exponents(self.K, self.D, self.N_Z)

    def check(self, *, limits_follow: bool = False) -> None:
        """Check every value and what they demand of each other.

        Args:
            limits_follow: Whether changing error limits have one entry, since the others are not read yet.

        Raises:
            ConfigurationError: one is out of the standard's range.
        """
        for name in ("N_X", "N_Y", "N_Z"):
            check_range(name, getattr(self, name), 1, 1 << 16)
        check_range("user_data", self.user_data, 0, 255)
        check_range("B", self.B, 1, 8)
        self.coder.check(self.N_Z)
        check_range("M", self.M, 1, self.N_Z)
        for name, choices in (
            ("entropy_coder", ENTROPY_CODERS),
            ("fidelity", FIDELITIES),
            ("prediction_mode", PREDICTION_MODES),
            ("local_sum", LOCAL_SUMS),
        ):
            if getattr(self, name) not in choices:
                raise ConfigurationError(
                    f"{name}={getattr(self, name)!r}: must be one of {', '.join(choices)}"
                )
        self._check_prediction()
        self._check_representatives()
        self._check_limits(1 if limits_follow else self.periods)
        self.exponents  # noqa: B018 - checks K
        if self.Sigma_0 is not None:
            self._check_bands("Sigma_0", self.Sigma_0, 0, (1 << (self.D + self.gamma_0)) - 1)

    def _check_prediction(self) -> None:
        check_range("P", self.P, 0, 15)
        check_range("Omega", self.Omega, 4, 19)
        check_range("R", self.R, max(32, self.D + self.Omega + 2), 64)
        check_range("t_inc", self.t_inc, 16, 2048)
        if self.t_inc & (self.t_inc - 1):
            raise ConfigurationError(f"t_inc={self.t_inc}: must be a power of two")
        check_range("v_min", self.v_min, -6, 9)
        check_range("v_max", self.v_max, self.v_min, 9)
        if self.N_X == 1 and (self.prediction_mode == "full" or self.local_sum.endswith("neighbor")):
            raise ConfigurationError(
                "N_X=1: one column needs prediction_mode='reduced' and a local_sum that ends in 'column'"
            )
        if (self.Lambda is None) != (self.Q == 0):
            raise ConfigurationError(f"Q={self.Q}: custom weights need both Lambda and Q (3 to Omega + 3)")
        if self.Lambda is not None:
            check_range("Q", self.Q, 3, self.Omega + 3)
            self._check_table("Lambda", self.Lambda, -(1 << (self.Q - 1)), (1 << (self.Q - 1)) - 1, 3)
        if self.zeta is not None:
            self._check_table("zeta", self.zeta, -6, 5, 1)

    def _check_representatives(self) -> None:
        check_range("Theta", self.Theta, 0, 4)
        for name in ("phi", "psi"):
            self._check_bands(name, getattr(self, name), 0, (1 << self.Theta) - 1)
        if self.fidelity == "lossless" and any(_flat(self.psi)):
            raise ConfigurationError(f"psi={self.psi}: must be 0 with fidelity='lossless'")

    def _check_limits(self, periods: int) -> None:
        if self.u is not None:
            check_range("u", self.u, 0, 9)
            if self.encoding_order == "BSQ" or self.fidelity == "lossless":
                raise ConfigurationError(
                    "u: error limits change only in encoding_order='BI', and not if lossless"
                )
        for name, bits, word in (("a", "D_A", "absolute"), ("r", "D_R", "relative")):
            value, width = getattr(self, name), getattr(self, bits)
            if (value is not None) != (word in self.fidelity):
                raise ConfigurationError(f"{name}={value}: does not go with fidelity={self.fidelity!r}")
            if value is None:
                continue
            check_range(bits, width, 1, min(self.D - 1, 16))
            if self.u is not None and (isinstance(value, int) or len(value) != periods):
                raise ConfigurationError(
                    f"{name}: with u={self.u} one entry for each of {periods} periods is needed"
                )
            entries = (value,) if self.u is None else value
            if len({isinstance(entry, int) for entry in entries}) > 1:
                raise ConfigurationError(
                    f"{name}: some periods have one limit for all bands, others have several"
                )
            for entry in entries:
                self._check_bands(name, entry, 0, (1 << width) - 1)

    def _check_bands(self, name: str, value: PerBand, low: int, high: int) -> None:
        if not isinstance(value, int) and len(value) != self.N_Z:
            raise ConfigurationError(f"{name}: has {len(value)} values for {self.N_Z} bands")
        for each in _flat(value):
            check_range(name, each, low, high)

    def _check_table(
        self, name: str, table: Sequence[Sequence[int]], low: int, high: int, directional: int
    ) -> None:
        if len(table) != self.N_Z:
            raise ConfigurationError(f"{name}: has {len(table)} entries for {self.N_Z} bands")
        first = directional if self.prediction_mode == "full" else 0
        for band, values in enumerate(table):
            if len(values) != first + min(self.P, band):
                raise ConfigurationError(
                    f"{name}: band {band} has {len(values)} values, {first + min(self.P, band)} are needed"
                )
            for each in values:
                check_range(name, each, low, high)


def parameters_for(cube: Shaped[np.ndarray, "..."], given: dict[str, Any]) -> Parameters:
    """Complete what a caller gave by what the cube shows.

    Raises:
        ConfigurationError: a name is unknown, or value and cube do not go together.
    """
    known = {field.name for field in dataclasses.fields(Parameters)}
    if unknown := sorted(given.keys() - known):
        raise ConfigurationError(
            f"{unknown[0]}: is no parameter of CCSDS 123.0-B-2; known: {', '.join(sorted(known))}"
        )
    if cube.ndim != 3 or cube.dtype.kind not in "iu" or cube.dtype.itemsize > 4 or 0 in cube.shape:
        raise ConfigurationError(
            f"cube: must be whole numbers of 8 to 32 bits, (rows, columns, bands), none of them 0; got "
            f"{cube.dtype} {cube.shape}"
        )
    given = {
        name: value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
        for name, value in given.items()
    }
    shape = dict(zip(("N_Y", "N_X", "N_Z"), cube.shape, strict=True))
    for name, size in shape.items():
        if given.get(name, size) != size:
            raise ConfigurationError(f"{name}={given[name]}: the cube has {size}")
    found = {"D": 8 * cube.dtype.itemsize, "signed": cube.dtype.kind == "i"}
    parameters = Parameters(**{**found, **given, **shape})
    parameters.check()
    return parameters


def _plain(name: str, value: Any) -> Any:
    """The same with plain integers, and tuples for sequences."""
    if value is None or isinstance(value, (int, np.integer)):
        return None if value is None else int(value)
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        return tuple(_plain(name, each) for each in value)
    raise ConfigurationError(f"{name}={value!r}: must be a whole number or a sequence of such")


def _flat(value: Any) -> list[int]:
    if isinstance(value, int):
        return [value]
    return [each for part in value for each in _flat(part)]
