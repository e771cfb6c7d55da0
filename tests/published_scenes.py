"""A small data set as it is published: scenes in archives, and other files beside them."""

import io
import zipfile

SCENES = {f"{index:06d}.nc": bytes([index]) * 1000 for index in range(6)}


def zipped(scenes):
    """An archive as bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in scenes.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def pair(index, scenes=SCENES):
    """The scenes of one archive."""
    return dict(list(scenes.items())[2 * index : 2 * index + 2])


def published_files(scenes=SCENES):
    """Three archives, listed out of order, and two other files."""
    return {
        "scenes3.zip": zipped(pair(2, scenes)),
        "readme.txt": b"read me",
        "scenes1.zip": zipped(pair(0, scenes)),
        "index.csv": b"1,2",
        "scenes2.zip": zipped(pair(1, scenes)),
    }
