"""What every configuration must be, whatever the study: of the schema's shape, with folders that can be made.

Says what is wrong in words a user can act on. Knows no study, and imports nothing heavy.
"""

import difflib
import math
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from spatial_prediction.errors import ConfigurationError
from spatial_prediction.normalisation import plain_path, value_of

COMMON_KEYS = ("studies", "results", "resources")
"""Keys at the top that belong to no study."""

PLACES = ("results", "resources")
"""Those of them that name folders which the workflow makes."""

LONGEST_NAME = 200
"""Bytes that the name of a file or folder may have, before what the workflow appends to it."""


def check_shape(config: Mapping[str, Any], schema: Mapping[str, Any], keys: Collection[str]) -> None:
    """Check some keys of a configuration against its schema; of the others only that they are known.

    So a study checks its own keys, and a fault in those of another does not keep it from running.

    Args:
        config: the merged configuration.
        schema: its JSON schema (``workflow/schemas/config.schema.yaml``). A ``description`` beside a
            ``pattern`` says in words what must match it.
        keys: keys at the top of ``config``.

    Raises:
        ConfigurationError: names every faulty key, its value, and what is allowed there.
    """
    import jsonschema  # not needed where the configuration has been checked already

    for key in config.keys() & set(keys):
        _check_digits(config[key], key)
    properties = {key: shape if key in keys else True for key, shape in schema["properties"].items()}
    required = [key for key in schema["required"] if key in keys]
    known_types = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine_many(_STRICT_TYPES)
    validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, type_checker=known_types)
    part = dict(schema) | {"properties": properties, "required": required}
    faults = validator(part).iter_errors(dict(config))
    messages = [_explained(fault) for fault in sorted(faults, key=lambda fault: list(map(str, fault.path)))]
    if messages:
        # a mapping that lacks several keys is reported once for each of them
        raise ConfigurationError("the configuration has faults:\n  " + "\n  ".join(dict.fromkeys(messages)))


def check_places(config: Mapping[str, Any]) -> None:
    """Check the names of ``results`` and ``resources``: two folders, which hold nothing else.

    Raises:
        ConfigurationError: names key, path and remedy.
    """
    for key in PLACES:
        check_path(config[key], key)
        if (plain := plain_path(config[key])) in (".", "/"):
            raise ConfigurationError(f"{key}: is {config[key]!r}; name a folder that holds nothing else")
        if plain.startswith("-"):
            raise ConfigurationError(f"{key}: is {config[key]!r}; must not begin with -, as options do")
    if len({os.path.realpath(plain_path(config[key])) for key in PLACES}) == 1:
        raise ConfigurationError(
            f"results is {config['results']!r} and resources {config['resources']!r}, which is one folder; "
            "name two"
        )


def check_folders(config: Mapping[str, Any]) -> None:
    """Check that nothing on this machine stands where ``results`` and ``resources`` are to be made.

    Raises:
        ConfigurationError: a file, or a link that leads nowhere, is in the way; names key, path and remedy.
    """
    for key in PLACES:
        place = Path(plain_path(config[key]))
        for folder in (place, *place.parents):
            if folder.exists() and not folder.is_dir():
                raise ConfigurationError(
                    f"{key}: is {config[key]!r}, but {str(folder)!r} is a file; name a folder"
                )
            if folder.is_symlink() and not folder.exists():
                raise ConfigurationError(
                    f"{key}: is {config[key]!r}, but {str(folder)!r} leads to {str(folder.readlink())!r}, "
                    "which is not there; make that folder, or name another"
                )


def check_paths(config: Mapping[str, Any], keys: Iterable[str]) -> None:
    """Check the paths that stand under some keys, with dots, as :func:`check_path` does."""
    for key in keys:
        if (path := value_of(config, key)) is not None:
            check_path(path, key)


def check_path(path: str, key: str) -> None:
    """Raise ConfigurationError, naming ``key``, where ``path`` is one that scripts or systems take ill."""
    if path != path.strip():
        raise ConfigurationError(f"{key}: is {path!r}; must not begin or end with a space")
    longest = max(len(os.fsencode(name)) for name in path.split("/"))
    if longest > LONGEST_NAME:
        raise ConfigurationError(
            f"{key}: is {shown(path)}; no folder or file in it may have a name of more than "
            f"{LONGEST_NAME} bytes"
        )


