import os
import subprocess
import sys

import pytest

from spatial_prediction import compiled_programs as compilation

INTEL = "processor : 0\nmodel name : Some CPU\nflags : fpu avx2\ncpu MHz : {}\n"


@pytest.fixture
def processors(tmp_path, monkeypatch):
    path = tmp_path / "cpuinfo"
    monkeypatch.setattr(compilation, "PROCESSORS", path)
    return path


def test_the_kind_of_processor_is_what_it_can_do_and_not_how_fast_it_runs(processors):
    kinds = []
    for text in (INTEL.format(2000), INTEL.format(3000), INTEL.format(2000).replace("avx2", "avx512f")):
        processors.write_text(text)
        kinds.append(compilation.kind_of_processor())
    assert kinds[0] == kinds[1] != kinds[2]
    processors.unlink()
    assert compilation.kind_of_processor() not in kinds


PROGRAM = """
import jax
from spatial_prediction.compiled_programs import keep_compiled_programs
keep_compiled_programs()
print(jax.jit(lambda x: x * 3 + 1)(2.0))
"""


def test_small_programs_are_kept_and_found_again(tmp_path):
    environment = os.environ | {compilation.FOLDER_VARIABLE: str(tmp_path)}
    for _ in range(2):
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM], env=environment, check=True, capture_output=True, text=True
        )
        assert ended.stdout == "7.0\n"
        kept = list((tmp_path / compilation.kind_of_processor()).glob("*-cache"))
        assert len(kept) == 1
