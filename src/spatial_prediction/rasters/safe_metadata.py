"""What the metadata of a Sentinel-2 product state: offsets, quantification, baseline, nodata."""

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from spatial_prediction.errors import SceneError

BANDS_IN_ORDER = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12")
"""Bands by the number (``band_id``) that the metadata give them."""

LARGEST_METADATA = 64 * 1024**2
"""Bytes; a product's have some ten thousand."""

_OFFSETS = ("BOA_ADD_OFFSET", "RADIO_ADD_OFFSET")
_VALUES = ("PROCESSING_BASELINE", "QUANTIFICATION_VALUE", "BOA_QUANTIFICATION_VALUE")


def product_tags(folder: Path) -> dict[str, str]:
    """Read what the product states that a folder is, or is part of; nothing where there are no metadata.

    They lie in ``MTD_MSIL1C.xml`` or ``MTD_MSIL2A.xml``, in the folder or in those above up to ``.SAFE``.

    Returns:
        ``PROCESSING_BASELINE``, ``BOA_ADD_OFFSET_B02`` and so on, ``nodata``: names as elsewhere.

    Raises:
        SceneError: there are metadata, and they cannot be read.
    """
    path = _metadata_file(folder)
    if path is None:
        return {}
    if path.stat().st_size > LARGEST_METADATA:
        raise SceneError(f"{path.name} has {path.stat().st_size} bytes, too many for metadata of a product")
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise SceneError(f"{path.name} is no XML ({error}); fetch the product again") from error
    return dict(_tags(root))


def _metadata_file(folder: Path) -> Path | None:
    folders = [folder.resolve(), *folder.resolve().parents]
    products = [index for index, each in enumerate(folders) if each.suffix.upper() == ".SAFE"]
    for each in folders[: products[0] + 1 if products else 1]:
        found = sorted(each.glob("MTD_MSIL*.xml"))
        if len(found) > 1:
            raise SceneError(
                f"there are several metadata of products ({', '.join(path.name for path in found)})"
            )
        if found:
            return found[0]
    return None


def _tags(root: ElementTree.Element) -> Iterator[tuple[str, str]]:
    for element in root.iter():
        name = element.tag.rpartition("}")[2]
        value = (element.text or "").strip()
        if name in _VALUES:
            yield name, value
        if name in _OFFSETS:
            number = element.get("band_id", "")
            if not number.isdecimal() or int(number) >= len(BANDS_IN_ORDER):
                raise SceneError(f"the product's metadata state {name} for band_id={number!r}, which is none")
            yield f"{name}_{BANDS_IN_ORDER[int(number)]}", value
        if name == "Special_Values":
            texts = {child.tag.rpartition("}")[2]: (child.text or "").strip() for child in element}
            if texts.get("SPECIAL_VALUE_TEXT") == "NODATA":
                yield "nodata", texts.get("SPECIAL_VALUE_INDEX", "")
