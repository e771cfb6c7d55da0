"""Claim: what is encoded here is decoded by other versions of Python and JAX, and encoded to the same bytes.

Encodes a small cube with every coder, lossless and not, and has the Python of each other environment decode
it and encode it anew, with this checkout of the package; LineRWKV also by its definition in JAX. Shows
versions and what came back as it should; anything else ends the program with an error.

  python benchmarks/other_environments.py ../other/.venv/bin/python
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.decoded_elsewhere import encode_all

REPOSITORY = Path(__file__).resolve().parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("python", nargs="*", default=[sys.executable], help="of each environment")
    options = parser.parse_args()
    paths = os.pathsep.join([str(REPOSITORY / "src"), str(REPOSITORY)])
    with tempfile.TemporaryDirectory() as folder:
        streams = encode_all(Path(folder))
        for python in [sys.executable, *options.python]:
            command = [python, "-m", "tests.decoded_elsewhere", folder]
            ended = subprocess.run(
                command, env=os.environ | {"PYTHONPATH": paths}, stdout=subprocess.PIPE, text=True, check=True
            )
            versions, *right = ended.stdout.splitlines()
            print(f"{versions}: {len(right)} of {streams} streams came back and were made again")
            if len(right) != streams:
                sys.exit(f"wrong or missing: all but {', '.join(right)}")


if __name__ == "__main__":
    main()
