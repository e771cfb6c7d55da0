"""The header of a stream (CCSDS 123.0-B-2, 5.3)."""

from collections.abc import Sequence
from typing import Any

from spatial_prediction.compression.ccsds123.parameters import (
    ENTROPY_CODERS,
    FIDELITIES,
    LOCAL_SUMS,
    PREDICTION_MODES,
    Parameters,
)
from spatial_prediction.compression.entropy_coder._bits import Reader, Writer
from spatial_prediction.errors import ConfigurationError, StreamError

_K_IN_TABLE = 15


def write_header(parameters: Parameters) -> bytes:
    """Give the header of a stream with these parameters."""
    p, writer = parameters, Writer()
    write, sequential = writer.write, p.encoding_order == "BSQ"

    write(p.user_data, 8)
    for size in (p.N_X, p.N_Y, p.N_Z):
        write(size, 16)
    write(p.signed, 1)
    write(0, 1)
    write(p.D > 16, 1)
    write(p.D, 4)
    write(sequential, 1)
    write(0 if sequential else p.M, 16)
    write(0, 2)
    write(p.B, 3)
    write(ENTROPY_CODERS.index(p.entropy_coder), 2)
    write(0, 1)
    write(FIDELITIES.index(p.fidelity), 2)
    write(0, 6)

    write(0, 1)
    write(p.Theta > 0, 1)
    write(p.P, 4)
    write(PREDICTION_MODES.index(p.prediction_mode), 1)
    write(p.zeta is not None, 1)
    write(LOCAL_SUMS.index(p.local_sum), 2)
    write(p.R, 6)
    write(p.Omega - 4, 4)
    write(p.t_inc.bit_length() - 5, 4)
    write(p.v_min + 6, 4)
    write(p.v_max + 6, 4)
    write(p.zeta is not None, 1)
    write(p.Lambda is not None, 1)
    write(p.Lambda is not None, 1)
    write(p.Q, 5)
    _write_table(writer, [value for band in p.Lambda or () for value in band], p.Q)
    _write_table(writer, [value for band in p.zeta or () for value in band], 4)

    if p.fidelity != "lossless":
        if not sequential:
            write(0, 1)
            write(p.u is not None, 1)
            write(0, 2)
            write(p.u or 0, 4)
        for value, width in ((p.a, p.D_A), (p.r, p.D_R)):
            if value is not None and width is not None:
                varying = not isinstance(value if p.u is None else value[0], int)
                write(0, 1)
                write(varying, 1)
                write(0, 2)
                write(width, 4)
                if p.u is None:
                    _write_table(writer, value if varying else [value], width)

    if p.Theta > 0:
        write(p.Theta, 8)
        for value in (p.phi, p.psi):
            varying = not isinstance(value, int)
            write(0, 1)
            write(varying, 1)
            write(varying, 1)
            write(0, 1)
            write(0 if isinstance(value, tuple) else value, 4)  # type: ignore[arg-type]
        for value in (p.phi, p.psi):
            if isinstance(value, tuple):
                _write_table(writer, value, p.Theta)

    write(p.U_max, 5)
    write(p.gamma_star - 4, 3)
    write(p.gamma_0, 3)
    if p.entropy_coder == "hybrid":
        write(0, 5)
    else:
        varying = isinstance(p.K, tuple)
        write(_K_IN_TABLE if varying else p.exponents[0], 4)
        write(varying, 1)
        _write_table(writer, p.exponents if varying else [], 4)
    return writer.to_bytes()


def _write_table(writer: Writer, values: Sequence[int], width: int) -> None:
    for value in values:
        writer.write(value, width)
    writer.fill()


