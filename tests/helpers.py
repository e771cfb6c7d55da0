"""What several tests share."""

from pathlib import Path

REPOSITORY = Path(__file__).parents[1]


def shared_folder(name: str) -> Path:
    """Folder of reference data that lies beside the checkout; absent in an outsider's clone."""
    return REPOSITORY.parent / "shared" / name
