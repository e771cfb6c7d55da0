"""The published data set, found in the Fairdata catalogue (Metax).

"Sentinel-2 Level-1C, random locations over Finland", 10,000 scenes. The catalogue has names,
sizes and checksums of the archives; the address of the mirror that has their bytes stands in the data set's
description. Both versions of the catalogue's interface are spoken: 3, and the older 2.
"""

import json
import logging
import re
from collections.abc import Iterator
from typing import Any, Literal
from urllib.parse import quote, urljoin

import requests

from spatial_prediction.errors import RetrievalError
from spatial_prediction.retrieval.download import Archive
from spatial_prediction.retrieval.web import PATIENCE, Patience, get_json

logger = logging.getLogger(__name__)

IDENTIFIER = "doi:10.23729/32a321ac-9012-4f17-a849-a4e7ed6b6c8c"
CATALOGUE = "https://metax.fairdata.fi"

CatalogueVersion = Literal["auto", "3", "2"]

MIRROR_LINE = re.compile(
    r"^[ \t]*There is a machine-downloadable mirror of the dataset at: *(https?://\S+)", re.MULTILINE
)


def find_archives(
    identifier: str = IDENTIFIER,
    *,
    catalogue: str = CATALOGUE,
    version: CatalogueVersion = "auto",
    mirror: str | None = None,
    patience: Patience = PATIENCE,
) -> list[Archive]:
    """Ask the catalogue for the data set's zip archives.

    Args:
        identifier: persistent identifier of the data set; a DOI with or without ``doi:``.
        catalogue: address of the catalogue.
        version: version of the catalogue's interface; ``"auto"`` tries 3, then 2.
        mirror: address that archives' names are appended to; by default it is read from the description.
        patience: time limits and retries.

    Returns:
        The archives, sorted by name.

    Raises:
        RetrievalError: the catalogue cannot be reached, does not have the data set, or says something that
            cannot be trusted.
    """
    versions = list(_FINDERS) if version == "auto" else [version]
    with requests.Session() as session:
        client = _Catalogue(catalogue.rstrip("/"), session, patience)
        faults = []
        for number in versions:
            try:
                description, files = _FINDERS[number](client, _persistent_identifier(identifier))
            except RetrievalError as fault:
                logger.warning("catalogue version %s: %s", number, fault)
                faults.append(f"version {number}: {fault}")
                continue
            return _archives(files, mirror or _mirror(description, identifier))
    raise RetrievalError("; ".join(faults))


class _Catalogue:
    """A catalogue's JSON documents, with checks that say where a document was found wanting."""

    def __init__(self, address: str, session: requests.Session, patience: Patience):
        self.address = address
        self.session = session
        self.patience = patience

    def document(self, path: str, **parameters: str) -> Any:
        return get_json(
            urljoin(f"{self.address}/", path),
            session=self.session,
            patience=self.patience,
            parameters=parameters,
        )

    def entries(self, path: str, **parameters: str) -> Iterator[dict]:
        """Give the entries of a list, or of all pages of a list."""
        visited: set[str] = set()
        while True:
            page = self.document(path, **parameters)
            if isinstance(page, list):
                yield from page
                return
            yield from _get(page, list, "results")
            following = page.get("next")
            if not following or following in visited:
                return
            visited.add(following)
            # The address of the next page has its parameters in it.
            path, parameters = str(following), {}


def _find_version_3(catalogue: _Catalogue, identifier: str) -> tuple[Any, list[dict]]:
    for dataset in catalogue.entries("v3/datasets", persistent_identifier=identifier):
        if _get(dataset, str, "persistent_identifier").casefold() == identifier.casefold():
            number = quote(_get(dataset, str, "id"), safe="")
            return dataset.get("description"), list(catalogue.entries(f"v3/datasets/{number}/files"))
    raise _not_listed(catalogue, identifier)


def _find_version_2(catalogue: _Catalogue, identifier: str) -> tuple[Any, list[dict]]:
    dataset = catalogue.document("rest/v2/datasets", preferred_identifier=identifier)
    research = _get(dataset, dict, "research_dataset")
    if str(research.get("preferred_identifier", identifier)).casefold() != identifier.casefold():
        raise _not_listed(catalogue, identifier)
    number = quote(_get(dataset, str, "identifier"), safe="")
    return research.get("description"), list(catalogue.entries(f"rest/v2/datasets/{number}/files"))


_FINDERS = {"3": _find_version_3, "2": _find_version_2}


def _not_listed(catalogue: _Catalogue, identifier: str) -> RetrievalError:
    return RetrievalError(
        f"{catalogue.address} does not list {identifier}; check the identifier and the catalogue"
    )


def _get(record: Any, kind: type, *fields: str) -> Any:
    """Give the first of these fields that a catalogue's record has, or say that it is not as expected."""
    present = [record[field] for field in fields if field in record] if isinstance(record, dict) else []
    if not present or not isinstance(present[0], kind):
        raise RetrievalError(
            f"the catalogue's answer has no {' or '.join(fields)} of type {kind.__name__}: "
            f"{json.dumps(record)[:120]}; check the catalogue's address and version"
        )
    return present[0]


def _persistent_identifier(text: str) -> str:
    doi = re.fullmatch(r"(?:doi:|https?://(?:dx\.)?doi\.org/)?(10\..+)", text.strip(), re.IGNORECASE)
    return f"doi:{doi[1]}" if doi else text.strip()


def _mirror(description: Any, identifier: str) -> str:
    """Find the mirror's address in the description, whichever language has it."""
    for text in description.values() if isinstance(description, dict) else ():
        line = MIRROR_LINE.search(text) if isinstance(text, str) else None
        if line:
            return line[1]
    raise RetrievalError(
        f"the description of {identifier} names no mirror; give the mirror's address (--mirror)"
    )


def _archives(files: list[dict], mirror: str) -> list[Archive]:
    archives: dict[str, Archive] = {}
    for file in files:
        name = _file_name(file)
        if not name.lower().endswith(".zip"):
            continue
        if name in archives:
            raise RetrievalError(f"the catalogue lists {name} twice; report it to the data set's makers")
        size = _get(file, int, "size", "byte_size")
        algorithm, checksum = _checksum(file)
        archives[name] = Archive(name, size, algorithm, checksum, f"{mirror.rstrip('/')}/{quote(name)}")
    if not archives:
        raise RetrievalError(
            f"none of the {len(files)} files in the catalogue is a zip archive; check the identifier"
        )
    return [archives[name] for name in sorted(archives)]


def _file_name(file: dict) -> str:
    """Read a file's name; what version 3 says is a name must be one, version 2 has only the path."""
    name = _get(file, str, "filename", "file_path")
    return name if "filename" in file else name.rpartition("/")[2]


def _checksum(file: dict) -> tuple[str, str]:
    """Read a checksum: ``"md5:…"`` in version 3, ``{"algorithm": "MD5", "value": "…"}`` in version 2."""
    checksum = file.get("checksum")
    if isinstance(checksum, dict):
        algorithm, value = _get(checksum, str, "algorithm"), _get(checksum, str, "value")
    else:
        algorithm, _, value = _get(file, str, "checksum").partition(":")
    return algorithm.lower().replace("-", ""), value.lower()
