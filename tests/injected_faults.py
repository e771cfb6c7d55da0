"""Claim: whatever goes wrong while the published data set is fetched, nothing is lost or half-done.

Each trial retrieves a small data set from a local server while one fault is injected at a random place, looks
at what lies in the folder then, and retrieves again without the fault. Prints a table by kind of fault.

  python -m tests.injected_faults --trials 10
"""

import argparse
import email.utils
import os
import random
import resource
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections import Counter
from pathlib import Path

from spatial_prediction.errors import RetrievalError
from spatial_prediction.retrieval.fairdata import find_archives
from spatial_prediction.retrieval.parallel_retrieval import retrieve_scenes
from spatial_prediction.retrieval.web import Patience
from tests.catalogue_server import IDENTIFIER, CatalogueServer
from tests.helpers import REPOSITORY
from tests.published_scenes import published_files

SCENES = {f"{index:06d}.nc": random.Random(index).randbytes(200_000) for index in range(6)}
PATIENCE = Patience(attempts=4, first_wait=0.001, longest_wait=0.002, connect_timeout=2.0, read_timeout=0.5)


class Trial:
    """A server, an empty folder, and chance."""

    def __init__(self, server, folder, seed):
        self.server, self.folder, self.chance = server, folder / "scenes", random.Random(seed)
        self.folder.mkdir()
        server.files = published_files(SCENES)
        server.ranges = True

    def retrieve(self):
        """Retrieve in this process; returns the message of a failure, or None."""
        try:
            archives = find_archives(IDENTIFIER, catalogue=self.server.address, patience=PATIENCE)
            retrieve_scenes(archives, self.folder, parallel=2, patience=PATIENCE)
        except RetrievalError as error:
            return str(error)
        return None

    def process(self):
        """Start retrieving in another process."""
        arguments = ["--identifier", IDENTIFIER, "--catalogue", self.server.address, "--parallel", "2"]
        arguments += ["--directory", str(self.folder), "--manifest", str(self.folder / "manifest.json")]
        return subprocess.Popen(
            [
                sys.executable,
                str(REPOSITORY / "scripts" / "super_resolution" / "retrieve_scenes.py"),
                *arguments,
            ],
            env=os.environ | {"NO_PROXY": "127.0.0.1"},
            stderr=subprocess.PIPE,
            text=True,
        )

    def among(self, *faults):
        """Put faults at random places among the next requests of archives, after those of the catalogue."""
        later = [*faults, *[None] * self.chance.randrange(3)]
        self.chance.shuffle(later)
        self.server.faults = [None] * 5 + later

    def slowly(self):
        """Serve all archives in pieces, so that there is time for something to happen."""

        def serve(handler):
            content = self.server.files[handler.path.rpartition("/")[2]]
            handler.answer(200, content, cut=0)
            for start in range(0, len(content), 20_000):
                handler.wfile.write(content[start : start + 20_000])
                time.sleep(0.01)

        self.server.faults = [None] * 5 + [serve] * 3

    def wait_for_an_archive(self):
        while not self.server.ranges_asked():
            time.sleep(0.01)
        time.sleep(self.chance.uniform(0.0, 0.3))

    def wrong_files(self):
        """Files under the name of a scene or an archive that are not what their name says."""
        wrong = [
            path.name
            for path in self.folder.iterdir()
            if path.name in SCENES and path.read_bytes() != SCENES[path.name]
        ]
        outside = [path.name for path in self.folder.parent.iterdir() if path != self.folder]
        return wrong + outside

    def is_complete(self):
        there = {path.name: path.read_bytes() for path in self.folder.glob("*.nc")}
        return there == SCENES and not list(self.folder.glob("*.zip")) + list(self.folder.glob("*.partial*"))


