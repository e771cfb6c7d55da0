"""Run the study as ``make study`` does: clear what a killed run left, run Snakemake, then make the report.

  python workflow/run_study.py
  python workflow/run_study.py --configfile config/real_scenes.yaml -- --cores 4
  python workflow/run_study.py --plan                             count the jobs and say why, make nothing

What stands after -- goes to Snakemake, whose own ``--cores`` is ``all`` unless given. The report is made when
nothing is missing or out of date, and only then. Asked to end (SIGTERM), it asks Snakemake to: no more jobs
begin, those at work are waited for, and the exit code is 143.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from spatial_prediction import process_lock
from spatial_prediction.errors import ConfigurationError, SpatialPredictionError
from spatial_prediction.normalisation import PLACES_VARIABLE, read_mapping

STUDIES = tuple(sorted(path.parent.name for path in Path(__file__).parent.glob("rules/*/study.smk")))
INTERRUPTED = 130
TERMINATED = 143
"""Exit codes after Ctrl-C and SIGTERM (128 and the number of the signal, as shells have it)."""
ASKING = ("-n", "--dry-run", "--dryrun", "--unlock")
SECONDS_TO_DIE = 5
CAPTIONS = Path(__file__).parent / "report"


class Terminated(BaseException):
    """SIGTERM asks this program to end; like KeyboardInterrupt, nothing takes it for an error."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study as the arguments say; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--configfile", help="overlay on config.yaml, or several, separated by spaces")
    parser.add_argument(
        "--study", choices=[*STUDIES, "all"], help="which study; default: those of the configuration"
    )
    parser.add_argument("--plan", action="store_true", help="count jobs and say why, make nothing")
    parser.add_argument("snakemake", nargs="*", help="arguments of Snakemake, after --")
    options = parser.parse_args(arguments)
    given = options.snakemake
    end = given.index("--") if "--" in given else len(given)
    chosen = given[:end] if options.study is None else with_study(given[:end], options.study)
    given = [*chosen, *overlay(options.configfile), *given[end:]]
    lasting = lasting_options(given)
    folder = Path(lasting.directory or ".")
    if options.plan:
        return snakemake("--quiet", "rules", "--dry-run", *given)
    if not set(ASKING) & set(given):
        clear_what_a_killed_run_left(folder)
    if code := snakemake(*given):
        return code
    return 0 if set(ASKING) & set(given) else make_report(repeated(lasting))


def with_study(given: Sequence[str], study: str) -> list[str]:
    """Arguments that have Snakemake make a study, or all, whatever the configuration says.

    Of several ``--config`` Snakemake takes only the last, so one that is there is added to.
    """
    setting = f"studies=[{','.join(STUDIES if study == 'all' else [study])}]"
    for place, word in enumerate(given):
        if word in ("--config", "-C"):
            return [*given[: place + 1], setting, *given[place + 1 :]]
    return [*given, "--config", setting]


def overlay(names: str | None) -> list[str]:
    """Arguments that have Snakemake read an overlay whose name may hold spaces, or several."""
    if not names:
        return []
    files = [names] if Path(names).is_file() else names.split()
    for file in files:
        if not Path(file).is_file():
            raise ConfigurationError(
                f"{names}: no such file; give the name of an overlay, such as config/real_scenes.yaml"
            )
        read_mapping(Path(file), "an overlay names keys of config.yaml, such as config/real_scenes.yaml")
    return ["--configfile", *files]


def lasting_options(given: Sequence[str]) -> argparse.Namespace:
    """Those of Snakemake's arguments that say which study is meant, not what to do with it."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--configfile", "--configfiles", nargs="+", default=[])
    parser.add_argument("--config", "-C", nargs="*", default=[])
    parser.add_argument("--snakefile", "-s")
    parser.add_argument("--directory", "-d")
    parser.add_argument("--profile")
    parser.add_argument("--workflow-profile")
    parser.add_argument("--rerun-triggers", nargs="+", default=[])
    return parser.parse_known_args(list(given))[0]


def repeated(lasting: argparse.Namespace) -> list[str]:
    """The same as arguments again."""
    arguments = []
    for name, value in vars(lasting).items():
        if value:
            arguments += [f"--{name.replace('_', '-')}", *([value] if isinstance(value, str) else value)]
    return arguments


def snakemake(*arguments: str) -> int:
    """Run Snakemake to its end, and return its exit code."""
    running = subprocess.Popen([sys.executable, "-m", "snakemake", "--cores", "all", *arguments])
    try:
        return running.wait()
    except KeyboardInterrupt:
        running.wait()  # Ctrl-C has reached it, too
        raise
    except Terminated:
        running.terminate()  # this signal may have reached only one process; Snakemake minds no second one
        running.wait()
        raise


def clear_what_a_killed_run_left(folder: Path) -> None:
    """Wait for the jobs of a Snakemake that was killed, and remove its lock.

    Raises:
        ConfigurationError: there is a lock, and it cannot be known whether its Snakemake still runs.
    """
    running, working = folder / process_lock.RUNNING, folder / process_lock.WORKING
    locks = folder / ".snakemake" / "locks"
    locked = locks.is_dir() and any(locks.iterdir())
    held = process_lock.is_held(running)
    for _ in range(SECONDS_TO_DIE * 10):
        if not (locked and held):
            break
        time.sleep(0.1)  # one that has just been killed may still be ending
        held = process_lock.is_held(running)
    if held:
        return  # Snakemake itself says what it may not do beside the other
    if locked and held is None:
        raise ConfigurationError(
            f"{locks}: a lock, of a Snakemake on another machine or of one that was killed; if none is at "
            "work in this folder, remove it: make study ARGS=--unlock"
        )
    if process_lock.is_held(working):
        print("Jobs of a run that was killed are still at work; waiting for them to end", file=sys.stderr)
        process_lock.wait_until_free(working)
    if locked:
        print(f"Removing a lock that was left by a run that was killed: {locks}", file=sys.stderr)
        shutil.rmtree(locks)


def make_report(study: list[str]) -> int:
    """Make the report unless it is up to date or the study is not; return an exit code."""
    with tempfile.TemporaryDirectory() as temporary:
        places = Path(temporary, "places.json")
        planned = subprocess.run(
            [sys.executable, "-m", "snakemake", "--dry-run", *study],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, PLACES_VARIABLE: str(places)},
        )
        if planned.returncode:
            print(planned.stdout, file=sys.stderr)
            return planned.returncode
        described = json.loads(places.read_text(encoding="utf-8"))
    results, report = Path(described["results"]), Path(described["report"])
    if "Nothing to be done" not in planned.stdout:
        print(f"No report: parts of the study are missing or out of date (see make plan). {older(report)}")
        return 0
    of_results = (f"{folder}{kind}/*.*" for folder in ("", "*/") for kind in ("figures", "tables"))
    shown = [*CAPTIONS.glob("*.*"), *(file for pattern in of_results for file in results.glob(pattern))]
    if report.exists() and all(file.stat().st_mtime <= report.stat().st_mtime for file in shown):
        return 0
    return snakemake(*study, "--report", str(report))


def older(report: Path) -> str:
    """What to say of a report that there is already."""
    return f"{report} shows an earlier state." if report.exists() else ""


def terminated(number: int, frame: FrameType | None) -> None:
    """What SIGTERM does to this program, once."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Terminated


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, terminated)
    try:
        sys.exit(main())
    except SpatialPredictionError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("interrupted; make study goes on from here", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except Terminated:
        print("asked to end; make study goes on from here", file=sys.stderr)
        sys.exit(TERMINATED)
