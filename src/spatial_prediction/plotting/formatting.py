"""Numbers as text, and text as Markdown and LaTeX."""

import math
import re

MISSING = "\N{EN DASH}"
"""Shown in a table where there is no value."""

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?( ± \d+(\.\d+)?)?( !)?")
_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "[": "{[}",  # after the end of a row it would begin an option
    MISSING: "--",
    "±": r"$\pm$",
    "⁻⁶": r"$^{-6}$",
    "⁶": r"$^{6}$",
}
_LATEX_CHARACTERS = re.compile("|".join(re.escape(character) for character in _LATEX))


def significant_decimals(value: float | int, digits: int = 4) -> int:
    """Count the decimals that show a number to so many significant digits, at least 0."""
    if value == 0 or not math.isfinite(value):
        return 0
    return max(0, digits - 1 - math.floor(math.log10(abs(value))))


def number(value: float | int, decimals: int | None = None) -> str:
    """Format a number with given decimals, or else to four significant digits; NaN becomes an en dash."""
    if math.isnan(value):
        return MISSING
    return f"{value:.{significant_decimals(value) if decimals is None else decimals}f}"


def whole(value: float | int) -> str:
    """Format a whole number; NaN becomes an en dash."""
    return number(value, 0)


def interval(mean: float, low: float, high: float, *, unit: float = 1.0) -> str:
    """Format a mean as ``a ± b`` to four significant digits of the mean, b being half the interval's width.

    Args:
        mean: the mean; NaN gives an en dash.
        low: lower end of the interval; NaN leaves ``± b`` out.
        high: upper end.
        unit: divisor of all three.
    """
    decimals = significant_decimals(mean / unit)
    return _with_half_width(number(mean / unit, decimals), (high - low) / (2 * unit), decimals)


def percent(mean: float, low: float, high: float) -> str:
    """Format a difference in percent as ``+a ± b`` with two decimals; NaN as ``interval`` does."""
    return _with_half_width(MISSING if math.isnan(mean) else f"{mean:+.2f}", (high - low) / 2, 2)


def _with_half_width(text: str, half_width: float, decimals: int) -> str:
    return text if math.isnan(half_width) else f"{text} ± {half_width:.{decimals}f}"


def latex(text: str, *, italic: bool = False, bold: bool = False) -> str:
    """Turn plain text into LaTeX; numbers become mathematics, so that a hyphen becomes a minus sign."""
    if _NUMBER.fullmatch(text):
        mathematics = text.replace("±", r"\pm").replace(" !", r"\;!")
        marked = rf"$\mathit{{{mathematics}}}$" if italic else f"${mathematics}$"
    else:
        escaped = _LATEX_CHARACTERS.sub(lambda match: _LATEX[match.group()], text)
        marked = rf"\textit{{{escaped}}}" if italic else escaped
    return rf"\textbf{{{marked}}}" if bold else marked


def markdown(text: str, *, italic: bool = False, bold: bool = False) -> str:
    """Turn plain text into the inside of a Markdown table's cell."""
    escaped = re.sub(r"([\\`*_|<>\[\]])", r"\\\1", text).replace("\n", " ")
    marked = f"*{escaped}*" if italic else escaped
    return f"**{marked}**" if bold else marked
