"""Attributes of raster files, whose writers put numbers into text and spell names in their own ways."""

import functools
import re
from typing import Any

import numpy as np

from spatial_prediction.errors import SceneError

_UNDECLARED = ("", "none", "null", "n/a")
_YES_OR_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


@functools.cache
def plain_name(name: str) -> str:
    """Give a name without capitals, underscores and other signs: ``NoData_Value`` is ``nodatavalue``."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def text(value: Any) -> str:
    """Give an attribute's value as text; several texts are joined by spaces."""
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace").strip()
    if isinstance(value, list | tuple | np.ndarray):
        return " ".join(text(each) for each in np.ravel(np.asarray(value, dtype=object)))
    return str(value).strip()


def shown(value: Any) -> str:
    """Give an attribute's value as a message shows it: short, on one line."""
    line = re.sub(r"\s+", " ", text(value))
    return line if len(line) <= 60 else f"{line[:57]}..."


def numbers(name: str, value: Any) -> list[float]:
    """Read the numbers of an attribute, also from text such as ``-9999`` or ``0, 10000``.

    Text that says that there is none (empty, ``none``, ``null``, ``n/a``) gives an empty list.

    Raises:
        SceneError: the value is neither numbers nor text of numbers; the message names the attribute.
    """
    if isinstance(value, np.ndarray | np.generic | int | float) and np.asarray(value).dtype.kind in "biuf":
        return [float(number) for number in np.ravel(value)]
    if value is None:
        raise SceneError(f"attribute {name} cannot be read; correct or remove the attribute")
    line = text(value).strip("[](){} ")
    if line.lower() in _UNDECLARED:
        return []
    try:
        return [float(word) for word in re.split(r"[\s,;]+", line)]
    except ValueError:
        raise SceneError(
            f"attribute {name}={shown(value)!r} is not a number; correct or remove the attribute"
        ) from None


def yes_or_no(name: str, value: Any) -> bool | None:
    """Read an attribute that says yes or no: ``yes``, ``true`` or 1, ``no``, ``false`` or 0.

    Text that says that there is nothing (empty, ``none``, ``null``, ``n/a``) gives None.

    Raises:
        SceneError: the value is something else; the message names the attribute.
    """
    line = text(value).lower().removesuffix(".0")
    if line in _UNDECLARED:
        return None
    if line not in _YES_OR_NO:
        raise SceneError(
            f"attribute {name}={shown(value)!r} is neither yes, true or 1 nor no, false or 0; "
            "correct or remove the attribute"
        )
    return _YES_OR_NO[line]


def one_number(name: str, value: Any) -> float:
    """Read an attribute that is one number, also from text.

    Raises:
        SceneError: it is not, or not finite; the message names the attribute.
    """
    found = numbers(name, value)
    if len(found) != 1:
        raise SceneError(
            f"attribute {name} holds {len(found) or 'no'} values{f' ({shown(value)})' if found else ''}, "
            "not one; correct or remove the attribute"
        )
    if not np.isfinite(found[0]):
        raise SceneError(f"attribute {name}={found[0]} is not finite; correct or remove the attribute")
    return found[0]
