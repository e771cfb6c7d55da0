"""Claim: on a GPU a step of training comes near to what memory and arithmetic allow; eight minutes show it.

Measures, section by section, the device itself, training beside the plain implementation and PyTorch, the
cost of every padding over zeros, the largest batch, upscaling from file to file, a Gaussian process,
LineRWKV, and extrapolates to the published study. Published figures stand beside the measured ones. Each
section has a share of the time and ends on it, and what it leaves goes to those after it; on_a_gpu.json and
on_a_gpu.md in --out are complete after every section, so a run that is cut off leaves a table. A section that
fails is recorded with its error; all that programs print goes to log.txt.

A step of training is counted as three forward passes. The roofline is that of float32 without tensor cores,
with the maps of a block in memory only before and after it; XLA may take tensor cores (TF32) unless told not
to, which the section "device" shows.

  python benchmarks/on_a_gpu.py --out FOLDER
  python benchmarks/on_a_gpu.py --out FOLDER --python PEER/bin/python      # beside PyTorch, built for CUDA
  python benchmarks/on_a_gpu.py --out FOLDER --sections device padding --seconds 200
  python benchmarks/on_a_gpu.py --out FOLDER --tiny                        # on a CPU, whether it works
"""

import argparse
import datetime
import signal
import sys
import time
from pathlib import Path
from typing import Any

from gpu.report import Section, write
from gpu.worker import EndedError, Worker

from spatial_prediction import command

SHARES = {
    "device": 2,
    "training": 11,
    "pytorch": 6,
    "padding": 11,
    "largest_batch": 5,
    "upscaling": 4,
    "gaussian_process": 3,
    "linerwkv": 2,
    "paper": 6,
}
"""Sections in their order, and how the time is divided among them."""


class Session:
    """The sections to be measured, and the process that measures them."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options, self._begun = options, time.monotonic()
        self._worker: Worker | None = None
        self._machine: dict[str, Any] | None = None
        self._date = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
        self.sections = [Section(name) for name in SHARES if name in options.sections]

    def run(self) -> None:
        """Measure one section after the other; the results are on disk after each."""
        self.write()
        try:
            for index, section in enumerate(self.sections):
                left = self._options.seconds - (time.monotonic() - self._begun)
                shares = [SHARES[each.name] for each in self.sections[index:]]
                self._measure(section, left, shares[0] / sum(shares))
                self.write()
                said = f"{section.name}: {len(section.rows)} rows in {section.seconds:.0f} s. "
                print(said + (section.reason or ""), flush=True)
        finally:
            self._end_worker()

    def write(self) -> None:
        header = {
            "machine": self._machine,
            "date": self._date,
            "tiny": self._options.tiny,
            "budget": self._options.seconds,
            "seconds": time.monotonic() - self._begun,
        }
        write(self._options.out, header, self.sections)

    def _measure(self, section: Section, left: float, share: float) -> None:
        begun = time.monotonic()
        earlier = {each.name: each.rows for each in self.sections}
        try:
            worker = self._started_worker(left)
            section.budget = max(0.0, (left - (time.monotonic() - begun)) * share)
            for what, content in worker.answers(section.name, section.budget, earlier):
                if what == "title":
                    section.title = content
                elif what == "row":
                    section.rows.append(content)
                else:
                    section.reason = content
        except EndedError as why:
            section.reason = str(why)
            self._end_worker()
        section.seconds = time.monotonic() - begun

    def _started_worker(self, seconds: float) -> Worker:
        """The process, started anew where a section has ended the one before."""
        if seconds <= 0:
            raise EndedError("not begun: no time was left")
        if self._worker is None:
            self._worker = Worker(
                tiny=self._options.tiny, python=self._options.python, log=self._options.out / "log.txt"
            )
            self._machine = self._worker.machine(seconds)
        return self._worker

    def _end_worker(self) -> None:
        if self._worker is not None:
            self._worker.close()
        self._worker = None


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the results")
    parser.add_argument("--seconds", type=float, default=480, help="for everything")
    parser.add_argument("--sections", nargs="+", choices=list(SHARES), default=list(SHARES))
    parser.add_argument("--python", type=Path, help="interpreter that has PyTorch and safetensors")
    parser.add_argument("--tiny", action="store_true", help="with sizes that a CPU finishes in half a minute")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(command.STOPPED))  # and end the process that measures
    Session(options).run()
    print(f"{options.out / 'on_a_gpu.md'}")


if __name__ == "__main__":
    command.take_job_environment()
    main()