def read_header(stream: bytes) -> tuple[Parameters, int]:
    """Read the header at the beginning of a stream.

    Returns:
        The parameters and the number of bytes of the header. Error limits that change stand in the body: one
        entry of zeros stands for them here.

    Raises:
        StreamError: it is cut off, damaged, or says something that this package cannot read.
    """
    fields = _Fields(Reader(stream))
    read, table = fields.read, fields.table
    p: dict[str, Any] = {"user_data": read(8)}
    for name in ("N_X", "N_Y", "N_Z"):
        p[name] = read(16) or 1 << 16
    bands = p["N_Z"]
    p["signed"] = bool(read(1))
    fields.zero(1)
    wide = read(1)
    p["D"] = 16 * wide + (read(4) or 16)
    p["encoding_order"] = "BSQ" if read(1) else "BI"
    group = read(16)
    if p["encoding_order"] == "BI":
        p["M"] = group or 1 << 16
    elif group:
        raise fields.error("bands are interleaved in an order without interleaving")
    fields.zero(2)
    p["B"] = read(3) or 8
    p["entropy_coder"] = fields.choice(ENTROPY_CODERS, 2, "the block-adaptive coder")
    fields.zero(1)
    p["fidelity"] = FIDELITIES[read(2)]
    fields.zero(2)
    if read(4):
        raise StreamError("the stream has tables of supplementary information, which cannot be read")

    fields.zero(1)
    representing = read(1)
    p["P"] = read(4)
    p["prediction_mode"] = PREDICTION_MODES[read(1)]
    offsets = read(1)
    p["local_sum"] = LOCAL_SUMS[read(2)]
    p["R"] = read(6) or 64
    p["Omega"] = read(4) + 4
    p["t_inc"] = 1 << (read(4) + 4)
    p["v_min"] = read(4) - 6
    p["v_max"] = read(4) - 6
    offsets_included = read(1)
    custom, weights_included = read(1), read(1)
    Q = read(5)
    if (offsets, custom) != (offsets_included, weights_included):
        raise StreamError("the stream was written with tables of weights that it does not contain")
    full = p["prediction_mode"] == "full"
    if custom:
        p["Q"] = Q
        p["Lambda"] = fields.by_band([3 * full + min(p["P"], band) for band in range(bands)], Q)
    elif Q:
        raise fields.error("weights that are not there have a number of bits")
    if offsets:
        p["zeta"] = fields.by_band([full + min(p["P"], band) for band in range(bands)], 4)

    if p["fidelity"] != "lossless":
        if p["encoding_order"] == "BI":
            fields.zero(1)
            periodic = read(1)
            fields.zero(2)
            exponent = read(4)
            if periodic:
                p["u"] = exponent
            elif exponent:
                raise fields.error("error limits that never change have a period")
        for name, bits, word in (("a", "D_A", "absolute"), ("r", "D_R", "relative")):
            if word in p["fidelity"]:
                fields.zero(1)
                varying = read(1)
                fields.zero(2)
                width = p[bits] = read(4) or 16
                if "u" in p:
                    p[name] = [[0] * bands if varying else 0]
                else:
                    values = table(bands if varying else 1, width)
                    p[name] = values if varying else values[0]

    if representing:
        fields.zero(5)
        p["Theta"] = read(3)
        of_bands = {}
        for name in ("phi", "psi"):
            fields.zero(1)
            of_bands[name], included = read(1), read(1)
            fields.zero(1)
            p[name] = read(4)
            if of_bands[name] != included:
                raise StreamError(f"the stream was written with values of {name} that it does not contain")
        for name in ("phi", "psi"):
            if of_bands[name]:
                p[name] = table(bands, p["Theta"])
        if not p["Theta"]:
            raise fields.error("sample representatives have no resolution")

    p["U_max"] = read(5) or 32
    p["gamma_star"] = read(3) + 4
    p["gamma_0"] = read(3) or 8
    if p["entropy_coder"] == "hybrid":
        fields.zero(5)
    else:
        p["K"] = read(4)
        included = read(1)
        if (p["K"] == _K_IN_TABLE) != bool(included):
            raise StreamError("the stream was written with a table of K that it does not contain")
        if included:
            p["K"] = table(bands, 4)
    return fields.checked(p), fields.reader.position // 8


class _Fields:
    """Reads fields of a header, and says what is wrong with them."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.read = reader.read

    def error(self, what: str) -> StreamError:
        return StreamError(f"the stream is damaged, or not one of CCSDS 123.0-B-2: {what} in its header")

    def zero(self, width: int) -> None:
        if self.read(width):
            raise self.error("reserved bits are not zero")

    def choice(self, names: Sequence[str], width: int, next_name: str) -> str:
        number = self.read(width)
        if number == len(names):
            raise StreamError(f"the stream was written with {next_name}, which cannot be read")
        if number > len(names):
            raise self.error("an unknown choice")
        return names[number]

    def table(self, count: int, width: int) -> list[int]:
        """Numbers that end with a whole byte."""
        values = [self.read(width) for _ in range(count)]
        self.zero(-self.reader.position % 8)
        return values

    def by_band(self, lengths: Sequence[int], width: int) -> list[list[int]]:
        """Numbers with a sign, so many for each band."""
        half = 1 << (width - 1) if width else 0
        values = iter([(value ^ half) - half for value in self.table(sum(lengths), width)])
        return [[next(values) for _ in range(length)] for length in lengths]

    def checked(self, p: dict[str, Any]) -> Parameters:
        parameters = Parameters(**p)
        try:
            parameters.check(limits_follow=True)
        except ConfigurationError as error:
            raise StreamError(
                f"the stream is damaged, or not one of CCSDS 123.0-B-2: in its header, {error}"
            ) from error
        return parameters