def _check_digits(value: Any, key: str) -> None:
    """Refuse whole numbers that Python would not even write down, before anything is said about them."""
    parts: Mapping[Any, Any] = (
        value if isinstance(value, Mapping) else dict(enumerate(value)) if isinstance(value, list) else {}
    )
    for name, part in parts.items():
        _check_digits(part, f"{key}.{name}" if key else str(name))
    if isinstance(value, int) and abs(value) >= 10**1000:
        raise ConfigurationError(f"{key}: is a number of more than a thousand digits; give a smaller one")


_STRICT_TYPES = {
    # The standard takes 240.0 for an integer, and not-a-number for a number; command lines do not.
    "integer": lambda _, value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda _, value: (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and (isinstance(value, int) or math.isfinite(value))
    ),
}


_TYPES = {
    "array": "a list",
    "integer": "a whole number",
    "null": "null",
    "number": "a finite number",
    "object": "a mapping of keys to values",
    "string": "text",
}

_WORDING: Mapping[str, Callable[[Any], str]] = {
    "enum": lambda allowed: f"must be one of {', '.join(map(str, allowed))}",
    "const": lambda allowed: f"must be {allowed}",
    "minimum": lambda limit: f"must be at least {limit}",
    "maximum": lambda limit: f"must be at most {limit}",
    "exclusiveMinimum": lambda limit: f"must be above {limit}",
    "exclusiveMaximum": lambda limit: f"must be below {limit}",
    "multipleOf": lambda factor: f"must be a multiple of {factor}",
    "type": lambda types: (
        f"must be {' or '.join(_TYPES[each] for each in ([types] if isinstance(types, str) else types))}"
    ),
    "anyOf": lambda parts: ", or ".join(
        " and ".join(_WORDING[name](value) for name, value in part.items() if name in _WORDING)
        for part in parts
    ),
    "maxItems": lambda count: f"must list at most {count}",
    "minItems": lambda count: f"must list at least {count}",
    "minLength": lambda _: "must not be empty",
    "maxLength": lambda count: f"must have at most {count} characters",
    "uniqueItems": lambda _: "must not list anything twice",
    "pattern": lambda pattern: f"must match {pattern}",
    "contains": lambda wanted: f"must contain {wanted.get('const')}",
}


def _explained(fault: Any) -> str:
    """Put a schema fault in words: key, value, what is allowed."""
    key = ".".join(map(str, fault.absolute_path)) or "top level"
    if fault.validator == "additionalProperties":
        known = sorted(fault.schema.get("properties", {}))
        unknown = sorted(map(str, set(fault.instance) - set(known)))
        hints = [near[0] for name in unknown if (near := difflib.get_close_matches(name, known, n=1))]
        hint = f"did you mean {', '.join(map(repr, hints))}? Known" if hints else "known"
        return f"{key}: unknown key {', '.join(map(repr, unknown))}; {hint}: {', '.join(known)}"
    if fault.validator == "required":
        missing = [name for name in fault.validator_value if name not in fault.instance]
        return f"{key}: lacks {', '.join(map(repr, missing))}; add it"
    message = f"{key}: is {shown(fault.instance)}; "
    if fault.validator == "pattern" and "description" in fault.schema:
        return message + fault.schema["description"]
    wording = _WORDING.get(fault.validator)
    message += wording(fault.validator_value) if wording else fault.message
    return message + (_number_hint(fault.instance) if fault.validator in ("type", "anyOf") else "")


def shown(value: Any) -> str:
    """Write a value as YAML does, and no more of it than a message should hold."""
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"


_SHOWN = 100


def _number_hint(value: Any) -> str:
    """What to write where YAML took a number for text, as it does with 1e-3."""
    try:
        number = float(value) if isinstance(value, str) else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        return ""
    plain = str(int(number)) if number.is_integer() else repr(number)
    if "." not in plain:
        plain = plain.replace("e", ".0e")
    return f", and YAML takes this for text; write {plain}"
