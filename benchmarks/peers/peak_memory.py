"""The most memory that a process has held. Imports nothing that a peer's environment may lack."""

import re
import resource
import sys
from pathlib import Path

STATUS = Path("/proc/self/status")


def peak_memory() -> float:
    """Return the most mebibytes of memory that this process has held since its program began.

    On Linux ``ru_maxrss`` is at least what the process held that started this one: for a small program that
    a large one starts, it is the large one's.
    """
    if STATUS.exists():
        return int(re.findall(r"VmHWM:\s+(\d+) kB", STATUS.read_text())[0]) / 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1024**2 if sys.platform == "darwin" else 1024)
