"""The type checker of the tests: beartype, which makes the checks of each signature once.

jaxtyping checks nested functions too, and these are defined anew at each call of the function around them.
Up to half of the time of tests that trace much went into making the same checks again.
"""

from beartype import beartype

_CHECKED = {}


def checked(function):
    """Return ``function``, of which jaxtyping uses the signature only, with its arguments checked."""
    annotations = function.__annotations__.items()
    signature = (function.__module__, function.__qualname__, function.__code__, *annotations)
    try:
        hash(signature)
    except TypeError:  # of an annotation
        return beartype(function)
    if signature not in _CHECKED:
        _CHECKED[signature] = beartype(function)
    return _CHECKED[signature]
