"""A configuration as the workflow uses it: values of the type they must have, paths in one plain form."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from spatial_prediction.errors import ConfigurationError

PLACES_VARIABLE = "SPATIAL_PREDICTION_PLACES"
"""Environment variable that names a file: the workflow writes into it, as JSON, where its results lie."""


def read_mapping(path: Path, remedy: str) -> dict[str, Any]:
    """Read a file of keys and values, YAML or JSON as Snakemake takes them.

    Raises:
        ConfigurationError: it cannot be read, has no keys, or has one that holds itself; one line that ends
            with ``remedy``.
    """
    import yaml  # not needed where the configuration has been read already

    try:
        text = path.read_text(encoding="utf-8")
        try:
            content = json.loads(text)
        except ValueError:
            content = yaml.safe_load(text)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        fault = " ".join(str(error).split())
        raise ConfigurationError(f"{path}: cannot be read ({fault}); {remedy}") from None
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path}: holds no keys with values; {remedy}")
    if key := _key_within_itself(content):
        raise ConfigurationError(f"{path}: {key}: {_ENDLESS}; {remedy}")
    return content


def typed(value: Any, schema: Mapping[str, Any], definitions: Mapping[str, Any] | None = None) -> Any:
    """Read text as YAML wherever the schema has no text but something else.

    Snakemake makes text of every value inside a list or mapping of its ``--config``: ``seeds='[0,1]'`` gives
    ``["0", "1"]``. What cannot be read as something the schema has stays as it is.

    Args:
        value: a configuration or a part of it; left as it is.
        schema: the JSON schema of that.
        definitions: the ``$defs`` that the schema refers to; by default its own.

    Raises:
        ConfigurationError: a key holds itself.
    """
    if definitions is None:
        definitions = schema.get("$defs", {})
        if key := _key_within_itself(value):
            raise ConfigurationError(f"{key}: {_ENDLESS}")
    if "$ref" in schema:
        schema = definitions[schema["$ref"].removeprefix("#/$defs/")]
    if isinstance(value, Mapping):
        properties, others = schema.get("properties", {}), schema.get("additionalProperties")
        others = others if isinstance(others, Mapping) else {}
        return {key: typed(each, properties.get(key, others), definitions) for key, each in value.items()}
    if isinstance(value, list):
        return [typed(each, schema.get("items", {}), definitions) for each in value]
    return _read(value, schema) if isinstance(value, str) else value


def with_plain_paths(config: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """Expand ``~`` in paths of a valid configuration, and leave out what is redundant in them.

    Args:
        config: the configuration; left as it is.
        keys: keys of the paths, with dots between sections; one that is None stays.
    """
    plain = dict(config)
    for key in keys:
        *sections, name = key.split(".")
        part = plain
        for section in sections:
            part[section] = part = dict(part[section])
        if part[name] is not None:
            part[name] = plain_path(part[name])
    return plain


def value_of(config: Mapping[str, Any], key: str) -> Any:
    """Return the value of a key with dots between sections."""
    value: Any = config
    for name in key.split("."):
        value = value[name]
    return value


def plain_path(path: str) -> str:
    """Expand ``~`` and leave out ``./``, ``//`` and a slash at the end."""
    return os.path.normpath(os.path.expanduser(path))


_ENDLESS = "holds itself, by an alias (*) within its own anchor (&); write out what is meant"


def _key_within_itself(value: Any, key: str = "", outer: tuple[Any, ...] = ()) -> str:
    """Name a key whose value lies within itself, which YAML's aliases allow; empty where there is none."""
    if not isinstance(value, Mapping | list):
        return ""
    if any(value is each for each in outer):
        return key
    parts = value.items() if isinstance(value, Mapping) else enumerate(value)
    found = (
        _key_within_itself(part, f"{key}.{name}" if key else str(name), (*outer, value))
        for name, part in parts
    )
    return next(filter(None, found), "")


def _read(text: str, schema: Mapping[str, Any]) -> Any:
    import yaml  # not needed where the configuration has been checked already

    allowed = [schema["const"]] if "const" in schema else schema.get("enum")
    kinds = schema.get("type", "string")
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    if text in allowed if allowed else "string" in kinds and not (text == "null" and "null" in kinds):
        return text
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):  # a whole number may have too many digits
        return text
    if allowed:
        return value if value in allowed else text
    return value if isinstance(value, int | float) or (value is None and "null" in kinds) else text
