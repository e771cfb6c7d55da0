"""What one process encodes another decodes: fewer processor features, other threads, other batches."""

import os
import subprocess
import sys

import pytest
from tests.decoded_elsewhere import encode_all

POORER = {
    "NUMBA_CPU_NAME": "generic",
    "NUMBA_CPU_FEATURES": "",
    "NUMBA_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 X86_V3" if sys.platform == "linux" else "",
    "XLA_FLAGS": "--xla_cpu_max_isa=SSE4_2 --xla_cpu_multi_thread_eigen=false",
}


@pytest.mark.slow
def test_a_process_with_a_poorer_processor_and_other_threads_and_batches_decodes(tmp_path):
    """Every coder, lossless and not; the same process encodes anew and gets the same bytes."""
    streams = encode_all(tmp_path)
    command = [sys.executable, "-m", "tests.decoded_elsewhere", str(tmp_path)]
    ended = subprocess.run(command, env=os.environ | POORER, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    versions, *right = ended.stdout.splitlines()
    assert versions.startswith("Python")
    assert len(right) == streams, f"{streams} streams were written; right are {right}"
