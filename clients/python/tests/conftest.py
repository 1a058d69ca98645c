"""What the tests share: the real server on a free port, and hashes of what came."""

from __future__ import annotations

import hashlib
import os
import pathlib
import signal
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
DATASET = ROOT / "tests" / "data" / "vectors" / "dataset"
PHOTOGRAPHS = ROOT / "assets" / "demo"


class Process:
    """A server of its own process, by the command line of the installed package."""

    def __init__(self, *paths: os.PathLike[str] | str, listen: str = "127.0.0.1:0") -> None:
        program = os.environ.get("FEEDLINE")
        command = [program] if program else [sys.executable, "-m", "feedline"]
        command += ["serve", *map(str, paths), "--listen", listen, "--threads", "2", "--log", "error"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), f"the server said {line!r}"
        self.address = line.split()[-1]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


@pytest.fixture(scope="session")
def server():
    process = Process(PHOTOGRAPHS)
    yield process
    assert process.stop() == 0


def digest(batch) -> str:
    """SHA-256 of a batch's payload."""
    return hashlib.sha256(batch.payload).hexdigest()


def steps(loader) -> list[tuple[int, int, str]]:
    """Epoch, step and digest of every batch of one iteration."""
    return [(batch.epoch, batch.step, digest(batch)) for batch in loader]
