"""What tiles do where they meet: how far they overlap, and whether one fades into the next."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from spatial_prediction.tiling._receptive_field import Halo, ReceptiveField

StrategyName: TypeAlias = Literal["padding", "crop", "blend", "exact"]
Curve: TypeAlias = Literal["linear", "hann", "gaussian"]

STRATEGY_NAMES: tuple[StrategyName, ...] = get_args(StrategyName)
CURVES: tuple[Curve, ...] = get_args(Curve)


@dataclass(frozen=True)
class Strategy:
    """How tiles meet. Make one by ``abutting``, ``cropped``, ``blended``, ``exact``, or by its name.

    Each tile keeps its part of the image and reads ``overlap`` pixels more on each side, where the image has
    them: with tiles of t pixels and an overlap of h, ((t + 2 h) / t)^2 times the work of tiles that abut.

    Attributes:
        name: ``padding``, ``crop``, ``blend``, ``exact``.
        overlap: input pixels that a tile reads beyond what it keeps, ``((top, bottom), (left, right))``.
        fade: input pixels on each side of a seam over which neighbours are mixed; 0 for a cut.
        curve: of the mixing. ``linear`` and ``hann`` (raised cosine) rise from 0 to 1 across the seam.
            ``gaussian`` weighs all that a tile reads by a bell about its centre with a standard deviation of
            an eighth of the window, divided by the sum of weights, as MONAI's sliding windows do.
        step: windows begin at multiples of these rows and columns; see :class:`ReceptiveField`.
    """

    name: StrategyName
    overlap: Halo
    fade: int = 0
    curve: Curve = "linear"
    step: tuple[int, int] = (1, 1)

    def __post_init__(self) -> None:
        narrowest = min(min(side) for side in self.overlap)
        if narrowest < 0:
            raise ValueError(f"overlap must not be negative, got {self.overlap}")
        if not 0 <= self.fade <= narrowest:
            raise ValueError(
                f"fade must be 0 to {narrowest} pixels, what tiles overlap on each side of a seam, "
                f"got {self.fade}"
            )
        if self.curve not in CURVES:
            raise ValueError(f"curve must be one of {', '.join(CURVES)}, got {self.curve!r}")

    @classmethod
    def abutting(cls) -> "Strategy":
        """Let tiles abut: what lies beyond them is left to the network's padding."""
        return cls("padding", ((0, 0), (0, 0)))

    @classmethod
    def cropped(cls, overlap: int | Halo) -> "Strategy":
        """Read ``overlap`` more and cut it off the prediction."""
        return cls("crop", _as_halo(overlap))

    @classmethod
    def blended(cls, overlap: int | Halo, *, fade: int | None = None, curve: Curve = "hann") -> "Strategy":
        """Fade neighbours into each other where they overlap.

        With tiles of t pixels, an overlap of t/2 and the curve ``hann``, windows are those of Hann at an
        overlap of one half.

        Args:
            overlap: input pixels read beyond what a tile keeps.
            fade: those of them over which neighbours are mixed, next to the seam; all by default. The others,
                at the border of the window, are cut off.
            curve: ``linear``, ``hann`` or ``gaussian``; the last knows no ``fade``.

        Raises:
            ValueError: ``fade`` is greater than the overlap, or there is no such curve.
        """
        overlap = _as_halo(overlap)
        if curve == "gaussian" and fade is not None:
            raise ValueError("a gaussian weighs all of a window; leave out fade, or use curve='hann'")
        return cls("blend", overlap, min(map(min, overlap)) if fade is None else fade, curve)

    @classmethod
    def exact(cls, receptive_field: ReceptiveField | int) -> "Strategy":
        """Overlap as far as the network sees: what padding puts at a seam never reaches what is kept.

        The tiled prediction then equals that of the whole image in one piece, up to rounding,

        - everywhere, for borders that depend on nearby pixels only: zero, repl, refl, extrN, and
          convolutions that treat their border themselves (part, diff, ebh);
        - further than the halo from the outer border of the image, for all others. Linear prediction, circ,
          rand and auto take statistics or pixels from the whole of the map they pad, so at the outer border
          of the image a tile predicts from its own statistics, the whole image from those of all. Neither
          is more right; they differ, and no overlap changes that.

        Args:
            receptive_field: of the network, or its radius in input pixels.
        """
        if isinstance(receptive_field, int):
            receptive_field = ReceptiveField.square(receptive_field)
        return cls("exact", receptive_field.halo, step=receptive_field.step)


def strategy_from_name(
    name: str,
    *,
    receptive_field: ReceptiveField | int,
    overlap: int | None = None,
    fade: int | None = None,
    curve: Curve = "hann",
) -> Strategy:
    """Make the strategy called ``name``.

    Args:
        name: ``padding``, ``crop``, ``blend`` or ``exact``.
        receptive_field: of the network, or its radius in input pixels: the overlap where none is given.
        overlap: input pixels on each side, of ``crop`` and ``blend`` only.
        fade: of ``blend``, see :meth:`Strategy.blended`.
        curve: of ``blend``.

    Raises:
        ValueError: no strategy is called so, or it takes no overlap and one is given.
    """
    if isinstance(receptive_field, int):
        receptive_field = ReceptiveField.square(receptive_field)
    if name in ("padding", "exact") and overlap is not None:
        raise ValueError(f"strategy {name!r} takes no overlap, got {overlap}; leave it out or use 'crop'")
    halo = receptive_field.halo if overlap is None else overlap
    match name:
        case "padding":
            return Strategy.abutting()
        case "crop":
            return Strategy.cropped(halo)
        case "blend":
            return Strategy.blended(halo, fade=fade, curve=curve)
        case "exact":
            return Strategy.exact(receptive_field)
    raise ValueError(f"no strategy is called {name!r}; use one of {', '.join(STRATEGY_NAMES)}")


def _as_halo(overlap: int | Halo) -> Halo:
    return ((overlap, overlap), (overlap, overlap)) if isinstance(overlap, int) else overlap