def reset(handler):
    """End the connection as a crash does: with RST in place of FIN."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def later(handler):
    """Ask by date to come back."""
    now = time.time() + 7200  # of a clock that is two hours ahead
    handler.date_time_string = lambda *_: email.utils.formatdate(now, usegmt=True)
    handler.answer(429, b"", {"Retry-After": email.utils.formatdate(now + 0.3, usegmt=True)})


def no_json(handler):
    handler.answer(200, b"<html>down for maintenance</html>")


def of_server(*faults):
    def inject(trial):
        trial.among(*faults)
        return trial.retrieve()

    return inject


def without_ranges(trial):
    trial.server.ranges = False
    trial.among("drop", "drop")
    return trial.retrieve()


def of_catalogue(trial):
    trial.server.faults = [trial.chance.choice([500, 503, 429, "stall", no_json])]
    return trial.retrieve()


def lasting(trial):
    trial.among(*[trial.chance.choice([500, "wrong", "long", "short", reset])] * 30)
    return trial.retrieve()


def gone(trial):
    del trial.server.files[name := f"scenes{trial.chance.randint(1, 3)}.zip"]
    trial.server.files[f"{name[:-4]}.txt"] = b""
    whole, trial.server.files = trial.server.files, published_files(SCENES)
    archives = find_archives(IDENTIFIER, catalogue=trial.server.address, patience=PATIENCE)
    trial.server.files = whole
    try:
        retrieve_scenes(archives, trial.folder, patience=PATIENCE)
    except RetrievalError as error:
        return str(error)
    return None


def truncated_archive(trial):
    name = f"scenes{trial.chance.randint(1, 3)}.zip"
    content = trial.server.files[name]
    trial.server.files[name] = content[: trial.chance.randrange(100, len(content) - 1)]
    return trial.retrieve()


def hostile_archive(trial):
    member = zipfile.ZipInfo("000009.nc")
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    evil = {
        "path": [("../000009.nc", b"x")],
        "root": [("/000009.nc", b"x")],
        "link": [(member, b"/etc/passwd")],
        "twice": [("000009.nc", b"x"), ("000009.nc", b"y")],
        "large": [("000009.nc", bytes(65 * 2**20))],
        "other": [("run_me.sh", b"x")],
    }[trial.chance.choice(["path", "root", "link", "twice", "large", "other"])]
    archive = trial.folder.parent / "evil.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, content in [("000000.nc", SCENES["000000.nc"]), *evil]:
            file.writestr(name, content)
    trial.server.files["scenes1.zip"] = archive.read_bytes()
    archive.unlink()
    return trial.retrieve()


def full_disk(trial):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (trial.chance.randrange(1000, 400_000), limits[1]))
    try:
        return trial.retrieve()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def read_only_folder(trial):
    trial.folder.chmod(0o555)
    user = os.geteuid()
    try:
        if user == 0:
            os.seteuid(65534)  # root may write anywhere
        return trial.retrieve()
    finally:
        os.seteuid(user)
        trial.folder.chmod(0o755)


def ended_by(number):
    def inject(trial):
        trial.slowly()
        with trial.process() as process:
            trial.wait_for_an_archive()
            process.send_signal(number)
            process.communicate()
        return f"ended by {signal.Signals(number).name}; start it again"

    return inject


def two_at_once(trial):
    trial.slowly()
    both = [trial.process(), trial.process()]
    ends = [(process.communicate()[1], process.returncode) for process in both]
    (trial.folder / "manifest.json").unlink(missing_ok=True)
    return "".join(message for message, status in ends if status) or None


def orphan_beside_its_retry(trial):
    trial.slowly()
    with trial.process() as orphan:
        trial.wait_for_an_archive()
        message = trial.retrieve()
        orphan.communicate()
    (trial.folder / "manifest.json").unlink(missing_ok=True)
    return message


def damaged_leftovers(trial):
    trial.among("drop", "drop")
    name = f"scenes{trial.chance.randint(1, 3)}.zip"
    leftover = trial.chance.choice([f"{name}.partial", name, f"{name}.json"])
    (trial.folder / leftover).write_bytes(trial.chance.randbytes(trial.chance.randrange(1, 500_000)))
    return trial.retrieve()


def skewed_clock(trial):
    trial.retrieve()
    for path in trial.folder.iterdir():
        moment = time.time() + trial.chance.uniform(-1e6, 1e6)
        os.utime(path, (moment, moment))
    (trial.folder / f"00000{trial.chance.randrange(6)}.nc").unlink()
    return trial.retrieve()


KINDS = {
    "connection dropped half-way": of_server("drop"),
    "connection reset": of_server(reset),
    "dropped, server without ranges": without_ranges,
    "server falls silent": of_server("stall"),
    "server trickles byte by byte": of_server("trickle"),
    "wrong bytes": of_server("wrong"),
    "too many bytes": of_server("long"),
    "too few bytes": of_server("short"),
    "status 500": of_server(500, 500),
    "status 503": of_server(503),
    "status 429, Retry-After seconds": of_server(429),
    "status 429, Retry-After date, clock ahead": of_server(later),
    "redirect": of_server("redirect", "redirect"),
    "redirect in a circle": of_server("loop"),
    "no length declared": of_server("unsized"),
    "several faults in a row": of_server("drop", 500, "wrong"),
    "fault that does not end": lasting,
    "archive missing at the mirror": gone,
    "catalogue busy, silent or no JSON": of_catalogue,
    "archive truncated by its makers": truncated_archive,
    "hostile archive": hostile_archive,
    "disk full": full_disk,
    "folder read-only": read_only_folder,
    "killed (SIGKILL)": ended_by(signal.SIGKILL),
    "asked to end (SIGTERM)": ended_by(signal.SIGTERM),
    "Ctrl-C (SIGINT)": ended_by(signal.SIGINT),
    "two processes at once": two_at_once,
    "orphan beside its retry": orphan_beside_its_retry,
    "damaged leftovers of an earlier run": damaged_leftovers,
    "clock skew, a scene deleted": skewed_clock,
}


def outcome(inject, seed):
    """Run one trial; returns what happened, what was lost, and the message."""
    with tempfile.TemporaryDirectory() as folder, CatalogueServer({}) as server:
        Path(folder).chmod(0o755)
        trial = Trial(server, Path(folder), seed)
        message = inject(trial)
        lost = trial.wrong_files()
        happened = "went on" if message is None else "stopped"
        if message is not None:
            # "refused" would be a message without a remedy, which follows a semicolon
            lost += [] if ";" in message else [f"no remedy: {message}"]
            server.faults, server.files, server.ranges = [], published_files(SCENES), True
            again = trial.retrieve()
            (trial.folder / "manifest.json").unlink(missing_ok=True)
            lost += [] if again is None else [f"not to be mended: {again}"]
        lost += [] if trial.is_complete() else [f"incomplete: {sorted(os.listdir(trial.folder))}"]
        return happened, lost, message


def table(trials):
    """Run all kinds so many times and print what came of it; returns how many trials lost something."""
    print("| fault | times | went on by itself | stopped, complete after a restart | lost |")
    print("|---|---|---|---|---|")
    totals, failures, messages = Counter(), [], {}
    for kind, inject in KINDS.items():
        counts = Counter()
        for seed in range(trials):
            try:
                happened, lost, message = outcome(inject, seed)
            except Exception:
                happened, lost, message = "crashed", [traceback.format_exc()], None
            counts[happened] += 1
            counts["lost"] += bool(lost)
            failures += [f"{kind}, seed {seed}: {loss}" for loss in lost]
            messages.setdefault(kind, message)
        totals += counts
        print(
            f"| {kind} | {trials} | {counts['went on']} | {counts['stopped']} | {counts['lost']} |",
            flush=True,
        )
    print(_row("all", trials * len(KINDS), totals))
    print(*failures, sep="\n", file=sys.stderr)
    for kind, message in messages.items():
        if message:
            print(f"{kind}: {message}", file=sys.stderr)
    return len(failures)


def _row(kind, number, counts):
    return f"| {kind} | {number} | {counts['went on']} | {counts['stopped']} | {counts['lost']} |"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Inject faults into the retrieval of scenes.")
    parser.add_argument("--trials", type=int, default=10, help="of each kind of fault")
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"
    sys.exit(bool(table(parser.parse_args().trials)))
